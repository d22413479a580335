"""where and clip: known answers, ties, missing bounds, and arguments that are refused."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ArgumentError, ShapeError
from tests.running import leaf

X = np.array([-2.0, 0.0, 1.0, 5.0])


@pytest.mark.parametrize(
    "bounds", [(0, 1), (None, 1), (0, None), (1, 0), (X[::-1], X + 1)], ids=str
)
def test_clip_is_that_of_numpy(bounds):
    low, high = (np.inf * s if b is None else b for b, s in zip(bounds, (-1, 1), strict=True))
    np.testing.assert_array_equal(ops.clip(X, *bounds), np.clip(X, low, high))


def test_the_gradient_of_a_tie_of_clip_goes_to_x():
    x, low, high = leaf(*X), leaf(0.0, 0.0, 0.0, 0.0), leaf(1.0, 1.0, 1.0, 1.0)
    ops.clip(x, low, high).sum().backward()
    assert [t.grad.tolist() for t in (x, low, high)] == [[0, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]


def test_where_the_bounds_of_clip_are_in_the_wrong_order_the_gradient_goes_to_max():
    x, low, high = leaf(*X), leaf(2.0), leaf(1.0)
    y = ops.clip(x, low, high)
    y.sum().backward()
    assert y.data.tolist() == [1, 1, 1, 1]
    assert [t.grad.tolist() for t in (x, low, high)] == [[0, 0, 0, 0], [0], [4]]


def test_clip_keeps_nan_and_its_gradient():
    x = leaf(np.nan, 2.0)
    y = x.clip(0, 1)
    y.backward(np.array([3.0, 4.0]))
    np.testing.assert_array_equal(y.data, [np.nan, 1])
    assert x.grad.tolist() == [3, 0]


def test_clip_without_bounds_and_bounds_that_do_not_broadcast_are_refused():
    with pytest.raises(ArgumentError, match="no bound and would change nothing; give min, max"):
        ops.clip(X)
    for bounds in ((np.ones(3), None), (None, np.ones(3)), (np.ones((3, 1)), np.ones((2, 1)))):
        with pytest.raises(ShapeError, match="do not broadcast"):
            ops.clip(X, *bounds)


def test_where_chooses_numbers_and_their_gradients():
    a, b, dy = leaf(1.0, 2.0, 3.0), leaf(10.0), np.array([5.0, 6.0, 7.0])
    y = ops.where(np.array([True, False, True]), a, b)
    y.backward(dy)
    assert y.data.tolist() == [1, 10, 3]
    assert (a.grad.tolist(), b.grad.tolist()) == ([5, 0, 7], [6])


def test_the_condition_of_where_may_be_a_comparison_of_tensors():
    x = leaf(-4.0, 9.0)
    y = ops.where(x > 0, ops.sqrt(ops.where(x > 0, x, 1.0)), 0.0)
    y.sum().backward()
    assert (y.data.tolist(), x.grad.tolist()) == ([0, 3], [0, 1 / 6])


def test_where_with_numbers_keeps_the_dtype():
    x = Tensor([-1.0, 2.0])
    assert ops.where(x > 0, x, 0.0).dtype == ops.where(x > 0, 1.0, x).dtype == np.float32


@pytest.mark.parametrize(
    ("condition", "found"),
    [(np.array([1.0]), "float64"), (np.array([1]), "int64"), ([True], "list"), (True, "bool")],
    ids=str,
)
def test_a_condition_that_is_no_array_of_bools_is_refused(condition, found):
    words = f"the condition of where is of type {found}; wanted an array of bools, such as x > 0"
    with pytest.raises(ArgumentError, match=words):
        ops.where(condition, np.ones(1), 0.0)


def test_a_condition_that_does_not_broadcast_is_refused():
    with pytest.raises(ShapeError, match=r"shapes \(3,\) and \(2,\) do not broadcast"):
        ops.where(np.ones(3, bool), np.ones(2), 0.0)
