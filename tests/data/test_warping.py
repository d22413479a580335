"""warp rotates, zooms and shifts pictures as its formula states."""

from itertools import product

import numpy as np
import pytest

from minidl.data.warping import warp
from minidl.errors import ArgumentError

PICTURES = np.random.default_rng(0).uniform(0, 255, (4, 9, 12, 2)).astype(np.float32)


def plane(height, width):
    """Return (1, H, W, 2): the row and column of each pixel."""
    return np.stack(np.mgrid[:height, :width], axis=-1)[None].astype(np.float32)


def test_the_default_changes_nothing():
    np.testing.assert_array_equal(warp(np.random.default_rng(0), PICTURES), PICTURES)


def test_shifts_by_whole_pixels_and_rotations_by_90_degrees():
    class Rng:
        def uniform(self, low, high, size):
            return np.broadcast_to(np.float64(high), size)

    moved = warp(Rng(), PICTURES, shift=2)
    rows, columns = np.maximum(np.arange(9) - 2, 0), np.maximum(np.arange(12) - 2, 0)
    np.testing.assert_allclose(moved, PICTURES[:, rows][:, :, columns], rtol=1e-5)
    turned = warp(Rng(), PICTURES[:, :, :9], degrees=90)
    np.testing.assert_allclose(turned, np.rot90(PICTURES[:, :, :9], -1, axes=(1, 2)), rtol=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_each_pixel_follows_the_formula(seed):
    places = np.repeat(plane(31, 25), 3, axis=0)
    warped = warp(np.random.default_rng(seed), places, degrees=20, zoom=0.2, shift=3)
    rng = np.random.default_rng(seed)
    theta, power = np.radians(rng.uniform(-20, 20, 3)), rng.uniform(-1, 1, 3)
    t = rng.uniform(-3, 3, (2, 3))
    c = np.array([15, 12])
    for n, (i, j) in product(range(3), ((15, 12), (3, 20), (30, 0))):
        cos, sin = np.cos(theta[n]), np.sin(theta[n])
        A = np.array([[cos, -sin], [sin, cos]]) / 1.2 ** power[n]
        wanted = np.clip(c + A @ (np.array([i, j]) - c) - t[:, n], 0, [30, 24])
        np.testing.assert_allclose(warped[n, i, j], wanted, atol=1e-4)


def test_the_range_of_colours_and_the_seed():
    options = {"degrees": 30, "zoom": 0.5, "shift": 4}
    warped = warp(np.random.default_rng(1), PICTURES, **options)
    assert warped.dtype == np.float32 and warped.shape == PICTURES.shape
    assert warped.min() >= PICTURES.min() - 1e-3 and warped.max() <= PICTURES.max() + 1e-3
    np.testing.assert_array_equal(warped, warp(np.random.default_rng(1), PICTURES, **options))
    assert (warped != warp(np.random.default_rng(2), PICTURES, **options)).any()
    assert warp(np.random.default_rng(1), PICTURES.astype(np.uint8), **options).dtype == np.float32


def test_negative_amounts_are_refused():
    with pytest.raises(ArgumentError, match="wanted numbers of at least 0"):
        warp(np.random.default_rng(0), PICTURES, zoom=-0.1)
