"""The folder of a run: the names of its files, and a lock that allows one run at a time."""

import os
import pathlib
from collections.abc import Iterator
from contextlib import contextmanager

from minidl.errors import ArgumentError, FileError
from minidl.files import clear_halves
from minidl.typing import Path

try:
    import fcntl
except ImportError:  # on Windows, which has no such locks
    fcntl = None  # type: ignore[assignment]

CHECKPOINT = "checkpoint.h5"  # the last state
BEST = "best.h5"  # the state after the epoch with the lowest validation loss
TABLE = "log.csv"
CURVES = "curves.png"
PICTURE = "learned.png"
RESULT = "result.json"
CONFUSION = "confusion.png"


def network_file(path: Path) -> pathlib.Path:
    """Return the file of the network that a run has trained: best.h5 of its folder, or
    checkpoint.h5 if the run has no validation. The path of a file is returned as it is."""
    path = pathlib.Path(path)
    if not path.is_dir():
        return path
    return path / BEST if (path / BEST).exists() else path / CHECKPOINT


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock the folder within the block, and delete the half-written files of killed runs.

    The operating system releases the lock when the process ends, also if it is killed. On Windows
    there is no lock. Raises FileError if another run holds the lock or the folder does not exist,
    and ArgumentError if its name is empty.
    """
    if not os.fspath(folder):
        raise ArgumentError(
            "the name of the run's folder is empty; wanted a folder, or None to write no files"
        )
    with _locked(folder):
        for name in (CHECKPOINT, BEST, TABLE, CURVES, PICTURE, RESULT, CONFUSION):
            clear_halves(pathlib.Path(folder) / name)
        yield


@contextmanager
def _locked(folder):
    if fcntl is None:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        reason = str(error.strerror).lower()
        raise FileError(f"cannot open the folder {folder}: {reason}; check its name") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileError(
                f"another run is at work in {folder}; wait until it ends, or choose another folder"
            ) from None
        except OSError:  # some network drives have no locks
            pass
        yield
    finally:
        os.close(descriptor)
