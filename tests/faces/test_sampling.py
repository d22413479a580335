"""Scaled pictures and cut squares, compared with their definition and by hand."""

import numpy as np
import pytest

from minidl.faces.sampling import Square, resized, shrunk
from tests.models import face_definitions as definitions


def noise(height, width):
    return np.random.default_rng(0).uniform(0, 255, (height, width, 3))


@pytest.mark.parametrize(
    ("height", "width", "side"), [(7, 7, 5), (7, 7, 16), (9, 4, 8), (3, 8, 8), (1, 1, 4), (6, 6, 6)]
)
def test_resized_is_the_definition(height, width, side):
    picture = noise(height, width)
    padded = definitions.square(picture, centred=False)
    np.testing.assert_allclose(
        resized(padded, side, side), definitions.resized(padded, side), atol=1e-10
    )


def test_float32_is_kept_and_the_picture_is_not_changed():
    picture = noise(5, 6).astype(np.float32)
    before = picture.copy()
    picture.flags.writeable = False
    for result in (
        resized(picture, 3, 9),
        shrunk(picture, 2),
        Square(2, 2, 3, 0.5).cut(picture, 4),
    ):
        assert result.dtype == np.float32
    assert resized(picture, 3, 9).shape == (3, 9, 3)
    np.testing.assert_array_equal(picture, before)


def test_shrunk_gives_the_means_of_blocks():
    picture = noise(7, 9)
    result = shrunk(picture, 3)
    assert result.shape == (2, 3, 3)
    np.testing.assert_allclose(result[1, 2], picture[3:6, 6:9].mean(axis=(0, 1)))


def mixed(picture, row, column):
    """Return the colour at a position by the definition of bilinear interpolation."""
    total = np.zeros(3)
    for i in range(int(np.floor(row)), int(np.floor(row)) + 2):
        for j in range(int(np.floor(column)), int(np.floor(column)) + 2):
            if 0 <= i < picture.shape[0] and 0 <= j < picture.shape[1]:
                total += (1 - abs(row - i)) * (1 - abs(column - j)) * picture[i, j]
    return total


SQUARES = (
    Square(9, 8, 12),
    Square(9, 8, 12, 0.4),
    Square(0, 0, 10, -2.0),
    Square(3, 15, 40, 3.0),
    Square(100, 3, 9),
)


@pytest.mark.parametrize("square", SQUARES)
def test_a_rotated_square_is_the_definition(square):
    picture, pixels = noise(16, 18), 24
    result = square.cut(picture, pixels)
    for i in range(0, pixels, 5):
        for j in range(0, pixels, 3):
            column, row = square.place(np.array([j, i]) / pixels)
            np.testing.assert_allclose(result[i, j], mixed(picture, row, column), atol=1e-9)


def test_a_square_by_hand():
    square = Square(10, 20, 4, np.pi / 2)  # a quarter turn clockwise
    np.testing.assert_allclose(
        square.place(np.array([[0.5, 0.5], [1.0, 0.5], [0.5, 1.0], [0, 0]])),
        [[10, 20], [10, 22], [8, 20], [12, 18]],
    )


def test_all_pixels_of_a_large_square_contribute():
    """A chessboard of single pixels becomes grey. Every tenth pixel would be black or white."""
    picture = np.repeat((np.indices((200, 200)).sum(axis=0) % 2 * 255.0)[..., None], 3, axis=2)
    np.testing.assert_allclose(Square(100, 100, 160).cut(picture, 16), 127.5)
    np.testing.assert_allclose(Square(100, 100, 120, 0.3).cut(picture, 12), 127.5)


@pytest.mark.parametrize("side", [40.0, 100.0, 320.0, 500.0])
def test_a_reduced_square_is_not_displaced(side):
    """The mean of a block of a linear ramp is the value at its centre."""
    rows, columns = np.indices((600, 640)).astype(float)
    result = Square(310, 290, side).cut(np.stack([columns, rows, rows], axis=-1), 50)
    places = np.arange(50) / 50 * side - side / 2
    np.testing.assert_allclose(result[..., 0], np.broadcast_to(310 + places, (50, 50)), atol=1e-9)
    np.testing.assert_allclose(
        result[..., 1], np.broadcast_to(290 + places[:, None], (50, 50)), atol=1e-9
    )


def test_a_reduced_square_includes_the_pixels_at_the_border():
    """In blocks of 4, the last three of 39 columns form a block with a black one: its mean is 60.
    Column 36 is at 8.625 blocks."""
    result = Square(20, 20, 40).cut(np.full((39, 39, 3), 80.0), 10)
    np.testing.assert_allclose(result[1:-1, 1:-1], 80)
    np.testing.assert_allclose(result[1:-1, -1], 0.375 * 80 + 0.625 * 60)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1)])
@pytest.mark.parametrize("side", [1.0, 90.0, 900.0])
def test_pictures_of_any_shape_can_be_cut(shape, side):
    result = Square(0.5, 0.5, side, 0.1).cut(noise(*shape), 30)
    assert result.shape == (30, 30, 3) and np.isfinite(result).all()
    assert 0 <= result.min() <= result.max() <= 255
