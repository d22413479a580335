"""stack, split, repeat and tile: the results of NumPy, and what is refused."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ArgumentError, ShapeError
from tests.running import leaf

X = np.arange(24.0).reshape(2, 4, 3)


@pytest.mark.parametrize("axis", [0, 1, 3, -1, -4])
def test_stack_is_that_of_numpy(axis):
    np.testing.assert_array_equal(ops.stack([X, -X, 2 * X], axis), np.stack([X, -X, 2 * X], axis))


def test_each_array_of_a_stack_gets_its_own_gradient():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    ops.stack((a, np.zeros(2), b), axis=1).backward(np.arange(6.0).reshape(2, 3))
    assert (a.grad.tolist(), b.grad.tolist()) == ([0, 3], [2, 5])
    numbers = [leaf(1.0)[0], leaf(2.0)[0]]
    assert ops.stack(numbers).data.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("arrays", "axis"),
    [([], 0), ([X, X[:1]], 0), ([X], 4), ([X], -5)],
    ids=["none", "lengths", "4", "-5"],
)
def test_a_stack_that_does_not_fit_is_refused(arrays, axis):
    with pytest.raises(ShapeError, match=f"stack along axis {axis} of shapes "):
        ops.stack(arrays, axis)


@pytest.mark.parametrize("sections", [2, 4, [1], [1, 3], [0, 2, 2, 4], []], ids=str)
def test_split_is_that_of_numpy(sections):
    for part, wanted in zip(ops.split(X, sections, 1), np.split(X, sections, 1), strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_the_parts_of_a_tensor_are_tensors_with_gradients():
    x = leaf(1.0, 2.0, 3.0)
    first, _, last = ops.split(x, 3)
    (first * 5.0 + last * last).backward()
    assert x.grad.tolist() == [5, 0, 6]


@pytest.mark.parametrize("sections", [3, 0, -1, 1.5, [3, 1], [-1], [5], [0.5], None], ids=str)
def test_a_split_that_does_not_fit_is_refused(sections):
    with pytest.raises(ShapeError, match=r"wanted (a divisor of the length|ascending ints)"):
        ops.split(X, sections, axis=1)


def test_axes_that_do_not_exist_are_refused():
    for call in (lambda: ops.split(X, 2, 3), lambda: ops.repeat(X, 2, 3)):
        with pytest.raises(ArgumentError, match="wanted axes of an array with 3 axes"):
            call()


@pytest.mark.parametrize("repeats", [0, 1, 3, [2, 0, 1], (1, 1, 1)], ids=str)
def test_repeat_is_that_of_numpy(repeats):
    np.testing.assert_array_equal(ops.repeat(X, repeats, -1), np.repeat(X, repeats, -1))
    if isinstance(repeats, int):
        np.testing.assert_array_equal(ops.repeat(X, repeats), np.repeat(X, repeats))


def test_repeats_counts_and_places_may_be_arrays_and_tensors():
    two = np.array([1, 2])
    for several in (two, Tensor(two)):
        assert ops.repeat(X, several, 0).shape == (3, 4, 3)
        assert ops.tile(X, several).shape == (2, 4, 6)
        assert [part.shape[1] for part in ops.split(X, several, 1)] == [1, 1, 2]
    assert ops.repeat(X, np.int64(2), 0).shape == (4, 4, 3)
    x = leaf(1.0, 2.0)
    x.repeat(two).backward(np.array([1.0, 10.0, 100.0]))
    assert x.grad.tolist() == [1, 110]


def test_what_is_no_array_is_refused():
    for call in (
        lambda: ops.split([1.0, 2.0], 2),
        lambda: ops.argmax([1.0]),
        lambda: ops.argmin(1),
    ):
        with pytest.raises(ArgumentError, match=r"takes an array as x; found a (list|int)"):
            call()


def test_the_gradient_of_repeat_adds_up_the_copies():
    x = leaf(1.0, 2.0, 3.0)
    for repeats, dx in ((2, [1, 5, 9]), ([1, 0, 5], [0, 0, 15])):
        x.repeat(repeats).backward(np.arange(6.0))
        assert x.grad.tolist() == dx


@pytest.mark.parametrize("repeats", [-1, 1.5, [1, 2], [1, -1, 1], None, "2"], ids=str)
def test_repeats_that_do_not_fit_are_refused(repeats):
    with pytest.raises(ArgumentError, match="wanted an int of at least 0, or a list of 3 of them"):
        ops.repeat(X, repeats, axis=2)


@pytest.mark.parametrize("counts", [0, 2, (2,), (3, 1), (1, 2, 3), (2, 1, 1, 2), ()], ids=str)
def test_tile_is_that_of_numpy(counts):
    np.testing.assert_array_equal(ops.tile(X, counts), np.tile(X, counts))


def test_the_gradient_of_tile_adds_up_the_copies():
    x = Tensor(np.zeros((2, 1)), requires_grad=True)
    ops.tile(x, (2, 1, 2)).backward(np.arange(8.0).reshape(2, 2, 2))
    assert x.grad.tolist() == [[0 + 1 + 4 + 5], [2 + 3 + 6 + 7]]


@pytest.mark.parametrize("counts", [-1, (2, -1), 1.5, None, (None,)], ids=str)
def test_counts_that_do_not_fit_are_refused(counts):
    with pytest.raises(ArgumentError, match="wanted an int of at least 0, or a list with one for"):
        ops.tile(X, counts)
