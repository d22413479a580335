"""The protocol of a convolution algorithm.

Each algorithm is a file with three maps, forward, dx and dw, that says which convolutions it can
compute and estimates what they cost. `choice.py` takes the cheapest.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minidl.shapes import Windows
from minidl.typing import Array


class Problem(NamedTuple):
    """A convolution to be computed, without its numbers.

    map: "forward", "dx" or "dw"; images: how many; frozen: whether the kernel is a frozen array.
    """

    map: str
    images: int
    windows: Windows
    groups: int
    w_shape: tuple[int, ...]
    dtype: np.dtype
    frozen: bool
    on_gpu: bool

    @property
    def inputs(self) -> int:
        """Input channels of the kernel: C / groups"""
        return self.w_shape[-2]

    @property
    def outputs(self) -> int:
        """Output channels: K"""
        return self.w_shape[-1]

    @property
    def accurate(self) -> bool:
        """Whether the dtype has enough digits for algorithms whose terms cancel."""
        return self.dtype in ("float32", "float64")


class Algorithm(NamedTuple):
    """One way to compute a convolution and its gradients.

    takes: in words, which convolutions it can compute.
    applies(problem): whether it can compute this one.
    cost(problem): estimate in multiply-adds of a matrix product; infinite if it should never be
    chosen.
    forward(x, w, windows, groups, epilogue): y. It calls epilogue(y[strip], outputs) after each
    strip, for a slice of the output channels.
    dx(dy, w, windows, groups): dx, in the shape of x.
    dw(dy, x, windows, groups): dw, in the shape of w.
    """

    name: str
    takes: str
    applies: Callable[[Problem], bool]
    cost: Callable[[Problem], float]
    forward: Callable[..., Array]
    dx: Callable[..., Array]
    dw: Callable[..., Array]
