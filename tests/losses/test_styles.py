"""The style losses beside the Gram matrix: by hand, at their kinks, and relations between them."""

import numpy as np
import pytest

from minidl import Tensor, losses, value_and_grad
from minidl.errors import ArgumentError, ShapeError
from minidl.losses import nearest
from minidl.losses.moments import moments
from minidl.losses.wasserstein import mean_and_gram

rng = np.random.default_rng(0)
F, S = rng.standard_normal((1, 6, 5, 3)), rng.standard_normal((1, 4, 7, 3)) * 2 + 1
OF_FEATURES = [
    losses.moments_loss, losses.wasserstein_loss, losses.histogram_loss, losses.nearest_loss,
    losses.patch_loss,
]  # fmt: skip
of_each = pytest.mark.parametrize("loss", OF_FEATURES, ids=lambda loss: loss.__name__)


def value_and_gradient(loss, generated, *others, **options):
    value, (gradient,) = value_and_grad(lambda x: loss(x, *others, **options))(generated)
    return value, gradient


def channel(*numbers):
    """Return a row of positions with one channel."""
    return np.array(numbers, float).reshape(1, 1, -1, 1)


# ---- all of them ---------------------------------------------------------------------------------


@of_each
def test_the_loss_of_equal_features_is_0(loss):
    value, gradient = value_and_gradient(loss, F, F)
    assert abs(value) <= 1e-14 and abs(gradient).max() <= 1e-15


@of_each
def test_the_order_of_positions_does_not_matter_except_in_patches(loss):
    shuffled = rng.permutation(F.reshape(1, 30, 3), axis=1).reshape(1, 5, 6, 3)
    equal = np.isclose(loss(shuffled, S), loss(F, S), rtol=1e-12)
    assert equal != (loss is losses.patch_loss)


@of_each
def test_descent_reduces_the_loss(loss):
    x, (before, gradient) = F, value_and_gradient(loss, F, S)
    step = 0.1 * before / (gradient**2).sum()
    for _ in range(5):
        x = x - step * value_and_gradient(loss, x, S)[1]
    assert 0 < loss(x, S) < 0.95 * before


@of_each
def test_the_loss_of_a_batch_is_the_sum_over_its_pictures(loss):
    pictures, styles = rng.standard_normal((2, 3, 4, 3)), rng.standard_normal((2, 5, 4, 3))
    wanted = sum(loss(pictures[n : n + 1], styles[n : n + 1]) for n in range(2))
    assert np.isclose(loss(pictures, styles), wanted, rtol=1e-12)


@pytest.mark.parametrize(
    "loss", [losses.moments_loss, losses.wasserstein_loss, losses.histogram_loss]
)
def test_losses_of_distributions_grow_with_the_square_of_the_scale(loss):
    """The epsilons are relative, so they hold at every scale."""
    assert np.isclose(loss(1000 * F, 1000 * S), 1e6 * loss(F, S), rtol=1e-9)


def test_the_loss_of_neighbours_does_not_depend_on_the_scale():
    assert np.isclose(losses.nearest_loss(1000 * F, S), losses.nearest_loss(F, S), rtol=1e-13)


@of_each
def test_a_style_that_requires_a_gradient_is_refused(loss):
    with pytest.raises(ArgumentError, match=f"{loss.__name__} has no gradient for style; pass its"):
        loss(F, Tensor(S, requires_grad=True))
    assert loss(F, Tensor(S)) == loss(F, S)


@of_each
def test_features_that_do_not_fit_are_refused(loss):
    for style in (S[..., :2], np.ones((2, 4, 7, 3)), np.ones((1, 0, 7, 3)), S[0, 0]):
        with pytest.raises(ShapeError, match=r"wanted \(N, H, W, C\)|wanted \(1, M, 3\)"):
            loss(F, style)
    with pytest.raises(ArgumentError, match="features is an array of int64"):
        loss(F, S.astype(int))


# ---- guided Gram matrices ------------------------------------------------------------------------


def test_a_guide_of_equal_numbers_gives_the_mean_over_all_positions():
    for strength in (1.0, 0.01):
        G = losses.guided_gram_matrix(F, np.full((1, 6, 5), strength))
        assert np.allclose(G, losses.gram_matrix(F, "positions"), rtol=1e-13)


def test_a_guide_of_ones_and_zeros_selects_a_region_also_in_the_gradient():
    guide = np.zeros((1, 6, 5), bool)
    guide[:, :2] = True
    G = losses.guided_gram_matrix(F, guide)
    assert np.allclose(G, losses.gram_matrix(F[:, :2], "positions"), rtol=1e-13)
    x = Tensor(F, requires_grad=True)
    losses.guided_gram_matrix(x, guide).sum().backward()
    assert x.grad[:, :2].all() and not x.grad[:, 2:].any()


def test_a_guide_that_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match="0 everywhere, so its region is empty"):
        losses.guided_gram_matrix(np.ones((2, 1, 2, 3)), np.array([[[0.0, 1.0]], [[0.0, 0.0]]]))
    with pytest.raises(ShapeError, match=r"wanted the guide \(1, 6, 5\)"):
        losses.guided_gram_matrix(F, np.ones((1, 5, 6)))


# ---- moments -------------------------------------------------------------------------------------


def test_moments_by_hand():
    """The generated channel is 1 ± 3 and the style's 3 ± 2: the gradient is 2 (m - m_t) and
    2 (σ - σ_t), spread over two positions along ±1."""
    value, gradient = value_and_gradient(
        losses.moments_loss, channel(-2, 4), channel(1, 5), epsilon=0
    )
    assert np.isclose(value, 2**2 + 1**2)
    assert np.allclose(gradient.ravel(), [(-4 - 2) / 2, (-4 + 2) / 2])


def test_a_constant_channel_has_a_finite_gradient():
    for epsilon in (0, 1e-5):
        value, gradient = value_and_gradient(
            losses.moments_loss, channel(2, 2), channel(1, 5), epsilon=epsilon
        )
        assert np.isclose(value, 1 + 4, rtol=0.01) and np.isfinite(gradient).all()


def test_statistics_may_be_added_up_over_tiles():
    parts = [moments(F[:, :2]), moments(F[:, 2:])]
    m, q = (part[0] / 3 + part[1] * 2 / 3 for part in zip(*parts, strict=True))
    m_t, q_t = moments(S)
    loss = losses.deviation_loss(m, q, m_t, losses.deviation(m_t, q_t))
    assert np.isclose(loss, losses.moments_loss(F, S), rtol=1e-13)


# ---- Gaussians -----------------------------------------------------------------------------------


def test_of_one_channel_the_distance_is_that_of_means_and_deviations():
    one, other = F[..., :1], S[..., :1]
    distance = losses.wasserstein_loss(one, other, epsilon=0)
    assert np.isclose(distance, losses.moments_loss(one, other, epsilon=0), rtol=1e-12)


def test_the_distance_does_not_depend_on_a_rotation_of_the_channels():
    Q, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    assert np.isclose(losses.wasserstein_loss(F @ Q, S @ Q), losses.wasserstein_loss(F, S))


def test_the_square_of_the_root_is_the_covariance():
    m, G = mean_and_gram(S)
    A = losses.covariance_root(m, G, epsilon=0)
    assert np.allclose((A @ A)[0], np.cov(S.reshape(-1, 3).T, bias=True))


def test_a_step_against_the_gradient_reaches_the_mean_and_covariance_of_the_style():
    """The gradient is 2/(C M) (x - T(x)), T: the map. A step of C M / 2 therefore reaches T(x)."""
    _, gradient = value_and_gradient(losses.wasserstein_loss, F, S, epsilon=0)
    moved = (F - 3 * 30 / 2 * gradient).reshape(-1, 3)
    assert np.allclose(moved.mean(0), S.reshape(-1, 3).mean(0))
    assert np.allclose(np.cov(moved.T), np.cov(S.reshape(-1, 3).T, bias=True) * 30 / 29)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fewer_positions_than_channels_at_the_scale_of_a_network(dtype):
    few = rng.exponential(1000, (1, 3, 4, 40)).astype(dtype)
    many = rng.exponential(1000, (1, 9, 9, 40)).astype(dtype)
    for generated, style in ((few, many), (many, few)):
        value, gradient = value_and_gradient(losses.wasserstein_loss, generated, style)
        assert value.dtype == dtype and gradient.dtype == dtype
        wide = [x.astype(float) for x in (generated, style)]
        wanted, wanted_gradient = value_and_gradient(losses.wasserstein_loss, *wide)
        error = 1e-3 if dtype == np.float32 else 1e-12
        assert np.isclose(value, wanted, rtol=error)
        assert abs(gradient - wanted_gradient).max() <= error * abs(wanted_gradient).max()


def test_flat_features_have_finite_gradients():
    flat = np.full((1, 2, 3, 3), 5.0)
    for generated, style in ((flat, S), (F, flat), (flat, flat + 1)):
        value, gradient = value_and_gradient(losses.wasserstein_loss, generated, style)
        assert np.isfinite(value) and np.isfinite(gradient).all()
    assert np.isclose(value, 1)


def test_invalid_statistics_are_refused():
    m, G = mean_and_gram(F)
    for wrong in ((m[0], G, m, G), (m, G[:, :2], m, G), (m, G, m, m), (m[:0], G[:0], m[:0], G[:0])):
        with pytest.raises(ShapeError, match="found statistics of shapes"):
            losses.gaussian_loss(*wrong)
    with pytest.raises(ShapeError, match=r"wanted the same shape \(N, C\)"):
        losses.deviation_loss(m, m, m, G)
    for wrong in (losses.moments_loss, losses.wasserstein_loss):
        with pytest.raises(ArgumentError, match="epsilon is -1; wanted a number of at least 0"):
            wrong(F, S, epsilon=-1)
    with pytest.raises(ArgumentError, match="no gradient for target_root"):
        losses.gaussian_loss(m, G, m, Tensor(G, requires_grad=True))


# ---- histograms ----------------------------------------------------------------------------------


def test_histograms_by_hand():
    """Sorted, 1 2 6 is compared with 3 4 8."""
    value, gradient = value_and_gradient(losses.histogram_loss, channel(6, 1, 2), channel(4, 3, 8))
    assert value == 4
    assert np.allclose(gradient.ravel(), -4 / 3)


def test_the_style_is_interpolated_at_the_quantiles():
    halves = channel(0, 4)  # at 1/4 and 3/4
    value, gradient = value_and_gradient(losses.histogram_loss, channel(0, 0, 0, 0), halves)
    assert value == (0**2 + 1**2 + 3**2 + 4**2) / 4
    assert np.array_equal(gradient.ravel(), [0, -0.5, -1.5, -2])
    assert losses.histogram_loss(channel(7), channel(1, 5)) == (7 - 3) ** 2


def test_of_equal_numbers_the_first_has_the_lowest_rank():
    _, gradient = value_and_gradient(losses.histogram_loss, channel(1, 1, 0), channel(2, 4, 6))
    assert np.allclose(gradient.ravel(), np.array([1 - 4, 1 - 6, 0 - 2]) * 2 / 3)


def test_a_style_may_be_given_as_sorted_numbers():
    numbers = losses.sorted_channels(S)
    assert losses.histogram_loss(F, numbers) == losses.histogram_loss(F, S)
    with pytest.raises(ShapeError, match=r"sorted numbers \(1, 28, 2\); wanted \(1, M, 3\)"):
        losses.histogram_loss(F, numbers[..., :2])


# ---- neighbours ----------------------------------------------------------------------------------


def test_positions_of_zeros_have_the_distance_1_and_no_gradient():
    zeros = np.zeros((1, 1, 2, 3))
    value, gradient = value_and_gradient(losses.nearest_loss, zeros, S)
    assert value == 1 and not gradient.any()
    assert losses.nearest_loss(F, zeros) == 1


def test_a_tie_goes_to_the_first_position():
    """Both style positions have the cosine 0.6, but the gradients differ."""
    style = np.array([[3.0, 4.0], [3.0, -4.0]]).reshape(1, 1, 2, 2)
    x = np.array([1.0, 0.0]).reshape(1, 1, 1, 2)
    for order, slope in ((slice(None), -0.8), (slice(None, None, -1), 0.8)):
        value, gradient = value_and_gradient(losses.nearest_loss, x, style[:, :, order])
        assert np.isclose(value, 0.4)
        assert np.allclose(gradient.ravel(), [0, slope])


def test_strips_give_the_same(monkeypatch):
    wanted = value_and_gradient(losses.nearest_loss, F, S)
    monkeypatch.setattr(nearest, "SIMILARITIES", 100)  # 3 of the 30 positions at a time
    value, gradient = value_and_gradient(losses.nearest_loss, F, S)
    assert np.isclose(value, wanted[0], rtol=1e-14)
    assert np.allclose(gradient, wanted[1], rtol=1e-14)


def test_a_part_of_the_style_has_no_patch_loss():
    value, gradient = value_and_gradient(losses.patch_loss, S[:, 1:, 2:6], S)
    assert value == 0 and not gradient.any()


def test_patches_by_hand():
    """Of the patches 3 1 and 1 4, the second resembles 0 1 more: 1² and 3²."""
    style = channel(3, 1, 4)[:, [0, 0]]
    picture = channel(0, 1)[:, [0, 0]]
    value, gradient = value_and_gradient(losses.patch_loss, picture, style, size=2)
    assert value == (1**2 + 3**2) / 2
    assert np.array_equal(gradient[0, 0].ravel(), [-0.5, -1.5])


def test_a_picture_smaller_than_a_patch_is_refused():
    with pytest.raises(ShapeError, match="hold no patch of 3x3; take a larger picture"):
        losses.patch_loss(F[:, :2], S)
    with pytest.raises(ArgumentError, match="window"):
        losses.patch_loss(F, S, size=0)
