"""A folder that appears when it is complete, and replaces only an earlier book."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from minidl.errors import FileError
from minidl.files import make_folder

MARKER = ".minidl-book"  # a file that only books contain


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder, which becomes `folder` at the end of the block.

    If the block raises an error, nothing changes. Raises FileError if `folder` holds other files
    than a book, or cannot be written.
    """
    _must_be_free(folder)
    make_folder(folder.parent)
    try:
        temporary = Path(tempfile.mkdtemp(prefix=".minidl-book-", dir=folder.parent))
    except OSError as error:
        raise FileError(f"the book cannot be written to {folder}: {error.strerror}") from error
    made, old = temporary / "new", temporary / "old"
    try:
        made.mkdir()
        (made / MARKER).touch()
        yield made
        if folder.exists():
            folder.rename(old)
        made.rename(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _must_be_free(folder):
    if not folder.exists():
        return
    is_book = folder.is_dir() and (not any(folder.iterdir()) or (folder / MARKER).exists())
    if not is_book:
        raise FileError(
            f"{folder} exists and is not a book; give another folder with -o, or remove it first"
        )
