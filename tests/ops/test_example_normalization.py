"""Group and layer normalization: which numbers a mean is of, options, precision in float32, and
refusals. All other properties are checked by test_op_table.py."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.backend import current_device, to_device, to_numpy
from minidl.errors import ArgumentError, ShapeError
from minidl.ops.example_normalization import group_moments
from tests.devices import PLACES, at


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_one_group_of_a_picture_is_layer_normalization_over_all_its_axes():
    x = numbers(2, 3, 4, 6)
    y = ops.layer_norm(x, axes=3)
    np.testing.assert_allclose(ops.group_norm(x, groups=1), y, atol=1e-14)


def test_groups_of_one_channel_are_batch_normalization_of_each_picture():
    x = numbers(2, 3, 4, 6)
    y = np.concatenate([ops.batch_norm(picture) for picture in x[:, None]])
    np.testing.assert_allclose(ops.group_norm(x, groups=6), y, atol=1e-14)


def test_an_example_does_not_depend_on_the_others_of_its_batch():
    x = numbers(3, 5, 4)
    for op, options in ((ops.group_norm, {"groups": 2}), (ops.layer_norm, {})):
        np.testing.assert_allclose(op(x, **options)[1:2], op(x[1:2], **options), atol=1e-14)


@pytest.mark.parametrize("op", ["batch_norm", "group_norm", "layer_norm"])
def test_a_missing_scale_is_1_and_a_missing_shift_0(op):
    x, dy, ones = numbers(3, 5, 4), numbers(3, 5, 4, seed=1), np.ones(4)
    options = {"groups": 2} if op == "group_norm" else {}

    def results(gamma, beta):
        leaves = [p if p is None else Tensor(p, requires_grad=True) for p in (x, gamma, beta)]
        y = getattr(ops, op)(*leaves, **options)
        y.backward(dy)
        return [y.data, *(None if leaf is None else leaf.grad for leaf in leaves)]

    wanted = results(ones, 0 * ones)
    for has_gamma in (False, True):
        for has_beta in (False, True):
            found = results(ones if has_gamma else None, 0 * ones if has_beta else None)
            for array, other in zip(found, wanted, strict=True):
                assert array is None or abs(array - other).max() <= 1e-14


def test_a_set_of_one_number_is_the_shift():
    x, beta = numbers(2, 4), np.arange(4.0)
    leaf = Tensor(x, requires_grad=True)
    y = ops.group_norm(leaf, None, beta, groups=4)
    y.sum().backward()
    assert (y.data == beta).all() and not leaf.grad.any()


# ---- precision -----------------------------------------------------------------------------------

EPS = np.finfo(np.float32).eps
SETS = {  # op -> (its options, the shape of x, of gamma, a view of x, and the axes of a set in it)
    "group_norm": ({"groups": 2}, (3, 32, 8), (8,), (3, 32, 2, 4), (1, 3)),
    "layer_norm": ({}, (16, 64), (64,), (16, 64), (1,)),
}


def in_float64(x, gamma, beta, dy, view, axes, epsilon=1e-5):
    """Return (y, dx, dγ, dβ) by the formulas, and the sizes of their terms."""
    x, gamma, beta, dy = (np.asarray(array, float) for array in (x, gamma, beta, dy))
    shape, shared = x.shape, tuple(range(x.ndim - gamma.ndim))
    x, dx_hat = x.reshape(view), (gamma * dy).reshape(view)
    root = np.sqrt(x.var(axis=axes, keepdims=True) + epsilon)
    x_hat = (x - x.mean(axis=axes, keepdims=True)) / root
    mean = dx_hat.mean(axis=axes, keepdims=True)
    along = (dx_hat * x_hat).mean(axis=axes, keepdims=True)
    dx = ((dx_hat - mean - x_hat * along) / root).reshape(shape)
    dx_terms = (abs(dx_hat) + abs(mean) + abs(x_hat * along)) / root
    x_hat = x_hat.reshape(shape)
    results = gamma * x_hat + beta, dx, (dy * x_hat).sum(axis=shared), dy.sum(axis=shared)
    sizes = (
        abs(gamma * x_hat).max() + abs(beta).max(),
        dx_terms.max(),
        abs(dy * x_hat).sum(axis=shared).max(),
        abs(dy).sum(axis=shared).max(),
    )
    return results, sizes


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("mean", [0.0, 1.5, 100.0, -1e4, 1e6])
@pytest.mark.parametrize("op", SETS)
def test_the_digits_of_float32_do_not_depend_on_the_mean(op, mean, place):
    """A sum of M terms has M random rounding errors, together about √M·eps/2 of their size. The
    bound adds 8·eps/2 for all other operations. dy correlates with x̂, so that the sums of dx̂ x̂ are
    large, because their term of dx would be the first to lose digits."""
    options, shape, parameters, view, axes = SETS[op]
    rng = np.random.default_rng(0)
    noise = rng.standard_normal(shape)
    x = (mean + noise).astype(np.float32)
    gamma, beta = rng.uniform(0.5, 2, (2, *parameters)).astype(np.float32)
    dy = (3 * noise + rng.standard_normal(shape)).astype(np.float32)
    with at(place):
        arrays = (to_device(array, current_device()) for array in (x, gamma, beta))
        leaves = [Tensor(array, requires_grad=True) for array in arrays]
        y = getattr(ops, op)(*leaves, **options)
        y.backward(to_device(dy, y.device))
        results = [to_numpy(array) for array in (y.data, *(leaf.grad for leaf in leaves))]
    for result, wanted, size in zip(
        results, *in_float64(x, gamma, beta, dy, view, axes), strict=True
    ):
        assert result.dtype == np.float32
        assert abs(result - wanted).max() <= (8 + 128**0.5) * EPS / 2 * size


@pytest.mark.parametrize("shape", [(3, 40_000, 32), (2, 70_000, 6)])
@pytest.mark.parametrize("mean", [0.5, 1e4])
def test_moments_of_many_numbers(shape, mean):
    """Each example has several strips with different means, and there is a constant group."""
    x = (mean + numbers(*shape)).astype(np.float32)
    x[1, :, 2:4] = 12345.678
    wide = x.astype(float).reshape(shape[0], shape[1], -1, 2)
    found = group_moments(x, groups=shape[-1] // 2)
    np.testing.assert_allclose(found[0], wide.mean(axis=(1, 3)), rtol=0, atol=300 * EPS)
    np.testing.assert_allclose(found[1], wide.var(axis=(1, 3)), rtol=300 * EPS, atol=1e-12)
    assert (found[1] >= 0).all()


# ---- refusals ------------------------------------------------------------------------------------

X = np.ones((2, 3, 6))


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.group_norm(X, groups=4), ArgumentError, "that divides the 6 channels"),
        (lambda: ops.group_norm(X, groups=0), ArgumentError, "with groups 0; wanted a number of"),
        (lambda: ops.group_norm(X, groups=2.0), ArgumentError, "with groups 2.0; wanted"),
        (lambda: ops.group_norm(np.ones(6), groups=2), ShapeError, r"x \(6,\); wanted x \(N, \*sp"),
        (lambda: ops.group_norm(X, np.ones(3), groups=2), ShapeError, r"gamma \(3,\); wanted gam"),
        (lambda: ops.group_norm(X, None, 0.5, groups=2), ShapeError, r"beta \(\); wanted beta \(6"),
        (lambda: ops.group_norm(X.astype(int), groups=2), ArgumentError, "floating-point"),
        (lambda: ops.layer_norm(X, axes=4), ArgumentError, "number of axes from 1 to 3"),
        (lambda: ops.layer_norm(X, axes=0), ArgumentError, "over the last 0 axes"),
        (lambda: ops.layer_norm(X, axes=(6,)), ArgumentError, r"over the last \(6,\) axes"),
        (lambda: ops.layer_norm(X, np.ones(6), axes=2), ShapeError, r"wanted gamma \(3, 6\)"),
        (lambda: ops.layer_norm(np.float64(1)), ArgumentError, "from 1 to 0"),
        (lambda: ops.batch_norm(X, 0.5), ShapeError, r"gamma \(\); wanted gamma \(6,\)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_given_moments_must_have_one_number_for_each_set():
    mean, variance = group_moments(X, groups=2)
    with pytest.raises(ShapeError, match=r"moments \(2, 2\) and \(1, 2\); wanted a mean and a var"):
        ops.group_norm(X, groups=2, given=(mean, variance[:1]))
    with pytest.raises(ShapeError, match=r"moments \(2, 2\); wanted a mean and a variance \(2, 2"):
        ops.group_norm(X, groups=2, given=(mean,))
