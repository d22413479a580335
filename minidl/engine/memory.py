"""The engine reuses memory.

Allocating a large array takes about as long as filling it, because the operating system provides
new pages and first sets them to zero. A network needs arrays of the same sizes at every step. The
engine therefore allocates its results with `empty`, which reuses the memory of arrays that no
longer exist, and its intermediate results with `scratch`. The process keeps all memory that it once
needed. On a GPU, CuPy's memory pool does the same.
"""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import prod
from typing import Any, NamedTuple

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
    if xp is not np or (size < LARGE and _arena.log is None):
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


class Event(NamedTuple):
    """An array was allocated, or none of its memory is used any more (size: None)."""

    array: int  # number of the array
    size: int | None  # bytes


@contextmanager
def recorded() -> Iterator[list[Event]]:
    """Record what `empty` does in a block, also for small arrays. It yields the list of Events.

    The order in which arrays come and go depends on the program and not on their sizes. The memory
    that a large picture will need can therefore be computed from the events of a small one: see
    `replayed`.
    """
    log: list[Event] = []
    _arena.log = log
    try:
        yield log
    finally:
        _arena.log = None


def replayed(recordings: Iterable[Iterable[Event]]) -> int:
    """Return how many bytes of memory arrays touch that come and go in this order. Nothing is
    allocated.

    recordings: lists of Events, one after the other. At the end of each, all its arrays are gone.
    """
    arena = _Arena(_Imagined)
    for events in recordings:
        blocks: dict[int, tuple[int, int, int]] = {}
        for array, size in events:
            if size is None:
                if array in blocks:
                    arena.give_back(blocks.pop(array))
            elif size >= LARGE:
                blocks[array] = arena.take(size)
        for block in blocks.values():
            arena.give_back(block)
    return arena.touched


def touched() -> int:
    """Return how many bytes of memory the arrays of `empty` have touched in this process, which
    keeps them."""
    return _arena.touched


_thread_state = threading.local()  # buffers: {name: array of bytes}


def _new_chunk(length):
    """Return a chunk for at least `length` bytes."""
    try:
        return np.empty(max(length, CHUNK), np.uint8)
    except MemoryError:  # the memory of the process is limited
        return np.empty(length, np.uint8)


class _Imagined:
    """A chunk for at least `length` bytes that is not allocated."""

    def __init__(self, length):
        self.size = max(length, CHUNK)


class _Arena:
    """Chunks of memory, divided into blocks that arrays use and return.

    A block is (number of the chunk, begin, end), in bytes.
    """

    def __init__(self, make_chunk=_new_chunk):
        self._make_chunk = make_chunk
        self.log: list[Event] | None = None  # while they are recorded
        self._numbers: dict[tuple, int] = {}  # of the arrays that the log knows, by their blocks
        self._chunks = []
        self._ends: list[int] = []  # of the part of each chunk that has been used
        self._free = []  # sorted blocks, of which no two of a chunk are adjacent
        # Blocks of arrays that no longer exist. An array may be deleted in any thread and at any
        # time, also while this thread holds the lock. A deque needs no lock.
        self._returned: deque[tuple[int, int, int]] = deque()
        self._lock = threading.Lock()

    def reset_lock(self):
        """Replace the lock in a forked process, in which the thread that held it does not exist."""
        self._lock = threading.Lock()

    @property
    def touched(self):
        """The bytes that arrays have used."""
        return sum(self._ends)

    def allocate(self, size):
        """Return the owner of `size` bytes."""
        block = chunk, begin, _ = self.take(size)
        return _Owner(self._chunks[chunk][begin : begin + size], block, self._returned)

    def take(self, size):
        """Return a block of `size` bytes or a little more: of the smallest free block that is large
        enough, or of a new chunk."""
        length = -(-size // PAGE) * PAGE
        with self._lock:
            self._reclaim()
            fitting = [block for block in self._free if block[2] - block[1] >= length]
            if not fitting:
                self._chunks.append(self._make_chunk(length))
                self._ends.append(0)
                fitting = [(len(self._chunks) - 1, 0, self._chunks[-1].size)]
                self._free += fitting
            chunk, begin, end = min(fitting, key=lambda block: block[2] - block[1])
            self._free.remove((chunk, begin, end))
            if begin + length < end:
                self._free = sorted([*self._free, (chunk, begin + length, end)])
            block = (chunk, begin, begin + length)
            self._ends[chunk] = max(self._ends[chunk], begin + length)
            if self.log is not None:
                self._numbers[block] = len(self.log)
                self.log.append(Event(len(self.log), size))
        return block

    def give_back(self, block):
        """Return a block to the free ones."""
        self._returned.append(block)

    def _reclaim(self):
        """Move the returned blocks to the free ones, and merge adjacent blocks."""
        while self._returned:
            block = self._returned.popleft()
            self._free.append(block)
            number = self._numbers.pop(block, None)
            if self.log is not None and number is not None:
                self.log.append(Event(number, None))
        merged: list[tuple[int, int, int]] = []
        for chunk, begin, end in sorted(self._free):
            if merged and merged[-1][0] == chunk and merged[-1][2] == begin:
                merged[-1] = (chunk, merged[-1][1], end)
            else:
                merged.append((chunk, begin, end))
        self._free = merged


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
