"""The layers of a network as the page shows them: a kind that the page can explain, and a function
of maps (1, H, W, C) or rows (1, C)."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minidl import ops
from minidl.autograd import Tensor
from minidl.errors import ArgumentError, printable
from minidl.layers import (
    AvgPool,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    Module,
    ReLU,
    Sequential,
)
from minidl.ops.convolution import channels_of
from minidl.typing import Array, Operand

KINDS: dict[type[Module], str] = {
    Convolution: "convolution",
    Dense: "dense",
    BatchNorm: "norm",
    ReLU: "relu",
    MaxPool: "max_pool",
    AvgPool: "avg_pool",
    Dropout: "dropout",
}
MIXING = ("convolution", "dense")  # the kinds whose units read several units


class Scale(Module):
    """The preparation of a picture: y = (x - mean) / std. mean, std: (C,)"""

    def __init__(self, mean: Array, std: Array) -> None:
        self.mean, self.std = mean, std

    def __call__(self, x: Operand) -> Any:
        """(..., C) -> (..., C)"""
        return ops.divide(ops.subtract(x, self.mean), self.std)


class Part(NamedTuple):
    """A layer of the page.

    kind: one of the values of KINDS, or "scale". run: computes it. flattens: whether a Dense layer
    reads maps, which Flatten layers in front of it turn into a row.
    """

    name: str
    kind: str
    layer: Any
    run: Callable[[Tensor], Any]
    flattens: bool = False

    def linear(self, x: Operand) -> Any:
        """Return the output of a mixing part without its bias."""
        if self.kind == "convolution":
            return ops.convolution(x, self.layer.kernel.data, **self.layer.options)
        return ops.matmul(x.reshape(1, -1) if self.flattens else x, self.layer.kernel.data)

    def windows(self, array: Array, x: Array) -> Array:
        """Return a kernel, or its gradient, of a mixing part as windows (h, w, C, K) over x
        (1, H, W, C). Between channels of different groups it is 0."""
        if self.kind == "dense":
            height, width = x.shape[1:3] if self.flattens else (1, 1)
            return array.reshape(height, width, -1, array.shape[-1])
        full = np.zeros((*array.shape[:2], x.shape[-1], array.shape[-1]), array.dtype)
        for inputs, outputs in channels_of(self.layer.options["groups"], array.shape):
            full[:, :, inputs, outputs] = array[..., outputs]
        return full


def parts_of(model: Sequential) -> list[Part]:
    """Return the layers of a model as Parts. A Flatten belongs to the Dense layer after it.

    Raises ArgumentError if a layer is not one of KINDS, or if a Flatten has no Dense after it.
    """
    parts: list[Part] = []
    waiting: list[Any] = []  # Flatten, and the Dropout after it
    for name, layer in model.by_path():
        kind = KINDS.get(type(layer))
        if isinstance(layer, Convolution) and layer.padding_mode != "zeros":
            raise ArgumentError(
                f"the layer {printable(name, 80)} has the padding mode {layer.padding_mode!r}; the "
                "page of a network explains padding with zeros only: choose another network"
            )
        if isinstance(layer, Flatten) or (waiting and kind == "dropout"):
            waiting.append(layer)
        elif waiting and kind != "dense":
            break
        elif kind is None:
            known = ", ".join(cls.__name__ for cls in KINDS)
            raise ArgumentError(
                f"the layer {printable(name, 80)} is a {type(layer).__name__}; the page of a "
                f"network explains {known} and Flatten only: choose another network"
            )
        else:
            parts.append(Part(name, kind, layer, _chain([*waiting, layer]), bool(waiting)))
            waiting = []
    if waiting or not parts:
        raise ArgumentError(
            "the network has a Flatten without a Dense layer after it, or no other layer; the page "
            "of a network wants a Dense layer there: choose another network"
        )
    return parts


def _chain(layers):
    def run(x):
        for layer in layers:
            x = layer(x)
        return x

    return run
