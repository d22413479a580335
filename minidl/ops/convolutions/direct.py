"""Convolution by its definition, in loops: slow, for reading, and to hold the other algorithms
against.

One sum holds all three maps. Let output position o read input position i through tap t. Then

    y[n,o,k]  gains  x[n,i,c] w[t,c,k]
    dx[n,i,c] gains  dy[n,o,k] w[t,c,k]
    dw[t,c,k] gains  x[n,i,c] dy[n,o,k]

where the second and the third are the first with the roles exchanged: the gradient of a product.
Channels are split into groups (g below), which do not meet.
"""

from itertools import product

from minidl.backend import array_module


def forward(x, w, windows, groups, finish):
    """(N, *extent, C), (*kernel, C/G, K) -> (N, *out, K)"""
    xp = array_module(x, w)
    x, w = _split(x, groups), _split(w, groups)
    y = xp.zeros((x.shape[0], *windows.out, groups, w.shape[-1]), dtype=xp.result_type(x, w))
    for o, t, i in _meetings(windows):
        y[_at(o)] += xp.einsum("ngc,cgk->ngk", x[_at(i)], w[t])
    y = _join(y)
    finish(y, slice(None))
    return y


def dx(dy, w, windows, groups):
    """(N, *out, K), (*kernel, C/G, K) -> (N, *extent, C)"""
    xp = array_module(dy, w)
    dy, w = _split(dy[...], groups), _split(w, groups)
    dx = xp.zeros((dy.shape[0], *windows.extent, groups, w.shape[-3]), dtype=xp.result_type(dy, w))
    for o, t, i in _meetings(windows):
        dx[_at(i)] += xp.einsum("ngk,cgk->ngc", dy[_at(o)], w[t])
    return _join(dx)


def dw(dy, x, windows, groups):
    """(N, *out, K), (N, *extent, C) -> (*kernel, C/G, K)"""
    xp = array_module(dy, x)
    dy, x = _split(dy[...], groups), _split(x, groups)
    dw = xp.zeros((*windows.size, x.shape[-1], groups, dy.shape[-1]), dtype=xp.result_type(dy, x))
    for o, t, i in _meetings(windows):
        dw[t] += xp.einsum("ngc,ngk->cgk", x[_at(i)], dy[_at(o)])
    return _join(dw)


def _meetings(windows):
    """All (o, t, i): output o reads input i through tap t. What a tap reads in the padding is 0 and
    adds nothing."""
    for o in product(*map(range, windows.out)):
        for t in windows.taps:
            i = windows.position(o, t)
            if i is not None:
                yield o, t, i


def _at(position):
    """That position of every image."""
    return (slice(None), *position)


def _split(array, groups):
    """(..., C) -> (..., G, C/G)"""
    return array.reshape(*array.shape[:-1], groups, array.shape[-1] // groups)


def _join(array):
    """(..., G, C/G) -> (..., C)"""
    return array.reshape(*array.shape[:-2], array.shape[-2] * array.shape[-1])
