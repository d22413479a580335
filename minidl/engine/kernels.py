"""Kernels of our own for a GPU: functions of a .cu file, which lies beside the algorithm that it
speeds up.

The array maths is written once, for NumPy and CuPy. On a GPU each of its operations reads its
arrays from memory and writes its result there, which takes longer than computing it; a kernel does
several of them in one go. What it computes is what the plain arrays beside it compute, which run
everywhere else, and here too inside of `plain_arrays`. (Numbers too small for their exponent are 0
in kernels, as CuPy has them compiled.)
"""

import threading
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minidl.backend import array_module

# of one block; of one launch at most: each thread then works off several numbers
THREADS, BLOCKS = 256, 1 << 20
FAR = 1 << 30  # numbers of an array from which on places in it are counted in 64 bits
TYPES = {np.dtype("float32"): "float", np.dtype("float64"): "double"}
HEADER = Path(__file__).with_suffix(".cuh")
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
    """The kernels of one file, compiled by CuPy when first wanted, once for each type of numbers
    and of places."""

    def __init__(self, path):
        self.path, self._modules, self._functions = Path(path), {}, {}

    @property
    def source(self):
        """The text that is compiled."""
        return HEADER.read_text() + self.path.read_text()

    def fit(self, *arrays):
        """Whether they can take these arrays: on a GPU, all of one type, float32 or float64."""
        if array_module(*arrays) is np or getattr(_here, "plain", False):
            return False
        return arrays[0].dtype in TYPES and all(array.dtype == arrays[0].dtype for array in arrays)

    def launch(self, name, count, *arguments):
        """Call a kernel with `count` threads or, where that is too many, with fewer that take
        turns.

        arguments: contiguous arrays of the GPU, None for an array that is not there, ints (a
        Count), and structures.
        """
        if count:
            arrays = [
                a for a in arguments if a is not None and not isinstance(a, (int, np.ndarray))
            ]
            kernel = self._compiled(
                name, array_module(*arrays), arrays[0].dtype, max(a.size for a in arrays) >= FAR
            )
            blocks = min(BLOCKS, -(-count // THREADS))
            kernel((blocks,), (THREADS,), tuple(NULL if a is None else a for a in arguments))

    def _compiled(self, name, xp, dtype, far):
        function = self._functions.get((name, xp, dtype, far))
        if function is None:
            options = options_for(dtype, far)
            if (xp, options) not in self._modules:
                self._modules[xp, options] = xp.RawModule(code=self.source, options=options)
            function = self._functions[name, xp, dtype, far] = self._modules[
                xp, options
            ].get_function(name)
        return function


def options_for(dtype, far):
    """The compiler's; far: whether places are counted in 64 bits."""
    return "--std=c++17", f"-DREAL={TYPES[dtype]}", "-DINDEX=Count" if far else "-DINDEX=int"


def structure(**fields):
    """What a kernel takes as a `struct` of Counts: by value, in this order."""
    numbers = np.zeros(1, [(name, np.int64, np.shape(value)) for name, value in fields.items()])
    for name, value in fields.items():
        numbers[name] = value
    return numbers
