"""Activations in strips: float32, special values, and large arrays, compared with the textbook."""

import math
from unittest.mock import patch

import numpy as np
import pytest

from minidl import Tensor, ops, textbook
from minidl.engine import elementwise
from minidl.engine.activations import ERF
from tests.running import using_threads

ACTIVATIONS = {  # words -> function of x
    "leaky_relu": ops.leaky_relu,
    "leaky_relu of a large slope": lambda x: ops.leaky_relu(x, 2.0),
    "leaky_relu without slope": lambda x: ops.leaky_relu(x, 0.0),
    "sigmoid": ops.sigmoid,
    "softplus": ops.softplus,
    "softplus with beta": lambda x: ops.softplus(x, 3.0),
    "elu": ops.elu,
    "elu with alpha": lambda x: ops.elu(x, 0.5),
    "silu": ops.silu,
    "erf": ops.erf,
    "gelu": ops.gelu,
    "gelu by tanh": lambda x: ops.gelu(x, "tanh"),
    "softmax": ops.softmax,
}
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 200.0, -200.0, 1e20, -1e20, 1e-30, -1e-30]


def differentiated(op, x, dy):
    leaf = Tensor(x, requires_grad=True)
    y = op(leaf)
    y.backward(dy)
    return y.data, leaf.grad


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_gradients_are_those_of_the_textbook(name, dtype):
    x = np.linspace(-30, 30, 6006).astype(dtype).reshape(1001, 6)
    dy = np.random.default_rng(0).standard_normal(x.shape).astype(dtype)
    fast = differentiated(ACTIVATIONS[name], x, dy)
    with textbook():
        wanted = differentiated(ACTIVATIONS[name], x, dy)
    for result, expected in zip(fast, wanted, strict=True):
        assert result.dtype == expected.dtype == dtype
        bound = 8 * np.finfo(dtype).eps * np.maximum(1, abs(x))
        assert (abs(result - expected) <= bound).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_special_values_are_those_of_the_textbook(name, dtype):
    x = np.array(SPECIAL, dtype)
    with np.errstate(all="ignore"):
        fast = differentiated(ACTIVATIONS[name], x, np.ones_like(x))
        with textbook():
            wanted = differentiated(ACTIVATIONS[name], x, np.ones_like(x))
    for result, expected in zip(fast, wanted, strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-6, atol=1e-30)


def test_erf_in_float32_has_almost_all_digits():
    x = np.concatenate([np.linspace(-5, 5, 40_001), np.geomspace(1e-30, 1, 1001)], dtype=np.float32)
    wanted = np.array([math.erf(number) for number in x.tolist()])
    errors = abs(ops.erf(x) - wanted)
    assert (errors <= 3e-7 * abs(wanted)).all()
    assert ERF[-1] > 0  # so that tanh is ±1 far from 0


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "softmax"])
def test_strips_and_threads_change_no_byte(name):
    x = np.random.default_rng(0).standard_normal((700, 9, 30)).astype(np.float32)
    dy = np.random.default_rng(1).standard_normal(x.shape).astype(np.float32)
    wanted = differentiated(ACTIVATIONS[name], x, dy)
    for count, strip in ((1, 1 << 20), (3, 1 << 10)):
        with patch.object(elementwise, "STRIP", strip), using_threads(count):
            results = differentiated(ACTIVATIONS[name], x, dy)
        assert [r.tobytes() for r in results] == [w.tobytes() for w in wanted]


def test_an_infinite_cotangent_of_a_unit_that_is_off_stays_0_without_slope():
    x, dy = np.array([-1.0, 1.0]), np.array([np.inf, np.inf])
    _, dx = differentiated(lambda x: ops.leaky_relu(x, 0.0), x, dy)
    np.testing.assert_array_equal(dx, [0, np.inf])


def test_integers_and_complex_numbers_are_computed_by_the_definitions():
    assert ops.sigmoid(np.array([0, 1])).dtype == np.float64
    slope = ops.silu(np.array([0.5 + 1e-30j])).imag / 1e-30
    _, dx = differentiated(ops.silu, np.array([0.5]), np.ones(1))
    np.testing.assert_allclose(slope, dx, rtol=1e-14)
