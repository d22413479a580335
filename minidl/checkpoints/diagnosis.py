"""What is wrong with a file of weights, in sentences."""

from typing import NamedTuple

import numpy as np

from minidl.checkpoints.checkpoint import layer_of
from minidl.checkpoints.recognition import (
    in_pytorch_order,
    mistakes,
    network,
    normalizations,
    pytorch_shape,
)
from minidl.errors import listed


class Finding(NamedTuple):
    """A sentence about a file; an "error" makes the weights useless, a "note" does not."""

    severity: str
    text: str


def diagnose(checkpoint, architecture, subject="the file", wanted=None):
    """Checkpoint with minidl's names -> [Finding]; none: all is well

    subject  what the sentences call the file
    wanted   names of the arrays whose numbers were read (see `read`); None: all
    """
    found = [
        *_network(checkpoint, architecture),
        *_shapes(checkpoint.arrays, architecture),
        *_numbers(
            {
                name: array
                for name, array in checkpoint.arrays.items()
                if wanted is None or name in wanted
            }
        ),
        *_training(checkpoint, architecture),
    ]
    return [Finding(severity, f"{subject} {text}") for severity, text in found]


def of_pytorch_order(arrays, architecture):
    """What to say of kernels that stand in PyTorch's order; None if there are none."""
    name = in_pytorch_order(arrays, architecture)
    return name and (
        f"holds {layer_of(name)} as {arrays[name].shape}; minidl stores kernels as {architecture.shapes[name]}: it is in "
        "PyTorch's order, convert it with `minidl weights convert`"
    )


def _network(checkpoint, architecture):
    if checkpoint.architecture not in (None, architecture.name):
        yield "error", f"is a {checkpoint.architecture}; wanted {architecture.name}"
    have, want = set(checkpoint.arrays), set(architecture.shapes)
    layers = network(checkpoint.arrays.values(), normalizations(checkpoint.arrays))
    if normalizations(have - want):
        advice = "take the weights of a network without batch normalization"
        yield (
            "error",
            f"is of another network than {architecture.name}: it holds {layers}; {advice}",
        )
        return
    top = {name for name in want if layer_of(name) in architecture.optional}
    missing = want - have if have & top else want - have - top
    if missing:
        yield (
            "error",
            f"lacks {listed(_in_order(missing, architecture))} of {architecture.name}; it holds {layers}",
        )
    if have - want:
        unknown = listed(sorted(have - want))
        yield (
            "error",
            f"holds {unknown}, unknown to {architecture.name}: another network, or one with layers added",
        )


def _shapes(arrays, architecture):
    if turned := of_pytorch_order(arrays, architecture):
        yield "error", turned
    for name in (name for name in architecture.shapes if name in arrays):
        found, wanted = arrays[name].shape, architecture.shapes[name]
        if found != wanted and not (
            turned and name.endswith("/kernel") and found == pytorch_shape(wanted)
        ):
            yield "error", f"holds {name} as {found}; {architecture.name} has {wanted}"


LARGEST = 1e6


def _numbers(arrays):
    for name, array in arrays.items():
        bad = array.size - np.count_nonzero(np.isfinite(array))
        if bad:
            yield (
                "error",
                f"has {bad} NaN or infinite numbers in {name}: its training broke down or the file is damaged",
            )
        elif max(np.max(array, initial=0), -np.min(array, initial=0)) > LARGEST:
            yield (
                "error",
                f"has numbers beyond {LARGEST:.0e} in {name}, as no trained network has: the file is damaged",
            )
        elif name.endswith("/kernel") and not array.any():
            yield "error", f"has only zeros in {name}: nothing would pass that layer"


def _training(checkpoint, architecture):
    landmark, preprocessing = architecture.landmark, checkpoint.preprocessing
    if (
        not landmark
        or np.shape(checkpoint.arrays.get(landmark.kernel)) != architecture.shapes[landmark.kernel]
    ):
        return
    channels = (preprocessing or architecture.preprocessing[landmark.lineage]).channels
    made = mistakes(checkpoint.arrays[landmark.kernel], landmark, channels)
    if made:
        yield (
            "error",
            (
                f"has {' and '.join(made)}: its first kernel is the known one, but not as a network fed with {channels} has "
                "it; take the original file"
            ),
        )
    elif made is None:
        yield (
            "note",
            (
                f"is another training of {architecture.name} than the one known by its first kernel (torchvision's, "
                f"or your own): whether it wants {channels} cannot be told from the numbers"
            ),
        )


def _in_order(names, architecture):
    """Layers where all of a layer is meant, else the arrays, in the architecture's order."""
    whole = {
        layer_of(name)
        for name in names
        if {f"{layer_of(name)}/kernel", f"{layer_of(name)}/bias"} <= names
    }
    shown = (
        layer_of(name) if layer_of(name) in whole else name
        for name in architecture.shapes
        if name in names
    )
    return list(dict.fromkeys(shown))
