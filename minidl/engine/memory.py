"""Reuse of memory.

To allocate a large array costs about as much time as to fill it, because the operating system
provides new pages and first sets them to zero. A network needs arrays of the same sizes at every
step. Ops therefore allocate their results with `empty`, which reuses the memory of arrays that no
longer exist, and their intermediate results with `scratch`. The process keeps all memory that it
once needed. On a GPU, CuPy's memory pool does the same.
"""

import os
import threading
from collections import deque
from math import prod
from typing import Any

import numpy as np

from minidl.typing import Array, Shape

LARGE = 1 << 20  # bytes; NumPy itself reuses the memory of smaller arrays
PAGE = 1 << 12  # bytes
CHUNK = 1 << 29  # bytes of one request; the system provides a page when it is first written to


def empty(xp: Any, shape: int | Shape, dtype: Any) -> Array:
    """Return a new array with arbitrary contents, like xp.empty(shape, dtype).

    Its memory is reused when neither the array nor any view of it exists any more.
    """
    size = prod(shape if isinstance(shape, tuple) else (shape,)) * np.dtype(dtype).itemsize
    if xp is not np or size < LARGE:
        return xp.empty(shape, dtype)
    return np.asarray(_arena.allocate(size)).view(dtype).reshape(shape)


def scratch(xp: Any, name: str, shape: Shape, dtype: Any) -> Array:
    """Return this thread's buffer of that name as an array with arbitrary contents.

    Each call with the same name returns the same memory, which is therefore often in the cache. The
    next call overwrites it, so that the result of an op must not be a scratch array. On a GPU the
    array is a new one.
    """
    if xp is not np:
        return xp.empty(shape, dtype)
    buffers = _thread_state.__dict__.setdefault("buffers", {})
    size = prod(shape) * np.dtype(dtype).itemsize
    if name not in buffers or buffers[name].size < size:
        buffers[name] = np.empty(size, np.uint8)
    return buffers[name][:size].view(dtype).reshape(shape)


def release(xp: Any) -> None:
    """Return the memory that CuPy keeps for reuse to the GPU. Do nothing for NumPy.

    This is useful before a program starts to allocate arrays of other sizes, which cannot reuse it.
    """
    if xp is not np:
        xp.get_default_memory_pool().free_all_blocks()


_thread_state = threading.local()  # buffers: {name: array of bytes}


class _Arena:
    """Chunks of memory, divided into blocks that arrays use and return.

    A block is (number of the chunk, begin, end), in bytes.
    """

    def __init__(self):
        self._chunks = []
        self._free = []  # sorted blocks, of which no two of a chunk are adjacent
        # Blocks of arrays that no longer exist. An array may be deleted in any thread and at any
        # time, also while this thread holds the lock. A deque needs no lock.
        self._returned: deque[tuple[int, int, int]] = deque()
        self._lock = threading.Lock()

    def reset_lock(self):
        """Replace the lock in a forked process, in which the thread that held it does not exist."""
        self._lock = threading.Lock()

    def allocate(self, size):
        """Return the owner of `size` bytes: of the smallest free block that is large enough, or of
        a new chunk."""
        length = -(-size // PAGE) * PAGE
        with self._lock:
            self._reclaim()
            fitting = [block for block in self._free if block[2] - block[1] >= length]
            if not fitting:
                self._chunks.append(_new_chunk(length))
                fitting = [(len(self._chunks) - 1, 0, self._chunks[-1].size)]
                self._free += fitting
            chunk, begin, end = min(fitting, key=lambda block: block[2] - block[1])
            self._free.remove((chunk, begin, end))
            if begin + length < end:
                self._free = sorted([*self._free, (chunk, begin + length, end)])
        block = (chunk, begin, begin + length)
        return _Owner(self._chunks[chunk][begin : begin + size], block, self._returned)

    def _reclaim(self):
        """Move the returned blocks to the free ones, and merge adjacent blocks."""
        while self._returned:
            self._free.append(self._returned.popleft())
        merged: list[tuple[int, int, int]] = []
        for chunk, begin, end in sorted(self._free):
            if merged and merged[-1][0] == chunk and merged[-1][2] == begin:
                merged[-1] = (chunk, merged[-1][1], end)
            else:
                merged.append((chunk, begin, end))
        self._free = merged


def _new_chunk(length):
    try:
        return np.empty(max(length, CHUNK), np.uint8)
    except MemoryError:  # the memory of the process is limited
        return np.empty(length, np.uint8)


class _Owner:
    """The owner of an array's memory. NumPy keeps a reference to it while the array or a view of it
    exists. Its destructor returns the block."""

    def __init__(self, memory, block, returned):
        self.__array_interface__ = memory.__array_interface__
        self._memory, self._block, self._returned = memory, block, returned

    def __del__(self):
        self._returned.append(self._block)


_arena = _Arena()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_arena.reset_lock)
