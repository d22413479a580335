"""Which algorithm runs a convolution.

`auto` gives convolutions of each channel by itself to depthwise. Else it takes the cheapest by an
estimate, in multiply-adds of a matrix product: a number that is copied, added or mapped costs as
much as some dozens, more or less. The constants were fitted to 630 measurements (105 convolutions
of one, two and three axes with 1 to 256 channels; three maps; one core and two, with AVX-512, NumPy
2.4, other programs beside). For 535 of them the choice was the fastest or at most 10 % slower; for
41 it lost more than 30 %, nearly all of them within milliseconds.

On a GPU winograd is taken where its kernels are: for pictures, unless there are so few channels
that the points cost more than the products that they save.
"""

from math import prod

from minidl.cores import get_threads
from minidl.errors import ArgumentError, brief, one_of
from minidl.ops.convolutions import depthwise, direct, im2col, runs, winograd, winograd_runs
from minidl.ops.convolutions.tiles import INPUTS, tiles_of

ALGORITHMS = {
    "direct": direct, "im2col": im2col, "runs": runs, "winograd": winograd, "winograd_runs": winograd_runs,
    "depthwise": depthwise,
}  # fmt: skip

COPY, ADD = 60, 160  # im2col: one number of the columns, read from x or added to dx
COPY_RUN, LAY_RUN = 6, 13  # im2col, runs: what copying one run costs beside its numbers, in numbers
KERNEL = 60  # winograd, winograd_runs: one number of the kernels at the points
MAP, START = 80, 1e8  # winograd: one number at the points; its many small calls
LAY, LAY_START = 60, 8e6  # runs: one number of the rows; its calls
ROW_MAP, ROW_START = 75, 1e7  # winograd_runs: one number at the points; its calls
# runs, winograd_runs: with so few rows in a product it costs twice as much
FEW_ROWS, FEW_TILES = 50, 20
LEAST_ON_GPU = 16  # winograd on a GPU: channels in and out


def fitting(windows, groups, w_shape):
    """{name: module} of the algorithms that can compute it"""
    return {
        name: m
        for name, m in ALGORITHMS.items()
        if not hasattr(m, "fits") or m.fits(windows, groups, w_shape)
    }


def choose(algorithm, what, images, windows, groups, w_shape, dtype, kept, on_gpu):
    """The module that computes `what`: "forward", "dx" or "dw". kept: whether winograd keeps the
    kernels at the points."""
    one_of("algorithm", algorithm, ("auto", *ALGORITHMS))
    able = fitting(windows, groups, w_shape)
    if algorithm != "auto":
        if algorithm not in able:
            raise ArgumentError(
                f"algorithm={brief(algorithm)} takes {ALGORITHMS[algorithm].TAKES}; found a kernel {w_shape}, stride "
                f"{windows.stride}, dilation {windows.dilation}, groups {groups}: use algorithm='auto'"
            )
        return able[algorithm]
    if "depthwise" in able and groups > 1:
        return depthwise
    accurate = dtype in ("float32", "float64")
    if on_gpu:
        worth_it = (
            "winograd" in able and len(windows.out) == 2 and min(w_shape[-2:]) >= LEAST_ON_GPU
        )
        return winograd if worth_it and accurate else im2col
    costs = _costs(what, images, windows, *w_shape[-2:], kept)
    return min(
        (m for m in able.values() if m in costs and (accurate or m in (im2col, runs))),
        key=costs.get,
    )


def _costs(what, images, windows, inputs, outputs, kept):
    """{algorithm: estimate}"""
    *others, taps = windows.size
    *rows, places = windows.out
    *tiled, width = windows.extent if what == "dx" else windows.out
    rows, tiles = images * prod(rows), images * prod(tiles_of(tiled))
    columns = rows * places * prod(windows.size) * inputs
    laid, products = rows * prod(others) * windows.extent[-1] * inputs, columns * outputs
    if what == "dx":
        laid += rows * places * outputs
        products *= -(-taps // windows.stride[-1]) * windows.stride[-1] / taps
    elif inputs > 1:
        laid *= 1 + LAY_RUN / inputs
    by_rows = 3 * inputs * outputs * (1 + FEW_TILES / max(1, tiles)) + ROW_MAP * (inputs + outputs)
    costs = {
        im2col: columns
        * (outputs + (ADD if what == "dx" else COPY * (1 + COPY_RUN / (taps * inputs)))),
        winograd: tiles
        * tiles_of([width])[0]
        * INPUTS ** len(windows.out)
        * (inputs * outputs + MAP * (inputs + outputs))
        + (0 if kept else INPUTS ** len(windows.out) * inputs * outputs * KERNEL)
        + START,
        winograd_runs: INPUTS ** len(tiled)
        * (tiles * width * by_rows + 3 * inputs * outputs * KERNEL)
        + ROW_START,
    }
    if images >= get_threads():  # which share them
        costs[runs] = products * (1 + FEW_ROWS / max(1, rows)) + laid * LAY + LAY_START
    return costs
