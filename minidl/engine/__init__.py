"""The engine: fast implementations of the textbook's ops, and everything that makes them fast.

table.py           which implementation replaces which op, and when
convolution/       the algorithms of convolution, and the choice among them
pooling.py, pooling_gpu.py, adaptive_pooling.py, reductions.py, normalization.py,
layer_normalization.py, embedding.py, matrices.py, distances.py, bands.py, resampling.py, masks.py
                   implementations of other ops
fused.py           ops that include the ReLU after them
epilogue.py        how these ops apply the bias and the ReLU
updates.py         steps of the optimisers
threads.py         the thread pool
strips.py          the division of work into strips that fit a processor's cache
rows.py            sums and factors of channels, for many pictures
patches.py         the part of the input that a strip reads
memory.py          reuse of memory
kept.py            a cache for results that depend on a frozen array
kernels.py         CUDA kernels for a GPU

The textbook (`ops/`, `losses/`) and `optim/` do not import the engine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from minidl.engine import convolution as convolutions
from minidl.engine.fused import batch_norm_relu, convolution_relu
from minidl.engine.table import install
from minidl.engine.threads import get_threads, set_threads

__all__ = [
    "batch_norm_relu",
    "convolution_relu",
    "get_threads",
    "install",
    "set_threads",
    "using",
]

ConvolutionAlgorithm = Literal["auto", "im2col", "runs", "winograd", "winograd_runs", "depthwise"]


@contextmanager
def using(*, convolution: ConvolutionAlgorithm = "auto") -> Iterator[None]:
    """Compute convolutions and their gradients by one algorithm, in this block and this thread.

    This is for study, tests and benchmarks. `backward` uses the algorithm only if it is itself
    called within the block.

    convolution: the name of an algorithm below, or "auto" for the algorithm with the lowest
    estimated cost

        name               method                                    convolutions that it takes
        "im2col"           one matrix product                        all
        "runs"             matrix products that copy less of the     dilation 1 along the last axis,
                           input                                     groups 1
        "winograd"         in 2-D 1/4 of the multiplications         3 taps on each axis, stride 1,
                                                                     dilation 1, groups 1
        "winograd_runs"    in 2-D 1/2 of the multiplications, and    those of winograd with at least
                           half of winograd's transforms             two axes
        "depthwise"        no matrix product                         groups = C = K

    C and K are the numbers of input and output channels. Raises ArgumentError for another name.
    Within the block, a convolution that the algorithm cannot compute raises ArgumentError.

    >>> from minidl import ops
    >>> with using(convolution="im2col"):
    ...     ops.convolution(np.ones((1, 3, 1)), np.ones((2, 1, 1))).ravel()
    array([2., 2.])
    """
    with convolutions.forced(convolution):
        yield
