"""Contact sheets: the places of pictures and texts."""

import numpy as np
import pytest

from minidl.errors import ArgumentError, ShapeError
from minidl.grids import GAP, LABEL, MARGIN, PAPER, TITLE
from minidl.style_transfer.sheet import sheet

COLOURS = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0), (0, 200, 200)]
PICTURES = [np.full((40, 80, 3), colour, np.float32) for colour in COLOURS]


def boxes(drawn):
    """Return for each colour the first row and column and the last row and column that have it."""
    found = []
    for colour in COLOURS:
        rows, columns = np.nonzero((drawn == colour).all(axis=-1))
        found.append((rows.min(), columns.min(), rows.max(), columns.max()))
    return found


def inked(drawn):
    return (drawn != PAPER).any(axis=-1)


def test_pictures_are_placed_row_by_row():
    drawn = sheet(PICTURES, 3)
    wanted = [
        (y, x, y + 39, x + 79)
        for y in (MARGIN, MARGIN + 40 + GAP)
        for x in (MARGIN, MARGIN + 80 + GAP, MARGIN + 2 * (80 + GAP))
    ]
    assert boxes(drawn) == wanted[:5]
    assert drawn.shape == (2 * MARGIN + 80 + GAP, 2 * MARGIN + 240 + 2 * GAP, 3)


def test_pictures_of_other_sizes_are_fitted_in_the_middle_of_equal_cells():
    small, narrow = PICTURES[1][:20, :40], PICTURES[2][:, :20]
    drawn = sheet([PICTURES[0], small, narrow, *PICTURES[3:]], 5)
    cells = [MARGIN + n * (80 + GAP) for n in range(5)]
    top, bottom = MARGIN, MARGIN + 39
    assert boxes(drawn)[1] == (top, cells[1], bottom, cells[1] + 79)
    assert boxes(drawn)[2] == (top, cells[2] + 30, bottom, cells[2] + 49)
    assert boxes(drawn)[3] == (top, cells[3], bottom, cells[3] + 79)


def test_large_pictures_are_reduced():
    top, left, bottom, right = boxes(sheet(PICTURES, 3, side=40))[4]
    assert (bottom - top + 1, right - left + 1) == (20, 40)


def test_labels_are_above_the_columns_and_left_of_the_rows():
    plain = boxes(sheet(PICTURES, 3))
    columns = sheet(PICTURES, 3, column_labels=["one", None, "three"])
    (top, left, _, _), *others = boxes(columns)
    assert (top - plain[0][0]) >= LABEL and left == plain[0][1]
    above = inked(columns[: top - 1]).any(axis=0)  # without the outlines of the cells
    starts = [left, others[0][1], others[1][1]]
    assert [above[start : start + 80].any() for start in starts] == [True, False, True]
    rows = sheet(PICTURES, 3, row_labels=[None, "second"])
    (top, left, bottom, _), *_, (last_top, *_) = boxes(rows)
    assert top == plain[0][0] and left > plain[0][1]
    beside = inked(rows[:, : left - 1]).any(axis=1)
    assert not beside[: bottom + 1].any() and beside[last_top:].any()


def test_captions_are_below_their_pictures_and_the_title_above_all():
    drawn = sheet(PICTURES, 2, captions=["A", None, None, None, "E"], title="Title")
    found = boxes(drawn)
    assert found[0][0] >= MARGIN + TITLE and inked(drawn[: found[0][0] - 1]).any()
    for number, (_, left, bottom, right) in enumerate(found):
        below = drawn[bottom + 2 : bottom + GAP, left:right]
        assert inked(below).any() == (number in (0, 4))


def test_impossible_sheets_are_refused():
    with pytest.raises(ArgumentError, match="no pictures"):
        sheet([], 2)
    for columns in (0, 1.5, True):
        with pytest.raises(ArgumentError, match=r"columns is .*; wanted a whole number"):
            sheet(PICTURES, columns)
    with pytest.raises(ArgumentError, match="6 captions for 5 pictures"):
        sheet(PICTURES, 2, captions=["a"] * 6)
    with pytest.raises(ArgumentError, match="3 texts for 2 places"):
        sheet(PICTURES, 2, column_labels=["a", "b", "c"])
    with pytest.raises(ArgumentError, match="4 texts for 3 places"):
        sheet(PICTURES, 2, row_labels=["a", "b", "c", "d"])
    with pytest.raises(ShapeError, match=r"\(2, 3, 4\)"):
        sheet([np.zeros((2, 3, 4))], 1)


def test_a_cell_may_be_empty():
    full, drawn = sheet(PICTURES, 3), sheet([*PICTURES[:3], None, PICTURES[4]], 3)
    left, top = MARGIN, MARGIN + 40 + GAP
    assert drawn.shape == full.shape
    assert (drawn[top : top + 40, left : left + 80] == PAPER).all()
    drawn[top - 1 : top + 41, left - 1 : left + 81] = full[top - 1 : top + 41, left - 1 : left + 81]
    np.testing.assert_array_equal(drawn, full)
    with pytest.raises(ArgumentError, match="no pictures"):
        sheet([None, None], 2)
