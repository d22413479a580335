"""Pooling on a GPU, over up to three axes: one kernel (pooling.cu) for each forward and each
gradient."""

import functools
from pathlib import Path

from minidl.backend import array_module
from minidl.kernels import Kernels, structure

KERNELS = Kernels(Path(__file__).with_name("pooling.cu"))
AXES = 3


def fit(windows, *arrays):
    """Whether the kernels can take these arrays and windows."""
    return len(windows.out) <= AXES and KERNELS.fit(*arrays)


def compute(name, windows, arrays, shape, **options):
    """The array of this shape, of y or dx, that a kernel makes from others"""
    xp = array_module(*arrays)
    result = xp.empty(shape, arrays[0].dtype)
    flags, struct = map(int, options.values()), _structure(windows, shape[0], shape[-1])
    KERNELS.launch(name, result.size, *map(xp.ascontiguousarray, arrays), result, *flags, struct)
    return result


@functools.lru_cache(1000)
def _structure(windows, images, channels):
    """The kernels know three axes: those that are missing are of length 1, in front."""
    before, after = zip(*windows.padding, strict=True)
    lengths = {
        "extent": windows.extent, "out": windows.out, "size": windows.size, "stride": windows.stride,
        "dilation": windows.dilation, "before": before, "after": after,
    }  # fmt: skip
    missing = {name: 0 if name in ("before", "after") else 1 for name in lengths}
    axes = {
        name: [missing[name]] * (AXES - len(values)) + list(values)
        for name, values in lengths.items()
    }
    return structure(images=images, channels=channels, **axes)
