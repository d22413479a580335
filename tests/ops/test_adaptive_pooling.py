"""Adaptive and global pooling: bins by hand, ties and NaN, and the engine on many bins."""

import numpy as np
import pytest

from minidl import Tensor, ops, textbook
from minidl.engine import reductions
from tests.running import using_threads, worst

rng = np.random.default_rng(0)
POOLS = (ops.adaptive_avg_pool, ops.adaptive_max_pool)


def results(op, x, *arguments):
    """Return y and dx for a cotangent that depends on the shape of y alone."""
    leaf = Tensor(x, requires_grad=True)
    y = op(leaf, *arguments)
    y.backward(np.random.default_rng(1).standard_normal(y.shape).astype(x.dtype))
    return y.data, leaf.grad


def must_equal_the_textbook(op, x, *arguments):
    with textbook():
        wanted = results(op, x, *arguments)
    for result, definition in zip(results(op, x, *arguments), wanted, strict=True):
        np.testing.assert_array_equal(np.isnan(result), np.isnan(definition))
        assert worst(np.nan_to_num(result - definition)) <= 1e-13 * max(
            1, worst(np.nan_to_num(definition))
        )


def test_bins_that_share_a_position_by_hand():
    x = Tensor(np.array([1.0, 2.0, 9.0, 4.0, 5.0]).reshape(1, 5, 1), requires_grad=True)
    y = ops.adaptive_max_pool(x, 2)
    y.backward(np.array([10.0, 100.0]).reshape(1, 2, 1))
    assert y.data.ravel().tolist() == [9, 9]
    assert x.grad.ravel().tolist() == [0, 0, 110, 0, 0]
    mean = Tensor(x.data, requires_grad=True)
    ops.adaptive_avg_pool(mean, 2).backward(np.array([3.0, 30.0]).reshape(1, 2, 1))
    assert mean.grad.ravel().tolist() == [1, 1, 11, 10, 10]


@pytest.mark.parametrize("op", POOLS)
def test_none_keeps_the_length_of_an_axis(op):
    x = rng.standard_normal((2, 4, 5, 3))
    assert op(x, (None, 2)).shape == (2, 4, 2, 3)
    assert np.array_equal(op(x, (None, 5)), x)


@pytest.mark.parametrize("op", POOLS)
def test_more_bins_than_positions_repeat_them(op):
    assert op(np.array([1.0, 2.0]).reshape(1, 2, 1), 4).ravel().tolist() == [1, 1, 2, 2]


SIZES = [(7, 7), (8, 9), (1, 1), (16, 3), (12, 27), (30, 2)]


@pytest.mark.engine
@pytest.mark.parametrize("op", POOLS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("threads", [1, 3])
def test_many_bins_equal_the_textbook(op, size, threads):
    with using_threads(threads):
        must_equal_the_textbook(op, rng.standard_normal((2, 24, 27, 5)), size)
        must_equal_the_textbook(op, rng.integers(0, 3, (2, 24, 27, 5)).astype(float), size)


@pytest.mark.engine
def test_large_arrays_are_divided_and_equal_the_textbook():
    x = rng.standard_normal((1, 200, 200, 24))
    for size in (1, 7):
        must_equal_the_textbook(ops.adaptive_max_pool, x, size)
    must_equal_the_textbook(ops.max, x, (1, 2))


@pytest.mark.engine
@pytest.mark.parametrize("size", [1, (2, 3), (3, 4)])
def test_channels_of_zeros_and_nan_equal_the_textbook(size):
    x = rng.standard_normal((2, 6, 8, 4))
    x[..., 0] = 0
    must_equal_the_textbook(ops.adaptive_max_pool, x, size)
    x[:, 2, 3, 1] = np.nan
    y, _ = results(ops.adaptive_max_pool, x, size)
    assert np.isnan(y[..., 1]).any()
    assert not np.isnan(y[..., 0]).any()


@pytest.mark.engine
@pytest.mark.parametrize("axis", [0, (0, 1), 1, (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("keepdims", [False, True])
def test_the_maximum_over_adjacent_axes_equals_the_textbook(axis, keepdims):
    for x in (rng.standard_normal((3, 8, 6, 5)), rng.integers(0, 2, (3, 8, 6, 5)).astype(float)):
        assert reductions.joins(x, axis)
        must_equal_the_textbook(ops.max, x, axis, keepdims)


@pytest.mark.engine
def test_a_maximum_that_is_nan_has_the_gradient_of_the_textbook():
    x = rng.standard_normal((2, 6, 3))
    x[1, 2, 0] = np.nan
    must_equal_the_textbook(ops.max, x, 1)
