"""Batches depend only on the seed, the epoch and their number. The thread that makes them in
advance does not change them, and ends with the iteration."""

import json
import threading
import time
from itertools import chain

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl.data import Batches
from minidl.data.batches import ahead
from minidl.errors import ArgumentError, ShapeError

EXAMPLES = np.arange(10)


def noisy(rng, x, y):
    return x + rng.random(x.shape), y


def batches(prefetch=2, size=3, seed=5, **options):
    return Batches([EXAMPLES, -EXAMPLES], size, seed, prefetch=prefetch, **options)


def epochs(source, count):
    return [[tuple(array.tolist() for array in batch) for batch in source] for _ in range(count)]


def orders(**options):
    """Return the order of the examples in four epochs."""
    return [tuple(chain(*(x for x, _ in epoch))) for epoch in epochs(batches(**options), 4)]


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("minidl-batches")]


@given(st.integers(1, 12), st.booleans(), st.booleans(), st.integers(0, 3), st.integers(0, 2**70))
def test_an_epoch_contains_each_example_once(size, shuffle, drop_last, prefetch, seed):
    if drop_last and size > 10:
        return
    source = batches(prefetch, size, seed, shuffle=shuffle, drop_last=drop_last)
    for _ in range(2):
        found = list(source)
        assert len(found) == len(source)
        assert all(len(x) == size for x, _ in found[: None if drop_last else -1])
        x, y = map(np.concatenate, zip(*found, strict=True))
        np.testing.assert_array_equal(x, -y)
        assert len(set(x)) == len(x) == (10 // size * size if drop_last else 10)
        assert shuffle or x.tolist() == list(range(len(x)))


def test_each_epoch_and_each_seed_has_its_own_order():
    assert len(set(orders(seed=0) + orders(seed=1))) == 8


def test_prefetching_does_not_change_the_batches():
    expected = epochs(batches(0, transform=noisy), 3)
    assert all(epochs(batches(prefetch, transform=noisy), 3) == expected for prefetch in (1, 2, 9))
    assert not threads()


@settings(max_examples=20)
@given(st.integers(0, 11), st.integers(0, 3))
def test_an_interrupted_training_continues_with_the_same_batches(stop, prefetch):
    whole = list(chain(*epochs(batches(transform=noisy), 3)))
    source, seen = batches(prefetch, transform=noisy), []
    while len(seen) < stop:
        for batch in source:
            seen.append(batch)
            if len(seen) == stop:
                break
    resumed = batches(prefetch, transform=noisy)
    resumed.restore(json.loads(json.dumps(source.state())))
    remaining = []
    while resumed.epoch < 3:
        remaining += epochs(resumed, 1)[0]
    assert remaining == whole[stop:]


def test_the_position_is_that_of_the_next_batch():
    source = batches()
    assert source.state() == {"epoch": 0, "batch": 0}
    positions = [tuple(source.state().values()) for _ in source]
    assert positions == [(0, 1), (0, 2), (0, 3), (1, 0)]


@pytest.mark.parametrize(
    "state", [{}, {"epoch": 0, "batch": 4}, {"epoch": -1, "batch": 0}, {"epoch": 0, "batch": 0.5}]
)
def test_invalid_positions_are_refused(state):
    with pytest.raises(ArgumentError, match="not among epochs of 4 batches"):
        batches().restore(state)


def test_the_random_streams_of_orders_and_batches_differ():
    def draw(rng, x, y):
        return tuple(rng.permutation(10)), y

    drawn = [batch[0] for batch in batches(transform=draw)]
    assert len({*drawn, *orders()}) == 8


@pytest.mark.parametrize("prefetch", [0, 2])
def test_errors_of_the_transform_are_raised_by_the_iteration(prefetch):
    def fails(rng, x, y):
        if 7 in x:
            raise ZeroDivisionError("seven")
        return x, y

    with pytest.raises(ZeroDivisionError, match="seven"):
        list(batches(prefetch, transform=fails))
    with pytest.raises(ArgumentError, match="returned ndarray; wanted a tuple"):
        list(batches(prefetch, transform=lambda rng, x, y: x))
    assert not threads()


@pytest.mark.parametrize("error", [None, KeyboardInterrupt])
def test_the_thread_ends_with_the_iteration(error):
    iteration = iter(batches(size=1))
    next(iteration)
    assert threads()
    if error:
        with pytest.raises(error):
            iteration.throw(error)
    else:
        iteration.close()
    assert not threads()


def test_no_more_than_the_given_number_is_computed_in_advance():
    made, three_ahead = [], threading.Event()

    def make(number):
        made.append(number)
        if number == 3:
            three_ahead.set()

    iteration = ahead(make, range(100), 3)
    next(iteration)
    assert three_ahead.wait(timeout=60)
    time.sleep(0.05)  # a thread that does not stop would continue in this time
    assert made == [0, 1, 2, 3]
    iteration.close()
    assert made == [0, 1, 2, 3]


def test_the_thread_works_between_two_iterations():
    began = threading.Event()
    iteration = ahead(lambda number: number and began.set(), [0, 1], 1)
    next(iteration)
    assert began.wait(timeout=60)
    iteration.close()


def test_the_thread_has_the_numpy_settings_of_the_caller():
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(batches(transform=lambda rng, x, y: (np.ones(1) / 0, y)))


def test_invalid_arguments_are_refused():
    with pytest.raises(ShapeError, match=r"lengths \[3, 4\]"):
        Batches([np.zeros(3), np.zeros(4)], 1, 0)
    with pytest.raises(ShapeError, match="wanted one length, at least 1"):
        Batches([np.zeros(0)], 1, 0)
    pair, iterator = (np.zeros(3), np.float32(1)), zip([1], [2], strict=True)
    for arrays in (np.zeros((4, 2)), [], [[1, 2]], pair, iterator):
        with pytest.raises(
            ArgumentError,
            match=r"the arrays of the batches are .*; wanted a tuple of arrays, such as",
        ):
            Batches(arrays, 1, 0)
    for wrong in {"size": 0}, {"size": 1.5}, {"seed": -1}, {"prefetch": -1}:
        with pytest.raises(ArgumentError, match=f"the {next(iter(wrong))} of the batches"):
            batches(**wrong)
    with pytest.raises(
        ArgumentError,
        match="10 examples make no batch of 11; take smaller batches or more examples",
    ):
        batches(size=11, drop_last=True)
