"""The losses: numbers from the literature, and what their docstrings claim of each other."""

import numpy as np
import pytest

from minidl import losses, value_and_grad
from minidl.losses.content import FACTORS as CONTENT
from minidl.losses.style import FACTORS as STYLE
from minidl.losses.total_variation import FORMS
from tests.random_numbers import begun_anew

rng = np.random.default_rng(0)
F, S = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 4, 5))
begin = begun_anew(rng)


def grams(features):
    return np.array(
        [picture.T @ picture for picture in features.reshape(len(features), -1, features.shape[-1])]
    )


# ---- Gram matrices -------------------------------------------------------------------------------


def test_the_gram_matrix_of_the_coursera_assignment():
    """Two rows of numbers there are two positions of three channels."""
    features = np.array(
        [[-1.6834447, 4.1890917, 3.8925915], [1.8942870, 1.3846823, 2.3524866]]
    ).reshape(1, 1, 2, 3)
    wanted = [[6.4223, -4.4291, -2.0967], [-4.4291, 19.4658, 19.5639], [-2.0967, 19.5639, 20.6865]]
    assert np.allclose(losses.gram_matrix(features)[0], wanted, atol=5e-5)


def test_the_gram_matrix_of_ones_counts_positions():
    assert np.all(losses.gram_matrix(np.ones((2, 3, 4, 5))) == 12)
    assert np.all(losses.gram_matrix(np.ones((2, 3, 4, 5)), "positions") == 1)
    assert np.all(losses.gram_matrix(np.ones((2, 3, 4, 5)), "size") == 1 / 5)


def test_a_gram_matrix_forgets_where_its_features_are():
    shuffled = rng.permutation(F.reshape(2, 12, 5), axis=1).reshape(2, 4, 3, 5)
    assert np.allclose(losses.gram_matrix(shuffled), losses.gram_matrix(F), rtol=1e-13)


# ---- content -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("normalization", "factor"),
    [("half", 1 / 2), ("sum", 1), ("mean", 1 / 120), ("coursera", 1 / (4 * 60))],
)
def test_content_losses_by_their_definitions(normalization, factor):
    assert np.isclose(
        losses.content_loss(F, S, normalization), factor * ((F - S) ** 2).sum(), rtol=1e-14
    )


@pytest.mark.parametrize("normalization", CONTENT)
def test_a_picture_has_its_own_content(normalization):
    value, gradients = value_and_grad(lambda a, b: losses.content_loss(a, b, normalization))(F, F)
    assert value == 0
    assert not any(gradient.any() for gradient in gradients)


# ---- style ---------------------------------------------------------------------------------------


def test_style_losses_by_their_definitions():
    squares, H, W, C = (grams(F) - grams(S)) ** 2, 3, 4, 5
    wanted = {
        "gatys": squares.sum() / (4 * C**2 * (H * W) ** 2),
        "coursera": squares.sum() / (4 * C**2 * (H * W) ** 2),
        "ng": squares.sum() / (2 * H * W * C),
        "positions_mean": (squares / (H * W) ** 2).mean(),
        "size_sum": (squares / (H * W * C) ** 2).sum(),
    }
    assert wanted.keys() == STYLE.keys()
    for normalization, value in wanted.items():
        assert np.isclose(losses.style_loss(F, S, normalization), value, rtol=1e-13)


def test_gatys_and_coursera_are_one_loss():
    assert losses.style_loss(F, S, "gatys") == losses.style_loss(F, S, "coursera")


@pytest.mark.parametrize("normalization", STYLE)
def test_a_picture_has_its_own_style(normalization):
    value, gradients = value_and_grad(lambda a, b: losses.style_loss(a, b, normalization))(F, F)
    assert value == 0
    assert not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("normalization", STYLE)
@pytest.mark.parametrize("size", [(3, 4), (7, 2)])
def test_a_style_may_be_its_gram_matrix_made_once(normalization, size):
    style = rng.standard_normal((2, *size, 5))
    made_once = losses.gram_matrix(style, "positions")
    one, other = (
        value_and_grad(lambda f, style=style: losses.style_loss(f, style, normalization))(F)
        for style in (style, made_once)
    )
    assert one[0] == other[0]
    assert np.array_equal(one[1][0], other[1][0])


def test_gatys_gradient_as_the_paper_writes_it():
    """∂E/∂F = F (G - A) / (C² M²)"""
    _, (gradient,) = value_and_grad(lambda f: losses.style_loss(f, S))(F)
    wanted = F.reshape(2, 12, 5) @ (grams(F) - grams(S)) / (5**2 * 12**2)
    assert np.allclose(gradient, wanted.reshape(F.shape), rtol=1e-12)


def test_the_total_cost_of_the_coursera_assignment():
    """Each term stands alone: content 0.2 and style 0.8, weighed by 10 and 40."""
    content = losses.content_loss(
        np.full((1, 1, 1, 1), np.sqrt(0.8)), np.zeros((1, 1, 1, 1)), "coursera"
    )
    style = losses.style_loss(np.full((1, 1, 1, 1), 3.2**0.25), np.zeros((1, 1, 1, 1)), "coursera")
    assert np.isclose(10 * content + 40 * style, 34)


# ---- total variation -----------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_flat_picture_has_no_variation(form):
    value, (gradient,) = value_and_grad(lambda image: losses.total_variation(image, form))(
        np.full((3, 4, 3), 7.0)
    )
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("form", FORMS)
def test_brightness_does_not_vary_and_the_gradient_sums_to_nothing(form):
    picture = rng.integers(0, 256, (4, 5, 3)).astype(float)
    value, (gradient,) = value_and_grad(lambda image: losses.total_variation(image, form))(picture)
    assert np.isclose(losses.total_variation(picture + 10, form), value, rtol=1e-13)
    assert abs(gradient.sum()) <= 1e-13 * abs(gradient).sum()


@pytest.mark.parametrize("form", sorted({*FORMS} - {"mean_squares", "nine_point"}))
def test_a_batch_varies_as_much_as_its_pictures(form):
    pictures = rng.standard_normal((2, 4, 5, 3))
    assert np.isclose(
        losses.total_variation(pictures, form),
        sum(losses.total_variation(picture, form) for picture in pictures),
        rtol=1e-13,
    )


def test_nine_point_s_gradient_is_the_nine_point_laplacian():
    """-1/3 [[1, 4, 1], [4, -20, 4], [1, 4, 1]] over the size of the picture, inside the border."""
    picture = rng.standard_normal((5, 5, 1))
    _, (gradient,) = value_and_grad(lambda image: losses.total_variation(image, "nine_point"))(
        picture
    )
    laplacian = np.array([[1.0, 4, 1], [4, -20, 4], [1, 4, 1]]) / 3
    wanted = -(laplacian * picture[1:4, 1:4, 0]).sum() / picture.size
    assert np.isclose(gradient[2, 2, 0], wanted, rtol=1e-13)
