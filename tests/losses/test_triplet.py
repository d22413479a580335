"""The triplet loss: by hand, at its kinks, without triplets, for equal points, and descent."""

import numpy as np
import pytest

from minidl import Tensor, value_and_grad
from minidl.errors import ArgumentError, ShapeError
from minidl.losses import triplet_loss
from minidl.losses.triplet import DIVISORS
from minidl.ops import l2_normalize

OPTIONS = [
    {"squared": squared, "soft": soft} for squared in (True, False) for soft in (False, True)
]
IDS = ["squared", "squared soft", "plain", "soft"]

# d_ap² = 25, 1, 0 and d_an² = 4, 9, 0
ANCHOR = np.array([[1.0, 2.0], [0.0, 0.0], [7.0, 7.0]])
POSITIVE = ANCHOR + np.array([[3.0, 4.0], [0.0, 1.0], [0.0, 0.0]])
NEGATIVE = ANCHOR + np.array([[-2.0, 0.0], [3.0, 0.0], [0.0, 0.0]])


TRIPLETS = ANCHOR, POSITIVE, NEGATIVE
EASY = tuple(points[1:2] for points in TRIPLETS)


def value_and_gradients(*triplets, **options):
    return value_and_grad(lambda a, p, n: triplet_loss(a, p, n, **options))(*triplets)


def test_squared_distances_by_hand():
    """Ng's J = Σ max(|a - p|² - |a - n|² + α, 0)."""
    value, (da, dp, dn) = value_and_gradients(*TRIPLETS, margin=0.5)
    assert value == 21.5 + 0 + 0.5
    np.testing.assert_array_equal(da, [[-10, -8], [0, 0], [0, 0]])  # 2 (n - p)
    np.testing.assert_array_equal(dp, [[6, 8], [0, 0], [0, 0]])  # 2 (p - a)
    np.testing.assert_array_equal(dn, [[4, 0], [0, 0], [0, 0]])  # 2 (a - n)


def test_distances_by_hand():
    options = {"margin": 0.5, "squared": False, "reduction": "mean"}
    value, (_, dp, dn) = value_and_gradients(*TRIPLETS, **options)
    np.testing.assert_allclose(value, (3.5 + 0 + 0.5) / 3, rtol=1e-15)
    np.testing.assert_allclose(3 * dp[0], [0.6, 0.8], rtol=1e-15)
    np.testing.assert_allclose(3 * dn[0], [1, 0], rtol=1e-15)


def test_the_soft_form_by_hand():
    wanted = np.log1p(np.exp([21.5, -7.5, 0.5])).sum()
    np.testing.assert_allclose(triplet_loss(*TRIPLETS, 0.5, soft=True), wanted, rtol=1e-15)


def test_reductions():
    losses = {name: triplet_loss(*TRIPLETS, 0.5, name) for name in DIVISORS}
    assert losses == {"sum": 22.0, "mean": 22 / 3, "mean_active": 11.0}
    assert triplet_loss(*TRIPLETS, 0.0, "mean_active") == 21.0  # one triplet is active
    soft = {name: triplet_loss(*TRIPLETS, 0.5, name, soft=True) for name in DIVISORS}
    assert soft["mean_active"] == soft["mean"]  # every term of the soft form is active


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("options", OPTIONS, ids=IDS)
@pytest.mark.parametrize("reduction", DIVISORS)
def test_the_loss_of_equal_points_is_the_margin_without_a_gradient(options, reduction):
    x = np.full((4, 3), 0.1, np.float32)
    value, gradients = value_and_gradients(x, x, x, margin=0.2, reduction=reduction, **options)
    term = np.log1p(np.exp(0.2)) if options["soft"] else 0.2
    np.testing.assert_allclose(value, term * (4 if reduction == "sum" else 1), rtol=1e-6)
    assert not any(gradient.any() for gradient in gradients)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("options", OPTIONS, ids=IDS)
@pytest.mark.parametrize("reduction", DIVISORS)
def test_the_loss_of_no_triplets_is_0(options, reduction):
    empty = np.zeros((0, 3), np.float32)
    value, gradients = value_and_gradients(empty, empty, empty, reduction=reduction, **options)
    assert value == 0 and value.dtype == np.float32
    assert [gradient.shape for gradient in gradients] == [(0, 3)] * 3


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("reduction", DIVISORS)
@pytest.mark.parametrize("squared", [True, False])
def test_easy_triplets_have_no_gradient(reduction, squared):
    options = {"reduction": reduction, "squared": squared}
    value, gradients = value_and_gradients(*EASY, **options)
    assert value == 0 and not any(gradient.any() for gradient in gradients)


def test_the_gradient_at_the_kink_is_zero():
    value, gradients = value_and_gradients(*EASY, margin=8.0)  # 1 - 9 + 8 = 0
    assert value == 0 and not any(gradient.any() for gradient in gradients)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("options", OPTIONS, ids=IDS)
def test_a_positive_that_equals_its_anchor_has_no_gradient(options):
    anchor, _, negative = EASY
    triplet = anchor, anchor, negative
    value, (da, dp, dn) = value_and_gradients(*triplet, margin=10.0, **options)
    assert value > 0 and not dp.any()
    np.testing.assert_array_equal(da, -dn)


@pytest.mark.parametrize("options", OPTIONS, ids=IDS)
def test_the_gradients_sum_to_zero(options):
    triplets = np.random.default_rng(0).standard_normal((3, 8, 4))
    _, gradients = value_and_gradients(*triplets, **options)
    np.testing.assert_allclose(sum(gradients), 0, atol=1e-14)
    assert gradients[0].any()


@pytest.mark.filterwarnings("ignore:invalid value")
def test_an_inactive_triplet_with_an_infinite_point_has_no_gradient():
    near, far = np.array([[1.0, 0.0]]), np.array([[np.inf, 0.0]])
    value, gradients = value_and_gradients(near, near, far)
    assert value == 0 and not any(gradient.any() for gradient in gradients)


@pytest.mark.filterwarnings("error")
def test_the_soft_form_does_not_overflow():
    far = np.array([[1e3, 0.0]])
    value, gradients = value_and_gradients(0 * far, far, 0 * far, soft=True)
    assert value == 1e6 + 0.2 and np.isfinite(gradients).all()
    value, gradients = value_and_gradients(0 * far, 0 * far, far, soft=True)
    assert value == 0 and not np.any(gradients)


@pytest.mark.parametrize("options", OPTIONS, ids=IDS)
def test_descent_moves_the_positive_nearer_than_the_negative(options):
    triplets = list(np.random.default_rng(0).standard_normal((3, 10, 4)))
    loss = value_and_grad(lambda *x: triplet_loss(*map(l2_normalize, x), 0.2, **options))
    for _ in range(200):
        _, gradients = loss(*triplets)
        triplets = [x - 0.1 * dx for x, dx in zip(triplets, gradients, strict=True)]
    a, p, n = map(l2_normalize, triplets)
    assert (np.linalg.norm(a - p, axis=1) < np.linalg.norm(a - n, axis=1)).all()
    if not options["soft"]:
        assert triplet_loss(a, p, n, 0.19, **options) == 0


def test_invalid_arguments_are_refused():
    x = np.ones((2, 3))
    for wrong in ((x, x, x[:1]), (x[0], x[0], x[0]), (x, x[:, :2], x), (x[None], x[None], x[None])):
        with pytest.raises(ShapeError, match=r"wanted \(N, D\) three times"):
            triplet_loss(*wrong)
    for margin in (-0.1, float("nan")):
        with pytest.raises(ArgumentError, match="wanted a number of at least 0"):
            triplet_loss(x, x, x, margin)
    with pytest.raises(ArgumentError, match="reduction"):
        triplet_loss(x, x, x, reduction="median")
    with pytest.raises(ArgumentError, match="positive is an array of int64"):
        triplet_loss(x, x.astype(int), x)
    with pytest.raises(ArgumentError, match="takes an array as negative"):
        triplet_loss(Tensor(x), x, [1.0])
