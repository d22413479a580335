"""Maps as pictures: what is black, white, orange and blue."""

import numpy as np

from minidl.visualize.drawing.shades import AGAINST, FOR, shades

PICTURE = np.full((4, 6, 3), 100.0)  # which is 100 when it is grey and dim, too


def test_a_map_without_negative_numbers_goes_from_black_to_white():
    found = shades(np.array([[0.0, 2.0], [4.0, 4.0]]), PICTURE)
    assert found.grey.tolist() == [[0] * 3 + [127.5] * 3] * 2 + [[255] * 6] * 2
    assert found.scale == "from 0 to 4"


def test_a_map_with_them_has_grey_in_the_middle():
    found = shades(np.array([[-2.0, 0.0], [1.0, 2.0]]).repeat(2, 0).repeat(3, 1), PICTURE)
    assert (
        np.unique(found.grey).tolist() == [0, 127.5, 191.25, 255] and found.scale == "from -2 to 2"
    )
    assert found.laid_over[0, 0].tolist() == list(AGAINST) and found.laid_over[
        3, 5
    ].tolist() == list(FOR)
    assert found.laid_over[0, 5].tolist() == [100] * 3


def test_one_peak_does_not_leave_all_the_rest_dark():
    values = np.ones((20, 20))
    values[3, 4] = 1e6
    assert shades(values, np.zeros((20, 20, 3))).grey.min() == 255


def test_nothing_is_black():
    found = shades(np.zeros((2, 3)), PICTURE)
    assert not found.grey.any() and found.scale == "all 0" and np.all(found.laid_over == 100)
