"""Batch normalization: gradients that are not requested, precision in float32, and empty batches.
All other properties are checked by test_op_table.py."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.backend import current_device, to_device, to_numpy
from minidl.engine import batch_norm_relu, normalization
from minidl.errors import ShapeError
from minidl.layers import BatchNorm
from tests.devices import PLACES, at


@pytest.mark.engine
def test_dx_is_not_computed_if_it_is_not_wanted(monkeypatch):
    x, dy, y = np.random.default_rng(0).standard_normal((3, 8, 5))
    given = (dy, x, np.ones(5), None, 1e-5, False)
    rectified = (dy, y, *given[1:])
    wanted = [ops.batch_norm.gradients[name](*given) for name in ("dgamma", "dbeta")]
    wanted += [batch_norm_relu.gradients[name](*rectified) for name in ("dgamma", "dbeta")]
    monkeypatch.setattr(normalization, "empty", None)
    names = ["gamma", "beta"]
    plain = normalization.batch_norm_gradients(*given, wanted=names)
    with_relu = normalization.batch_norm_relu_gradients(*rectified, wanted=names)
    np.testing.assert_array_equal([*plain.values(), *with_relu.values()], wanted)


# ---- precision -----------------------------------------------------------------------------------

EPS = np.finfo(np.float32).eps


def in_float64(x, gamma, beta, dy, epsilon=1e-5):
    """Return (y, dx, dγ, dβ) by the formulas, and the sizes of their terms."""
    x, gamma, beta, dy = (np.asarray(array, float) for array in (x, gamma, beta, dy))
    root = np.sqrt(x.var(axis=0) + epsilon)
    xhat, count = (x - x.mean(axis=0)) / root, len(x)
    dgamma, dbeta = (dy * xhat).sum(axis=0), dy.sum(axis=0)
    y, dx = gamma * xhat + beta, gamma / root * (dy - dbeta / count - xhat * dgamma / count)
    dx_terms = abs(dy).max() + abs(dbeta) / count + abs(xhat).max() * abs(dgamma) / count
    sizes = (
        abs(gamma * xhat).max() + abs(beta).max(),
        (abs(gamma / root) * dx_terms).max(),
        abs(dy * xhat).sum(axis=0).max(),
        abs(dy).sum(axis=0).max(),
    )
    return (y, dx, dgamma, dbeta), sizes


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mean", [0.0, 100.0, -1e4, 1e6])
def test_the_digits_of_float32_do_not_depend_on_the_mean(place, mean):
    """A sum of M terms has M random rounding errors, together about √M·eps/2 of their size. The
    bound adds 8·eps/2 for all other operations. dy correlates with x̂, so that dγ is large,
    because the term x̂ dγ/M of dx would be the first to lose digits."""
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((64, 8))
    x = (mean + noise).astype(np.float32)
    gamma, beta = rng.uniform(0.5, 2, (2, 8)).astype(np.float32)
    dy = (3 * noise + rng.standard_normal(x.shape)).astype(np.float32)
    with at(place):
        arrays = (to_device(array, current_device()) for array in (x, gamma, beta))
        leaves = [Tensor(array, requires_grad=True) for array in arrays]
        y = ops.batch_norm(*leaves)
        y.backward(to_device(dy, y.device))
        results = [to_numpy(array) for array in (y.data, *(leaf.grad for leaf in leaves))]
    for result, wanted, size in zip(results, *in_float64(x, gamma, beta, dy), strict=True):
        assert result.dtype == np.float32
        assert abs(result - wanted).max() <= (8 + 64**0.5) * EPS / 2 * size


def test_moments_of_many_numbers_far_from_0():
    """The array has several strips with different means, and a constant channel."""
    rng = np.random.default_rng(0)
    x = (1e4 + rng.standard_normal((40_000, 32))).astype(np.float32)
    x[:, 3] = 12345.678
    mean, variance = normalization.moments(x)
    wide = x.astype(float)
    # The sum of the differences from a first mean has random rounding errors of about 200·eps/2 of
    # their size.
    np.testing.assert_allclose(mean, wide.mean(axis=0), rtol=0, atol=200 * EPS)
    np.testing.assert_allclose(variance, wide.var(axis=0), rtol=200 * EPS, atol=1e-12)
    assert (variance >= 0).all()


@pytest.mark.engine
@pytest.mark.filterwarnings("ignore:overflow")
def test_a_variance_that_overflows_gives_nan():
    x = np.array([[1e20, 1.0], [-1e20, 3.0]], np.float32)
    y = ops.batch_norm(x, np.ones(2, np.float32), np.zeros(2, np.float32), epsilon=0.0)
    np.testing.assert_array_equal(y, [[np.nan, -1], [np.nan, 1]])


def test_running_moments_stay_float32():
    norm = BatchNorm(2)
    norm(Tensor(np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32)))
    assert norm.mean.dtype == norm.variance.dtype == np.float32


# ---- empty batches -------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [ops.batch_norm, batch_norm_relu])
def test_an_empty_batch_has_no_moments_but_can_be_normalized_with_given_moments(op):
    arrays = np.zeros((0, 4, 4, 3)), np.ones(3), np.zeros(3)
    x, gamma, beta = (Tensor(array, requires_grad=True) for array in arrays)
    with pytest.raises(ShapeError, match="at least one number"):
        op(x, gamma, beta)
    y = op(x, gamma, beta, (np.zeros(3), np.ones(3)), fixed=True)
    y.backward(np.zeros(y.shape))
    assert (y.shape, x.grad.shape) == (x.shape, x.shape)
    assert (gamma.grad.tolist(), beta.grad.tolist()) == ([0] * 3, [0] * 3)


def test_the_layer_takes_an_empty_batch_after_training_but_not_in_training():
    norm, x = BatchNorm(3), np.zeros((0, 4, 4, 3), np.float32)
    with pytest.raises(ShapeError, match="at least two numbers of each channel"):
        norm(x)
    assert norm.train(False)(x).shape == x.shape


@pytest.mark.parametrize("op", [ops.batch_norm, batch_norm_relu])
@pytest.mark.parametrize(
    "given",
    [(np.zeros(1), np.ones(1)), (np.zeros(3), np.ones(2)), (np.zeros(0), np.ones(3)), (0.0, 1.0)],
)
def test_given_moments_must_have_one_number_for_each_channel(op, given):
    words = r"given moments \(.*; wanted a mean and a variance \(3,\)"
    with pytest.raises(ShapeError, match=words):
        op(np.ones((4, 3)), np.ones(3), np.zeros(3), given, fixed=True)
