"""Losses of pairs: by hand, equal points, descent, baselines, and refused arguments."""

import numpy as np
import pytest

from minidl import Tensor, value_and_grad
from minidl.errors import ArgumentError, ShapeError
from minidl.losses import contrastive_loss, siamese_energy_loss
from minidl.losses.siamese import energy_baselines

LOSSES = [siamese_energy_loss, contrastive_loss]


def at_distance(*distances):
    """Return points a and b (N, 2) at these distances, in the direction (3, 4)."""
    b = np.array([[1.0, -2.0]] * len(distances))
    return b + np.outer(distances, [0.6, 0.8]), b


def slope(loss, E, same, **parameter):
    """Return ∂L/∂E: the gradient for a along the direction (0.6, 0.8)."""
    of_pair = value_and_grad(lambda a, b: loss(a, b, np.array([same]), **parameter))
    _, (da, db) = of_pair(*at_distance(E))
    np.testing.assert_array_equal(da, -db)
    return da[0] @ [0.6, 0.8]


def test_the_energy_loss_by_hand():
    same = np.array([True, True, False, False])
    a, b = at_distance(1, 2, 0, 5)
    wanted = (2 / 5 * 1 + 2 / 5 * 4 + 10 + 10 * np.exp(-2.77)) / 4
    for labels in (same, same.astype(np.float32)):
        np.testing.assert_allclose(siamese_energy_loss(a, b, labels), wanted, rtol=1e-14)
    np.testing.assert_allclose(slope(siamese_energy_loss, 3, True), 4 / 5 * 3, rtol=1e-14)
    of_different = -5.54 * np.exp(-2.77 * 3 / 5)
    np.testing.assert_allclose(slope(siamese_energy_loss, 3, False), of_different, rtol=1e-14)


def test_the_contrastive_loss_by_hand():
    same = np.array([True, False, False])
    a, b = at_distance(3, 1, 2.5)
    loss = contrastive_loss(a, b, same, margin=2.0)
    np.testing.assert_allclose(loss, (9 / 2 + 1 / 2 + 0) / 3, rtol=1e-14)
    np.testing.assert_allclose(slope(contrastive_loss, 3, True, margin=2.0), 3, rtol=1e-14)
    np.testing.assert_allclose(slope(contrastive_loss, 0.5, False, margin=2.0), -1.5, rtol=1e-14)
    assert slope(contrastive_loss, 2.5, False, margin=2.0) == 0


@pytest.mark.parametrize("q", [1.0, 5.0])
def test_same_and_different_pairs_have_equal_losses_at_half_of_q(q):
    a, b = at_distance(q / 2)
    costs = [siamese_energy_loss(a, b, np.array([same]), q) for same in (True, False)]
    np.testing.assert_allclose(costs, q / 2, rtol=2e-3)  # 4 e^(-2.77 / 2) is 1.0013


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("same", [True, False])
def test_the_gradient_of_equal_points_is_zero(loss, same):
    of_pairs = value_and_grad(lambda a, b: loss(a, b, np.array([same] * 2)))
    _, gradients = of_pairs(np.ones((2, 3)), np.ones((2, 3)))
    for gradient in gradients:
        np.testing.assert_array_equal(gradient, 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_descent_moves_same_points_together_and_different_points_apart(loss):
    rng = np.random.default_rng(0)
    same = np.array([True, False])
    a, b = rng.standard_normal((2, 3)), rng.standard_normal((2, 3)) / 10
    a[1] /= 10
    before = np.linalg.norm(a - b, axis=1)
    for _ in range(50):
        _, (da, db) = value_and_grad(lambda a, b: loss(a, b, same))(a, b)
        a, b = a - 0.1 * da, b - 0.1 * db
    after = np.linalg.norm(a - b, axis=1)
    assert after[0] < before[0] / 2 and after[1] > 2 * before[1]


def test_the_baselines_of_q_5():
    """For as many same as different pairs, the best constant distance is 2.129."""
    np.testing.assert_allclose(energy_baselines(), (5.0, 2.4437, 2.129), atol=5e-5)


@pytest.mark.parametrize(("q", "share"), [(5.0, 0.5), (1.0, 0.1), (3.0, 0.9)])
def test_no_constant_distance_has_a_smaller_loss_than_the_baseline(q, share):
    collapsed, constant, distance = energy_baselines(q, share)
    same = np.arange(10) < round(10 * share)

    def loss_at(E):
        return siamese_energy_loss(*at_distance(*[E] * 10), same, q)

    losses = [loss_at(E) for E in np.linspace(0, 2 * q, 2001)]
    np.testing.assert_allclose(losses[0], collapsed, rtol=1e-14)
    np.testing.assert_allclose(min(losses), constant, rtol=1e-5)
    assert min(losses) >= constant
    np.testing.assert_allclose(loss_at(distance), constant, rtol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_invalid_arguments_are_refused(loss):
    a, b, same = np.ones((2, 3)), np.ones((2, 3)), np.array([0, 1])
    message = r"wanted \(N, D\) twice and \(N,\), N and D at least 1"
    for wrong in (
        (a, b[:1], same),
        (a, b, same[:1]),
        (a[0], b[0], same),
        (a, b, same[:, None]),
        (a[:0], b[:0], same[:0]),
    ):
        with pytest.raises(ShapeError, match=message):
            loss(*wrong)
    with pytest.raises(ArgumentError, match="same holds other numbers than 0 and 1"):
        loss(a, b, np.array([1, 2]))
    for value in (0, -1.0, float("nan")):
        with pytest.raises(ArgumentError, match="wanted a number above 0"):
            loss(a, b, same, value)
    for wrong in ((a.astype(int), b, same), ([1.0], b, same), (a, b, [0, 1]), (a, b, True)):
        with pytest.raises(ArgumentError):
            loss(*wrong)
    with pytest.raises(ArgumentError, match="has no gradient for same"):
        loss(Tensor(a, True), b, Tensor(np.ones(2), True))


@pytest.mark.parametrize("wrong", [{"q": 0}, {"share_same": 0}, {"share_same": 1.0}])
def test_invalid_arguments_of_the_baselines_are_refused(wrong):
    with pytest.raises(ArgumentError, match="wanted q above 0 and a share between 0 and 1"):
        energy_baselines(**wrong)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_different_pair_at_an_infinite_distance_has_no_gradient(loss):
    a, b = np.array([[np.inf, 0.0]]), np.zeros((1, 2))
    value, gradients = value_and_grad(lambda a, b: loss(a, b, np.array([False])))(a, b)
    assert value == 0 and not any(gradient.any() for gradient in gradients)
