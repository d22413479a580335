"""Convolution by runs reads the windows along the last axis as views of x, which are never copied
(Cho & Brand 2017, "MEC: Memory-efficient Convolution for Deep Neural Network", arXiv 1706.06873).

A run is a sequence of contiguous numbers. Channels come last, so that the taps of a window along
the last axis are contiguous, each with its channels. The window is therefore a run of taps·C
numbers. For one output position o of the last axis, the windows in all rows m of all images are the
rows of a matrix, which is a view of x. One product for each o computes a convolution along one
axis:

    y[m,o] = x[m, o·stride - before : o·stride - before + taps] W

where W is the kernel as a matrix `(taps·C, K)`. The other axes are treated as in im2col: the rows
that a window reads through the taps of the other axes are copied side by side, so that each
position along the last axis holds all of these taps with their channels. This copies every number
once for each tap of the *other* axes. With a 3x3 kernel these are 3 copies, where im2col makes 9.

**dw** is the product of the same windows with dy, because W is a factor in every row m and position
o of y:

    dW = Σ_m Σ_o x[m, o·stride - before : o·stride - before + taps]ᵀ dy[m,o]

**dx.** Divide the last axis into blocks of `stride` positions: i + before = stride·q + r, where q
is the block and r is the place in it. Output o reads position i through the tap t = i + before -
stride·o. With j = q - o this is t = r + stride·j. The gradient of block q is therefore

    dx[m, block q] = Σ_j dy[m, q - j] V[j],      j = 0, 1, ..

where V[j] has the shape `(K, stride·C)`. At place r, it contains the transpose of w[r + stride·j],
or 0 if there is no such tap.

This is again a convolution by runs: of dy, with stride 1, whose outputs are blocks. Along the other
axes, each tap adds its rows to dx.

Cost: N·out·taps·C·K multiply-adds, as many as the definition. For dx, the zeros in V multiply this
by ⌈taps / stride⌉·stride / taps.
"""

from itertools import product
from math import inf, prod

from minidl.backend import array_module
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.epilogue import copy_part
from minidl.engine.memory import empty, scratch
from minidl.engine.patches import padded_slice
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import get_threads, parallel_map, parallel_sum

STRIP = 1 << 21  # numbers of x that are copied side by side for the windows of one strip
COPY, START = 60, 8e6  # cost of copying one number; of the calls
COPY_RUN = 13  # further cost of each run of contiguous numbers that is copied, in numbers
FEW_ROWS = 50  # a product with so few rows costs twice as much as its multiply-adds


def applies(problem):
    """Return whether the kernel has no dilation along the last axis, and there is one group."""
    return problem.windows.dilation[-1] == 1 and problem.groups == 1


def cost(problem):
    """Return the cost of the products and copies. Return infinity on a GPU, and if there are fewer
    images than threads, because a strip consists of whole images."""
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
        copied *= 1 + COPY_RUN / inputs
    return products * (1 + FEW_ROWS / max(1, rows)) + copied * COPY + START


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (*kernel, C, K) -> (N, *out, K)"""
    xp, W = array_module(x, w), array_module(w).moveaxis(w, -3, 0).reshape(-1, w.shape[-1])
    y = empty(xp, (x.shape[0], *windows.out, w.shape[-1]), xp.result_type(x.dtype, w.dtype))

    def work(images):
        y_part = y[images]
        products = spaced_rows(xp, "outputs", y_part.shape, y.dtype)
        xp.matmul(_windows(x, images, windows), W, out=runs(_rows(products)))
        y_part[...] = products
        epilogue(y_part, slice(None))

    parallel_map(xp, work, _parts(x, windows))
    return y


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (*kernel, C, K)"""
    xp, (*others, taps) = array_module(dy, x), windows.size
    shape = (taps, *others, x.shape[-1], dy.shape[-1])

    def work(images):
        shape_of_part = (images.stop - images.start, *dy.shape[1:])
        dy_part = copy_part(dy, images, spaced_rows(xp, "outputs", shape_of_part, dy.dtype))
        terms = _windows(x, images, windows).mT @ runs(_rows(dy_part))
        return terms.sum(axis=0).reshape(shape)

    total = parallel_sum(xp, work, _parts(x, windows), shape, xp.result_type(dy.dtype, x.dtype))
    return xp.moveaxis(total, 0, len(others))


def dx(dy, w, windows, groups):
    """(N, *out, K), (*kernel, C, K) -> (N, *extent, C)"""
    xp, n, channels, outputs = array_module(dy, w), dy.shape[0], w.shape[-2], dy.shape[-1]
    stride, before, width = windows.stride[-1], windows.before[-1], windows.extent[-1]
    V = _kernels_of_blocks(w, stride)
    reach = V.shape[-2] // outputs  # number of j: positions of dy that a block reads
    first_block = before // stride  # the first block that is not only padding
    blocks, skipped = -(-(width + before) // stride) - first_block, before - stride * first_block
    *others, _ = windows.out
    begin, lengths = [0] * len(others) + [first_block - reach + 1], [*others, blocks + reach - 1]
    dx = empty(xp, (n, *windows.extent, channels), xp.result_type(dy.dtype, w.dtype))

    def work(images):
        dx[images] = 0
        patch = padded_slice(dy, images, begin, lengths, _scratch(xp, "outputs", dx.dtype))
        dy_part = xp.ascontiguousarray(patch)
        shape = (dy_part.shape[0], *others, blocks, stride * channels)
        products = spaced_rows(xp, "blocks", shape, dx.dtype)
        positions = products.reshape(*shape[:-2], blocks * stride, channels)
        positions = positions[..., skipped : skipped + width, :]
        for tap in product(*map(range, windows.size[:-1])):
            xp.matmul(runs(_rows(dy_part), reach), V[tap], out=runs(_rows(products)))
            outs, ins = _meeting(windows, tap)
            dx[(images, *ins)] += positions[(slice(None), *outs)]

    numbers = max(1, prod(lengths) * outputs)  # of one image
    parallel_map(xp, work, equal_parts(n, fair_strip(xp, n * numbers, STRIP) // numbers))
    return dx


def runs(x, taps=1, stride=1):
    """(.., M, width, C) -> (.., places, M, taps·C): the run of `taps` positions from o·stride on,
    for each place o in each of the M rows. The result is a view.

    The numbers of a row must be contiguous. The stride between its positions is computed, because
    NumPy may store any stride for an axis of length 1.
    """
    *others, row, _, _ = x.strides
    *batch, rows, width, channels = x.shape
    number, position = x.itemsize, channels * x.itemsize
    shape = (*batch, (width - taps) // stride + 1, rows, taps * channels)
    strides = (*others, stride * position, row, number)
    return array_module(x).lib.stride_tricks.as_strided(x, shape, strides)


def spaced_rows(xp, name, shape, dtype):
    """Return scratch memory of shape (.., width, C) with one unused position after each row.

    Rows whose distance is a power of two would map to the same lines of a cache and evict each
    other.
    """
    *others, width, channels = shape
    return scratch(xp, name, (*others, width + 1, channels), dtype)[..., :width, :]


def _windows(x, images, windows):
    """(N, *extent, C) -> (places, M, taps·C): the rows that each window reads, copied side by side,
    and the runs of them"""
    xp, channels = array_module(x), x.shape[-1]
    *others, taps = windows.size
    (before, after), width = windows.padding[-1], windows.extent[-1]
    rows = (images.stop - images.start, *windows.out[:-1])
    side_by_side = scratch(
        xp, "rows", (*rows, before + width + after, prod(others), channels), x.dtype
    )
    if windows.padded != windows.extent:
        side_by_side[...] = 0
    inside = slice(before, before + width)
    for number, tap in enumerate(product(*map(range, others))):
        outs, ins = _meeting(windows, tap)
        side_by_side[(slice(None), *outs, inside, number)] = x[(images, *ins)]
    joined = side_by_side.reshape(*side_by_side.shape[:-2], prod(others) * channels)
    return runs(_rows(joined), taps, windows.stride[-1])


def _meeting(windows, tap):
    """Return (slices of the outputs, slices of the input) along all axes but the last: the outputs
    that read the input through this tap, and what they read."""
    pairs = [windows.meeting(axis, t) for axis, t in enumerate(tap)]
    return [outs for outs, _ in pairs], [ins for _, ins in pairs]


def _rows(x):
    """(n, .., width, C) -> (M, width, C)"""
    return x.reshape(prod(x.shape[:-2]), *x.shape[-2:])


def _scratch(xp, name, dtype):
    return lambda *shape: scratch(xp, name, shape, dtype)


def _kernels_of_blocks(w, stride):
    """(.., taps, C, K) -> (.., reach·K, stride·C): all V[j] of the derivation, the last j first, in
    the order in which a window reads dy"""
    xp, (*others, taps, channels, outputs) = array_module(w), w.shape
    reach = -(-taps // stride)
    padded = xp.zeros((*others, reach * stride, channels, outputs), w.dtype)
    padded[..., :taps, :, :] = w
    V = padded.reshape(*others, reach, stride * channels, outputs)[..., ::-1, :, :].mT
    return xp.ascontiguousarray(V).reshape(*others, reach * outputs, stride * channels)


def _parts(x, windows):
    """Return slices of the images, so that the copied rows of each part fit the cache."""
    xp, n, row = array_module(x), x.shape[0], windows.extent[-1] * x.shape[-1]
    numbers = max(1, prod(windows.out[:-1]) * prod(windows.size[:-1]) * row)  # of one image
    return equal_parts(n, fair_strip(xp, n * numbers, STRIP) // numbers)


RUNS = Algorithm(
    "runs", "kernels without dilation along the last axis, groups 1", applies, cost, forward, dx, dw
)
