"""Memory is reused, but never while an array or a view of it exists."""

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
    """Let the arena start empty and request memory in chunks of 4 MB."""
    monkeypatch.setattr(memory, "CHUNK", 4 * MB)
    monkeypatch.setattr(memory, "_arena", memory._Arena())


def take(size):
    return memory.empty(np, (size,), np.uint8)


def address(array):
    return array.__array_interface__["data"][0]


# ---- the arrays ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex128", "int64"])
@pytest.mark.parametrize("shape", [(3, 701, 999), (1, 1 << 20), 1 << 20, (5,), 7, (), (0, 3)])
def test_an_array_has_the_properties_of_numpys(shape, dtype):
    array, wanted = memory.empty(np, shape, dtype), np.empty(shape, dtype)
    assert type(array) is np.ndarray
    assert (array.shape, array.dtype, array.strides) == (wanted.shape, wanted.dtype, wanted.strides)
    assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
    array[...] = 3
    assert np.all(array == 3)


def test_numpy_allocates_small_arrays():
    assert take(MB - 1).flags.owndata
    assert not take(MB).flags.owndata


def test_another_library_allocates_its_own_arrays():
    class Library:
        @staticmethod
        def empty(shape, dtype):
            return "allocated by the library", shape, dtype

    wanted = ("allocated by the library", (MB,), np.uint8)
    assert memory.empty(Library, (MB,), np.uint8) == wanted
    assert memory.scratch(Library, "name", (MB,), np.uint8) == wanted


# ---- reuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((3 * MB,), np.uint8), ((2, MB // 8), np.float64), ((MB // 2, 3), np.int16)],
)
def test_the_memory_of_a_deleted_array_is_reused(shape, dtype, arena):
    array = take(3 * MB)
    start = address(array)
    del array
    for _ in range(2):
        assert address(memory.empty(np, shape, dtype)) == start


VIEWS = {
    "a slice": lambda array: array[1000:],
    "a view of a view": lambda array: array[1000:][::-2][5:],
    "another shape": lambda array: array.reshape(8, -1, 4),
    "the transpose": lambda array: array.reshape(64, -1).T,
    "another dtype": lambda array: array.view(np.float64),
    "one number": lambda array: array[5:6].reshape(()),
    "a broadcast": lambda array: np.broadcast_to(array, (2, *array.shape)),
    "a memoryview": lambda array: memoryview(array)[7:9],
    "a Tensor": Tensor,
    "a reshaped Tensor": lambda array: Tensor(array.view(np.float32), True).reshape(4, -1),
    "a list": lambda array: [array],
}


@pytest.mark.parametrize("name", VIEWS)
def test_memory_is_not_reused_while_a_view_exists(name, arena):
    array = take(2 * MB)
    start = address(array)
    view = VIEWS[name](array)
    del array
    others = [take(2 * MB) for _ in range(5)]
    assert all(abs(address(other) - start) >= 2 * MB for other in others)
    del view
    assert address(take(2 * MB)) == start


sizes = st.integers(MB, 8 * MB)
steps = st.lists(
    st.one_of(st.tuples(st.just("take"), sizes), st.tuples(st.just("drop"), st.integers(0, 30))),
    max_size=25,
)


@given(steps=steps, chunk=st.sampled_from([MB, 8 * MB, 64 * MB]))
def test_two_arrays_never_overlap(steps, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "CHUNK", chunk)
        patch.setattr(memory, "_arena", memory._Arena())
        alive = {}
        for number, (step, value) in enumerate(steps):
            if step == "take" and len(alive) < 8:
                alive[number] = take(value)
                alive[number][...] = number
            elif step == "drop" and alive:
                del alive[list(alive)[value % len(alive)]]
        assert all(np.all(array == number) for number, array in alive.items())


def test_the_remainder_of_a_block_is_used(arena):
    first, second = take(MB), take(3 * MB)
    assert address(second) == address(first) + MB


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_adjacent_free_blocks_are_joined(order, arena):
    blocks = [take(MB) for _ in range(4)]
    start = address(blocks[0])
    assert [address(block) - start for block in blocks] == [0, MB, 2 * MB, 3 * MB]
    for number in order:
        blocks[number] = None
        take(MB)  # the arena takes the freed blocks back when it allocates
    assert address(take(4 * MB)) == start


def test_free_blocks_are_joined_between_used_ones(arena):
    before, middle, after = take(MB), take(2 * MB), take(MB)
    start = address(middle)
    del middle
    first, second = take(MB), take(MB)
    assert (address(first), address(second)) == (start, start + MB)
    del first, second
    assert address(take(2 * MB)) == start
    assert address(before) < start < address(after)


def test_the_smallest_free_block_that_fits_is_used(arena):
    large, after_large = take(3 * MB), take(MB)
    before_small, small = take(2 * MB), take(2 * MB)
    start = address(small)
    del large, small
    assert address(take(2 * MB)) == start
    assert not np.shares_memory(after_large, before_small)


def test_blocks_of_two_chunks_are_not_joined(arena):
    one_chunk, other_chunk = take(4 * MB), take(8 * MB)
    del other_chunk
    front = take(4 * MB)
    del one_chunk  # free are now 0..4 MB of one chunk and 4..8 MB of the other
    assert not np.may_share_memory(take(8 * MB), front)


def test_if_the_system_refuses_a_chunk_only_the_array_is_allocated(arena, monkeypatch):
    empty = np.empty

    def limited_empty(size, dtype):
        if size > 3 * MB:
            raise MemoryError
        return empty(size, dtype)

    monkeypatch.setattr(np, "empty", limited_empty)
    first, other = take(2 * MB), take(3 * MB)
    with pytest.raises(MemoryError):
        take(4 * MB)
    start = address(first)
    del first
    again = take(2 * MB)
    assert address(again) == start
    assert not np.may_share_memory(again, other)


# ---- threads -------------------------------------------------------------------------------------


def test_several_threads_at_once(arena, monkeypatch):
    def yielding(f):
        """Let another thread run before f, in the middle of an allocation."""
        return lambda *args, **kwargs: (time.sleep(0), f(*args, **kwargs))[1]

    monkeypatch.setattr(memory, "min", yielding(min), raising=False)
    monkeypatch.setattr(memory, "sorted", yielding(sorted), raising=False)

    def take_and_drop(number):
        alive, rng = [], np.random.default_rng(number)
        for _ in range(60):
            alive.append(take(int(rng.integers(MB, 2 * MB))))
            alive[-1][:: memory.PAGE] = number
            if len(alive) > 3:
                assert np.all(alive.pop(rng.integers(3))[:: memory.PAGE] == number)
        return all(np.all(array[:: memory.PAGE] == number) for array in alive)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(take_and_drop, range(4))) == [True] * 4


def test_an_array_may_be_freed_during_an_allocation(arena, monkeypatch):
    """The garbage collector may run at any time, also in the allocating thread."""
    cycle = [take(MB)]
    cycle.append(cycle)
    del cycle
    reclaim = memory._Arena._reclaim
    monkeypatch.setattr(memory._Arena, "_reclaim", lambda arena: (gc.collect(), reclaim(arena)))
    thread = threading.Thread(target=take, args=[MB], daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


# ---- scratch -------------------------------------------------------------------------------------


def test_scratch_is_one_buffer_for_each_name():
    first = memory.scratch(np, "a", (3, 4), np.float32)
    again = memory.scratch(np, "a", (2, 2), np.float64)
    other = memory.scratch(np, "b", (3, 4), np.float32)
    assert (first.shape, first.dtype) == ((3, 4), np.float32)
    assert (again.shape, again.dtype) == ((2, 2), np.float64)
    assert address(first) == address(again)
    assert not np.shares_memory(first, other)
    for array in (first, again):
        assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned


def test_scratch_grows_and_stays_large():
    small = memory.scratch(np, "grows", (10,), float)
    large = memory.scratch(np, "grows", (1000,), float)
    assert not np.shares_memory(small, large)
    assert address(memory.scratch(np, "grows", (10,), float)) == address(large)


def test_scratch_belongs_to_its_thread():
    def scratch():
        return memory.scratch(np, "of each thread", (100,), float)

    of_this_thread, of_other_thread = scratch(), []
    thread = threading.Thread(target=lambda: of_other_thread.append(scratch()))
    thread.start()
    thread.join()
    assert not np.shares_memory(of_this_thread, of_other_thread[0])
    assert address(scratch()) == address(of_this_thread)


def test_the_memory_of_recorded_arrays_can_be_computed_for_other_sizes(arena):
    """The second array takes the memory of the first, and the third needs its own."""
    with memory.recorded() as events:
        first = take(8)
        del first
        second, third = take(6), take(7)
    assert [event.size for event in events] == [8, None, 6, 7]
    del second, third
    assert memory.replayed([events]) == 0  # arrays that are so small do not use this memory
    large = [event._replace(size=event.size and event.size * MB // 2) for event in events]
    assert memory.replayed([large]) == 4 * MB + 7 * MB // 2
    assert memory.replayed([large, large]) == memory.replayed([large])
    arrays = [take(4 * MB)]
    arrays.clear()
    arrays += [take(3 * MB), take(7 * MB // 2)]
    assert memory.touched() == memory.replayed([large])
