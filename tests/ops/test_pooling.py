"""Pooling: known results, and the rules in its docstrings."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ShapeError


def signal(*values):
    return np.array(values, float).reshape(1, -1, 1)


def numbers(y):
    return y.reshape(-1).tolist()


def gradient(op, x, *args, **options):
    x = Tensor(x, requires_grad=True)
    y = op(x, *args, **options)
    y.backward(np.arange(1.0, y.data.size + 1).reshape(y.shape))
    return numbers(x.grad)


def test_max_pool_by_hand():
    rows = [[1.0, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]
    picture = np.array(rows).reshape(1, 4, 4, 1)
    assert ops.max_pool(picture, 2)[0, ..., 0].tolist() == [[9, 2], [6, 3]]
    assert ops.avg_pool(picture, 2)[0, ..., 0].tolist() == [[3.75, 1.25], [3.75, 2]]


def test_padding_is_never_the_maximum():
    assert numbers(ops.max_pool(signal(-5, -7), 2, stride=1, padding=1)) == [-5, -5, -7]


def test_a_tie_sends_the_whole_gradient_to_the_first():
    assert gradient(ops.max_pool, signal(4, 4, 4, 4), 2) == [1, 0, 2, 0]
    assert gradient(ops.max_pool, signal(4, 4, 4), 2, stride=1) == [1, 2, 0]


def test_a_nan_is_the_maximum_and_has_no_gradient():
    x = signal(1, np.nan, 2, 3)
    assert numbers(np.isnan(ops.max_pool(x, 2))) == [True, False]
    assert gradient(ops.max_pool, x, 2) == [0, 0, 0, 2]


def test_the_number_of_windows_is_rounded_down_or_up():
    x = signal(1, 2, 3, 4, 5)
    assert numbers(ops.max_pool(x, 2)) == [2, 4]
    assert numbers(ops.max_pool(x, 2, ceil=True)) == [2, 4, 5]
    assert gradient(ops.max_pool, x, 2) == [0, 1, 0, 2, 0]


def test_with_ceil_a_window_may_be_longer_than_the_input():
    """It may be longer by less than the stride, as in PyTorch, also along one axis of several."""
    x = signal(2, 4)
    assert numbers(ops.max_pool(x, 3, stride=2, ceil=True)) == [4]
    assert numbers(ops.max_pool(x, 5, stride=5, ceil=True)) == [4]
    assert numbers(ops.avg_pool(x, 3, stride=2, ceil=True)) == [3]
    padded = {"padding": ((1, 0),), "ceil": True}
    assert numbers(ops.avg_pool(x, 4, **padded)) == [2]  # (0 + 2 + 4) / 3
    assert numbers(ops.avg_pool(x, 4, **padded, count_padding=False)) == [3]
    assert gradient(ops.max_pool, x, 3, stride=2, ceil=True) == [0, 1]
    assert gradient(ops.avg_pool, x, 3, stride=2, ceil=True) == [0.5, 0.5]
    picture = np.arange(10.0).reshape(1, 2, 5, 1)
    assert ops.max_pool(picture, 3, stride=2, ceil=True)[0, ..., 0].tolist() == [[7, 9]]


@pytest.mark.parametrize(
    "options", [{"stride": 3}, {"stride": 2, "ceil": True}, {"stride": 1, "ceil": True}]
)
def test_a_window_longer_by_a_stride_or_without_ceil_raises_an_error(options):
    with pytest.raises(ShapeError, match="does not fit an input of 1"):
        ops.max_pool(signal(1), 3, **options)


def test_an_average_counts_padding_or_not():
    x = signal(2, 4, 6)
    assert numbers(ops.avg_pool(x, 2, padding=1)) == [1, 5]
    assert numbers(ops.avg_pool(x, 2, padding=1, count_padding=False)) == [2, 5]
    assert numbers(ops.avg_pool(x, 2, ceil=True)) == [3, 6]


def test_same_pads_as_in_keras():
    x = signal(1, 2, 3, 4, 5)
    assert numbers(ops.max_pool(x, 2, padding="same")) == [2, 4, 5]
    average = ops.avg_pool(x, 2, padding="same", count_padding=False)
    assert numbers(average) == [1.5, 3.5, 5]


@pytest.mark.parametrize("op", [ops.max_pool, ops.avg_pool])
def test_the_default_stride_is_the_window(op):
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 3))
    assert np.array_equal(op(x, (3, 2)), op(x, (3, 2), stride=(3, 2)))
