"""Convolution of every channel by itself: groups = C = K (Sifre 2014; Howard et al. 2017, arXiv
1704.04861).

No channel meets another, so there is no matrix product. Each tap t adds one product of arrays,

    y[n,o,c] += x[n, o·stride + t·dilation - before, c] w[t,c]

and the gradients exchange the roles.

Cost: N·out·taps·C multiply-adds, each with its own reading and writing.
"""

from math import inf, prod

from minidl.backend import array_module
from minidl.engine.convolution.algorithm import Algorithm
from minidl.engine.memory import empty, scratch
from minidl.engine.patches import seen
from minidl.engine.strips import apart, strips_of_windows
from minidl.engine.threads import share, share_sum


def applies(problem):
    """Whether each channel is a group of its own: groups = C = K"""
    return problem.inputs == 1 and problem.outputs == problem.groups


def cost(problem):
    """0, because no other algorithm is faster for several groups. For a single channel,
    infinite."""
    return 0 if problem.groups > 1 else inf


def forward(x, w, windows, groups, epilogue):
    """(N, *extent, C), (*kernel, 1, C) -> (N, *out, C)"""
    xp = array_module(x, w)
    y = empty(xp, (x.shape[0], *windows.out, groups), xp.result_type(x.dtype, w.dtype))

    def work(strip):
        images, rows, part = strip
        read, total, (first, *others) = seen(x, images, rows, part), y[images, rows], part.taps
        xp.multiply(read[part.under(first)], w[first], out=total)
        for tap in others:
            total += _product(read[part.under(tap)], w[tap])
        epilogue(total, slice(None))

    share(xp, work, strips_of_windows(xp, x.shape[0], windows, groups))
    return y


def dx(dy, w, windows, groups):
    """(N, *out, C), (*kernel, 1, C) -> (N, *extent, C)"""
    xp = array_module(dy, w)
    padded = xp.zeros((dy.shape[0], *windows.padded, groups), xp.result_type(dy.dtype, w.dtype))

    def work(strip):
        images, rows, part = strip
        dy_part, under = dy[images, rows], padded[images, rows.start * windows.stride[0] :]
        for tap in part.taps:
            under[part.under(tap)] += _product(dy_part, w[tap])

    for strips in apart(strips_of_windows(xp, dy.shape[0], windows, groups), windows):
        share(xp, work, strips)
    return xp.ascontiguousarray(windows.unpad(padded))


def dw(dy, x, windows, groups):
    """(N, *out, C), (N, *extent, C) -> (*kernel, 1, C)"""
    xp = array_module(dy, x)

    def work(strip):
        images, rows, part = strip
        read, dy_part = seen(x, images, rows, part), dy[images, rows]
        seen_by_taps = (read[part.under(tap)] for tap in part.taps)
        return xp.stack(
            [_product(one, dy_part).reshape(-1, groups).sum(axis=0) for one in seen_by_taps]
        )

    total = share_sum(
        xp,
        work,
        strips_of_windows(xp, x.shape[0], windows, groups),
        (prod(windows.size), groups),
        xp.result_type(dy.dtype, x.dtype),
    )
    return total.reshape(*windows.size, 1, groups)


def _product(a, b):
    """a b, in scratch memory"""
    xp = array_module(a, b)
    product = scratch(xp, "product", a.shape, xp.result_type(a, b))
    return xp.multiply(a, b, out=product)


DEPTHWISE = Algorithm(
    "depthwise", "one group for each channel in and out", applies, cost, forward, dx, dw
)
