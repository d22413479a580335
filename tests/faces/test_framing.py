"""The place of a face in the pictures of a training, and parts of other pictures like them."""

import numpy as np
import pytest

from minidl.faces.framing import Framing
from minidl.faces.sampling import Square, shrunk

SIZE = 56, 46


def picture(height, width):
    """Return a picture whose colours are its rows, its columns, and noise."""
    y, x = np.indices((height, width)).astype(float)
    return np.stack([y, x, np.random.default_rng(0).uniform(0, 255, (height, width))], axis=-1)


def test_the_framing_is_the_median():
    squares = [Square(10, 20, 30), Square(30, 40, 50), Square(50, 90, 10, 0.3)]
    framing = Framing.of(squares, [(100, 100), (100, 200), (200, 100)])
    assert framing == pytest.approx((0.15, 0.4, 0.25, 0.3))


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_a_picture_framed_as_in_the_training_is_taken_as_a_whole(factor):
    whole = picture(factor * SIZE[0], factor * SIZE[1])
    square = Square(factor * 20.0, factor * 30.0, factor * 25.0)
    framing = Framing.of([square], [whole.shape[:2]])
    expected = shrunk(whole, factor)
    crop = framing.crop(whole, square, SIZE)
    # Position 0 of the crop is pixel 0 of the picture, not the centre of the first block.
    inner = slice(None) if factor == 1 else slice(1, -1)
    shift = (factor - 1) / 2
    np.testing.assert_allclose(
        crop[inner, inner, :2], expected[inner, inner, :2] - shift, atol=1e-6
    )
    if factor == 1:
        np.testing.assert_allclose(crop, whole, atol=1e-6)


def test_a_larger_face_elsewhere_is_cut_out_in_the_same_way():
    framing = Framing(0.5, 0.6, 0.5, 0.4)
    large = picture(600, 900)
    crop = framing.crop(large, Square(500.0, 300.0, 115.0), SIZE)
    # The part is 115 / 0.5 = 230 pixels wide and 115 / 0.4 = 287.5 pixels high.
    rows = 300 - 0.6 * 287.5 + np.arange(56) / 56 * 287.5
    columns = 500 - 0.5 * 230 + np.arange(46) / 46 * 230
    np.testing.assert_allclose(crop[..., 0], np.tile(rows[:, None], 46), atol=1e-3)
    np.testing.assert_allclose(crop[..., 1], np.tile(columns, (56, 1)), atol=1e-3)


def test_a_rotated_face_is_upright_in_its_part():
    framing = Framing(0.5, 0.5, 0.5, 0.5)
    turned = np.rot90(picture(80, 80), -1)  # clockwise
    upright = framing.crop(picture(80, 80), Square(40.0, 30.0, 30.0), SIZE)
    crop = framing.crop(turned, Square(79 - 30.0, 40.0, 30.0, np.pi / 2), SIZE)
    np.testing.assert_allclose(crop, upright, atol=1e-6)


def test_the_border_is_repeated_outside_the_picture():
    framing = Framing(0.5, 0.5, 0.9, 0.9)
    crop = framing.crop(np.full((40, 40, 3), 77.0), Square(2.0, 38.0, 300.0), SIZE)
    np.testing.assert_allclose(crop, 77)
    tiny = framing.crop(np.full((1, 2, 3), 9.0), Square(0.0, 0.0, 4000.0), SIZE)
    assert tiny.shape == (*SIZE, 3) and (tiny == 9).all()
