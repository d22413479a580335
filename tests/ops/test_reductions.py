"""Products, extremes, variances, cumulative sums and places: known answers and what is refused."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ArgumentError, ShapeError
from tests.devices import GPUS, at
from tests.running import leaf


def gradient(op, x, *args, **options):
    x = Tensor(np.array(x, float), requires_grad=True)
    op(x, *args, **options).sum().backward()
    return x.grad.tolist()


def test_the_gradient_of_a_product_with_zeros():
    assert gradient(ops.prod, [2, 3, 4]) == [12, 8, 6]
    assert gradient(ops.prod, [2, 0, 4]) == [0, 8, 0]
    assert gradient(ops.prod, [0, 3, 0]) == [0, 0, 0]
    assert gradient(ops.prod, [[2, 0], [0, 5]], axis=1) == [[0, 2], [5, 0]]
    assert gradient(ops.prod, [7]) == [1]


def test_the_product_of_no_numbers_is_1():
    x = Tensor(np.zeros((0, 3)), requires_grad=True)
    y = x.prod(axis=0)
    y.sum().backward()
    assert (y.data.tolist(), x.grad.shape) == ([1, 1, 1], (0, 3))


def test_the_minimum_is_the_negative_maximum_also_of_a_tie():
    x = np.array([[3.0, 1.0], [1.0, 2.0]])
    assert ops.min(x, axis=1).tolist() == (-ops.max(-x, axis=1)).tolist() == [1, 1]
    assert gradient(ops.min, x) == [[0, 1], [0, 0]]
    assert gradient(ops.min, x, axis=(1, 0)) == [[0, 0], [1, 0]]


def test_the_variance_is_that_of_numpy():
    x = np.random.default_rng(0).standard_normal((3, 4, 5)) + 1e3
    for axis in (None, -1, (0, 2)):
        for correction in (0, 1, 0.5):
            options = {"axis": axis, "keepdims": True}
            for op, wanted in ((ops.var, np.var), (ops.std, np.std)):
                y = op(x, **options, correction=correction)
                np.testing.assert_allclose(y, wanted(x, **options, ddof=correction), rtol=1e-10)


def test_the_gradient_of_the_deviation_of_equal_numbers_is_0():
    assert gradient(ops.std, [3, 3, 3]) == [0, 0, 0]
    assert gradient(ops.var, [1, 3], correction=1) == [-2, 2]
    assert gradient(ops.std, [1, 3]) == [-0.5, 0.5]


def test_the_variance_of_too_few_numbers_is_refused():
    words = r"variance of n = 1 numbers \(shape \(3, 1\) over axes \(1,\)\) with a correction of 1"
    for op in (ops.var, ops.std):
        with pytest.raises(ShapeError, match=words):
            op(np.ones((3, 1)), axis=1, correction=1)
        with pytest.raises(ArgumentError, match="x is an array of int64; wanted an array of float"):
            op(np.arange(3))


def test_a_cumulative_sum_and_its_gradient():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    for axis, y, dx in (
        (None, [1, 3, 6, 10], [[10, 9], [7, 4]]),
        (0, [[1, 2], [4, 6]], [[4, 6], [3, 4]]),
        (-1, [[1, 3], [3, 7]], [[3, 2], [7, 4]]),
    ):
        sums = x.cumsum(axis)
        sums.backward(np.arange(1.0, 5.0).reshape(sums.shape))
        assert (sums.data.tolist(), x.grad.tolist()) == (y, dx)


def test_places_are_those_of_numpy_and_have_no_gradient():
    x = np.random.default_rng(0).integers(0, 3, (3, 4)).astype(float)
    for name in ("argmax", "argmin"):
        op, wanted = getattr(ops, name), getattr(np, name)
        for axis in (None, 0, -1):
            for keepdims in (False, True):
                places = wanted(x, axis=axis, keepdims=keepdims)
                np.testing.assert_array_equal(op(x, axis, keepdims), places)
                tensor = op(Tensor(x, requires_grad=True), axis, keepdims)
                assert isinstance(tensor, Tensor) and not tensor.requires_grad
                np.testing.assert_array_equal(tensor.data, places)


def test_a_place_is_an_index():
    x = leaf([1.0, 5.0], [7.0, 2.0])
    x[np.arange(2), x.argmax(axis=1)].sum().backward()
    assert x.grad.tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize("op", [ops.cumsum, ops.argmax, ops.argmin])
def test_several_axes_and_missing_axes_are_refused(op):
    for axis in ((0, 1), 2, -3, 0.5):
        with pytest.raises(ArgumentError, match=r"wanted (one axis|axes of an array with 2 axes)"):
            op(np.ones((2, 2)), axis=axis)


@pytest.mark.parametrize("place", GPUS)
def test_places_on_a_gpu(place):
    with at(place):
        x = Tensor(np.array([[1.0, 3.0], [5.0, 2.0]])).to("gpu")
        assert x.argmax(axis=1).numpy().tolist() == [1, 0]
        assert x.argmin(axis=1, keepdims=True).numpy().tolist() == [[0], [1]]
