"""Sequential computes layers one after another. It also returns a summary of them."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from minidl.autograd import Tensor, no_grad
from minidl.backend import device_of
from minidl.errors import ArgumentError
from minidl.layers.activations import is_relu, rectifies
from minidl.layers.embedding import Embedding
from minidl.layers.example_normalization import LayerNorm
from minidl.layers.module import Module
from minidl.layers.parametric import TransposedConvolution
from minidl.layers.reading import reading_of
from minidl.typing import Operand, Result, Shape

WITHOUT_KERNELS = (Embedding, LayerNorm)  # layers that may have matrices, but no products of them


class Line(NamedTuple):
    """One layer of a summary.

    kind: the name of its class. shape: of its output, without the batch. parameters: the count of
    numbers in those that no earlier layer has. multiply_adds: of its kernels, for one example.
    receptive_field: the number of positions of the input that one output depends on, along each
    spatial axis; () if it depends on all. The moments of a normalization do not count.
    """

    name: str
    kind: str
    shape: Shape
    parameters: int
    multiply_adds: int
    receptive_field: Shape

    def __str__(self) -> str:
        shape, field = (
            "x".join(map(str, lengths)) for lengths in (self.shape, self.receptive_field)
        )
        counts = f"{self.parameters:12,} parameters{self.multiply_adds:14,} multiply-adds"
        return f"{self.name:24}{shape:>12}{counts}  field {field or 'all'}"


class Sequential(Module):
    """y = last(..(first(x)))

    layers: Modules, or one dict of Modules by name. Layers without names are named by their kinds
    and numbers: convolution1, relu1, convolution2, ... A ReLU is computed together with the layer
    in front of it if `activations.rectifies` allows it. Subclasses of ReLU are never fused.

    Raises ArgumentError if there are no layers, or one is not a Module.

    >>> from minidl.layers import Dense, ReLU
    >>> Sequential(Dense(np.array([[1., -1.]])), ReLU())(np.array([[2.]])).data
    array([[2., 0.]])
    """

    def __init__(self, *layers: Module | Mapping[str, Module]) -> None:
        self.layers: dict[str, Module] = (
            dict(layers[0]) if layers and isinstance(layers[0], dict) else _named(layers)
        )
        if not self.layers:
            raise ArgumentError("a Sequential found no layers; wanted at least one")
        for name, layer in self.layers.items():
            if not isinstance(layer, Module):
                raise ArgumentError(
                    f"a Sequential found a {type(layer).__name__} as {name!r}; wanted layers "
                    "(Modules) one by one, as in Sequential(*layers), or one dict of them by name"
                )

    def __call__(self, x: Operand) -> Result:
        """(N, ..) -> what the last layer returns"""
        for layer, with_relu in self._steps():
            x = layer.rectified(x) if with_relu else layer(x)
        return x

    def _steps(self) -> Iterator[tuple[Any, bool]]:
        """Yield (layer, whether the ReLU after it is computed with it). Such a ReLU is not yielded
        itself."""
        layers, with_relu = list(self.layers.values()), False
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            if with_relu:
                with_relu = False
                continue
            with_relu = is_relu(following) and rectifies(layer)
            yield layer, with_relu

    def summary(self, shape: Shape, dtype: DTypeLike = np.float32) -> list[Line]:
        """Return a Line for each layer, for inputs (N, *shape). The layers of a Sequential inside
        this one are listed one by one, named by their paths.

        dtype: of the inputs: int, if the first layer is an Embedding.
        """
        x, modules = Tensor(np.zeros((1, *shape), dtype)), self.named_modules().values()
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

    def by_path(self, path: str = "") -> Iterator[tuple[str, Module]]:
        """Yield (path, layer) of each layer. For a Sequential inside this one, yield its layers
        instead."""
        for name, layer in self.layers.items():
            if isinstance(layer, Sequential) and type(layer).__call__ is Sequential.__call__:
                yield from layer.by_path(f"{path}{name}/")
            else:
                yield f"{path}{name}", layer


def _lines(layers, x):
    field: Any = (1,) * (x.ndim - 2)
    step = field
    counted: set[Tensor] = set()
    for name, layer in layers:
        y = layer(x)
        if isinstance(layer, Embedding):
            field = step = (1,) * (y.ndim - 2)
        elif y.ndim != x.ndim:
            field = step = ()
        elif field and (reading := reading_of(layer, x.shape[1:-1])):
            field, step = reading.fields(field, step)
        own = {*layer.parameters()} - counted
        counted |= own
        kernels = [
            p.data.size
            for p in vars(layer).values()
            if isinstance(p, Tensor) and p.ndim > 1 and not isinstance(layer, WITHOUT_KERNELS)
        ]
        # A transposed convolution multiplies each input by its kernel; the others, for each output.
        at = x if isinstance(layer, TransposedConvolution) else y
        products = sum(kernels) * prod(at.shape[:-1])
        parameters = sum(p.size for p in own)
        yield Line(name, type(layer).__name__, y.shape[1:], parameters, products, tuple(field))
        x = y


def _named(layers):
    counts: Counter[str] = Counter()
    named = {}
    for layer in layers:
        kind = type(layer).__name__.lower()
        counts[kind] += 1
        named[f"{kind}{counts[kind]}"] = layer
    return named
