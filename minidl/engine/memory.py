"""Memory that is used again.

A large array costs as much to get as to fill: the system hands out fresh pages, and must zero each
of them first. A network needs the same large arrays at every step. So ops take them from `empty`,
which hands out memory that earlier arrays have left, and intermediate results that nobody else sees
from `scratch`. What the process once needed it keeps. A GPU's arrays come from CuPy, which does the
same.
"""

import os
import threading
from collections import deque
from math import prod

import numpy as np

LARGE = 1 << 20  # bytes; NumPy itself keeps smaller arrays at hand
PAGE = 1 << 12
CHUNK = 1 << 29  # asked of the system at once; it gives the pages when they are first written to


def empty(xp, shape, dtype):
    """A new array to be filled, like xp.empty."""
    size = prod(shape if isinstance(shape, tuple) else (shape,)) * np.dtype(dtype).itemsize
    if xp is not np or size < LARGE:
        return xp.empty(shape, dtype)
    return np.asarray(_arena.lend(size)).view(dtype).reshape(shape)


def scratch(xp, name, shape, dtype):
    """An array to be filled: this thread's buffer of that name, the same memory at each call, and
    so often in the cache. What it held before is lost."""
    if xp is not np:
        return xp.empty(shape, dtype)
    buffers = _of_thread.__dict__.setdefault("buffers", {})
    wanted = prod(shape) * np.dtype(dtype).itemsize
    if name not in buffers or buffers[name].size < wanted:
        buffers[name] = np.empty(wanted, np.uint8)
    return buffers[name][:wanted].view(dtype).reshape(shape)


def release(xp):
    """Give a GPU the memory back that CuPy keeps from arrays that are gone: those of other sizes
    would find no use for it."""
    if xp is not np:
        xp.get_default_memory_pool().free_all_blocks()


_of_thread = threading.local()


class _Arena:
    """Chunks of memory, cut into blocks that are lent and come back."""

    def __init__(self):
        self._chunks = []
        self._free = []  # (chunk, begin, end), sorted; no two of a chunk touch each other
        # blocks that came back, from any thread and at any moment: a deque needs no lock
        self._returned = deque()
        self._lock = threading.Lock()

    def unlock(self):
        """After a fork, whoever held the lock is not there."""
        self._lock = threading.Lock()

    def lend(self, size):
        """`size` bytes, from the smallest free block that holds them, or from a new chunk."""
        length = -(-size // PAGE) * PAGE
        with self._lock:
            self._take_back()
            fitting = [block for block in self._free if block[2] - block[1] >= length]
            if not fitting:
                self._chunks.append(_new_chunk(length))
                fitting = [(len(self._chunks) - 1, 0, self._chunks[-1].size)]
                self._free += fitting
            chunk, begin, end = min(fitting, key=lambda block: block[2] - block[1])
            self._free.remove((chunk, begin, end))
            if begin + length < end:
                self._free = sorted([*self._free, (chunk, begin + length, end)])
        return _Loan(
            self._chunks[chunk][begin : begin + size],
            (chunk, begin, begin + length),
            self._returned,
        )

    def _take_back(self):
        while self._returned:
            self._free.append(self._returned.popleft())
        merged = []
        for chunk, begin, end in sorted(self._free):
            if merged and merged[-1][0] == chunk and merged[-1][2] == begin:
                merged[-1] = (chunk, merged[-1][1], end)
            else:
                merged.append((chunk, begin, end))
        self._free = merged


def _new_chunk(length):
    try:
        return np.empty(max(length, CHUNK), np.uint8)
    except MemoryError:  # where the process may not ask for more than it needs
        return np.empty(length, np.uint8)


class _Loan:
    """The owner of an array's memory, which NumPy keeps as long as the array or any view of it
    lives."""

    def __init__(self, memory, block, returned):
        self.__array_interface__ = memory.__array_interface__
        self._memory, self._block, self._returned = memory, block, returned

    def __del__(self):
        self._returned.append(self._block)


_arena = _Arena()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_arena.unlock)
