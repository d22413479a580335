"""Patches stand in their place of the receptive field, and what lies outside is hatched."""

import numpy as np
import pytest

from minidl.grids import LINE, PAPER
from minidl.visualize.drawing.frames import Frame, frames, in_frame
from minidl.visualize.receptive_fields import receptive_fields
from tests.visualize import tiny


def field_of(extent=(16, 12), layer="far_relu"):
    """far_relu has fields of 8x8 pixels, 2 apart, of which the first begins 3 before the picture"""
    return receptive_fields(tiny.two_convolutions(), extent, [layer])[layer]


def test_a_frame_is_the_receptive_field():
    positions = [(0, 0), (3, 2), (7, 5)]
    assert frames(field_of(), positions) == [
        Frame((-3, -3), (8, 8)),
        Frame((3, 1), (8, 8)),
        Frame((11, 7), (8, 8)),
    ]
    place = field_of().seen((0, 0))
    assert place == (slice(0, 5), slice(0, 5)) and frames(field_of(), positions)[0].cuts(place)
    assert not frames(field_of(), positions)[1].cuts(field_of().seen((3, 2)))


def test_a_frame_leaves_out_what_lies_outside_the_picture_for_all_patches():
    """In a picture of 4x4, position 0 sees the pixels 0 to 3, and the centre of its field is at 1.
    They reach 3 pixels from there, and so do those of position 1, whose centre is at 3."""
    field = field_of(extent=(4, 4))
    assert frames(field, [(0, 0), (1, 1)]) == [Frame((-2, -2), (6, 6)), Frame((0, 0), (6, 6))]
    assert frames(field, [(0, 1)]) == [Frame((-2, 0), (6, 6))]


def test_of_a_layer_without_positions_the_frame_is_the_picture():
    field = receptive_fields(tiny.classifier(6, ("a", "b")), (6, 6), ["scores"])["scores"]
    assert frames(field, [(), ()]) == [Frame((0, 0), (6, 6))] * 2


def test_no_positions_have_no_frames():
    assert frames(field_of(), []) == []


@pytest.mark.parametrize(
    ("begin", "rows", "columns"),
    [
        ((-2, 0), (2, 4), (0, 4)),  # cut at the upper edge
        ((0, -1), (0, 4), (1, 4)),  # at the left edge
        ((3, 2), (0, 3), (0, 4)),  # at the lower edge
        ((4, 4), (0, 2), (0, 2)),  # in the lower right corner
    ],
)
@pytest.mark.parametrize("times", [1, 3])
def test_a_patch_is_drawn_where_the_edge_of_the_picture_is(begin, rows, columns, times):
    picture, frame = np.full((6, 6, 3), 200.0), Frame(begin, (4, 4))
    place = tuple(
        slice(max(0, first), min(length, first + 4))
        for first, length in zip(begin, picture.shape, strict=False)
    )
    drawn = in_frame(picture[place], place, frame, 4 * times)
    inside = (drawn == 200).all(axis=-1)
    wanted = np.zeros_like(inside)
    wanted[tuple(slice(a * times, b * times) for a, b in (rows, columns))] = True
    np.testing.assert_array_equal(inside, wanted)
    assert {tuple(colour) for colour in drawn[~inside].tolist()} == {LINE, PAPER}


def test_a_large_patch_is_averaged():
    part = np.tile([[0.0], [255.0]], (10, 40))[..., None].repeat(3, axis=-1)  # 20 of 40 rows
    drawn = in_frame(part, (slice(0, 20), slice(0, 40)), Frame((-20, 0), (40, 40)), 8)
    np.testing.assert_allclose(drawn[4:], 127.5, atol=30)
    assert drawn.shape == (8, 8, 3) and drawn[:4].min() >= min(LINE)


def test_pixels_are_not_stretched():
    """A patch of 2x4 of a field of 4x4 has half of the height."""
    pixels = np.arange(24.0).reshape(2, 4, 3)
    drawn = in_frame(pixels, (slice(0, 2), slice(0, 4)), Frame((-2, 0), (4, 4)), 8)
    np.testing.assert_array_equal(drawn[4:], pixels.repeat(2, axis=0).repeat(2, axis=1))
    assert {tuple(colour) for colour in drawn[:4].reshape(-1, 3).tolist()} == {LINE, PAPER}
