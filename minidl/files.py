"""Files are written beside their place and moved into it, so that nothing is ever lost or half-written."""

import os
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from minidl.errors import FileError


@contextmanager
def replacing(path):
    """Give the path of a new empty file in the same folder; move it onto `path` when the block ends well.

    When the block raises, whatever stood at `path` stands there still and the new file is gone. An OSError of the block
    (a full disk, a folder without write permission) becomes a FileError that names `path`.
    """
    path = Path(os.path.realpath(path))  # what a link points to is replaced, not the link
    beside = None
    try:
        unique = path.with_name(f".{path.stem}-{uuid4().hex}{path.suffix}")
        with open(unique, "xb"):
            beside = unique
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
        raise FileError(f"cannot write {path}: {_reason(error)}; choose another place or make room there") from error
    except BaseException:
        _remove(beside)
        raise


def must_exist(path, what="file"):
    """Return `path` as a Path, or say that there is no such file."""
    path = Path(path)
    if not path.exists():
        raise FileError(f"{path}: there is no such {what}; check the name and the folder")
    if not path.is_file():
        raise FileError(f"{path} is not a file but a folder or a device; name the {what} itself")
    return path


def must_be_writable(path):
    """Raise a FileError now rather than after a long run if `path` could not be written at its end."""
    path = Path(path)
    if path.is_dir():
        raise FileError(f"{path} is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise FileError(f"{path}: there is no folder {path.parent}; make it first or choose another place")
    if not os.access(path.parent, os.W_OK):
        raise FileError(f"{path}: the folder {path.parent} may not be written to; choose another place")
    return path


def _remove(beside):
    if beside is not None and os.path.exists(beside):
        os.remove(beside)


def _reason(error):
    return (error.strerror or str(error) or type(error).__name__).lower()
