"""The folder of a run: what its files are called, and that one run at a time writes them."""

import os
from contextlib import contextmanager
from pathlib import Path

from minidl.errors import ArgumentError, FileError
from minidl.files import clear_halves

try:
    import fcntl
except ImportError:  # Windows, where two runs in one folder are not noticed
    fcntl = None  # type: ignore[assignment]

CHECKPOINT, TABLE, CURVES, PICTURE, RESULT = (
    "checkpoint.h5",
    "log.csv",
    "curves.png",
    "learned.png",
    "result.json",
)


@contextmanager
def alone_in(folder):
    """Be the only run in a folder within the block, and clear what killed ones have left there
    half-written.

    The lock is on the folder itself and ends with the process, however that ends. Raises FileError
    where another run has it, or where there is no folder.
    """
    if not os.fspath(folder):
        raise ArgumentError(
            "the name of the run's folder is empty; wanted a folder, or None to keep nothing"
        )
    with _locked(folder):
        for name in (CHECKPOINT, TABLE, CURVES, PICTURE, RESULT):
            clear_halves(Path(folder) / name)
        yield


@contextmanager
def _locked(folder):
    if fcntl is None:
        yield
        return
    try:
        opened = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise FileError(
            f"cannot open the folder {folder}: {error.strerror.lower()}; check its name"
        ) from None
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileError(
                f"another run is at work in {folder}; wait until it ends, or choose another folder"
            ) from None
        except OSError:  # some network drives have no locks
            pass
        yield
    finally:
        os.close(opened)
