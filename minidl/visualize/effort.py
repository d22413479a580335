"""What a visualization will cost, before it begins: forward passes, and bytes of memory.

All parameters of a network are frozen, so a backward pass computes only the gradient with respect
to the picture, one convolution for each of the forward pass. It is counted as one more pass.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from math import prod

from minidl.visualize.network import Network
from minidl.visualize.receptive_fields import fields_that_fit

WITH_GRADIENT = 2  # forward passes that a forward and a backward pass take
NUMBER = 4  # bytes of a float32


def numbers_kept(network: Network, extent: Sequence[int], layers: Iterable[str]) -> int:
    """Return how many numbers a forward pass to the deepest of some layers keeps for the backward
    pass, together with those that the backward pass holds at a time.

    A convolution or a dense layer and the ReLU behind it are counted once, because one op computes
    both. The gradient of a layer, and that of its input, are not larger than the largest output.

    extent: the spatial size of the picture; layers that it is too small for are not counted
    """
    names = [step.name for step in network.steps]
    deepest = max(names.index(network.canonical(layer)) for layer in layers)
    channels, sizes = 3, [0]
    for step, field in islice(fields_that_fit(network, extent), deepest + 1):
        kernel = getattr(step.layer, "kernel", None)
        channels = channels if kernel is None else kernel.shape[-1]
        if step.layer is not None:
            sizes.append(prod(field.out) * channels)
    return sum(sizes) + 2 * max(sizes)
