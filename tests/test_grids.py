"""Grids: cells keep their pixels, and texts have space."""

import numpy as np
import pytest

from minidl.errors import ArgumentError, ShapeError
from minidl.grids import LINE, MARGIN, PAPER, grid
from tests.random_numbers import begun_anew

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (20, 30, 3)).astype(np.float32)
begin = begun_anew(RNG)


def contains(picture, part):
    """Return whether the part is in the picture somewhere, with equal pixels."""
    h, w = part.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (h, w), axis=(0, 1))
    starts = np.argwhere((windows[..., 0, 0] == part[0, 0]).all(axis=-1))
    return any(np.array_equal(picture[y : y + h, x : x + w], part) for y, x in starts)


def margins(picture):
    """Return the pixels (n, 3) of the margins."""
    frame = np.ones(picture.shape[:2], bool)
    inside = slice(MARGIN - 1, 1 - MARGIN)  # with the outline of the cells, one pixel wide
    frame[inside, inside] = False
    return picture[frame]


def test_the_grid_contains_the_pixels_of_every_cell():
    grey = RNG.integers(0, 256, (25, 12)).astype(np.float32)
    drawn = grid([[PICTURE, None, grey], [grey]], [["one", "two"], []], side=1)
    assert drawn.dtype == np.float32 and drawn.min() >= 0 and drawn.max() <= 255
    assert contains(drawn, PICTURE) and contains(drawn, np.repeat(grey[..., None], 3, axis=-1))


def test_pixels_of_small_cells_become_squares():
    small = RNG.integers(0, 256, (3, 5)).astype(np.float32)
    squares = np.repeat(np.repeat(small, 8, axis=0), 8, axis=1)[..., None].repeat(3, axis=-1)
    # 40 is the least multiple of 5 that is at least 36
    assert contains(grid([[small]], side=36), squares)


@pytest.mark.parametrize(
    "words", ["short", "many words " * 30, "word" * 100, "two\nlines", "Größe: Ω 日本"]
)
def test_texts_are_not_cut_off(words):
    plain = grid([[PICTURE, PICTURE]])
    for texts in (
        {"captions": [[words, None]]},
        {"labels": [words]},
        {"headings": [words]},
        {"title": words},
    ):
        drawn = grid([[PICTURE, PICTURE]], **texts)
        assert (margins(drawn) == PAPER).all(), texts
        assert drawn.shape != plain.shape  # the text has its own space
        inked = drawn[~np.isin(drawn, [PAPER, LINE]).all(axis=-1)]
        # more pixels than those of the two cells
        assert len(inked) > 2 * PICTURE.shape[0] * PICTURE.shape[1]


def test_texts_do_not_cover_cells():
    drawn = grid(
        [[PICTURE]], [["caption " * 20]], ["label " * 20], "title " * 40, 1, ["heading " * 20]
    )
    assert contains(drawn, PICTURE)


def test_grids_are_reproducible_and_do_not_change_their_cells():
    cell = PICTURE.copy()
    cell.flags.writeable = False
    first, again = (grid([[cell]], [["a"]], title="t") for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_empty_grids_and_cells_of_other_shapes_are_refused():
    with pytest.raises(ArgumentError, match="no pictures"):
        grid([[None, None]])
    with pytest.raises(ArgumentError, match="no pictures"):
        grid([])
    with pytest.raises(ShapeError, match=r"\(2, 3, 4\)"):
        grid([[np.zeros((2, 3, 4))]])
    with pytest.raises(ArgumentError, match="2 texts for 1 places"):
        grid([[PICTURE]], labels=["a", "b"])
