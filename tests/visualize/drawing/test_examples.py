"""Pictures, signals and volumes, alone and with a map."""

import numpy as np
import pytest

from minidl.visualize.drawing import columns
from minidl.visualize.drawing.examples import (
    FULL,
    HEIGHT,
    PAPER,
    WIDTH,
    caption,
    shaded,
    shown,
    slice_numbers,
    with_bar,
)
from minidl.visualize.drawing.shades import AGAINST, FOR, MIDDLE, shades

RNG = np.random.default_rng(0)
PICTURE = RNG.uniform(0, 255, (9, 12, 3))
SIGNAL = np.stack([np.linspace(-1, 1, 50), np.linspace(1, -1, 50)], axis=1)
VOLUME = np.arange(10 * 6 * 8.0).reshape(10, 6, 8, 1)


def test_a_picture_is_drawn_as_it_is():
    values = RNG.standard_normal((3, 4))
    assert shown(PICTURE) is PICTURE and caption(PICTURE) == "the picture"
    for one, other in zip(shaded(values, PICTURE), shades(values, PICTURE), strict=True):
        np.testing.assert_array_equal(one, other)


def darkest(picture):
    """The row of the darkest pixel of each column"""
    return picture.mean(axis=-1).argmin(axis=0)


def test_a_signal_is_drawn_as_a_curve_for_each_channel():
    assert caption(SIGNAL) == "the signal"
    rising = darkest(shown(SIGNAL[:, :1]))
    assert rising[0] > 0.9 * HEIGHT and rising[-1] < 0.1 * HEIGHT
    assert (np.diff(rising) <= 0).all()
    each = [shown(SIGNAL[:, [channel]]) for channel in (0, 1)]
    np.testing.assert_array_equal(shown(SIGNAL), np.minimum(*each))


@pytest.mark.parametrize("signal", [np.zeros((1, 1)), np.zeros((5, 2)), np.ones((900, 1))])
def test_short_constant_and_long_signals(signal):
    assert shown(signal).shape == (HEIGHT, WIDTH, 3) and np.isfinite(shown(signal)).all()


def test_the_map_of_a_signal_is_the_colour_of_the_paper():
    """The first half speaks against, and the second for."""
    drawn = shaded(np.array([-1.0, -1.0, 1.0, 1.0]), SIGNAL[:, :1])
    ends = [PAPER + FULL * (np.array(colour) - PAPER) for colour in (AGAINST, FOR)]
    for column, colour in zip((20, WIDTH - 20), ends, strict=True):
        paper = drawn.laid_over[HEIGHT // 2, column]
        np.testing.assert_allclose(paper, colour, atol=1)
    assert drawn.scale == "from -1 to 1" and drawn.grey.shape[1] == WIDTH
    np.testing.assert_allclose(drawn.colours, [ends[0], [PAPER] * 3, ends[1]], atol=1)


def test_a_volume_is_drawn_as_slices_side_by_side():
    assert slice_numbers(10) == [0, 1, 3, 4, 5, 6, 8, 9]
    assert caption(VOLUME) == "the volume: slices 0, 1, 3, 4, 5, 6, 8, 9"
    drawn, times = shown(VOLUME), 9  # 8 pixels become 72
    assert drawn.shape == (2 * 6 * times + 3, 4 * 8 * times + 9, 3)
    for number, (row, column) in zip(slice_numbers(10), np.ndindex(2, 4), strict=True):
        y, x = row * (6 * times + 3), column * (8 * times + 3)
        greys = VOLUME[number, ..., 0] * (255 / 479)
        np.testing.assert_allclose(
            drawn[y : y + 54 : times, x : x + 72 : times, 0], greys, rtol=1e-5
        )


def test_the_map_of_a_volume_has_one_scale_for_all_slices():
    values = np.zeros((5, 3, 4))
    values[0], values[2, 0, 0] = 1.0, -1.0
    drawn = shaded(values, np.zeros((10, 6, 8, 1)))
    assert drawn.scale == "from -1 to 1" and len(drawn.colours) == 3
    assert drawn.grey[0, 0, 0] == 255 and drawn.grey[-1, -1, 0] == 127.5
    first, last = drawn.laid_over[0, 0], drawn.laid_over[-1, -1]
    assert first[0] > first[2] and np.ptp(last) == 0  # orange; 0 has no colour


def test_the_bar_goes_from_the_least_number_to_the_largest():
    drawn = shaded(np.array([[-3.0, 4.0]]), np.full((9, 12, 3), 100.0))
    bar = with_bar(drawn)[-1]
    np.testing.assert_array_equal(bar[[0, -1]], [AGAINST, FOR])
    assert with_bar(drawn).shape == (9 + 3 + 8, 12, 3)
    np.testing.assert_array_equal(with_bar(drawn)[:9], drawn.laid_over)
    positive = with_bar(shaded(np.array([[1.0, 4.0]]), np.full((9, 12, 3), 100.0)))[-1]
    np.testing.assert_array_equal(positive[[0, -1]], [[MIDDLE] * 3, FOR])


@pytest.mark.parametrize("most", range(1, 9))
def test_no_picture_is_alone_in_the_last_row(most):
    for count in range(1, 40):
        found = columns(count, most)
        assert 1 <= found <= min(count, most + 3)
        assert count % found != 1 or count == 1 or found == 1
