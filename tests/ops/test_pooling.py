"""Pooling: known answers and the rules that its docstrings state."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ShapeError


def signal(*numbers):
    return np.array(numbers, float).reshape(1, -1, 1)


def gradient(op, x, *args, **options):
    x = Tensor(x, requires_grad=True)
    y = op(x, *args, **options)
    y.backward(np.arange(1.0, y.data.size + 1).reshape(y.shape))
    return x.grad.reshape(-1).tolist()


def test_max_pool_by_hand():
    picture = np.array([[1.0, 3, 2, 1], [2, 9, 1, 1], [1, 3, 2, 3], [5, 6, 1, 2]]).reshape(
        1, 4, 4, 1
    )
    assert ops.max_pool(picture, 2)[0, ..., 0].tolist() == [[9, 2], [6, 3]]
    assert ops.avg_pool(picture, 2)[0, ..., 0].tolist() == [[3.75, 1.25], [3.75, 2]]


def test_padding_never_wins():
    assert ops.max_pool(signal(-5, -7), 2, stride=1, padding=1).reshape(-1).tolist() == [-5, -5, -7]


def test_a_tie_sends_everything_to_the_first():
    assert gradient(ops.max_pool, signal(4, 4, 4, 4), 2) == [1, 0, 2, 0]
    assert gradient(ops.max_pool, signal(4, 4, 4), 2, stride=1) == [1, 2, 0]


def test_a_nan_is_passed_on_and_gets_no_gradient():
    x = signal(1, np.nan, 2, 3)
    assert np.isnan(ops.max_pool(x, 2)).reshape(-1).tolist() == [True, False]
    assert gradient(ops.max_pool, x, 2) == [0, 0, 0, 2]


def test_odd_sizes_are_floored_or_ceiled():
    x = signal(1, 2, 3, 4, 5)
    assert ops.max_pool(x, 2).reshape(-1).tolist() == [2, 4]
    assert ops.max_pool(x, 2, ceil=True).reshape(-1).tolist() == [2, 4, 5]
    assert gradient(ops.max_pool, x, 2) == [0, 1, 0, 2, 0]


def test_a_ceiled_window_may_be_longer_than_the_input():
    """By less than the stride, as in PyTorch; in one axis of several too"""
    x = signal(2, 4)
    assert ops.max_pool(x, 3, stride=2, ceil=True).reshape(-1).tolist() == [4]
    assert ops.max_pool(x, 5, stride=5, ceil=True).reshape(-1).tolist() == [4]
    assert ops.avg_pool(x, 3, stride=2, ceil=True).reshape(-1).tolist() == [3]
    # (0 + 2 + 4) / 3
    assert ops.avg_pool(x, 4, padding=((1, 0),), ceil=True).reshape(-1).tolist() == [2]
    assert ops.avg_pool(x, 4, padding=((1, 0),), ceil=True, count_padding=False).reshape(
        -1
    ).tolist() == [3]
    assert gradient(ops.max_pool, x, 3, stride=2, ceil=True) == [0, 1]
    assert gradient(ops.avg_pool, x, 3, stride=2, ceil=True) == [0.5, 0.5]
    picture = np.arange(10.0).reshape(1, 2, 5, 1)
    assert ops.max_pool(picture, 3, stride=2, ceil=True)[0, ..., 0].tolist() == [[7, 9]]


@pytest.mark.parametrize(
    "options", [{"stride": 3}, {"stride": 2, "ceil": True}, {"stride": 1, "ceil": True}]
)
def test_a_window_longer_by_a_stride_or_not_ceiled_is_refused(options):
    with pytest.raises(ShapeError, match="does not fit an input of 1"):
        ops.max_pool(signal(1), 3, **options)


def test_an_average_divides_by_what_it_was_told_to_count():
    x = signal(2, 4, 6)
    assert ops.avg_pool(x, 2, padding=1).reshape(-1).tolist() == [1, 5]
    assert ops.avg_pool(x, 2, padding=1, count_padding=False).reshape(-1).tolist() == [2, 5]
    assert ops.avg_pool(x, 2, ceil=True).reshape(-1).tolist() == [3, 6]


def test_same_pads_pooling_as_keras_does():
    assert ops.max_pool(signal(1, 2, 3, 4, 5), 2, padding="same").reshape(-1).tolist() == [2, 4, 5]
    assert ops.avg_pool(signal(1, 2, 3, 4, 5), 2, padding="same", count_padding=False).reshape(
        -1
    ).tolist() == [1.5, 3.5, 5]


@pytest.mark.parametrize("op", [ops.max_pool, ops.avg_pool])
def test_the_stride_is_the_window_unless_it_is_given(op):
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 3))
    assert np.array_equal(op(x, (3, 2)), op(x, (3, 2), stride=(3, 2)))
