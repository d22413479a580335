"""Shades: which numbers become black, white, orange and blue."""

import numpy as np

from minidl.visualize.drawing.shades import AGAINST, FOR, scale_bar, shades

PICTURE = np.full((4, 6, 3), 100.0)  # its darkened grey copy is 100 too


def test_a_map_without_negative_numbers_goes_from_black_to_white():
    shaded = shades(np.array([[0.0, 2.0], [4.0, 4.0]]), PICTURE)
    assert shaded.grey.tolist() == [[0] * 3 + [127.5] * 3] * 2 + [[255] * 6] * 2
    assert shaded.scale == "from 0 to 4"


def test_in_a_map_with_negative_numbers_0_is_grey():
    shaded = shades(np.array([[-2.0, 0.0], [1.0, 2.0]]).repeat(2, 0).repeat(3, 1), PICTURE)
    assert np.unique(shaded.grey).tolist() == [0, 127.5, 191.25, 255]
    assert shaded.scale == "from -2 to 2"
    assert shaded.laid_over[0, 0].tolist() == list(AGAINST)
    assert shaded.laid_over[3, 5].tolist() == list(FOR)
    assert shaded.laid_over[0, 5].tolist() == [100] * 3


def test_one_large_number_does_not_make_all_others_dark():
    values = np.ones((20, 20))
    values[3, 4] = 1e6
    assert shades(values, np.zeros((20, 20, 3))).grey.min() == 255


def test_a_map_of_zeros_is_black():
    shaded = shades(np.zeros((2, 3)), PICTURE)
    assert not shaded.grey.any() and shaded.scale == "all 0" and np.all(shaded.laid_over == 100)


def test_the_picture_is_visible_below_the_strongest_colour():
    """The lightness keeps its order, and most of its range."""
    greys = np.linspace(0, 255, 50)
    picture = np.repeat(greys[None, :, None], 3, axis=-1)
    for sign in (1, -1):
        lightness = shades(np.full((1, 50), sign), picture).laid_over.mean(axis=-1)[0]
        assert (np.diff(lightness) > 0).all() and np.ptp(lightness) > 100


def test_the_colours_of_the_scale():
    assert shades(np.array([[1.0]]), PICTURE).colours == [(100.0, 100.0, 100.0), FOR]
    assert shades(np.array([[1.0, -1.0]]), PICTURE).colours[::2] == [AGAINST, FOR]
    bar = scale_bar([AGAINST, (0, 0, 0), FOR], 2, 5)
    assert bar.shape == (2, 5, 3) and bar[0, [0, 2, 4]].tolist() == [[*AGAINST], [0] * 3, [*FOR]]
