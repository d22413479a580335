"""Trained networks: opening a checkpoint, and computing the outputs for many examples."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from minidl.autograd import no_grad
from minidl.backend import current_device, is_array, to_device, to_numpy
from minidl.errors import FileError, MinidlError, NonFiniteError, printable
from minidl.layers.initializers import unfilled
from minidl.training.checkpoint import load
from minidl.typing import Array, Path

BATCH = 250  # examples in one call of the network


@no_grad()
def outputs(
    model: Any, examples: Array, prepare: Callable[[Array], Array] | None = None
) -> np.ndarray:
    """Return model(prepare(examples)) as a NumPy array (N, ...), computed in parts of BATCH.

    model: a Module on the current device, which is not in training afterwards; examples: (N, ...);
    prepare: called with each part, on the CPU; None: no preparation
    """
    model.train(False)
    parts = (examples[start : start + BATCH] for start in range(0, len(examples), BATCH))
    prepared = parts if prepare is None else map(prepare, parts)
    return np.concatenate(
        [to_numpy(model(to_device(part, current_device())).data) for part in prepared]
    )


@contextmanager
def opened(path: Path, network: str) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Yield (settings, state of the model) of a checkpoint, which may be of unknown origin.

        with opened(path, "siamese") as (settings, state):
            model = siamese(keep=settings["keep"]).restore(state)

    network: the name of the recipe. Within the block, new parameters take no memory until they are
    restored, so that settings cannot claim more memory than the file holds.

    Raises FileError if the checkpoint is of another network, and for every other error that occurs
    in the block; NonFiniteError if the state holds NaN or infinity.
    """
    tree = load(path)
    with restorable(path, tree, network) as (settings, state):
        yield settings, state


@contextmanager
def restorable(
    path: Path, tree: Mapping[str, Any], network: str | None
) -> Iterator[tuple[dict[str, Any], Mapping[str, Any]]]:
    """Yield (settings, state of the model) of the tree of a checkpoint, as `opened` does.

    network: the name of the recipe; None: any
    """
    wanted = f"network of `minidl train {network}`" if network else "network that can be opened"
    try:
        settings = tree["settings"]
        if network and settings["network"] != network:
            other = printable(repr(settings["network"]), 80)
            raise FileError(
                f"{path} holds a network {other}; wanted one of `minidl train {network}`"
            )
        state = tree["model"]
        if not_finite := [
            name
            for name, value in state.items()
            if is_array(value) and not np.isfinite(value).all()
        ]:
            raise NonFiniteError(
                f"{path} has NaN or infinite numbers in {not_finite[0]}: the training diverged or "
                "the file is damaged; take another checkpoint"
            )
        with unfilled():
            yield settings, state
    except (FileError, NonFiniteError):
        raise
    except Exception as error:  # unknown settings may cause any type of error in the block
        is_ours = isinstance(error, MinidlError)
        reason = str(error) if is_ours else f"{type(error).__name__}: {error}"
        raise FileError(
            f"{path} holds no {wanted} ({printable(reason, 200)}); take another checkpoint"
        ) from None
