"""Pooling on a GPU over up to three axes. Each forward and each gradient is one kernel of
pooling.cu."""

import functools
from pathlib import Path

from minidl.backend import array_module, is_array
from minidl.engine.kernels import Kernels, structure
from minidl.ops.pooling import windows_of

KERNELS = Kernels(Path(__file__).with_name("pooling.cu"))
AXES = 3


def max_pool(x, window, *, stride=None, padding=0, dilation=1, ceil=False):
    """(N, *spatial, C) -> (N, *out, C)"""
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)
    return _compute("max_pool", windows, [x], (x.shape[0], *windows.out, x.shape[-1]))


def max_pool_dx(dy, x, y, window, stride, padding, dilation, ceil):
    """(N, *out, C) -> (N, *spatial, C)"""
    windows = windows_of(x.shape, window, stride, padding, dilation, ceil)
    return _compute("max_pool_dx", windows, [dy, x, y], x.shape)


def avg_pool(x, window, *, stride=None, padding=0, ceil=False, count_padding=True):
    """(N, *spatial, C) -> (N, *out, C)"""
    windows, (n, *_, channels) = windows_of(x.shape, window, stride, padding, 1, ceil), x.shape
    return _compute("avg_pool", windows, [x], (n, *windows.out, channels), count_padding)


def avg_pool_dx(dy, x_shape, window, stride, padding, ceil, count_padding):
    """(N, *out, C) -> (N, *spatial, C)"""
    windows = windows_of(x_shape, window, stride, padding, 1, ceil)
    return _compute("avg_pool_dx", windows, [dy], x_shape, count_padding)


def applies(*args, **kwargs):
    """Return whether the kernels can process the arrays among these arguments: on a GPU, float32 or
    float64, with at most three spatial axes."""
    arrays = [value for value in (*args, *kwargs.values()) if is_array(value)]
    return arrays[0].ndim - 2 <= AXES and KERNELS.fit(*arrays)


def _compute(name, windows, arrays, shape, *flags):
    """Return the result of a kernel: y or dx, an array of this shape."""
    xp = array_module(*arrays)
    result = xp.empty(shape, arrays[0].dtype)
    structure = _structure(windows, shape[0], shape[-1])
    arrays = map(xp.ascontiguousarray, arrays)
    KERNELS.launch(name, result.size, *arrays, result, *map(int, flags), structure)
    return result


@functools.lru_cache(1000)
def _structure(windows, images, channels):
    """Return the `Windows` of pooling.cu. It has three axes. Missing ones come first and have the
    length 1."""
    before, after = zip(*windows.padding, strict=True)
    fields = ("extent", "out", "size", "stride", "dilation")
    lengths = {name: getattr(windows, name) for name in fields}
    missing = AXES - len(before)
    axes = {name: [1] * missing + list(values) for name, values in lengths.items()}
    axes |= {"before": [0] * missing + list(before), "after": [0] * missing + list(after)}
    return structure(images=images, channels=channels, **axes)
