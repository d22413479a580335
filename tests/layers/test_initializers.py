"""Initializers: moments and bounds, and the size of a signal after several layers."""

from functools import partial
from math import sqrt

import numpy as np
import pytest

from minidl.backend import device_of, to_numpy
from minidl.errors import ArgumentError
from minidl.layers import initializers
from minidl.layers.initializers import (
    LEFT_BY_CUT,
    constant,
    fans,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    identity,
    truncated_normal,
    unfilled,
    zeros,
)
from minidl.ops import relu
from tests.devices import GPUS, at

SHAPE = (3, 3, 40, 100)  # 36,000 numbers
FAN_IN, FAN_OUT = 360, 900
FANS = FAN_IN + FAN_OUT
BEFORE_CUT, AFTER_CUT = (
    partial(truncated_normal, std=0.1, std_of=name) for name in ("whole", "truncated")
)
# name -> (initializer, standard deviation, bound, kurtosis). The kurtosis is the mean fourth power
# divided by the squared variance: 3 for a normal and 9/5 for a uniform distribution.
EVERY = {
    "he_normal": (he_normal, sqrt(2 / FAN_IN), None, 3),
    "he_uniform": (he_uniform, sqrt(2 / FAN_IN), sqrt(6 / FAN_IN), 1.8),
    "glorot_normal": (glorot_normal, sqrt(2 / FANS), None, 3),
    "glorot_uniform": (glorot_uniform, sqrt(2 / FANS), sqrt(6 / FANS), 1.8),
    "truncated, std before the cut": (BEFORE_CUT, 0.1 * 0.879626, 0.2, 2.3655),
    "truncated, std after the cut": (AFTER_CUT, 0.1, 0.2 / 0.879626, 2.3655),
}
INITIALIZERS = [zeros, *(initializer for initializer, *_ in EVERY.values())]


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", EVERY)
def test_moments_and_bounds(name):
    initializer, deviation, bound, kurtosis = EVERY[name]
    w = initializer(rng(), SHAPE, np.float64)
    n = w.size
    assert w.shape == SHAPE
    assert abs(w.mean()) < 4 * deviation / sqrt(n)
    assert w.std() == pytest.approx(deviation, rel=4 * sqrt((kurtosis - 1) / 4 / n))
    assert (w**4).mean() / (w**2).mean() ** 2 == pytest.approx(kurtosis, rel=0.05)
    if bound is None:
        assert abs(w).max() > 3.5 * deviation
    else:
        assert 0.999 * bound < abs(w).max() <= bound


def test_the_standard_deviation_of_the_truncated_normal_distribution():
    """Compare with the integral of t² over the normal density, and with TensorFlow's constant."""
    t = np.linspace(-2, 2, 200_001)
    density = np.exp(-t * t / 2)
    integral = sqrt((t * t * density).sum() / density.sum())
    np.testing.assert_allclose(LEFT_BY_CUT, integral, rtol=1e-4)
    np.testing.assert_allclose(LEFT_BY_CUT, 0.87962566103423978, rtol=1e-14)


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((10, 5), (10, 5)),
        ((3, 3, 16, 32), (144, 288)),
        ((5, 1, 8), (5, 40)),
        ((2, 3, 4, 5, 6), (120, 144)),
    ],
)
def test_fans(shape, wanted):
    assert fans(shape) == wanted


def test_fans_equal_pytorchs():
    torch = pytest.importorskip("torch")
    for kernel, inputs, outputs, groups in (((3, 3), 16, 32, 1), ((5,), 6, 12, 3)):
        theirs = torch.nn.init._calculate_fan_in_and_fan_out(
            torch.empty(outputs, inputs // groups, *kernel)
        )
        assert fans((*kernel, inputs // groups, outputs)) == theirs


@pytest.mark.parametrize(
    ("initializer", "activation"),
    [
        (he_normal, relu),
        (he_uniform, relu),
        (glorot_normal, lambda x: x),
        (glorot_uniform, lambda x: x),
    ],
)
def test_a_signal_keeps_its_size_over_ten_layers(initializer, activation):
    """Measure the mean square before the activation. ReLU halves it."""
    draws, x = rng(), rng(1).standard_normal((100, 300))
    for _ in range(10):
        x = activation(x @ initializer(draws, (300, 300), np.float64))
    assert 0.3 < (x * x).mean() * (2 if activation is relu else 1) < 3


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_seed_gives_the_same_numbers_in_every_dtype(initializer, dtype):
    w = initializer(rng(), (4, 5), dtype)
    assert w.dtype == dtype
    np.testing.assert_array_equal(w, initializer(rng(), (4, 5), np.float64).astype(dtype))
    assert initializer(rng(), (4, 5)).dtype == np.float32
    if initializer is not zeros:
        assert (w != initializer(rng(1), (4, 5), dtype)).all()


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_a_seed_gives_the_same_numbers_on_a_gpu(initializer, place):
    wanted = initializer(rng(), (4, 5))
    with at(place):
        w = initializer(rng(), (4, 5))
        assert device_of(w) == "gpu"
        np.testing.assert_array_equal(to_numpy(w), wanted)


@pytest.mark.parametrize(
    "call",
    [
        lambda: he_normal(rng(), (5,)),
        lambda: glorot_uniform(rng(), ()),
        lambda: he_uniform(rng(), (3, 0, 5)),
        lambda: truncated_normal(rng(), (3,), std=0),
        lambda: truncated_normal(rng(), (3,), std_of="cut"),
    ],
)
def test_invalid_arguments_are_refused(call):
    with pytest.raises(ArgumentError):
        call()


@pytest.mark.parametrize("initializer", [constant, *INITIALIZERS])
def test_unfilled_arrays_take_no_memory_and_no_random_numbers(initializer):
    draws = rng()
    with unfilled():
        with unfilled():
            w = initializer(draws, (10**6, 10**6), np.float64)
        assert initializer(draws, (3, 10**12)).dtype == np.float32
    assert (w.shape, w.dtype, w.strides) == ((10**6, 10**6), np.float64, (0, 0))
    np.testing.assert_array_equal(initializer(draws, (4, 5)), initializer(rng(), (4, 5)))


def test_the_identity_returns_its_inputs_and_then_their_negatives():
    x = rng().standard_normal((5, 3)).astype(np.float32)
    np.testing.assert_array_equal(x @ identity(None, (3, 3)), x)
    np.testing.assert_array_equal(x @ identity(None, (3, 6)), np.concatenate([x, -x], axis=1))


def test_constant():
    assert (constant(None, 3) == 1).all()
    assert (constant(None, (2, 3), value=-0.5) == -0.5).all()


def test_zeros():
    assert not initializers.zeros(rng(), (3,)).any()


def test_a_truncated_normal_array_without_dimensions():
    assert truncated_normal(rng(), (), std=0.5).shape == ()
