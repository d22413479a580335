"""The reuse of memory, and that no memory is reused while an array still refers to it."""

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Tensor
from minidl.engine import memory

MB = 1 << 20


@pytest.fixture
def arena(monkeypatch):
    """Replace the arena by a new one, which requests 4 MB from the system at once."""
    monkeypatch.setattr(memory, "CHUNK", 4 * MB)
    monkeypatch.setattr(memory, "_arena", memory._Arena())


def allocate(size):
    return memory.empty(np, (size,), np.uint8)


def address(array):
    return array.__array_interface__["data"][0]


# ---- the arrays


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex128", "int64"])
@pytest.mark.parametrize("shape", [(3, 701, 999), (1, 1 << 20), 1 << 20, (5,), 7, (), (0, 3)])
def test_an_array_has_the_properties_of_one_of_numpy(shape, dtype):
    array, expected = memory.empty(np, shape, dtype), np.empty(shape, dtype)
    assert type(array) is np.ndarray
    for name in ("shape", "dtype", "strides"):
        assert getattr(array, name) == getattr(expected, name)
    assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
    array[...] = 3
    assert np.all(array == 3)


def test_numpy_allocates_small_arrays():
    assert allocate(MB - 1).flags.owndata
    assert not allocate(MB).flags.owndata


def test_another_library_allocates_its_own_arrays():
    class Library:
        @staticmethod
        def empty(shape, dtype):
            return "its own", shape, dtype

    assert memory.empty(Library, (MB,), np.uint8) == ("its own", (MB,), np.uint8)
    assert memory.scratch(Library, "name", (MB,), np.uint8) == ("its own", (MB,), np.uint8)


# ---- reuse


def test_the_memory_of_a_deleted_array_is_reused(arena):
    array = allocate(3 * MB)
    before = address(array)
    del array
    for shape, dtype in [
        ((3 * MB,), np.uint8),
        ((2, MB // 8), np.float64),
        ((MB // 2, 3), np.int16),
    ]:
        assert address(memory.empty(np, shape, dtype)) == before


HOLDERS = {
    "a slice": lambda array: array[1000:],
    "a view of a view": lambda array: array[1000:][::-2][5:],
    "another shape": lambda array: array.reshape(8, -1, 4),
    "the transpose": lambda array: array.reshape(64, -1).T,
    "another dtype": lambda array: array.view(np.float64),
    "one number": lambda array: array[5:6].reshape(()),
    "a broadcast": lambda array: np.broadcast_to(array, (2, *array.shape)),
    "a memoryview": lambda array: memoryview(array)[7:9],
    "a Tensor": lambda array: Tensor(array),
    "the result of an op": lambda array: Tensor(array.view(np.float32), requires_grad=True).reshape(
        4, -1
    ),
    "a list": lambda array: [array],
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_memory_is_not_reused_while_an_object_refers_to_it(holder, arena):
    array = allocate(2 * MB)
    before = address(array)
    held = HOLDERS[holder](array)
    del array
    others = [allocate(2 * MB) for _ in range(5)]
    assert all(abs(address(other) - before) >= 2 * MB for other in others)
    del held
    assert address(allocate(2 * MB)) == before


sizes = st.integers(MB, 8 * MB)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("allocate"), sizes), st.tuples(st.just("delete"), st.integers(0, 30))
    ),
    max_size=25,
)


@given(steps=steps, chunk=st.sampled_from([MB, 8 * MB, 64 * MB]))
def test_two_arrays_never_overlap(steps, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "CHUNK", chunk)
        patch.setattr(memory, "_arena", memory._Arena())
        arrays = {}
        for number, (step, value) in enumerate(steps):
            if step == "allocate" and len(arrays) < 8:
                arrays[number] = allocate(value)
                arrays[number][...] = number
            elif step == "delete" and arrays:
                del arrays[list(arrays)[value % len(arrays)]]
        assert all(np.all(array == number) for number, array in arrays.items())


def test_the_remainder_of_a_block_is_used(arena):
    first, second = allocate(MB), allocate(3 * MB)
    assert address(second) == address(first) + MB


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_adjacent_free_blocks_are_merged(order, arena):
    parts = [allocate(MB) for _ in range(4)]
    first = address(parts[0])
    assert [address(part) - first for part in parts] == [0, MB, 2 * MB, 3 * MB]
    for number in order:
        parts[number] = None
        allocate(MB)  # merges the free blocks
    assert address(allocate(4 * MB)) == first


def test_two_adjacent_blocks_are_merged_between_others(arena):
    a, b, c = allocate(MB), allocate(2 * MB), allocate(MB)
    before = address(b)
    del b
    first, second = allocate(MB), allocate(MB)
    assert (address(first), address(second)) == (before, before + MB)
    del first, second
    assert address(allocate(2 * MB)) == before
    assert address(a) < before < address(c)


def test_blocks_of_different_chunks_are_not_merged(arena):
    one_chunk, other_chunk = allocate(4 * MB), allocate(8 * MB)
    del other_chunk
    front = allocate(4 * MB)
    del one_chunk  # now 0..4 MB of one chunk and 4..8 MB of the other are free
    assert not np.may_share_memory(allocate(8 * MB), front)


def test_if_the_system_refuses_a_chunk_only_the_array_is_requested(arena, monkeypatch):
    empty = np.empty

    def limited(size, dtype):
        if size > 3 * MB:
            raise MemoryError
        return empty(size, dtype)

    monkeypatch.setattr(np, "empty", limited)
    first, second = allocate(2 * MB), allocate(3 * MB)
    with pytest.raises(MemoryError):
        allocate(4 * MB)
    before = address(first)
    del first
    reused = allocate(2 * MB)
    assert address(reused) == before
    assert not np.may_share_memory(reused, second)


# ---- threads


def test_several_threads_can_allocate_at_the_same_time(arena, monkeypatch):
    # Let another thread run in the middle of an allocation.
    for name, f in (("min", min), ("sorted", sorted)):
        monkeypatch.setattr(
            memory,
            name,
            lambda *args, f=f, **kwargs: (time.sleep(0), f(*args, **kwargs))[1],
            raising=False,
        )

    def allocate_and_delete(number):
        arrays, rng = [], np.random.default_rng(number)
        for _ in range(60):
            arrays.append(allocate(int(rng.integers(MB, 2 * MB))))
            arrays[-1][:: memory.PAGE] = number
            if len(arrays) > 3:
                assert np.all(arrays.pop(rng.integers(3))[:: memory.PAGE] == number)
        return all(np.all(array[:: memory.PAGE] == number) for array in arrays)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(allocate_and_delete, range(4))) == [True] * 4


def test_an_array_can_be_deleted_during_an_allocation(arena, monkeypatch):
    """The garbage collector can run at any time, also in the thread that allocates."""
    cycle = [allocate(MB)]
    cycle.append(cycle)
    del cycle
    reclaim = memory._Arena._reclaim
    monkeypatch.setattr(memory._Arena, "_reclaim", lambda arena: (gc.collect(), reclaim(arena)))
    thread = threading.Thread(target=allocate, args=[MB], daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


# ---- scratch


def test_scratch_has_one_buffer_for_each_name():
    first = memory.scratch(np, "a", (3, 4), np.float32)
    again = memory.scratch(np, "a", (2, 2), np.float64)
    other = memory.scratch(np, "b", (3, 4), np.float32)
    assert first.shape == (3, 4) and first.dtype == np.float32
    assert again.shape == (2, 2) and again.dtype == np.float64
    assert address(first) == address(again)
    assert not np.shares_memory(first, other)
    assert all(
        array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
        for array in (first, again)
    )


def test_a_scratch_buffer_grows_and_does_not_shrink():
    small = memory.scratch(np, "grows", (10,), float)
    large = memory.scratch(np, "grows", (1000,), float)
    assert not np.shares_memory(small, large)
    assert address(memory.scratch(np, "grows", (10,), float)) == address(large)


def test_each_thread_has_its_own_scratch_buffers():
    def buffer():
        return memory.scratch(np, "of a thread", (100,), float)

    here, in_thread = buffer(), []
    thread = threading.Thread(target=lambda: in_thread.append(buffer()))
    thread.start()
    thread.join()
    assert not np.shares_memory(here, in_thread[0])
    assert address(buffer()) == address(here)
