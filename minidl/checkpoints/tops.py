"""The top of a network: its dense layers, which a file may lack or have in other sizes.

A file of someone's own classes has another top than the architecture. If it has the same number of
dense layers, and each takes the outputs of the one before it, the top is used in its own sizes.
Otherwise it is left out, and the convolutions remain usable.
"""

from collections.abc import Mapping
from dataclasses import replace

from minidl.checkpoints.checkpoint import Architecture, layer_of
from minidl.checkpoints.recognition import normalizations
from minidl.errors import listed
from minidl.naming import naturally
from minidl.typing import Array


def fitted(architecture: Architecture, arrays: Mapping[str, Array]) -> Architecture:
    """Return the architecture with the sizes of the top in `arrays`.

    If the arrays have no top, or its layers do not fit each other, the architecture is returned
    unchanged.

    >>> net = Architecture("net", {"fc/kernel": (8, 1000), "fc/bias": (1000,)}, optional=("fc",))
    >>> fitted(net, {"fc/kernel": np.zeros((8, 2)), "fc/bias": np.zeros(2)}).shapes
    {'fc/kernel': (8, 2), 'fc/bias': (2,)}
    """
    shapes, inputs = dict(architecture.shapes), None
    for layer in architecture.optional:
        kernel, bias = (_shape(arrays, f"{layer}/{part}") for part in ("kernel", "bias"))
        inputs = inputs or architecture.shapes[f"{layer}/kernel"][0]
        if len(kernel) != 2 or kernel[0] != inputs or bias != kernel[1:]:
            return architecture
        shapes |= {f"{layer}/kernel": kernel, f"{layer}/bias": bias}
        inputs = kernel[1]
    return replace(architecture, shapes=shapes)


def dense(layers: Mapping[str, Mapping[str, Array]]) -> list[str]:
    """Return the names of the dense layers of {layer: {kind of array: array}}, in natural order."""
    names = [name for name, parts in layers.items() if len(_shape(parts, "kernel")) == 2]
    return sorted(names, key=naturally)


def without_other_top(
    arrays: Mapping[str, Array], architecture: Architecture
) -> tuple[dict[str, Array], tuple[str, ...]]:
    """Return the arrays without a top that is not that of the architecture, and the second half of
    a sentence about it, if there is one.

    The arrays of a top are those of the optional layers and, if there is another dense layer among
    them, all that the architecture does not have, such as batch normalizations.
    """
    shapes = fitted(architecture, arrays).shapes
    required = {name for name in shapes if layer_of(name) not in architecture.optional}
    top = {name: array for name, array in arrays.items() if name not in required}
    kernels = {
        name: array for name, array in top.items() if name.endswith("/kernel") and array.ndim == 2
    }
    is_top = (
        len(required) < len(shapes)
        and required <= arrays.keys()
        and kernels
        and all(array.ndim <= 2 for array in top.values())
        and normalizations(top) < len({layer_of(name) for name in required})
    )
    is_own = all(_shape(top, name) == shapes[name] for name in shapes.keys() - required)
    if not is_top or (is_own and kernels.keys() <= shapes.keys()):
        return dict(arrays), ()
    shown = listed([f"{layer_of(name)} {kernel.shape}" for name, kernel in kernels.items()])
    remark = (
        f"has another top than {architecture.name} ({shown}): it is left out, and the layers below "
        "it are used"
    )
    return {name: array for name, array in arrays.items() if name in required}, (remark,)


def _shape(arrays, name):
    return arrays[name].shape if name in arrays else ()
