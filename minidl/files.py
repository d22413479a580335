"""Files are written under a temporary name and then renamed, so that no file is ever lost or
half-written."""

import os
import re
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path
from tempfile import mkdtemp
from uuid import uuid4

from minidl.errors import FileError

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700  # modes for the owner alone


@contextmanager
def replacing(path):
    """Give the path of a new empty file in the same folder; move it onto `path` when the block ends
    well.

    When the block raises, whatever stood at `path` stands there still and the new file is gone. An
    OSError of the block (a full disk, a folder without write permission) becomes a FileError that
    names `path`.
    """
    # what a link points to is replaced, not the link
    path = must_be_writable(os.path.realpath(path))
    beside = None
    try:
        # which clear_halves looks for
        unique = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
        # set before the file exists, because an interruption may come at any moment
        beside = unique
        with open(unique, "xb"):
            pass
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        yield beside
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    except FileError:
        _remove(beside)
        raise
    except OSError as error:
        _remove(beside)
        raise FileError(
            f"cannot write {path}: {_reason(error)}; choose another place or make room there"
        ) from error
    except BaseException:
        _remove(beside)
        raise


def append(path, text):
    """Append text to a file. Where not all of it can be written, the file stays as it was, and
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
        raise FileError(
            f"cannot write {path}: {_reason(error)}; choose another place or make room there"
        ) from error


def write_somewhere(path, write):
    """(where, error): call write(path). Where that raises a FileError, as on a full disk, write
    into another folder.

    where: the path that was written. error: the FileError, or None. The other folders are the
    current one, and new temporary folders on disk and in memory. Where all fail, the first
    FileError is raised.
    """
    path = Path(path)
    try:
        write(path)
        return path, None
    except FileError as error:
        for place in _other_places(path):
            try:
                write(place)
                return place, error
            except OSError:  # and FileErrors, which are OSErrors
                continue
        raise


def _other_places(path):
    here = Path.cwd() / path.name
    if here.parent != path.parent.resolve() and not os.path.lexists(here):
        yield here
    for folder in (None, "/dev/shm"):
        with suppress(OSError):
            new = Path(mkdtemp(prefix="minidl-", dir=folder))
            yield new / path.name
            # this line runs where the caller needs another place, because this one is full too
            new.rmdir()


def clear_halves(path, pattern=False):
    """Remove the temporary files that killed processes have left beside `path`. No process may be
    replacing it now.

    pattern: whether * and ? in the name are wildcards.
    """
    path = Path(os.path.realpath(path))
    stem = path.stem if pattern else escape(path.stem)
    for half in path.parent.glob(f".{stem}-{'[0-9a-f]' * 32}{escape(path.suffix)}"):
        with suppress(OSError):
            half.unlink()


def must_exist(path, what="file"):
    """Return `path` as a Path, or say that there is no such file or that it may not be read."""
    path = Path(path)
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
        raise FileError(
            f"{str(path)[:80]!r} cannot be read: {_reason(error)}; check the name"
        ) from None


def must_be_folder(path, what):
    """Return `path` as a Path, or raise a FileError that it is no folder. what: the wanted folder,
    for the message."""
    path = Path(path)
    try:
        if path.is_dir():
            return path
    except (OSError, ValueError) as error:
        raise FileError(
            f"{str(path)[:80]!r} cannot be read: {_reason(error)}; check the name"
        ) from None
    if address := _address(path):
        raise FileError(
            f"{address} is an address, and minidl reads files; download the pictures first and name {what}"
        )
    raise FileError(f"{path} is no folder; name {what}")


def _address(path):
    """The URL in the place of a path, or None. Path turns "https://..." into "https:/..."."""
    found = re.match(r"([a-z][a-z0-9+.-]+):/+", str(path), re.IGNORECASE)
    return found and f"{found[1]}://{str(path)[found.end() :][:120]}"


def _missing(path, what):
    """The message for a file that does not exist"""
    if address := _address(path):
        if address.lower().startswith("file:"):
            return f"{address} is an address; name the file without file://"
        return f"{address} is an address, and minidl reads files; download the {what} first and name the file"
    names = str(path).split(",")
    if len(names) > 1 and all(Path(name.strip()).suffix for name in names):
        count = "two" if len(names) == 2 else "several"
        return f"{path}: there is no such {what}; {count} {what}s are separated by a space, not by a comma"
    return f"{path}: there is no such {what}; check the name and the folder"


def must_be_writable(path):
    """Return `path` as a Path, or raise a FileError now rather than after a long run if it could
    not be written."""
    path = Path(path)
    try:
        if path.is_dir():
            raise FileError(f"{str(path)!r} is a folder; give the name of a file in it")
        if path.exists() and not path.is_file():
            raise FileError(
                f"{path} is a device, which a file cannot replace; give the name of a file"
            )
        if not path.parent.is_dir() and _address(path):
            raise FileError(
                f"{_address(path)} is an address, and minidl writes files; give the name of a file"
            )
        if not path.parent.is_dir():
            raise FileError(
                f"{path}: there is no folder {path.parent}; make it first or choose another place"
            )
        if not os.access(path.parent, os.W_OK):
            raise FileError(
                f"{path}: the folder {path.parent} may not be written to; choose another place"
            )
        os.lstat(path.parent / f".{path.stem}-{uuid4().hex}{path.suffix}")
    except FileError:
        raise
    except FileNotFoundError:
        return path
    except (OSError, ValueError) as error:
        raise FileError(
            f"{str(path)[:80]!r} cannot be written: {_reason(error)}; choose another name"
        ) from None
    return path


def make_folder(folder, mode=0o777):
    """Create the folder with this mode, and its parents, where they do not exist."""
    try:
        Path(folder).mkdir(mode, parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(
            f"cannot make the folder {folder}: {error.strerror.lower()}; choose another"
        ) from None


def must_differ(outputs, inputs):
    """Refuse to write two outputs to one file, or an output over an input. Both: name of an option
    -> path."""
    seen = {os.path.realpath(path): name for name, path in inputs.items()}
    for name, path in outputs.items():
        other = seen.setdefault(os.path.realpath(path), name)
        if other != name:
            raise FileError(
                f"{path} is meant both as {other} and as {name}, which would overwrite it; give another name"
            )


def _remove(beside):
    if beside is not None and os.path.exists(beside):
        os.remove(beside)


def _reason(error):
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
