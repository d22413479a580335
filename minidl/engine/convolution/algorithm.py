"""The protocol of a convolution algorithm.

Each algorithm is a file with five functions. `forward`, `dx` and `dw` compute a convolution and its
gradients. `applies` returns whether the algorithm can compute a given convolution, and `cost`
estimates the time. `choice.py` selects the algorithm with the lowest cost.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minidl.shapes import Windows
from minidl.typing import Array


class Problem(NamedTuple):
    """The description of a convolution that is to be computed, without its arrays.

    map: the function to be computed, "forward", "dx" or "dw"
    images: number of images, N
    windows: the geometry of the spatial axes
    groups: number of groups, G
    w_shape: shape of the kernel, (*kernel, C / G, K)
    dtype: of dy for "dx", and otherwise of x
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
        """Whether the dtype has enough digits for algorithms whose large terms cancel."""
        return self.dtype in ("float32", "float64")


class Algorithm(NamedTuple):
    """One way to compute a convolution and its gradients.

    x is (N, *extent, C), w (*kernel, C / G, K), y and dy (N, *out, K).

    name: its name in `minidl.engine.using`
    takes: the convolutions that it can compute, in words
    applies(problem): whether it can compute this one
    cost(problem): the estimated time, in multiply-adds of a large matrix product. Infinity means
        that the algorithm is never chosen.
    forward(x, w, windows, groups, epilogue): y. After it has computed a strip of y for the output
        channels of the slice `outputs`, it calls epilogue(y[strip], outputs).
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
