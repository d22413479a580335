"""What a visualization will cost, before it begins: forward passes, and numbers in memory.

All parameters of a network are frozen, so a backward pass computes only the gradient with respect
to the picture, one convolution for each of the forward pass. It is counted as one more pass.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from math import prod
from typing import Any

from minidl.typing import Shape
from minidl.visualize.network import Network, Step
from minidl.visualize.receptive_fields import fields_that_fit

WITH_GRADIENT = 2  # forward passes that a forward and a backward pass take
NUMBER = 4  # bytes of a float32


def multiply_adds(network: Network, extent: Sequence[int], layers: Iterable[str]) -> int:
    """Return the multiply-adds of a forward pass to the deepest of some layers, at least 1.

    extent: the spatial size of the picture; layers that it is too small for are not counted
    """
    count = 0
    for step, out in _steps(network, extent, layers):
        kernel: Any = getattr(step.layer, "kernel", None)
        if kernel is not None:
            count += prod(out) * prod(kernel.shape)
    return max(count, 1)


def numbers_kept(network: Network, extent: Sequence[int], layers: Iterable[str]) -> int:
    """Return how many numbers a forward pass to the deepest of some layers keeps for the backward
    pass, together with those that the backward pass holds at a time.

    A convolution or a dense layer and the ReLU behind it are counted once, because one op computes
    both. The gradient of a layer, and that of its input, are not larger than the largest output.

    extent: the spatial size of the picture; layers that it is too small for are not counted
    """
    channels, sizes = 3, [0]
    for step, out in _steps(network, extent, layers):
        kernel: Any = getattr(step.layer, "kernel", None)
        channels = channels if kernel is None else kernel.shape[-1]
        if step.layer is not None:
            sizes.append(prod(out) * channels)
    return sum(sizes) + 2 * max(sizes)


def _steps(
    network: Network, extent: Sequence[int], layers: Iterable[str]
) -> Iterator[tuple[Step, Shape]]:
    """Yield the steps up to the deepest of some layers, with the spatial size of each."""
    names = [step.name for step in network.steps]
    deepest = max(names.index(network.canonical(layer)) for layer in layers)
    for step, field in islice(fields_that_fit(network, extent), deepest + 1):
        yield step, field.out
