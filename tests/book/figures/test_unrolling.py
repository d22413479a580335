"""The figure of unrolling shows the rows that NumPy's index arithmetic gives."""

import numpy as np

from minidl.book.figures.unrolling import draw, planes, unroll
from tests.book.figures.drawn import numbers, pictures, tables


def test_after_a_transpose_a_row_is_a_position():
    x = np.arange(24.0).reshape(3, 2, 4)
    right = unroll(x, first_transpose=True)
    assert [*right.rows[5]] == [x[0, 1, 1], x[1, 1, 1], x[2, 1, 1]]
    np.testing.assert_array_equal(right.channels, [[0, 1, 2]] * 8)
    np.testing.assert_array_equal(right.picture, np.moveaxis(x, 0, -1))


def test_without_it_a_row_is_three_neighbours():
    x = np.arange(24.0).reshape(3, 2, 4)
    wrong = unroll(x, first_transpose=False)
    assert [*wrong.rows[1]] == [3, 4, 5]
    np.testing.assert_array_equal(wrong.channels.ravel(), np.repeat([0, 1, 2], 8))
    assert wrong.picture.shape == (2, 4, 3)


def test_the_drawing_shows_both():
    x = planes()
    frames = draw().variants[""]
    *three, wrong, right = pictures(frames[-1].svg)
    np.testing.assert_array_equal(three, x)
    np.testing.assert_array_equal(right, np.moveaxis(x, 0, -1))
    np.testing.assert_array_equal(wrong, x.reshape(wrong.shape))
    assert [len(pictures(frame.svg)) for frame in frames] == [3, 4, 5]


def test_the_tables_show_the_order_and_the_rows():
    x = planes()
    tied = np.moveaxis(x, 0, -1)
    order, rows, in_order, right_rows = tables(draw().variants[""][-1].svg)
    assert order == numbers(x[0, 0, :12]) and rows == order[:9]
    assert in_order == numbers(tied[0, :4]) and right_rows == in_order[:9]
