"""The protocol of a convolution algorithm.

Each algorithm is a file with the three maps forward, dx and dw, a function that returns which
convolutions it can compute, and a function that estimates their cost. `choice.py` selects the
cheapest one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minidl.shapes import Windows
from minidl.typing import Array


class Problem(NamedTuple):
    """The description of a convolution that is to be computed, without its arrays.

    map: "forward", "dx" or "dw"
    images: number of images, N
    windows: the geometry of the spatial axes
    groups: number of groups, G
    w_shape: shape of the kernel, (*kernel, C / G, K)
    dtype: of x or dy
    frozen: whether the kernel is a frozen array, so that results that depend on it can be cached
    on_gpu: whether the arrays are on a GPU
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
        """Number of input channels of the kernel, C / G."""
        return self.w_shape[-2]

    @property
    def outputs(self) -> int:
        """Number of output channels, K."""
        return self.w_shape[-1]

    @property
    def accurate(self) -> bool:
        """Whether the dtype has enough digits for algorithms in which digits cancel."""
        return self.dtype in ("float32", "float64")


class Algorithm(NamedTuple):
    """One way to compute a convolution and its gradients.

    x is (N, *extent, C), w (*kernel, C / G, K), y and dy (N, *out, K).

    name: its name in `minidl.engine.using`
    takes: in words, which convolutions it can compute
    applies(problem): whether it can compute this one
    cost(problem): the estimated time, in multiply-adds of a large matrix product; infinity if the
        algorithm should never be chosen
    forward(x, w, windows, groups, epilogue): y. It calls epilogue(y[strip], outputs) after it has
        computed a strip of y for the slice `outputs` of the output channels.
    dx(dy, w, windows, groups): dx, in the shape of x. dy is an array, or a Rectified.
    dw(dy, x, windows, groups): dw, in the shape of w. dy is an array, or a Rectified.
    """

    name: str
    takes: str
    applies: Callable[[Problem], bool]
    cost: Callable[[Problem], float]
    forward: Callable[..., Array]
    dx: Callable[..., Array]
    dw: Callable[..., Array]
