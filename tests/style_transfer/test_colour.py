"""Colours: the matches give the distribution of the photograph, and the luma is exchanged alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.backend import current_module, to_numpy
from minidl.errors import ArgumentError, ShapeError
from minidl.style_transfer.colour import (
    EPSILON,
    MATCHES,
    luma,
    match_colours,
    with_colours_of,
    without_colours,
)
from tests.devices import GPUS, at

SIZES = st.tuples(st.integers(3, 9), st.integers(3, 9))
SEEDS = st.integers(0, 2**32 - 1)
GREY = np.repeat(np.linspace(20, 200, 35).reshape(5, 7, 1), 3, axis=-1)
YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.275, -0.321], [0.212, -0.523, 0.311]])


def picture(seed, size, middle=128.0, spread=120.0):
    """Return a picture with numbers of middle ± spread, whose channels depend on each other."""
    rng = np.random.default_rng(seed)
    mixing = rng.uniform(0.1, 1, (3, 3)) + np.eye(3)
    mixing /= mixing.sum(0)
    return middle + spread * rng.uniform(-1, 1, (*size, 3)) @ mixing


def moments(pixels):
    pixels = np.asarray(pixels, np.float64).reshape(-1, 3)
    return pixels.mean(0), np.cov(pixels.T, bias=True)


@pytest.mark.parametrize("how", ["cholesky", "symmetric"])
@given(SEEDS, SIZES, SIZES)
def test_a_linear_match_gives_the_mean_and_the_covariance(how, seed, size, other):
    style, photograph = picture(seed, size), picture(seed + 1, other, middle=120, spread=20)
    matched = match_colours(style, photograph, how)
    assert matched.shape == style.shape and matched.dtype == np.float32
    mean, covariance = moments(matched)
    wanted_mean, wanted = moments(photograph)
    np.testing.assert_allclose(mean, wanted_mean, atol=1e-4)
    _, own = moments(style)  # A (Σ + εI) Aᵀ = Σ' + εI, and |A|² is at most |Σ' + εI| / min λ(Σ)
    stretch = (np.linalg.eigvalsh(wanted)[-1] + EPSILON) / np.linalg.eigvalsh(own)[0]
    np.testing.assert_allclose(covariance, wanted, atol=EPSILON * max(1, stretch) + 1e-3)


def test_the_linear_matches_differ_in_the_root():
    style, photograph = picture(0, (6, 6)), picture(1, (6, 6), spread=30)
    swapped = [2, 1, 0]  # the order of the channels
    for how, depends_on_the_order in (("symmetric", False), ("cholesky", True)):
        matched = match_colours(style, photograph, how)
        again = match_colours(style[..., swapped], photograph[..., swapped], how)[..., swapped]
        assert (abs(matched - again).max() > 1) == depends_on_the_order


def test_a_linear_match_of_channels_that_do_not_depend_on_each_other_is_known():
    """Each channel is scaled by the ratio of the standard deviations."""
    signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).reshape(2, 2, 3)
    style, photograph = 100 + signs * [10.0, 20.0, 40.0], 120 + signs * [30.0, 20.0, 10.0]
    for how in ("cholesky", "symmetric"):
        np.testing.assert_allclose(match_colours(style, photograph, how), photograph, atol=0.1)


@pytest.mark.parametrize("how", MATCHES)
def test_a_picture_matched_with_itself_remains(how):
    style = np.rint(picture(2, (8, 9)) / 16) * 16  # with equal numbers
    np.testing.assert_allclose(match_colours(style, style, how), style, atol=1e-4)


@pytest.mark.parametrize("how", MATCHES)
def test_grey_and_flat_pictures_can_be_matched(how):
    colours, flat = picture(3, (6, 4), spread=50), np.full((4, 4, 3), 77.0)
    np.testing.assert_allclose(match_colours(colours, flat, how), 77, atol=3)
    from_flat = match_colours(flat, colours, how)
    assert np.ptp(from_flat.reshape(-1, 3), axis=0).max() < 1e-3
    from_grey = match_colours(GREY, colours, how)
    np.testing.assert_allclose(moments(from_grey)[0], moments(colours)[0], atol=3)
    assert np.ptp(from_grey, axis=-1).max() > 1


@pytest.mark.parametrize("how", ["cholesky", "symmetric"])
def test_a_linear_match_to_a_grey_picture_gives_a_grey_picture(how):
    matched = match_colours(picture(3, (6, 4)), GREY, how)
    assert np.ptp(matched, axis=-1).max() < 5 < np.ptp(matched)


def test_rounding_errors_of_a_grey_picture_get_little_colour():
    noisy = np.rint(GREY + np.random.default_rng(0).uniform(-0.5, 0.5, GREY.shape))
    colours = picture(4, (9, 9), spread=90)
    matched, exact = (match_colours(grey, colours, "symmetric") for grey in (noisy, GREY))
    assert abs(matched - exact).mean() < moments(colours)[1].diagonal().max() ** 0.5


def test_results_of_a_match_are_clipped():
    style = np.full((10, 10, 3), 100.0)
    style[0, 0] = 255
    photograph = np.where(np.arange(10)[:, None, None] < 5, 30.0, 230.0) * np.ones((10, 10, 3))
    matched = match_colours(style, photograph, "symmetric")
    assert matched.max() == 255 and matched.min() > 0


def test_the_histogram_has_the_sorted_numbers_of_the_photograph():
    style, photograph = picture(5, (6, 8)), picture(6, (8, 6), spread=40)
    matched = match_colours(style, photograph, "histogram")
    for c in range(3):
        np.testing.assert_allclose(
            np.sort(matched[..., c].ravel()), np.sort(photograph[..., c].ravel()), rtol=1e-6
        )
        order = style[..., c].ravel().argsort()
        assert (np.diff(matched[..., c].ravel()[order]) >= 0).all()


def test_histograms_of_different_sizes_are_known():
    def match(style, photograph):
        pictures = (np.repeat(np.reshape(p, (1, -1, 1)), 3, axis=-1) for p in (style, photograph))
        return match_colours(*pictures, "histogram")[0, :, 0]

    # Ranks 0 and 1 of 2 are the positions 0.5 and 2.5 of 4.
    np.testing.assert_array_equal(match([9.0, 5.0], [10.0, 20.0, 40.0, 60.0]), [50, 15])
    # Ranks 0, 1, 2, 3 of 4 are the positions -0.25, 0.25, 0.75, 1.25 of 2.
    np.testing.assert_array_equal(match([1.0, 2.0, 3.0, 4.0], [0.0, 80.0]), [0, 20, 60, 80])
    # The equal numbers have the ranks 0, 1, 2, whose mean is 1.
    np.testing.assert_array_equal(match([5.0, 5.0, 7.0, 5.0], [1.0, 2.0, 3.0, 4.0]), [2, 2, 4, 2])


@given(SEEDS, SIZES)
def test_a_painting_keeps_its_luma_and_gets_the_chroma_of_the_photograph(seed, size):
    painting, photograph = picture(seed, size), picture(seed + 1, size)
    result = with_colours_of(painting, photograph)
    assert result.shape == (*size, 3) and result.dtype == np.float32
    assert result.min() >= 0 and result.max() <= 255
    np.testing.assert_allclose(luma(result), luma(painting), atol=1e-3)
    chroma, wanted = (p.astype(np.float64) @ YIQ[1:].T for p in (result, photograph))
    inside = ((result > 0) & (result < 255)).all(-1)
    np.testing.assert_allclose(chroma[inside], wanted[inside], atol=1e-2)
    # Outside, the hue remains: the chroma is shorter, and has the same direction.
    cross = chroma[..., 0] * wanted[..., 1] - chroma[..., 1] * wanted[..., 0]
    np.testing.assert_allclose(cross, 0, atol=1)
    assert (np.linalg.norm(chroma, axis=-1) < np.linalg.norm(wanted, axis=-1) + 1e-2).all()


def test_colours_that_do_not_fit_become_less_saturated():
    red = np.array([[[200.0, 0.0, 0.0]]])  # luma 59.8, chroma (140.2, -59.8, -59.8)
    light, white, black = (np.full((1, 1, 3), level) for level in (240.0, 255.0, 0.0))
    share = 15 / 140.2
    expected = 240 + share * np.array([[[140.2, -59.8, -59.8]]])
    np.testing.assert_allclose(with_colours_of(light, red), expected, rtol=1e-6)
    np.testing.assert_array_equal(with_colours_of(white, red), white)
    np.testing.assert_array_equal(with_colours_of(black, red), black)


def test_without_colours_both_pictures_have_the_same_luma_statistics():
    style, photograph = picture(7, (9, 5)), picture(8, (6, 7), middle=110, spread=40)
    grey_style, grey = without_colours(style, photograph)
    assert grey_style.shape == style.shape and grey.dtype == grey_style.dtype == np.float32
    np.testing.assert_allclose(grey, np.repeat(luma(photograph)[..., None], 3, -1), rtol=1e-6)
    for channel in np.moveaxis(grey_style, -1, 0):
        assert channel.mean() == pytest.approx(luma(photograph).mean(), abs=1e-3)
        assert channel.std() == pytest.approx(luma(photograph).std(), rel=1e-2)
        assert np.corrcoef(channel.ravel(), luma(style).ravel())[0, 1] == pytest.approx(1)
    flat, _ = without_colours(np.full((3, 3, 3), 9.1), photograph)
    np.testing.assert_allclose(flat, luma(photograph).mean(), rtol=1e-6)


def test_pictures_may_be_whole_numbers_and_are_not_changed():
    style, photograph = (np.rint(picture(s, (4, 4))).astype(np.uint8) for s in (9, 10))
    style.setflags(write=False)
    photograph.setflags(write=False)
    for function in (*FUNCTIONS, with_colours_of):
        whole, real = (
            np.stack(function(*pictures))
            for pictures in ((style, photograph), (style.astype(float), photograph.astype(float)))
        )
        np.testing.assert_array_equal(whole, real)


def match_by(how):
    return lambda picture, to: match_colours(picture, to, how)


FUNCTIONS = [*map(match_by, MATCHES), without_colours]


@pytest.mark.parametrize("place", GPUS)
def test_colours_are_the_same_on_a_gpu(place):
    style, photograph = (picture(s, (6, 5)).astype(np.float32) for s in (11, 12))
    for function in (*FUNCTIONS, with_colours_of):
        expected = np.stack(function(style, photograph))
        with at(place):
            xp = current_module()
            result = function(xp.asarray(style), xp.asarray(photograph))
            result = np.stack([to_numpy(part) for part in result])
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, expected, atol=1e-3)


def test_other_arguments_are_refused():
    one = np.full((2, 2, 3), 50.0)
    with pytest.raises(ArgumentError, match=r"how is 'choleski'.*did you mean 'cholesky'"):
        match_colours(one, one, "choleski")
    for wrong in (one[0], one[..., :2], one[None], one[:0]):
        for function in (*FUNCTIONS, with_colours_of):
            with pytest.raises(ShapeError, match=r"has shape .*; wanted \(H, W, 3\)"):
                function(one, wrong)
    with pytest.raises(ShapeError, match="wanted pictures of one size"):
        with_colours_of(one, one[:1])
