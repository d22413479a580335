"""The data of one layer of the page: what JavaScript needs to write each of its numbers as a
sum."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from minidl.autograd import Tensor
from minidl.book.network.arrays import packed
from minidl.book.network.formulas import formulas
from minidl.book.network.parts import MIXING
from minidl.book.network.passes import Step
from minidl.book.network.words import title
from minidl.ops import softmax
from minidl.ops.pooling import counts
from minidl.typing import Array

Layer = dict[str, Any]
NAMES = "picture", "input", "probabilities"  # of the layers that the page adds to the network


def first_layer(step: Step, colours: Sequence[str]) -> Layer:
    """Return the Layer of the picture, which is the input of the first step.

    All layers have a name, a kind, the `shape` of their output, the `units` of it that are shown,
    their maps `y` (H, W, units), the gradients `dy` of these for each target, their `title` and
    their `formulas`.
    """
    units = list(range(len(colours)))
    data = _maps(NAMES[0], "picture", step.x.data, step.dx, units)
    return _described(data | {"names": list(colours)})


def layer_of(step: Step, before: Step | None) -> Layer:
    """Return the Layer of a step.

    before: the step before it; its shown units are the inputs that are shown.
    """
    part, layer = step.part, step.part.layer
    x_units = step.units if before is None else before.units
    data = _maps(part.name, part.kind, step.y.data, step.dy, step.units)
    if part.kind == "scale":
        data |= {"mean": packed(layer.mean), "std": packed(layer.std)}
    elif part.kind == "norm":
        std = np.sqrt(layer.variance + layer.epsilon)
        data |= {"mean": packed(layer.mean[step.units]), "std": packed(std[step.units])}
        data |= _parameters(step, ("gamma", "beta"))
    elif part.kind in MIXING:
        data |= _geometry(step) | _mixed(step, x_units) | _left_out(step, x_units)
    elif part.kind in ("max_pool", "avg_pool"):
        data |= _geometry(step)
    if part.kind == "avg_pool":
        count_padding = layer.options.get("count_padding", True)
        windows = layer.windows(step.x.shape[1:3])
        n = counts(np, step.y.dtype, windows, count_padding)
        data["counts"] = packed(np.broadcast_to(n, (*windows.out, 1)))
    return _described(data)


def probabilities(step: Step, names: Sequence[str]) -> Layer:
    """Return the Layer of the probabilities of the classes, softmax of the scores of a step.

    largest: the largest score m. others: Σ e^(z[j] - m) over the scores that are not shown.
    """
    scores = step.y.data
    data = _maps(NAMES[2], "softmax", softmax(scores), [], step.units)
    powers = np.exp(scores[0] - scores.max())
    powers[step.units] = 0
    others = {"largest": float(scores.max()), "others": float(powers.sum())}
    return _described(data | others | {"names": list(names)})


def _described(data: Layer) -> Layer:
    return data | {"title": title(data), "formulas": formulas(data)}


def _maps(name: str, kind: str, y: Array, dys: Sequence[Array], units: list[int]) -> Layer:
    shown = [array.reshape(*_extent(array), -1)[..., units] for array in (y, *dys)]
    return {
        "name": name,
        "kind": kind,
        "shape": list(y.shape[1:]),
        "units": units,
        "y": packed(shown[0]),
        "dy": [packed(dy) for dy in shown[1:]],
    }


def _extent(array):
    """Return the height and width of maps (1, H, W, C), and 1 and 1 of a row (1, C)."""
    return array.shape[1:3] if array.ndim == 4 else (1, 1)


def _parameters(step: Step, names: Sequence[str]) -> Layer:
    """Return parameters (C,) that are not None, and their gradients, of the units that are
    shown."""
    data: Layer = {}
    for name in names:
        if (parameter := getattr(step.part.layer, name)) is not None:
            data[name] = packed(parameter.data[step.units])
            data[f"d{name}"] = [packed(own[name][step.units]) for own in step.gradients]
    return data


def _geometry(step: Step) -> Layer:
    """Return the windows: output o reads through tap t the input o·stride + t·dilation - before."""
    part, extent = step.part, _extent(step.x.data)
    if part.kind == "dense":
        size = extent if part.flattens else (1, 1)
        return {"size": list(size), "stride": [1, 1], "dilation": [1, 1], "before": [0, 0]}
    windows = part.layer.windows(extent)
    before = [first for first, _ in windows.padding]
    sizes = {"size": windows.size, "stride": windows.stride, "dilation": windows.dilation}
    return {name: list(values) for name, values in sizes.items()} | {"before": before}


def _mixed(step: Step, x_units: Sequence[int]) -> Layer:
    """Return the kernel (h, w, inputs, units) and the bias with their gradients, and the numbers of
    inputs and of outputs of a group."""
    part, x = step.part, step.x.data
    kernels = [part.layer.kernel.data, *(own["kernel"] for own in step.gradients)]
    kernel, *gradients = (
        packed(part.windows(array, x)[:, :, x_units][..., step.units]) for array in kernels
    )
    groups = part.layer.options["groups"] if part.kind == "convolution" else 1
    data = {
        "kernel": kernel,
        "dkernel": gradients,
        "flattens": part.flattens,
        "groups": [x.shape[-1] // groups, step.y.shape[-1] // groups],
    }
    return data | _parameters(step, ("bias",))


def _left_out(step: Step, x_units: Sequence[int]) -> Layer:
    """Return what the units that are not shown add to the sums of those that are: to y, and to the
    gradient of the layer before. counts of them: `inputs_left_out`, `outputs_left_out`."""
    x, y = step.x.data, step.y.data
    inputs = x.shape[-1] - len(x_units)
    outputs = y.shape[-1] - len(step.units)
    data: Layer = {"inputs_left_out": inputs, "outputs_left_out": outputs}
    if inputs:
        hidden = x.copy()
        hidden[..., x_units] = 0
        sums = step.part.linear(hidden)
        data["rest"] = packed(sums.reshape(*_extent(sums), -1)[..., step.units])
    if outputs:
        data["back_rest"] = []
        for dy in step.dy:
            hidden = dy.copy()
            hidden[..., step.units] = 0
            leaf = Tensor(x, requires_grad=True)
            step.part.linear(leaf).backward(hidden)
            assert leaf.grad is not None
            dx = leaf.grad
            data["back_rest"].append(packed(dx.reshape(*_extent(dx), -1)[..., x_units]))
    return data
