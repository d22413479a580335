"""A folder that appears when it is complete, and replaces only an earlier book."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minidl.errors import FileError, listed
from minidl.files import make_folder

MARKER = ".minidl-book"  # a file that lists the files of a book


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder, which becomes `folder` at the end of the block.

    If the block raises an error, nothing changes. Raises FileError if `folder` holds other files
    than those of a book, or cannot be written.
    """
    folder = folder.resolve()
    _must_be_free(folder)
    make_folder(folder.parent)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".minidl-book-", dir=folder.parent))
    except OSError as error:
        raise _cannot_write(folder, error) from error
    made, old = temporary / "new", temporary / "old"
    try:
        made.mkdir()
        yield made
        (made / MARKER).write_text("".join(f"{path.name}\n" for path in made.iterdir()))
        _exchange(folder, made, old)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _exchange(folder, made, old):
    """Put the new book in the place of the old one. If that fails, the old one stays."""
    try:
        if folder.exists():
            folder.rename(old)
        made.rename(folder)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)


def _must_be_free(folder):
    try:
        if not folder.exists():
            return
        is_folder = folder.is_dir()
        found = {path.name for path in folder.iterdir()} if is_folder else set()
    except OSError as error:
        raise _cannot_write(folder, error) from error
    if not is_folder or (found and MARKER not in found):
        raise FileError(
            f"{folder} exists and is not a book; give another folder with -o, or remove it first"
        )
    if others := found - {MARKER, *(_files_of(folder) if found else ())}:
        raise FileError(
            f"{folder} is a book that would be replaced, but it also holds "
            f"{listed(sorted(others))}; move what is yours to another folder first"
        )


def _files_of(folder):
    return (folder / MARKER).read_text(encoding="utf-8").splitlines()


def _cannot_write(folder, error):
    return FileError(f"the book cannot be written to {folder}: {error.strerror or error}")
