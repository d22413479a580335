"""The parameterization of pictures: its definitions, and the covariance of natural colours."""

import numpy as np
import pytest

from minidl.autograd import value_and_grad
from minidl.data.images import PICTURES, read_image
from minidl.visualize.parameterization import (
    COVARIANCE,
    STEEPEST,
    Parameterization,
    amplitudes,
    mixing,
    waves,
)


def test_the_covariance_is_that_of_the_shipped_pictures():
    pictures = [read_image(path) for path in PICTURES.iterdir() if path.suffix != ".md"]
    assert len(pictures) == 9
    within = [np.cov(picture.reshape(-1, 3).T.astype(float) / 255) for picture in pictures]
    np.testing.assert_allclose(COVARIANCE, np.mean(within, axis=0), atol=1e-4)


def test_mixing_gives_independent_numbers_the_covariance_of_colours():
    np.testing.assert_allclose(mixing() @ mixing().T, COVARIANCE, atol=1e-15)
    light = mixing()[:, -1] * np.sign(mixing()[0, -1])
    assert light.min() > 0 and light.max() < 1.5 * light.min()  # the axis of lightness
    assert (light**2).sum() > 0.75 * np.trace(COVARIANCE)


@pytest.mark.parametrize("n", [1, 2, 7, 16])
def test_waves_are_orthonormal(n):
    np.testing.assert_allclose(waves(n) @ waves(n).T, np.eye(n), atol=1e-14)


def test_amplitudes_fall_as_the_frequency_rises():
    s = amplitudes(8, 16)
    assert s[0, 2] / s[0, 4] == pytest.approx(2)  # an octave
    assert s[1, 0] == pytest.approx(s[0, 2])  # equal periods per pixel along both axes
    assert s[0, 0] == s[0, 1] == s.max()
    assert (s**2).mean() == pytest.approx(1)


def test_one_number_gives_one_wave_in_one_mixture_of_colours():
    z = np.zeros((1, 3, 5, 6), np.float32)
    z[0, 1, 2, 3] = 0.7
    i, j = np.arange(5)[:, None], np.arange(6)
    wave = np.cos(np.pi * 2 * (i + 0.5) / 5) * np.cos(np.pi * 3 * (j + 0.5) / 6)
    wave *= np.sqrt(2 / 5 * 2 / 6)
    u = 0.7 * amplitudes(5, 6)[2, 3] * wave[..., None] * STEEPEST * mixing()[:, 1]
    np.testing.assert_allclose(Parameterization(5, 6)(z)[0], 255 / (1 + np.exp(-u)), rtol=1e-5)


def test_pictures_stay_within_bounds_and_are_nearly_grey_at_first():
    picture = Parameterization(9, 12)
    extreme = picture(1e4 * picture.noise(np.random.default_rng(0), 2))
    assert extreme.shape == (2, 9, 12, 3) and extreme.min() >= 0 and extreme.max() <= 255
    assert abs(picture(picture.noise(np.random.default_rng(0), 2)) - 127.5).max() < 10


def test_the_gradient_is_that_of_finite_differences():
    picture, rng = Parameterization(4, 5), np.random.default_rng(0)
    for name in ("scale", "down", "across", "mixing"):
        setattr(picture, name, getattr(picture, name).astype(float))
    z, direction = rng.standard_normal((2, 1, 3, 4, 5))
    weights = rng.standard_normal((1, 4, 5, 3))
    _, (dz,) = value_and_grad(lambda z: (picture(z) * weights).sum())(z)
    step = 1e-5 * direction
    slope = ((picture(z + step) - picture(z - step)) * weights).sum() / 2e-5
    assert (dz * direction).sum() == pytest.approx(slope, rel=1e-7)
