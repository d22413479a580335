"""Trained networks from their checkpoints, which may be a stranger's."""

from contextlib import contextmanager

import numpy as np

from minidl.backend import is_array
from minidl.errors import FileError, MinidlError, NonFiniteError, printable
from minidl.layers.initializers import unfilled
from minidl.training.checkpoint import load


@contextmanager
def opened(path, network):
    """with opened(path, "cifar10") as (settings, state): build the model that the settings tell of,
    and restore the state.

    Parameters take no memory until they are restored, so that a few words of settings cannot claim
    more than the file holds. Whatever goes wrong in the block becomes a FileError that names the
    file, as does a file of another network; NonFiniteError: its numbers are none.
    """
    found = load(path)
    try:
        settings = found["settings"]
        if settings["network"] != network:
            raise FileError(
                f"{path} holds a network {printable(repr(settings['network']), 80)}; wanted one of `minidl train {network}`"
            )
        state = found["model"]
        if broken := [
            name
            for name, value in state.items()
            if is_array(value) and not np.isfinite(value).all()
        ]:
            raise NonFiniteError(
                f"{path} has NaN or infinite numbers in {broken[0]}: its training broke down or it is damaged; take another "
                "checkpoint"
            )
        with unfilled():
            yield settings, state
    except (FileError, NonFiniteError):
        raise
    # settings of a stranger can be anything, and so can what comes of building from them
    except Exception as error:
        reason = (
            str(error) if isinstance(error, MinidlError) else f"{type(error).__name__}: {error}"
        )
        told = f"{path} holds no network of `minidl train {network}` ({printable(reason, 200)}); take another checkpoint"
        raise FileError(told) from None
