"""Which algorithm runs a convolution.

`auto` gives convolutions of each channel by itself to depthwise. Else it takes the cheaper of im2col and winograd by an
estimate, in multiply-adds of a matrix product: a number that is copied, added or mapped costs as much as a hundred, more or
less. The constants were fitted to 672 measurements (three maps; one, two and three axes; 8 to 64,000 positions; 1 to 512
channels; two cores with AVX-512, NumPy 2.4). For 644 of them the choice is the faster one or at most 10 % slower; the other
28 lose up to a factor of 2.3, nearly all of them within milliseconds.

On a GPU winograd is taken where its kernels are: for pictures, unless there are so few channels that the points cost more than
the products that they save.
"""

from math import prod

from minidl.errors import ArgumentError, one_of
from minidl.ops.convolutions import depthwise, direct, im2col, winograd
from minidl.ops.convolutions.tiles import INPUTS, tiles_of

ALGORITHMS = {"direct": direct, "im2col": im2col, "winograd": winograd, "depthwise": depthwise}

COPY, ADD = 60, 160  # im2col: one number of the columns, read from x or added to dx
MAP = 80  # winograd: one number at the points
KERNEL = 60  # winograd: one number of the kernels at the points
START = 1e8  # winograd: its many small calls
LEAST_ON_GPU = 16  # winograd on a GPU: channels in and out


def choose(algorithm, what, images, windows, groups, w_shape, dtype, kept, on_gpu):
    """The module that computes `what`: "forward", "dx" or "dw". kept: whether winograd keeps the kernels at the points."""
    one_of("algorithm", algorithm, ("auto", *ALGORITHMS))
    fits = winograd.fits(windows, groups)
    if algorithm == "winograd" and not fits:
        raise ArgumentError(
            f"algorithm='winograd' takes kernels of 3 taps on each axis, stride 1, dilation 1, groups 1; found kernel "
            f"{windows.size}, stride {windows.stride}, dilation {windows.dilation}, groups {groups}: use algorithm='auto'"
        )
    alone = depthwise.fits(groups, w_shape)
    if algorithm == "depthwise" and not alone:
        raise ArgumentError(
            f"algorithm='depthwise' takes one group for each channel in and out; found groups {groups} and a kernel "
            f"{w_shape}: use algorithm='auto'"
        )
    if algorithm != "auto":
        return ALGORITHMS[algorithm]
    if alone and groups > 1:
        return depthwise
    *_, inputs, outputs = w_shape
    accurate = dtype in ("float32", "float64")
    if on_gpu:
        worth_it = len(windows.out) == 2 and min(inputs, outputs) >= LEAST_ON_GPU
        return winograd if fits and accurate and worth_it else im2col
    columns = images * prod(windows.out) * prod(windows.size) * inputs
    tiles, points = images * prod(tiles_of(windows.extent if what == "dx" else windows.out)), INPUTS ** len(windows.out)
    by_im2col = columns * (outputs + (ADD if what == "dx" else COPY))
    by_winograd = (
        tiles * points * (inputs * outputs + MAP * (inputs + outputs))
        + (0 if kept else points * inputs * outputs * KERNEL)
        + START
    )
    return winograd if fits and accurate and by_winograd < by_im2col else im2col
