"""Write files safely, and check paths before they are used.

A file is written under a temporary name and then renamed, so no file is ever lost or half-written.
"""

import os
import pathlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from itertools import count
from tempfile import mkdtemp
from uuid import uuid4

from minidl.errors import FileError
from minidl.typing import Path

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # modes that give permissions only to the owner


@contextmanager
def replacing(path: Path) -> Iterator[pathlib.Path]:
    """Yield the path of a new empty file in the same folder, and rename it to `path` at the end of
    the block.

    If the block raises an exception, the file at `path` stays as it was and the new file is
    removed. An OSError of the block (a full disk, a folder without write permission) becomes a
    FileError that names `path`. If `path` is a link, the file that it points to is replaced.
    """
    path = must_be_writable(os.path.realpath(path))
    temporary = _temporary_name(path)
    try:
        with open(temporary, "xb"):
            pass
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        yield temporary
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except FileError:
        raise
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        _remove(temporary)


def append(path: Path, text: str) -> None:
    """Append text to a file. If not all of it can be written, the file stays as it was, and
    FileError is raised."""
    try:
        with open(path, "ab", buffering=0) as file:
            end, left = file.tell(), memoryview(text.encode())
            try:
                while left:
                    left = left[file.write(left) :]
            except OSError:
                file.truncate(end)
                raise
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_somewhere(
    path: Path, write: Callable[[pathlib.Path], object]
) -> tuple[pathlib.Path, FileError | None]:
    """Call write(path). If that raises FileError, as on a full disk, write into another folder.

    The other folders are the current one, and new temporary folders on disk and in memory. Returns
    the path that was written, and the FileError or None. If all folders fail, the first FileError
    is raised.
    """
    path = pathlib.Path(path)
    try:
        write(path)
        return path, None
    except FileError as error:
        for other in _other_paths(path):
            try:
                write(other)
                return other, error
            except OSError:  # FileError is an OSError too
                continue
        raise


def _other_paths(path):
    here = pathlib.Path.cwd() / path.name
    if here.parent != path.parent.resolve() and not os.path.lexists(here):
        yield here
    for parent in (None, "/dev/shm"):
        with suppress(OSError):
            folder = pathlib.Path(mkdtemp(prefix="minidl-", dir=parent))
            yield folder / path.name
            # The caller takes another path only if this folder is full too.
            folder.rmdir()


def clear_halves(path: Path, pattern: bool = False) -> None:
    """Remove the temporary files that killed processes left beside `path`. No process may be
    replacing it at the same time.

    pattern: whether * and ? in the name are wildcards.
    """
    path = pathlib.Path(os.path.realpath(path))
    stem = path.stem if pattern else escape(path.stem)
    for half in path.parent.glob(f".{stem}-{'[0-9a-f]' * 32}{escape(path.suffix)}"):
        with suppress(OSError):
            half.unlink()


def numbered(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield the path, and then the same path with -2, -3, ... after the name of the file.

    >>> [str(path) for _, path in zip(range(2), numbered(pathlib.Path("a/b.png")))]
    ['a/b.png', 'a/b-2.png']
    """
    yield path
    for number in count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def _temporary_name(path):
    """Return a new hidden name in the same folder, which `clear_halves` recognises."""
    return path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")


def must_exist(path: Path, what: str = "file") -> pathlib.Path:
    """Return `path` as a Path. Raises FileError if it is no file or may not be read.

    what: the kind of file, for the message.
    """
    path = pathlib.Path(path)
    try:
        if not path.exists():
            raise FileError(_missing(path, what))
        if not path.is_file():
            raise FileError(
                f"{str(path)!r} is not a file but a folder or a device; name the {what} itself"
            )
        with open(path, "rb"):
            return path
    except FileError:
        raise
    except PermissionError:
        raise FileError(
            f"{path} may not be read; ask its owner, or change its permissions"
        ) from None
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from None


def must_be_folder(path: Path, what: str) -> pathlib.Path:
    """Return `path` as a Path. Raises FileError if it is no folder.

    what: the kind of folder, for the message.
    """
    path = pathlib.Path(path)
    try:
        if path.is_dir():
            return path
    except (OSError, ValueError) as error:
        raise _cannot_read(path, error) from None
    if address := _address(path):
        raise FileError(
            f"{address} is an address, and minidl reads files; download the pictures first and "
            f"name {what}"
        )
    raise FileError(f"{path} is no folder; name {what}")


def _address(path):
    """Return the URL that was given as a path, or None. Path changes "https://" to "https:/"."""
    match = re.match(r"([a-z][a-z0-9+.-]+):/+", str(path), re.IGNORECASE)
    return match and f"{match[1]}://{str(path)[match.end() :][:120]}"


def _missing(path, what):
    """Return the message for a file that does not exist."""
    if address := _address(path):
        if address.lower().startswith("file:"):
            return f"{address} is an address; name the file without file://"
        return (
            f"{address} is an address, and minidl reads files; download the {what} first and name "
            "the file"
        )
    names = str(path).split(",")
    if len(names) > 1 and all(pathlib.Path(name.strip()).suffix for name in names):
        count = "two" if len(names) == 2 else "several"
        return (
            f"{path}: there is no such {what}; {count} {what}s are separated by a space, not by a "
            "comma"
        )
    return f"{path}: there is no such {what}; check the name and the folder"


def must_be_writable(path: Path) -> pathlib.Path:
    """Return `path` as a Path. Raises FileError if it cannot be written. Call this before a long
    computation."""
    path = pathlib.Path(path)
    try:
        if path.is_dir():
            raise FileError(f"{str(path)!r} is a folder; give the name of a file in it")
        if path.exists() and not path.is_file():
            raise FileError(
                f"{path} is a device, which a file cannot replace; give the name of a file"
            )
        if not path.parent.is_dir() and (address := _address(path)):
            raise FileError(
                f"{address} is an address, and minidl writes files; give the name of a file"
            )
        if not path.parent.is_dir():
            raise FileError(
                f"{path}: there is no folder {path.parent}; make it first or choose another place"
            )
        if not os.access(path.parent, os.W_OK):
            raise FileError(
                f"{path}: the folder {path.parent} may not be written to; choose another place"
            )
        os.lstat(_temporary_name(path))  # raises another error if the name is too long or invalid
    except FileError:
        raise
    except FileNotFoundError:
        return path
    except (OSError, ValueError) as error:
        raise FileError(
            f"{str(path)[:80]!r} cannot be written: {_reason(error)}; choose another name"
        ) from None
    return path


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Create the folder with this mode, and its parents, if they do not exist. Raises FileError if
    that fails."""
    try:
        pathlib.Path(folder).mkdir(mode, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"cannot make the folder {folder}: {_reason(error)}; choose another"
        ) from None


def must_differ(outputs: Mapping[str, Path], inputs: Mapping[str, Path]) -> None:
    """Raise FileError if two outputs are the same file, or if an output is an input.

    Both arguments are {name of an option: path}.
    """
    names = {os.path.realpath(path): name for name, path in inputs.items()}
    for name, path in outputs.items():
        other = names.setdefault(os.path.realpath(path), name)
        if other != name:
            raise FileError(
                f"{path} is meant both as {other} and as {name}, which would overwrite it; give "
                "another name"
            )


def _remove(temporary):
    if temporary is not None and os.path.exists(temporary):
        os.remove(temporary)


def _cannot_write(path, error):
    return FileError(
        f"cannot write {path}: {_reason(error)}; choose another place or make room there"
    )


def _cannot_read(path, error):
    return FileError(f"{str(path)[:80]!r} cannot be read: {_reason(error)}; check the name")


def _reason(error):
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
