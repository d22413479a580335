"""Find the errors in a set of weights, and describe each in a sentence."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from minidl.checkpoints.checkpoint import Architecture, Checkpoint, layer_of
from minidl.checkpoints.recognition import (
    in_pytorch_order,
    mistakes,
    network,
    normalizations,
    pytorch_shape,
)
from minidl.checkpoints.tops import fitted
from minidl.errors import listed
from minidl.typing import Array, Path

LARGEST = 1e6  # the largest absolute value that a trained weight may have


class Finding(NamedTuple):
    """A sentence about a weight file. An "error" means that the weights are unusable, a "note" that
    they are unusual."""

    severity: str
    text: str


def diagnose(
    checkpoint: Checkpoint,
    architecture: Architecture,
    subject: str | Path = "the file",
    wanted: Collection[str] | None = None,
) -> list[Finding]:
    """Compare a translated checkpoint with its architecture. Return [] if nothing is wrong.

    checkpoint  with minidl's names (see `translate`)
    subject     the name of the file in the sentences
    wanted      the names of the arrays whose values were read (see `read`); None means all
    """
    architecture = fitted(architecture, checkpoint.arrays)
    values = {
        name: array for name, array in checkpoint.arrays.items() if wanted is None or name in wanted
    }
    findings = [
        *_network(checkpoint, architecture),
        *_shapes(checkpoint.arrays, architecture),
        *_classes(checkpoint, architecture),
        *_values(values),
        *_training(checkpoint, architecture),
        *(("note", remark) for remark in checkpoint.remarks),
    ]
    return [Finding(severity, f"{subject} {text}") for severity, text in findings]


def of_pytorch_order(arrays: Mapping[str, Array], architecture: Architecture) -> str | None:
    """Return the second half of a sentence about kernels in PyTorch's axis order, or None if there
    are none."""
    name = in_pytorch_order(arrays, architecture)
    return name and (
        f"holds {layer_of(name)} as {arrays[name].shape}; minidl stores kernels as "
        f"{architecture.shapes[name]}: it is in PyTorch's order, "
        "convert it with `minidl weights convert`"
    )


def _network(checkpoint, architecture):
    if checkpoint.architecture not in (None, architecture.name):
        yield "error", f"is a {checkpoint.architecture}; wanted {architecture.name}"
    present, required = set(checkpoint.arrays), set(architecture.shapes)
    unknown = present - required
    layers = network(checkpoint.arrays.values(), normalizations(checkpoint.arrays))
    if normalizations(unknown):
        advice = "take the weights of a network without batch normalization"
        yield (
            "error",
            f"is of another network than {architecture.name}: it holds {layers}; {advice}",
        )
        return
    top = {name for name in required if layer_of(name) in architecture.optional}
    if not present & top:
        required -= top
    if missing := required - present:
        names = listed(_layers_or_arrays(missing, architecture))
        yield "error", f"lacks {names} of {architecture.name}; it holds {layers}"
    if unknown:
        yield (
            "error",
            f"holds {listed(sorted(unknown))}, unknown to {architecture.name}: "
            "another network, or one with layers added",
        )


def _shapes(arrays, architecture):
    pytorch_order = of_pytorch_order(arrays, architecture)
    if pytorch_order:
        yield "error", pytorch_order
    for name, expected in architecture.shapes.items():
        if name not in arrays or arrays[name].shape == expected:
            continue
        shape, is_kernel = arrays[name].shape, name.endswith("/kernel")
        if not (pytorch_order and is_kernel and shape == pytorch_shape(expected)):
            yield "error", f"holds {name} as {shape}; {architecture.name} has {expected}"


def _classes(checkpoint, architecture):
    *_, last = architecture.shapes
    outputs = np.shape(checkpoint.arrays.get(last))[-1:]
    if checkpoint.classes and outputs and (len(checkpoint.classes),) != outputs:
        yield (
            "error",
            f"has {len(checkpoint.classes)} names of classes, but {last} has {outputs[0]} numbers: "
            "they do not belong together; convert the original again, or name others",
        )


def _values(arrays):
    for name, array in arrays.items():
        invalid = array.size - np.count_nonzero(np.isfinite(array))
        if invalid:
            yield (
                "error",
                f"has {invalid} NaN or infinite numbers in {name}: its training diverged or the "
                "file is damaged; take another file",
            )
        elif max(np.max(array, initial=0), -np.min(array, initial=0)) > LARGEST:
            yield (
                "error",
                f"has numbers beyond {LARGEST:.0e} in {name}, which no trained network has: the "
                "file is damaged; get it again",
            )
        elif name.endswith("/kernel") and not array.any():
            yield (
                "error",
                f"has only zeros in {name}, so its output would not depend on its input; get it "
                "again",
            )


def _training(checkpoint, architecture):
    landmark = architecture.landmark
    if not landmark:
        return
    kernel = checkpoint.arrays.get(landmark.kernel)
    if np.shape(kernel) != architecture.shapes[landmark.kernel]:
        return
    known = architecture.preprocessing[landmark.lineage]
    channels = (checkpoint.preprocessing or known).channels
    changes = mistakes(kernel, landmark, channels)
    if changes:
        yield (
            "error",
            f"has {' and '.join(changes)}: its first kernel is the known one, but altered for a "
            f"network with {channels} input; take the original file",
        )
    elif changes is None:
        yield (
            "note",
            f"is another training of {architecture.name} than the known one (torchvision's, or "
            f"your own): whether it expects {channels} cannot be determined from the numbers",
        )


def _layers_or_arrays(names, architecture):
    """Replace the kernel and bias of a layer by the layer's name where both are in `names`. Return
    the result in the architecture's order."""
    layers = {
        layer_of(name)
        for name in names
        if {f"{layer_of(name)}/kernel", f"{layer_of(name)}/bias"} <= names
    }
    shown = (
        layer_of(name) if layer_of(name) in layers else name
        for name in architecture.shapes
        if name in names
    )
    return list(dict.fromkeys(shown))
