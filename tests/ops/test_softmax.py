"""softmax, log_softmax and logsumexp: rows, extreme numbers, and axes that are refused."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ArgumentError, ShapeError
from tests.running import leaf


@pytest.mark.filterwarnings("error")
def test_extreme_numbers_neither_overflow_nor_round_to_0():
    far = np.array([1e4, -1e4])
    assert ops.log_softmax(far).tolist() == [0, -2e4]
    assert ops.logsumexp(far) == 1e4
    assert ops.logsumexp(-np.array([1e4, 1e4 + 1])) == -1e4 + np.log1p(np.exp(-1))
    x = Tensor(far, requires_grad=True)
    ops.log_softmax(x)[1].backward()
    assert x.grad.tolist() == [-1, 1]


def test_large_equal_logits_have_all_digits():
    y = ops.log_softmax(np.full(4, 1e6, np.float32))
    assert abs(y + np.log(np.float32(4))).max() <= np.finfo(np.float32).eps


def test_infinities():
    inf = np.inf
    with np.errstate(divide="ignore"):
        assert ops.logsumexp(np.array([[-inf, -inf], [inf, 0], [-inf, 2]]), axis=1).tolist() == [
            -inf,
            inf,
            2,
        ]
    x = leaf(-inf, 2.0)
    ops.logsumexp(x).backward()
    assert x.grad.tolist() == [0, 1]


def test_the_three_ops_agree():
    x = np.random.default_rng(0).standard_normal((3, 4, 5))
    for axis in (0, -1, (0, 2), None):
        rows = ops.logsumexp(x, axis, keepdims=True)
        np.testing.assert_allclose(ops.log_softmax(x, axis), x - rows, rtol=0, atol=1e-14)
        np.testing.assert_allclose(ops.softmax(x, axis), np.exp(x - rows), rtol=0, atol=1e-15)


@pytest.mark.parametrize("op", [ops.softmax, ops.log_softmax, ops.logsumexp])
def test_empty_rows_and_missing_axes_are_refused(op):
    with pytest.raises(ShapeError, match="each axis needs at least one number"):
        op(np.ones((3, 0)), axis=1)
    with pytest.raises(ArgumentError, match="wanted axes of an array with 1 axes"):
        op(np.ones(3), axis=1)
