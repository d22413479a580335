"""CUDA kernels are functions in a .cu file, which is next to the Python file that calls them.

The array code is written once, for NumPy and CuPy. On a GPU, each operation of it reads its
operands from memory and writes its result to memory, which takes longer than the arithmetic. A
kernel combines several operations in one pass. It computes the same as the array code that it
replaces. This code runs on a CPU and, within `plain_arrays`, also on a GPU. The only difference is
that kernels replace subnormal numbers by 0, because CuPy compiles them with `-ftz=true`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from minidl.backend import array_module
from minidl.typing import Array
from minidl.typing import Path as PathLike

THREADS = 256  # of one block
BLOCKS = 1 << 20  # most blocks of one launch; with more numbers, a thread computes several
FAR = 1 << 30  # numbers in an array that needs indices of 64 bits
TYPES = {np.dtype("float32"): "float", np.dtype("float64"): "double"}
HEADER = Path(__file__).with_suffix(".cuh")
NULL = np.intp(0)
_thread_state = threading.local()  # plain: whether no kernels are launched


@contextmanager
def plain_arrays() -> Iterator[None]:
    """Launch no kernels in this block and this thread, for comparison with the array code."""
    before, _thread_state.plain = getattr(_thread_state, "plain", False), True
    try:
        yield
    finally:
        _thread_state.plain = before


class Kernels:
    """The kernels of one .cu file.

    CuPy compiles them when they are first used, once for each dtype and each size of the indices.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self._modules: dict[tuple, Any] = {}
        self._functions: dict[tuple, Any] = {}

    @property
    def source(self) -> str:
        """The text that is compiled."""
        return HEADER.read_text() + self.path.read_text()

    def fit(self, *arrays: Array) -> bool:
        """Return whether the kernels can process these arrays: they are on a GPU, and all have the
        dtype float32 or all float64."""
        if array_module(*arrays) is np or getattr(_thread_state, "plain", False):
            return False
        return arrays[0].dtype in TYPES and all(array.dtype == arrays[0].dtype for array in arrays)

    def launch(self, name: str, count: int, *arguments: Array | int | None) -> None:
        """Launch a kernel with at least one thread for each of `count` numbers, or with fewer
        threads that compute several numbers each. Do nothing if the count is 0.

        arguments: contiguous arrays on the GPU; None for an array that is missing; ints, which the
        kernel reads as Count; and the results of `structure`.
        """
        if count:
            arrays: Any = [
                a for a in arguments if a is not None and not isinstance(a, (int, np.ndarray))
            ]
            xp, is_far = array_module(*arrays), max(a.size for a in arrays) >= FAR
            kernel = self._compiled(name, xp, arrays[0].dtype, is_far)
            blocks = min(BLOCKS, -(-count // THREADS))
            kernel((blocks,), (THREADS,), tuple(NULL if a is None else a for a in arguments))

    def _compiled(self, name, xp, dtype, is_far):
        key = (name, xp, dtype, is_far)
        if key not in self._functions:
            options = options_for(dtype, is_far)
            if (xp, options) not in self._modules:
                self._modules[xp, options] = xp.RawModule(code=self.source, options=options)
            self._functions[key] = self._modules[xp, options].get_function(name)
        return self._functions[key]


def options_for(dtype: np.dtype, is_far: bool) -> tuple[str, ...]:
    """Return the compiler options.

    is_far: whether indices have 64 bits.
    """
    return "--std=c++17", f"-DREAL={TYPES[dtype]}", "-DINDEX=Count" if is_far else "-DINDEX=int"


def structure(**fields: int | list[int]) -> np.ndarray:
    """Return an array of shape (1,) that a kernel reads as a `struct` of Counts.

    fields: the members in their order; a list for a member that is an array.
    """
    numbers = np.zeros(1, [(name, np.int64, np.shape(value)) for name, value in fields.items()])
    for name, value in fields.items():
        numbers[name] = value
    return numbers
