"""Kernels of our own for a GPU: functions of a .cu file, which lies beside the algorithm that it speeds up.

The array maths is written once, for NumPy and CuPy. On a GPU each of its operations reads its arrays from memory and writes
its result there, which takes longer than computing it; a kernel does several of them in one go. What it computes is what the
plain arrays beside it compute, which run everywhere else, and here too inside of `plain_arrays`.
"""

import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minidl.backend import array_module

THREADS, BLOCKS = 256, 1 << 20  # of one block; of one launch at most: each thread then works off several numbers
FAR = 1 << 30  # numbers of an array from which on places in it are counted in 64 bits
TYPES = {"float32": "float", "float64": "double"}
NULL = np.intp(0)
_here = threading.local()


@contextmanager
def plain_arrays():
    """Run no kernels of our own in this block, in this thread: for comparison."""
    before, _here.plain = getattr(_here, "plain", False), True
    try:
        yield
    finally:
        _here.plain = before


class Kernels:
    """The kernels of one file, compiled by CuPy when first wanted, once for each type of numbers and of places."""

    def __init__(self, path):
        self.path, self._modules = Path(path), {}

    def run(self, *arrays):
        """Whether they run on these arrays: on a GPU, all of one type, float32 or float64."""
        dtypes = {array.dtype for array in arrays}
        on_gpu = array_module(*arrays) is not np and not getattr(_here, "plain", False)
        return on_gpu and len(dtypes) == 1 and str(*dtypes) in TYPES

    def launch(self, name, count, *arguments):
        """Call a kernel with `count` threads or, where that is too many, with fewer that take turns.

        arguments: contiguous arrays of the GPU, None for an array that is not there, NumPy scalars, and structures.
        """
        arrays = [a for a in arguments if hasattr(a, "flags") and not isinstance(a, (np.ndarray, np.generic))]
        if count:
            kernel = self._compiled(arrays).get_function(name)
            blocks = min(BLOCKS, -(-count // THREADS))
            kernel((blocks,), (THREADS,), tuple(NULL if a is None else a for a in arguments))

    def _compiled(self, arrays):
        xp = array_module(*arrays)
        index = "near" if max(a.size for a in arrays) < FAR else "far"
        options = "--std=c++17", f"-DREAL={TYPES[str(arrays[0].dtype)]}", f"-DINDEX={index}"
        if (xp, options) not in self._modules:
            self._modules[xp, options] = xp.RawModule(code=self.path.read_text(), options=options)
        return self._modules[xp, options]


def number(value):
    """What a kernel takes as a long long: a count, or a flag."""
    return np.int64(value)


def structure(**fields):
    """What a kernel takes as a `struct` of long long: by value, in this order."""
    numbers = np.zeros(1, [(name, np.int64, np.shape(value)) for name, value in fields.items()])
    for name, value in fields.items():
        numbers[name] = value
    return numbers
