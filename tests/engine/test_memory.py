"""Memory that is used again, and never while somebody can still see it."""

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
    """Memory that nobody has used yet, asked of the system 4 MB at once."""
    monkeypatch.setattr(memory, "CHUNK", 4 * MB)
    monkeypatch.setattr(memory, "_arena", memory._Arena())


def take(size):
    return memory.empty(np, (size,), np.uint8)


def place(array):
    return array.__array_interface__["data"][0]


# ---- what it is
# -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex128", "int64"])
@pytest.mark.parametrize("shape", [(3, 701, 999), (1, 1 << 20), 1 << 20, (5,), 7, (), (0, 3)])
def test_it_is_an_array_like_any_other(shape, dtype):
    array, wanted = memory.empty(np, shape, dtype), np.empty(shape, dtype)
    assert type(array) is np.ndarray
    assert (array.shape, array.dtype, array.strides) == (wanted.shape, wanted.dtype, wanted.strides)
    assert array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
    array[...] = 3
    assert np.all(array == 3)


def test_small_arrays_are_numpys_own():
    assert take(MB - 1).flags.owndata
    assert not take(MB).flags.owndata


def test_another_library_makes_its_own():
    class Library:
        @staticmethod
        def empty(shape, dtype):
            return "its own", shape, dtype

    assert memory.empty(Library, (MB,), np.uint8) == ("its own", (MB,), np.uint8)
    assert memory.scratch(Library, "name", (MB,), np.uint8) == ("its own", (MB,), np.uint8)


# ---- when it is used again
# ------------------------------------------------------------------------------------------


def test_the_memory_of_a_dead_array_is_used_again(arena):
    array = take(3 * MB)
    where = place(array)
    del array
    for shape, dtype in [
        ((3 * MB,), np.uint8),
        ((2, MB // 8), np.float64),
        ((MB // 2, 3), np.int16),
    ]:
        assert place(memory.empty(np, shape, dtype)) == where


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
    "what a Tensor computed": lambda array: Tensor(
        array.view(np.float32), requires_grad=True
    ).reshape(4, -1),
    "a list": lambda array: [array],
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_memory_is_not_used_again_while_somebody_sees_it(holder, arena):
    array = take(2 * MB)
    where = place(array)
    held = HOLDERS[holder](array)
    del array
    others = [take(2 * MB) for _ in range(5)]
    assert all(abs(place(other) - where) >= 2 * MB for other in others)
    del held
    assert place(take(2 * MB)) == where


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


def test_what_is_left_of_a_block_is_used(arena):
    first, rest = take(MB), take(3 * MB)
    assert place(rest) == place(first) + MB


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_neighbours_that_are_free_become_one(order, arena):
    parts = [take(MB) for _ in range(4)]
    first = place(parts[0])
    assert [place(part) - first for part in parts] == [0, MB, 2 * MB, 3 * MB]
    for number in order:
        parts[number] = None
        take(MB)  # ... also where one comes back after the other
    assert place(take(4 * MB)) == first


def test_two_neighbours_make_room_between_others(arena):
    a, b, c = take(MB), take(2 * MB), take(MB)
    where = place(b)
    del b
    one, two = take(MB), take(MB)
    assert (place(one), place(two)) == (where, where + MB)
    del one, two
    assert place(take(2 * MB)) == where
    assert place(a) < where < place(c)


def test_blocks_of_two_chunks_are_no_neighbours(arena):
    one_chunk, other_chunk = take(4 * MB), take(8 * MB)
    del other_chunk
    front = take(4 * MB)
    del one_chunk  # free are 0..4 MB of one chunk and 4..8 MB of the other
    assert not np.may_share_memory(take(8 * MB), front)


def test_where_the_system_gives_no_whole_chunk_it_is_asked_for_the_array_alone(arena, monkeypatch):
    empty = np.empty

    def sparing(size, dtype):
        if size > 3 * MB:
            raise MemoryError
        return empty(size, dtype)

    monkeypatch.setattr(np, "empty", sparing)
    one, other = take(2 * MB), take(3 * MB)
    with pytest.raises(MemoryError):
        take(4 * MB)
    where = place(one)
    del one
    again = take(2 * MB)
    assert place(again) == where
    assert not np.may_share_memory(again, other)


# ---- threads
# --------------------------------------------------------------------------------------------------------


def test_several_threads_at_once(arena, monkeypatch):
    # in the midst of taking, let another thread run
    for name, f in (("min", min), ("sorted", sorted)):
        monkeypatch.setattr(
            memory,
            name,
            lambda *args, f=f, **kwargs: (time.sleep(0), f(*args, **kwargs))[1],
            raising=False,
        )

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


def test_an_array_may_die_while_another_is_taken(arena, monkeypatch):
    """The collector of garbage runs when it likes, in this thread too."""
    cycle = [take(MB)]
    cycle.append(cycle)
    del cycle
    reclaim = memory._Arena._reclaim
    monkeypatch.setattr(memory._Arena, "_reclaim", lambda arena: (gc.collect(), reclaim(arena)))
    thread = threading.Thread(target=take, args=[MB], daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()


# ---- scratch
# --------------------------------------------------------------------------------------------------------


def test_scratch_is_one_buffer_for_each_name():
    first = memory.scratch(np, "a", (3, 4), np.float32)
    again = memory.scratch(np, "a", (2, 2), np.float64)
    other = memory.scratch(np, "b", (3, 4), np.float32)
    assert (first.shape, first.dtype, again.shape, again.dtype) == (
        (3, 4),
        np.float32,
        (2, 2),
        np.float64,
    )
    assert place(first) == place(again)
    assert not np.shares_memory(first, other)
    assert all(
        array.flags.c_contiguous and array.flags.writeable and array.flags.aligned
        for array in (first, again)
    )


def test_scratch_grows_and_stays_large():
    small = memory.scratch(np, "grows", (10,), float)
    large = memory.scratch(np, "grows", (1000,), float)
    assert not np.shares_memory(small, large)
    assert place(memory.scratch(np, "grows", (10,), float)) == place(large)


def test_scratch_belongs_to_its_thread():
    mine, others = memory.scratch(np, "mine", (100,), float), []
    thread = threading.Thread(
        target=lambda: others.append(memory.scratch(np, "mine", (100,), float))
    )
    thread.start()
    thread.join()
    assert not np.shares_memory(mine, others[0])
    assert place(memory.scratch(np, "mine", (100,), float)) == place(mine)
