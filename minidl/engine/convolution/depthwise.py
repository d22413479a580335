"""A depthwise convolution has groups = C = K, so that each output channel reads only one input
channel (Sifre 2014; Howard et al. 2017, arXiv 1704.04861).

With i = o·stride + t·dilation - before,

    y[n,o,c] = Σ_t x[n,i,c] w[t,c]
    dx[n,i,c] = Σ_{o,t: o reads i} dy[n,o,c] w[t,c]
    dw[t,c] = Σ_n Σ_o x[n,i,c] dy[n,o,c]

There is no sum over channels, and therefore no matrix product. For each tap t, the code adds
x[n,i,c] w[t,c] to y[n,o,c], or dy[n,o,c] w[t,c] to dx[n,i,c], for all n, o and c at once.

Cost: N·out·taps·C multiply-adds. Each reads its numbers from the cache and writes them to it.
"""

from math import inf, prod

from minidl.backend import array_module
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.memory import empty, scratch
from minidl.engine.patches import inputs_of_strip
from minidl.engine.strips import non_overlapping, strips_of_windows
from minidl.engine.threads import parallel_map, parallel_sum


def applies(problem):
    """Return whether each channel is a group of its own: groups = C = K."""
    return problem.inputs == 1 and problem.outputs == problem.groups


def cost(problem):
    """Return 0 for several groups, because no other algorithm is faster. Return infinity for a
    single channel."""
    return 0 if problem.groups > 1 else inf


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (*kernel, 1, C) -> (N, *out, C)"""
    xp = array_module(x, w)
    y = empty(xp, (x.shape[0], *windows.out, groups), xp.result_type(x.dtype, w.dtype))

    def work(strip):
        images, rows, strip_windows = strip
        inputs, total = inputs_of_strip(x, *strip), y[images, rows]
        first, *others = strip_windows.taps
        xp.multiply(inputs[strip_windows.under(first)], w[first], out=total)
        for tap in others:
            total += _product(inputs[strip_windows.under(tap)], w[tap])
        epilogue(total, slice(None))

    parallel_map(xp, work, strips_of_windows(xp, x.shape[0], windows, groups))
    return y


def dx(dy, w, windows, groups):
    """(N, *out, C), (*kernel, 1, C) -> (N, *extent, C)"""
    xp = array_module(dy, w)
    padded = xp.zeros((dy.shape[0], *windows.padded, groups), xp.result_type(dy.dtype, w.dtype))

    def work(strip):
        images, rows, strip_windows = strip
        dy_part, dx_part = dy[images, rows], padded[images, rows.start * windows.stride[0] :]
        for tap in strip_windows.taps:
            dx_part[strip_windows.under(tap)] += _product(dy_part, w[tap])

    strips = strips_of_windows(xp, dy.shape[0], windows, groups)
    for parallel_strips in non_overlapping(strips, windows):
        parallel_map(xp, work, parallel_strips)
    return xp.ascontiguousarray(windows.unpad(padded))


def dw(dy, x, windows, groups):
    """(N, *out, C), (N, *extent, C) -> (*kernel, 1, C)"""
    xp, taps = array_module(dy, x), prod(windows.size)

    def work(strip):
        images, rows, strip_windows = strip
        inputs, dy_part = inputs_of_strip(x, *strip), dy[images, rows]
        products = (_product(inputs[strip_windows.under(t)], dy_part) for t in strip_windows.taps)
        return xp.stack([terms.reshape(-1, groups).sum(axis=0) for terms in products])

    strips = strips_of_windows(xp, x.shape[0], windows, groups)
    total = parallel_sum(xp, work, strips, (taps, groups), xp.result_type(dy.dtype, x.dtype))
    return total.reshape(*windows.size, 1, groups)


def _product(a, b):
    """Return a·b, element by element, in scratch memory. The next call overwrites it."""
    xp = array_module(a, b)
    product = scratch(xp, "product", a.shape, xp.result_type(a, b))
    return xp.multiply(a, b, out=product)


DEPTHWISE = Algorithm(
    "depthwise", "one group for each channel in and out", applies, cost, forward, dx, dw
)
