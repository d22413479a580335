"""Activations, arithmetic, reductions, moves: kinks, ties and extreme numbers, which are not
drawn."""

import math

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ShapeError


def gradient(op, x, *args, **options):
    x = Tensor(np.array(x, float), requires_grad=True)
    op(x, *args, **options).sum().backward()
    return x.grad.tolist()


def test_the_gradient_at_a_kink():
    assert gradient(ops.relu, [-1, 0, 1]) == [0, 0, 1]
    assert gradient(ops.leaky_relu, [-1, 0, 1], slope=0.25) == [0.25, 0.25, 1]
    assert gradient(ops.absolute, [-1, 0, 1]) == [-1, 0, 1]


def test_a_tie_between_two_arrays_goes_to_the_first():
    for op in (ops.maximum, ops.minimum):
        a, b = (Tensor(np.array([1.0]), requires_grad=True) for _ in "ab")
        op(a, b).backward()
        assert (a.grad.tolist(), b.grad.tolist()) == ([1.0], [0.0])


def test_a_tie_within_an_array_goes_to_the_first_in_the_order_of_the_axes():
    tied = [[1.0, 2.0], [2.0, 2.0]]
    assert gradient(ops.max, tied) == [[0, 1], [0, 0]]
    assert gradient(ops.max, tied, axis=(1, 0)) == [[0, 0], [1, 0]]


def test_a_leaky_slope_may_be_above_1_or_negative():
    assert ops.leaky_relu(np.array([-2.0, 2.0]), slope=3.0).tolist() == [-6, 2]
    assert ops.leaky_relu(np.array([-2.0, 2.0]), slope=-1.0).tolist() == [2, 2]


@pytest.mark.filterwarnings("error")
def test_intermediate_results_do_not_overflow():
    far = np.array([-1e4, 1e4])
    assert ops.sigmoid(far).tolist() == [0, 1]
    assert ops.tanh(far).tolist() == [-1, 1]
    assert ops.softmax(far).tolist() == [0, 1]
    assert gradient(ops.sigmoid, far) == [0, 0]


def test_a_tiny_sigmoid_has_all_digits():
    assert math.isclose(ops.sigmoid(np.array(-700.0)), math.exp(-700), rel_tol=1e-14)


def test_a_row_of_softmax_sums_to_one():
    y = ops.softmax(np.random.default_rng(0).standard_normal((3, 4, 5)), axis=1)
    assert np.allclose(y.sum(axis=1), 1, rtol=1e-15)


def test_the_gradients_of_the_powers_0_and_1_are_constant_even_at_0():
    assert gradient(ops.power, [0.0, 2.0], 0) == [0, 0]
    assert gradient(ops.power, [0.0, 2.0], 1) == [1, 1]


def test_powers_of_arrays():
    x, exponent = (Tensor(np.array(n), requires_grad=True) for n in ([2.0, 3.0], [3.0, -1.0]))
    y = x**exponent
    y.sum().backward()
    assert np.allclose(y.data, [8, 1 / 3], rtol=1e-15)
    assert np.allclose(x.grad, [12, -1 / 9], rtol=1e-15)
    assert np.allclose(exponent.grad, [8 * math.log(2), math.log(3) / 3], rtol=1e-15)


@pytest.mark.parametrize("base", [2, 2.0, np.float32(2), np.array([2.0, 2.0], np.float32)])
def test_a_power_of_a_number(base):
    x = Tensor([3.0, -1.0], requires_grad=True)
    y = base**x
    y.backward([1.0, 1.0])
    assert (y.dtype, y.data.tolist()) == (np.float32, [8, 0.5])
    assert np.allclose(x.grad, [8 * math.log(2), 0.5 * math.log(2)])


@pytest.mark.filterwarnings("error")
def test_the_slopes_of_a_power_at_0():
    """0^0 is 1, and its slopes are 0."""
    x, exponent = (Tensor(np.array(n), requires_grad=True) for n in ([0.0] * 3, [0.0, 1.0, 2.0]))
    (x**exponent).sum().backward()
    assert (x.grad.tolist(), exponent.grad.tolist()) == ([0, 1, 0], [0, 0, 0])


def test_shapes_of_a_power_broadcast():
    x, exponent = (Tensor(np.ones(shape), requires_grad=True) for shape in ((2, 1), (3,)))
    (x**exponent).backward(np.ones((2, 3)))
    assert (x.grad.tolist(), exponent.grad.tolist()) == ([[3], [3]], [0, 0, 0])
    with pytest.raises(ShapeError, match="do not broadcast"):
        x ** np.ones((3, 3))


def test_small_numbers_keep_their_digits():
    for op in (ops.expm1, ops.log1p):
        assert op(np.array([1e-20, 0.0])).tolist() == [1e-20, 0]


def test_an_inactive_element_blocks_an_infinite_slope():
    with np.errstate(all="ignore"):
        for op, at in ((ops.log1p, -1.0), (ops.expm1, 1e4)):
            assert gradient(lambda x, op=op: op(x)[1:], [at, 0.0]) == [0, 1]


def test_the_gradient_of_an_index_adds_up_repeated_reads():
    assert gradient(ops.index, [1, 2, 3], [0, 0, 2]) == [2, 0, 1]
    assert gradient(ops.index, [1, 2, 3], np.array([True, False, True])) == [1, 0, 1]
    assert gradient(ops.index, [1, 2, 3], np.int64(1)) == [0, 1, 0]
    assert gradient(ops.index, [1, 2, 3], (None, slice(1, None))) == [0, 1, 1]
    assert gradient(ops.index, [1, 2, 3], Tensor(np.array([1, 1]))) == [0, 2, 0]


def test_operators_of_tensor_are_the_ops():
    x, y = (Tensor(np.array(numbers)) for numbers in ([3.0, 4.0], [2.0, 5.0]))
    row, column = x.reshape(1, 2), ops.reshape(x, (2, 1))
    pairs = [
        (x + y, ops.add(x, y)), (x - y, ops.subtract(x, y)), (x * y, ops.multiply(x, y)),
        (x / y, ops.divide(x, y)), (x @ y, ops.matmul(x, y)), (-x, ops.negative(x)),
        (abs(x), ops.absolute(x)), (x**2, ops.power(x, 2)), (x.sum(), ops.sum(x)),
        (x.mean(0), ops.mean(x, 0)), (x.max(0, keepdims=True), ops.max(x, 0, keepdims=True)),
        (x.reshape(2, 1), column), (x.reshape((1, 2)), ops.reshape(x, (1, 2))),
        (x[1:], ops.index(x, slice(1, None))), (row.T, column), (row.transpose(1, 0), column),
        (row.transpose((1, 0)), column), (row.transpose(), column),
    ]  # fmt: skip
    for result, wanted in pairs:
        assert isinstance(result, Tensor)
        assert np.array_equal(result.data, wanted.data)
        assert result.shape == wanted.shape


def test_a_float32_tensor_and_a_number_give_float32():
    x = Tensor([1.0, 2.0])
    results = x * 2.0, 2 + x, ops.power(x, 2), x / 3, x.mean()
    assert {result.dtype for result in results} == {np.dtype(np.float32)}
