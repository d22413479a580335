"""Convolution by runs of memory: windows along the last axis that nobody copies.

Channels come last, so the taps of a window along the last axis lie one behind another, each with
its channels: the window is a run of taps·C numbers. The windows at one place of the last axis, in
all rows of all pictures, are then the rows of a matrix that is a view of x,

    y[m,o] = x[m, o·stride - before : .. + taps] W,      m: a row of a picture; W (taps·C, K)

and one product for each o makes a convolution of one axis. The other axes are brought into it as
im2col does: the rows that a window reads through their taps are laid side by side, tap by tap with
the channels. That copies every number once for each of *their* taps only, in two dimensions 3 times
instead of 9.

**Gradients.** dw multiplies the same windows with dy. For dx let the last axis be cut into blocks
of `stride` positions, i + before = stride·q + r. Tap t of window o reads i where o = q - j and t =
r + stride·j; so block q gathers, for j = 0, 1, ..,

    dx[m, block q] = Σ_j dy[m, q - j] V[j],      V[j] (K, stride·C):  w[r + stride·j] at r, 0 beyond the last tap

a convolution again, of runs of dy with stride 1, whose outputs are blocks. Along the other axes
each tap adds its rows.

Cost: the definition's N·out·taps·C·K multiply-adds; for dx
⌈taps / stride⌉·stride / taps times as many.
"""

from itertools import product
from math import inf, prod

from minidl.backend import array_module
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.epilogue import put
from minidl.engine.memory import empty, scratch
from minidl.engine.patches import cut
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import get_threads, share, share_sum

STRIP = 1 << 21  # numbers of x, laid out for the windows of one strip
LAY, START = 60, 8e6  # cost of one number of the rows; of the calls
LAY_RUN = 13  # cost of copying one run of a window in addition to its numbers, in numbers
FEW_ROWS = 50  # with so few rows in a product it costs twice as much


def applies(problem):
    """Whether the kernel has no dilation along the last axis, and there is one group"""
    return problem.windows.dilation[-1] == 1 and problem.groups == 1


def cost(problem):
    """The products and the copying. Infinite on a GPU, or for fewer images than threads, which
    share the images."""
    windows, inputs, outputs = problem.windows, problem.inputs, problem.outputs
    if problem.on_gpu or problem.images < get_threads():
        return inf
    rows, stride = problem.images * prod(windows.out[:-1]), windows.stride[-1]
    *others, taps = windows.size
    products = rows * windows.out[-1] * prod(windows.size) * inputs * outputs
    copied = rows * prod(others) * windows.extent[-1] * inputs
    if problem.map == "dx":
        copied += rows * windows.out[-1] * outputs
        products *= -(-taps // stride) * stride / taps
    elif inputs > 1:
        copied *= 1 + LAY_RUN / inputs
    return products * (1 + FEW_ROWS / max(1, rows)) + copied * LAY + START


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (*kernel, C, K) -> (N, *out, K)"""
    xp, W = array_module(x, w), array_module(w).moveaxis(w, -3, 0).reshape(-1, w.shape[-1])
    y = empty(xp, (x.shape[0], *windows.out, w.shape[-1]), xp.result_type(x.dtype, w.dtype))

    def work(images):
        part = y[images]
        found = rows_apart(xp, "outputs", part.shape, y.dtype)
        xp.matmul(_windows(x, images, windows), W, out=runs(_rows(found)))
        part[...] = found
        epilogue(part, slice(None))

    share(xp, work, _parts(x, windows))
    return y


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (*kernel, C, K)"""
    xp, shape = (
        array_module(dy, x),
        (windows.size[-1], *windows.size[:-1], x.shape[-1], dy.shape[-1]),
    )

    def work(images):
        read = put(
            dy,
            images,
            rows_apart(xp, "outputs", (images.stop - images.start, *dy.shape[1:]), dy.dtype),
        )
        return (_windows(x, images, windows).mT @ runs(_rows(read))).sum(axis=0).reshape(shape)

    total = share_sum(xp, work, _parts(x, windows), shape, xp.result_type(dy.dtype, x.dtype))
    return xp.moveaxis(total, 0, len(windows.size) - 1)


def dx(dy, w, windows, groups):
    """(N, *out, K), (*kernel, C, K) -> (N, *extent, C)"""
    xp, n, channels, outputs = array_module(dy, w), dy.shape[0], w.shape[-2], dy.shape[-1]
    stride, (before, _), width = windows.stride[-1], windows.padding[-1], windows.extent[-1]
    V = _kernels_of_blocks(w, stride)
    # in blocks: of a window of dy; the first one with a position of dx
    reach, first = V.shape[-2] // outputs, before // stride
    blocks, ahead = -(-(width + before) // stride) - first, before - stride * first
    begin, lengths = (
        [0] * (len(windows.out) - 1) + [first - reach + 1],
        [*windows.out[:-1], blocks + reach - 1],
    )
    dx = empty(xp, (n, *windows.extent, channels), xp.result_type(dy.dtype, w.dtype))

    def work(images):
        dx[images] = 0
        read = xp.ascontiguousarray(
            cut(dy, images, begin, lengths, lambda *shape: scratch(xp, "outputs", shape, dx.dtype))
        )
        found = rows_apart(
            xp, "blocks", (read.shape[0], *windows.out[:-1], blocks, stride * channels), dx.dtype
        )
        positions = found.reshape(*found.shape[:-2], blocks * stride, channels)[
            ..., ahead : ahead + width, :
        ]
        for tap in product(*map(range, windows.size[:-1])):
            xp.matmul(runs(_rows(read), reach), V[tap], out=runs(_rows(found)))
            outs, ins = _meeting(windows, tap)
            dx[(images, *ins)] += positions[(slice(None), *outs)]

    each = max(1, prod(lengths) * outputs)
    share(xp, work, equal_parts(n, fair_strip(xp, n * each, STRIP) // each))
    return dx


def runs(x, taps=1, stride=1):
    """(.., M, width, C) -> (.., places, M, taps·C): the runs of so many positions in each row, from
    o·stride on; a view

    The numbers of a row must be contiguous. x.strides does not tell how far apart they are: NumPy
    allows any stride for an axis of length 1.
    """
    *others, row, _, _ = x.strides
    *batch, rows, width, channels = x.shape
    number, position = x.itemsize, channels * x.itemsize
    shape = (*batch, (width - taps) // stride + 1, rows, taps * channels)
    return array_module(x).lib.stride_tricks.as_strided(
        x, shape, (*others, stride * position, row, number)
    )


def rows_apart(xp, name, shape, dtype):
    """Scratch memory of shape (.., width, C) with room for one position more in each row: rows that
    are a power of two apart would push each other out of a cache."""
    *others, width, channels = shape
    return scratch(xp, name, (*others, width + 1, channels), dtype)[..., :width, :]


def _windows(x, images, windows):
    """(N, *extent, C) -> (places, M, taps·C): the rows that each window reads, laid side by side,
    and the runs of them"""
    xp, channels = array_module(x), x.shape[-1]
    *others, taps = windows.size
    (before, after), width = windows.padding[-1], windows.extent[-1]
    shape = (
        images.stop - images.start,
        *windows.out[:-1],
        before + width + after,
        prod(others),
        channels,
    )
    laid_out = scratch(xp, "rows", shape, x.dtype)
    if windows.padded != windows.extent:
        laid_out[...] = 0
    for number, tap in enumerate(product(*map(range, others))):
        outs, ins = _meeting(windows, tap)
        laid_out[(slice(None), *outs, slice(before, before + width), number)] = x[(images, *ins)]
    return runs(_rows(laid_out.reshape(*shape[:-2], -1)), taps, windows.stride[-1])


def _meeting(windows, tap):
    """Slices of the outputs and of the input, along all axes but the last, that meet through a
    tap"""
    pairs = [windows.meeting(axis, t) for axis, t in enumerate(tap)]
    return [outs for outs, _ in pairs], [ins for _, ins in pairs]


def _rows(x):
    """(n, .., width, C) -> (M, width, C)"""
    return x.reshape(prod(x.shape[:-2]), *x.shape[-2:])


def _kernels_of_blocks(w, stride):
    """(.., taps, C, K) -> (.., reach·K, stride·C): V of the derivation, the last j first, as the
    window reads dy"""
    xp, (*others, taps, channels, outputs) = array_module(w), w.shape
    reach = -(-taps // stride)
    whole = xp.zeros((*others, reach * stride, channels, outputs), w.dtype)
    whole[..., :taps, :, :] = w
    V = whole.reshape(*others, reach, stride * channels, outputs)[..., ::-1, :, :].mT
    return xp.ascontiguousarray(V).reshape(*others, reach * outputs, stride * channels)


def _parts(x, windows):
    """Of the images"""
    each = max(
        1, prod(windows.out[:-1]) * prod(windows.size[:-1]) * windows.extent[-1] * x.shape[-1]
    )
    return equal_parts(x.shape[0], fair_strip(array_module(x), x.shape[0] * each, STRIP) // each)


RUNS = Algorithm(
    "runs", "kernels without dilation along the last axis, groups 1", applies, cost, forward, dx, dw
)
