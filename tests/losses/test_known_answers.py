"""The losses: numbers from the literature, definitions, and relations between the losses."""

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
    matrices = features.reshape(len(features), -1, features.shape[-1])
    return np.array([matrix.T @ matrix for matrix in matrices])


# ---- Gram matrices -------------------------------------------------------------------------------


def test_the_gram_matrix_of_the_coursera_assignment():
    """The two rows of numbers in the assignment are two positions of three channels."""
    rows = [[-1.6834447, 4.1890917, 3.8925915], [1.8942870, 1.3846823, 2.3524866]]
    G = losses.gram_matrix(np.array(rows).reshape(1, 1, 2, 3))[0]
    wanted = [[6.4223, -4.4291, -2.0967], [-4.4291, 19.4658, 19.5639], [-2.0967, 19.5639, 20.6865]]
    assert np.allclose(G, wanted, atol=5e-5)


def test_the_gram_matrix_of_ones_counts_positions():
    assert np.all(losses.gram_matrix(np.ones((2, 3, 4, 5))) == 12)
    assert np.all(losses.gram_matrix(np.ones((2, 3, 4, 5)), "positions") == 1)
    assert np.all(losses.gram_matrix(np.ones((2, 3, 4, 5)), "size") == 1 / 5)


def test_a_gram_matrix_does_not_depend_on_the_order_of_positions():
    shuffled = rng.permutation(F.reshape(2, 12, 5), axis=1).reshape(2, 4, 3, 5)
    assert np.allclose(losses.gram_matrix(shuffled), losses.gram_matrix(F), rtol=1e-13)


# ---- content -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("normalization", "factor"),
    [("half", 1 / 2), ("sum", 1), ("mean", 1 / 120), ("coursera", 1 / (4 * 60))],
)
def test_content_losses_by_their_definitions(normalization, factor):
    wanted = factor * ((F - S) ** 2).sum()
    assert np.isclose(losses.content_loss(F, S, normalization), wanted, rtol=1e-14)


@pytest.mark.parametrize("normalization", CONTENT)
def test_the_content_loss_of_equal_features_is_0(normalization):
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


def test_gatys_and_coursera_are_the_same_loss():
    assert losses.style_loss(F, S, "gatys") == losses.style_loss(F, S, "coursera")


@pytest.mark.parametrize("normalization", STYLE)
def test_the_style_loss_of_equal_features_is_0(normalization):
    value, gradients = value_and_grad(lambda a, b: losses.style_loss(a, b, normalization))(F, F)
    assert value == 0
    assert not any(gradient.any() for gradient in gradients)


@pytest.mark.parametrize("normalization", STYLE)
@pytest.mark.parametrize("size", [(3, 4), (7, 2)])
def test_a_style_may_be_given_as_a_gram_matrix(normalization, size):
    style = rng.standard_normal((2, *size, 5))
    A = losses.gram_matrix(style, "positions")
    loss_to_features = value_and_grad(lambda f: losses.style_loss(f, style, normalization))
    loss_to_gram = value_and_grad(lambda f: losses.style_loss(f, A, normalization))
    value, (gradient,) = loss_to_features(F)
    value_to_gram, (gradient_to_gram,) = loss_to_gram(F)
    assert value == value_to_gram
    assert np.array_equal(gradient, gradient_to_gram)


def test_the_gradient_in_the_form_of_gatys():
    """∂E/∂F = F (G - A) / (C² M²)."""
    _, (gradient,) = value_and_grad(lambda f: losses.style_loss(f, S))(F)
    wanted = F.reshape(2, 12, 5) @ (grams(F) - grams(S)) / (5**2 * 12**2)
    assert np.allclose(gradient, wanted.reshape(F.shape), rtol=1e-12)


def test_the_total_cost_of_the_coursera_assignment():
    """A content loss of 0.2 and a style loss of 0.8, with the weights 10 and 40."""
    zero, one = np.zeros((1, 1, 1, 1)), np.ones((1, 1, 1, 1))
    content = losses.content_loss(np.sqrt(0.8) * one, zero, "coursera")
    style = losses.style_loss(3.2**0.25 * one, zero, "coursera")
    assert np.isclose(10 * content + 40 * style, 34)


# ---- total variation -----------------------------------------------------------------------------


def variation(picture, form):
    """Return the total variation and its gradient."""
    value, (gradient,) = value_and_grad(lambda image: losses.total_variation(image, form))(picture)
    return value, gradient


@pytest.mark.parametrize("form", FORMS)
def test_the_variation_of_a_uniform_picture_is_0(form):
    value, gradient = variation(np.full((3, 4, 3), 7.0), form)
    assert value == 0
    assert not gradient.any()


@pytest.mark.parametrize("form", FORMS)
def test_the_variation_does_not_depend_on_brightness(form):
    """The elements of the gradient therefore sum to 0."""
    picture = rng.integers(0, 256, (4, 5, 3)).astype(float)
    value, gradient = variation(picture, form)
    assert np.isclose(losses.total_variation(picture + 10, form), value, rtol=1e-13)
    assert abs(gradient.sum()) <= 1e-13 * abs(gradient).sum()


@pytest.mark.parametrize("form", sorted({*FORMS} - {"mean_squares", "nine_point"}))
def test_the_variation_of_a_batch_is_the_sum_over_its_pictures(form):
    pictures = rng.standard_normal((2, 4, 5, 3))
    wanted = sum(losses.total_variation(picture, form) for picture in pictures)
    assert np.isclose(losses.total_variation(pictures, form), wanted, rtol=1e-13)


def test_the_gradient_of_nine_point_is_the_nine_point_laplacian():
    """-1/3 [[1, 4, 1], [4, -20, 4], [1, 4, 1]] / (size of the picture), inside the border."""
    picture = rng.standard_normal((5, 5, 1))
    _, gradient = variation(picture, "nine_point")
    laplacian = np.array([[1.0, 4, 1], [4, -20, 4], [1, 4, 1]]) / 3
    wanted = -(laplacian * picture[1:4, 1:4, 0]).sum() / picture.size
    assert np.isclose(gradient[2, 2, 0], wanted, rtol=1e-13)
