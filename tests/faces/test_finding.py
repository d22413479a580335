"""Boxes: of one face one, at every size and place, in pictures of every shape; and where there is no face, none."""

import numpy as np
import pytest

from minidl.data import read_image, resize, shipped_picture
from minidl.faces import finding
from minidl.faces.finding import best, find
from minidl.models import face_detector
from tests.models import face_definitions as definitions

FACE = np.array([163, 76, 116, 111])  # of the astronaut: x, y, width, height


@pytest.fixture(scope="module")
def detector():
    return face_detector()


@pytest.fixture(scope="module")
def astronaut():
    return read_image(shipped_picture("astronaut"))


def overlap(box, other):
    begin, end = np.maximum(box[:2], other[:2]), np.minimum(box[:2] + box[2:4], other[:2] + other[2:4])
    both = np.prod(np.maximum(end - begin, 0))
    return both / (np.prod(box[2:4]) + np.prod(other[2:4]) - both)


def test_one_face(detector, astronaut):
    [box] = find(detector, astronaut)
    assert box[4] > 0.9 and overlap(box[:4], FACE) > 0.8


def test_at_one_scale_it_is_the_definition(detector, astronaut, monkeypatch):
    monkeypatch.setattr(finding, "SIDES", (160,))
    picture = astronaut[20:220, 100:360]
    [found] = find(detector, picture)
    square = definitions.resized(definitions.square(picture, centred=False), 160)
    numbers = detector(square.astype(np.float32)).reshape(5, 5, 25)
    wanted = definitions.boxes(numbers.astype(float))
    wanted = wanted[wanted[:, 4].argmax()] * [260, 260, 260, 260, 1]
    np.testing.assert_allclose(found, wanted, rtol=1e-3)


@pytest.mark.parametrize("scale", [0.2, 0.25, 0.5, 1.7, 6.3])
def test_large_and_tiny_pictures(detector, astronaut, scale):
    side = int(512 * scale)
    [box] = find(detector, resize(astronaut, side, side))
    assert overlap(box[:4], FACE * scale) > 0.6


def test_a_small_face_in_a_large_picture(detector, astronaut):
    picture = np.full((1500, 2000, 3), 90, np.float32)
    picture[700:1100, 1500:1900] = resize(astronaut, 400, 400)
    [box] = find(detector, picture)
    assert overlap(box[:4] - [1500, 700, 0, 0], FACE * 400 / 512) > 0.6


def test_several_faces(detector, astronaut):
    one, other = resize(astronaut, 256, 256), resize(astronaut[:, ::-1], 400, 400)
    picture = np.zeros((400, 656, 3), np.float32)
    picture[:256, :256], picture[:, 256:] = one, other
    boxes = find(detector, picture)
    assert len(boxes) == 2 and boxes[0, 4] >= boxes[1, 4]
    wanted = FACE / 2, np.array([256 + (512 - 163 - 116) * 400 / 512, *FACE[1:] * 400 / 512])
    assert all(max(overlap(box[:4], place) for box in boxes) > 0.6 for place in wanted)


def test_small_faces_beside_a_large_one(detector, astronaut):
    """Each is a 34th of the picture's longer side; the large one is sure already where the picture is looked at smaller."""
    picture = np.full((3000, 4000, 3), 90, np.float32)
    corners = [(100 + 520 * column, 100 + 700 * row) for row in range(2) for column in range(4)]
    for number, (x, y) in enumerate(corners):
        picture[y : y + 512, x : x + 512] = astronaut[:, :: 1 if number % 2 else -1]
    picture[1700:2900, 2500:3700] = resize(astronaut, 1200, 1200)
    boxes, mirrored = find(detector, picture), [512 - FACE[0] - FACE[2], *FACE[1:]]
    assert len(boxes) == 9
    for number, (x, y) in enumerate(corners):
        wanted = (FACE if number % 2 else mirrored) + np.array([x, y, 0, 0])
        assert max(overlap(box[:4], wanted) for box in boxes) > 0.6
    assert max(overlap(box[:4], FACE * 1200 / 512 + [2500, 1700, 0, 0]) for box in boxes) > 0.6


@pytest.mark.parametrize(
    ("longest", "score", "most"),
    [(1440, 0.9, 832), (1663, 0.9, 832), (1664, 0.9, 1664), (4000, 0.9, 1664), (1440, 0.1, 1664), (4000, 0.1, 1664)],
)  # fmt: skip
def test_how_large_a_picture_is_looked_at(longest, score, most):
    """Which is what a look costs"""
    seen = []

    class Sees:
        def boxes(self, squares):
            seen.append(squares.shape[1])
            return np.array([[[0.2, 0.2, 0.2, 0.2, score]]], np.float32)

    find(Sees(), np.zeros((4, longest, 3), np.float32))
    assert max(seen) == most


@pytest.mark.parametrize("part", [np.s_[76:187, 163:279], np.s_[90:, 180:], np.s_[:170, 150:290], np.s_[60:200, :250]])
def test_a_face_that_touches_the_border(detector, astronaut, part):
    found = find(detector, astronaut[part])
    shifted = FACE - [part[1].start or 0, part[0].start or 0, 0, 0]
    assert len(found) == 1 and overlap(found[0, :4], shifted) > 0.4


def test_a_grey_picture(detector, astronaut):
    grey = np.repeat(astronaut.mean(axis=2, keepdims=True), 3, axis=2)
    [box] = find(detector, grey)
    assert overlap(box[:4], FACE) > 0.7


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_no_face(detector, name):
    assert find(detector, read_image(shipped_picture(name))).shape == (0, 5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2000), (3000, 2), (31, 33)])
def test_pictures_of_any_shape(detector, shape):
    assert find(detector, np.full((*shape, 3), 127, np.float32)).shape == (0, 5)


def test_with_black_around_where_nothing_was_found(detector, monkeypatch):
    """The detector is replaced by one that sees whatever is not black as one box."""
    seen = []

    class Sees:
        def boxes(self, squares):
            lit = np.argwhere(squares[0].any(axis=2)) / squares.shape[1]
            seen.append(squares.shape[1])
            begin, size = lit.min(axis=0)[::-1], np.ptp(lit, axis=0)[::-1]
            return np.array([[[*begin, *size, 0.9 if begin.all() else 0.1]]], np.float32)

    [box] = find(Sees(), np.full((60, 90, 3), 255, np.float32))
    assert seen == [128, *finding.AROUND, 256]
    np.testing.assert_allclose(box, [0, 0, 90, 60, 0.9], atol=2)


def test_boxes_of_one_face_by_hand():
    first, shifted, beside = [0, 0, 10, 10, 0.9], [2, 2, 10, 10, 0.95], [30, 0, 10, 10, 0.6]
    within, touching = [3, 3, 3, 3, 0.99], [40, 0, 10, 10, 0.5]
    np.testing.assert_allclose(best(np.array([first, shifted, beside])), [shifted, beside])
    np.testing.assert_allclose(best(np.array([first, within])), [within])
    np.testing.assert_allclose(best(np.array([beside, touching])), [beside, touching])
    assert best(np.empty((0, 5))).shape == (0, 5)
