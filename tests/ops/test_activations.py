"""Activations: kinks, limits, extreme numbers, and refused arguments."""

import math

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ArgumentError, ShapeError

SMOOTH = (ops.softplus, ops.silu, ops.gelu)


def gradient(op, x, *args, **options):
    x = Tensor(np.array(x, float), requires_grad=True)
    op(x, *args, **options).sum().backward()
    return x.grad.tolist()


def test_the_gradient_at_a_kink_has_the_slope_of_the_left():
    assert gradient(ops.prelu, [-1, 0, 1], np.array([0.25])) == [0.25, 0.25, 1]
    assert gradient(ops.elu, [0, 1], 0.5) == [0.5, 1]


def test_channels_have_slopes_of_their_own():
    x, slope = np.array([[-1.0, -2.0], [3.0, -4.0]]), Tensor([0.5, 0.25], requires_grad=True)
    y = ops.prelu(x, slope)
    np.testing.assert_array_equal(y.data, [[-0.5, -0.5], [3, -1]])
    y.sum().backward()
    np.testing.assert_array_equal(slope.grad, [-1, -6])


@pytest.mark.parametrize("shape", [(3,), (2, 1), (1, 1, 2)])
def test_slopes_that_do_not_fit_are_refused(shape):
    message = r"prelu of x \(4, 2\) and slopes .*; wanted one slope for each channel, \(2,\), or"
    with pytest.raises(ShapeError, match=message):
        ops.prelu(np.ones((4, 2)), np.ones(shape))


def test_erf_has_all_digits_near_0_and_no_jump_where_the_integral_ends():
    x = np.array([1e-300, 1e-8, 0.5, 5.9999, 6.0, 6.0001, 40.0, math.inf])
    for numbers in (x, -x):
        wanted = [math.erf(number) for number in numbers]
        np.testing.assert_allclose(ops.erf(numbers), wanted, rtol=1e-14)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_the_slope_at_0_is_a_half(approximate):
    """It is found from y / x, which is 0 / 0 there."""
    assert gradient(ops.silu, [0.0, -0.0]) == [0.5, 0.5]
    assert gradient(ops.gelu, [0.0, -0.0], approximate) == [0.5, 0.5]


@pytest.mark.parametrize("op", SMOOTH)
def test_smooth_activations_approach_relu(op):
    far = np.array([-60.0, 60.0])
    np.testing.assert_allclose(op(far), [0, 60], atol=1e-13)
    np.testing.assert_allclose(gradient(op, far), [0, 1], atol=1e-13)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("op", [*SMOOTH, ops.elu, ops.erf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_numbers_do_not_overflow(op, dtype):
    x = Tensor(np.array([-1e4, 1e4], dtype), requires_grad=True)
    y = op(x)
    y.sum().backward()
    assert np.isfinite(y.data).all() and np.isfinite(x.grad).all()


def test_a_tiny_softplus_has_all_digits():
    y = ops.softplus(np.array([-700.0, -100.0]), beta=1.0)
    np.testing.assert_allclose(y, np.exp([-700.0, -100.0]), rtol=1e-14)


def test_a_large_beta_makes_softplus_a_relu():
    x = np.array([-1.0, -0.1, 0.1, 1.0])
    np.testing.assert_allclose(ops.softplus(x, beta=1000.0), np.maximum(x, 0), atol=1e-15)


def test_the_approximation_of_gelu_is_near_and_not_the_same():
    x = np.linspace(-5, 5, 1001)
    errors = abs(ops.gelu(x, approximate="tanh") - ops.gelu(x))
    assert 1e-4 < errors.max() < 5e-4


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: ops.softplus(x, beta=0.0), "beta of softplus is 0.0; wanted a number above 0"),
        (lambda x: ops.softplus(x, beta=math.nan), "beta of softplus is nan"),
        (lambda x: ops.gelu(x, approximate="tan"), "'none', 'tanh'; did you mean 'tanh'"),
        (lambda x: ops.silu(x.tolist()), "takes an array as x; found a list"),
    ],
)
def test_invalid_arguments_are_refused(call, words):
    with pytest.raises(ArgumentError, match=words):
        call(np.ones(3))
