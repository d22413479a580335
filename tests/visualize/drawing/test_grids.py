import numpy as np
import pytest

from minidl.errors import ArgumentError, ShapeError
from minidl.visualize.drawing.grids import LINE, MARGIN, PAPER, grid
from tests.random_numbers import begun_anew

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (20, 30, 3)).astype(np.float32)
begin = begun_anew(RNG)


def holds(picture, part):
    """Whether the part stands somewhere in the picture, pixel by pixel"""
    h, w = part.shape[:2]
    windows = np.lib.stride_tricks.sliding_window_view(picture, (h, w), axis=(0, 1))
    starts = np.argwhere((windows[..., 0, 0] == part[0, 0]).all(axis=-1))
    return any(np.array_equal(picture[y : y + h, x : x + w], part) for y, x in starts)


def margins(picture):
    frame = np.ones(picture.shape[:2], bool)
    # a cell's outline is a pixel around it
    frame[MARGIN - 1 : 1 - MARGIN, MARGIN - 1 : 1 - MARGIN] = False
    return picture[frame]


def test_every_cell_stands_in_the_grid_as_it_is():
    grey = RNG.integers(0, 256, (25, 12)).astype(np.float32)
    drawn = grid([[PICTURE, None, grey], [grey]], [["one", "two"], []], side=1)
    assert drawn.dtype == np.float32 and drawn.min() >= 0 and drawn.max() <= 255
    assert holds(drawn, PICTURE) and holds(drawn, np.repeat(grey[..., None], 3, axis=-1))


def test_small_maps_are_enlarged_into_squares():
    small = RNG.integers(0, 256, (3, 5)).astype(np.float32)
    squares = np.repeat(np.repeat(small, 8, axis=0), 8, axis=1)[..., None].repeat(3, axis=-1)
    # 5 become 40, the first multiple that is not less
    assert holds(grid([[small]], side=36), squares)


@pytest.mark.parametrize(
    "words", ["short", "many words " * 30, "word" * 100, "two\nlines", "Größe: Ω 日本"]
)
def test_no_text_is_cut_off(words):
    plain = grid([[PICTURE, PICTURE]])
    for texts in ({"captions": [[words, None]]}, {"labels": [words]}, {"title": words}):
        drawn = grid([[PICTURE, PICTURE]], **texts)
        assert (margins(drawn) == PAPER).all(), texts
        assert drawn.shape != plain.shape  # the text has room of its own
        known = [PAPER, LINE]
        outside = drawn[~np.isin(drawn, known).all(axis=-1)]
        # letters stand beside the cells
        assert len(outside) > 2 * PICTURE.shape[0] * PICTURE.shape[1]


def test_a_text_is_drawn_where_no_cell_is():
    drawn = grid([[PICTURE]], [["caption " * 20]], ["label " * 20], "title " * 40, side=1)
    assert holds(drawn, PICTURE)


def test_the_same_bytes_twice_and_no_cell_is_changed():
    cell = PICTURE.copy()
    cell.flags.writeable = False
    first, again = (grid([[cell]], [["a"]], title="t") for _ in range(2))
    assert first.tobytes() == again.tobytes()


def test_what_is_no_grid_of_pictures_is_refused():
    with pytest.raises(ArgumentError, match="no pictures"):
        grid([[None, None]])
    with pytest.raises(ArgumentError, match="no pictures"):
        grid([])
    with pytest.raises(ShapeError, match=r"\(2, 3, 4\)"):
        grid([[np.zeros((2, 3, 4))]])
    with pytest.raises(ArgumentError, match="2 texts for 1 places"):
        grid([[PICTURE]], labels=["a", "b"])
