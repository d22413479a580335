"""Layers one after the other."""

from collections import Counter
from math import prod
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import device_of
from minidl.errors import ArgumentError
from minidl.layers.activations import is_relu, rectifies
from minidl.layers.module import Module


class Line(NamedTuple):
    """One layer of a summary. shape: of its output, without the batch; multiply_adds: of its
    kernels, for one picture; receptive_field: how many positions of the input, along each axis, one
    output sees, as `windows` says; () where it sees all.
    """

    name: str
    kind: str
    shape: tuple
    parameters: int
    multiply_adds: int
    receptive_field: tuple

    def __str__(self):
        shape, seen = (
            "x".join(map(str, lengths)) for lengths in (self.shape, self.receptive_field)
        )
        counts = f"{self.parameters:12,} parameters{self.multiply_adds:14,} x+"
        return f"{self.name:24}{shape:>12}{counts}  sees {seen or 'all'}"


class Sequential(Module):
    """y = last(..(first(x))). layers: Modules, or one dict of them by name; without names they are
    called after their kinds: convolution1, relu1, convolution2, ... A ReLU after a layer that
    `rectifies` is fused with it. Subclasses of ReLU are never fused."""

    def __init__(self, *layers):
        self.layers = dict(layers[0]) if layers and isinstance(layers[0], dict) else _named(layers)
        if not self.layers:
            raise ArgumentError("a Sequential found no layers; wanted at least one")
        for name, layer in self.layers.items():
            if not isinstance(layer, Module):
                raise ArgumentError(
                    f"a Sequential found a {type(layer).__name__} as {name!r}; wanted layers (Modules) one by one, as in "
                    "Sequential(*layers), or one dict of them by name"
                )

    def __call__(self, x):
        for layer, rectify in self._steps():
            x = layer.rectified(x) if rectify else layer(x)
        return x

    def _steps(self):
        """(layer, whether the ReLU behind it goes along)"""
        layers, rectified = list(self.layers.values()), False
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            if rectified:
                rectified = False
                continue
            rectified = is_relu(following) and rectifies(layer)
            yield layer, rectified

    def summary(self, shape):
        """A Line for each layer, for inputs (N, *shape); those of a Sequential inside go by their
        paths."""
        x, modules = Tensor(np.zeros((1, *shape), np.float32)), self.named_modules().values()
        for parameter in self.parameters()[:1]:
            x = x.to(device_of(parameter.data))
        training = [module.training for module in modules]
        self.train(False)
        try:
            with no_grad():
                return list(_lines(self.by_path(), x))
        finally:
            for module, was_training in zip(modules, training, strict=True):
                module.training = was_training

    def by_path(self, path=""):
        """(path, layer) of each layer, where a Sequential is not one but those in it"""
        for name, layer in self.layers.items():
            if isinstance(layer, Sequential) and type(layer).__call__ is Sequential.__call__:
                yield from layer.by_path(f"{path}{name}/")
            else:
                yield f"{path}{name}", layer


def _lines(layers, x):
    field = step = [1] * (x.ndim - 2)
    for name, layer in layers:
        y = layer(x)
        if y.ndim != x.ndim:
            field = step = []
        elif field and hasattr(layer, "windows"):
            windows = layer.windows(x.shape[1:-1])
            field = [n + (k - 1) * s for n, k, s in zip(field, windows.reach, step, strict=True)]
            step = [s * t for s, t in zip(step, windows.stride, strict=True)]
        parameters = sum(p.data.size for p in layer.parameters())
        kernels = [
            p.data.size for p in vars(layer).values() if isinstance(p, Tensor) and p.ndim > 1
        ]
        products = sum(kernels) * prod(y.shape[:-1])
        yield Line(name, type(layer).__name__, y.shape[1:], parameters, products, tuple(field))
        x = y


def _named(layers):
    counts, named = Counter(), {}
    for layer in layers:
        kind = type(layer).__name__.lower()
        counts[kind] += 1
        named[f"{kind}{counts[kind]}"] = layer
    return named
