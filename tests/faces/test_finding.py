"""Boxes: exactly one for each face, at every size and place, in pictures of every shape."""

import itertools

import numpy as np
import pytest

from minidl.data import read_image, resize, shipped_picture
from minidl.faces import finding
from minidl.faces.finding import best, find
from minidl.models import face_detector
from tests.models import face_definitions as definitions

FACE = np.array([163, 76, 116, 111])  # the box of the astronaut: x, y, width, height


@pytest.fixture(scope="module")
def detector():
    return face_detector()


@pytest.fixture(scope="module")
def astronaut():
    return read_image(shipped_picture("astronaut"))


def overlap(box, other):
    """Return intersection over union."""
    begin = np.maximum(box[:2], other[:2])
    end = np.minimum(box[:2] + box[2:4], other[:2] + other[2:4])
    shared = np.prod(np.maximum(end - begin, 0))
    return shared / (np.prod(box[2:4]) + np.prod(other[2:4]) - shared)


def test_one_face(detector, astronaut):
    [box] = find(detector, astronaut)
    assert box[4] > 0.9 and overlap(box[:4], FACE) > 0.8


def test_the_box_at_one_scale_is_the_definition(detector, astronaut, monkeypatch):
    monkeypatch.setattr(finding, "ENLARGED", 1)
    monkeypatch.setattr(finding, "SMALLEST", 160)
    picture = astronaut[60:220, 140:300]
    [result] = find(detector, picture)
    expected = definitions.boxes(detector(picture).reshape(5, 5, 25).astype(float))
    expected = expected[expected[:, 4].argmax()] * [160, 160, 160, 160, 1]
    np.testing.assert_allclose(result[:4], expected[:4], rtol=1e-3)
    # The score is at least that of the picture; that of the crops may be higher.
    assert result[4] >= expected[4] - 1e-3


@pytest.mark.parametrize("scale", [0.2, 0.25, 0.5, 1.7, 3.3])
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
    expected = FACE / 2, np.array([256 + (512 - 163 - 116) * 400 / 512, *FACE[1:] * 400 / 512])
    assert all(max(overlap(box[:4], place) for box in boxes) > 0.6 for place in expected)


def test_small_faces_beside_a_large_one(detector, astronaut):
    """Each small face has 1/34 of the picture's longer side. The large one is found at a coarser
    level."""
    side, large = 307, 720
    picture, small = np.full((1800, 2400, 3), 90, np.float32), resize(astronaut, side, side)
    corners = [(60 + 312 * column, 60 + 420 * row) for row in range(2) for column in range(4)]
    for number, (x, y) in enumerate(corners):
        picture[y : y + side, x : x + side] = small[:, :: 1 if number % 2 else -1]
    picture[1020 : 1020 + large, 1500 : 1500 + large] = resize(astronaut, large, large)
    boxes, mirrored = find(detector, picture), np.array([512 - FACE[0] - FACE[2], *FACE[1:]])
    assert len(boxes) == 9
    for number, (x, y) in enumerate(corners):
        expected = (FACE if number % 2 else mirrored) * side / 512 + np.array([x, y, 0, 0])
        assert max(overlap(box[:4], expected) for box in boxes) > 0.6
    assert max(overlap(box[:4], FACE * large / 512 + [1500, 1020, 0, 0]) for box in boxes) > 0.6


def strip(astronaut, width, side=100, count=9):
    """Return a picture of this width with portraits in a row, and the boxes of their faces. side:
    of a portrait, in pixels."""
    portrait = resize(astronaut[30:230, 120:320], side, side)
    picture, places = np.full((side + 60, width, 3), 90, np.float32), []
    for number in range(count):
        x = 10 + number * (width - side - 20) // (count - 1)
        picture[30 : 30 + side, x : x + side] = portrait
        places.append((FACE - [120, 30, 0, 0]) * side / 200 + [x, 30, 0, 0])
    return picture, places


@pytest.mark.parametrize("width", [1000, 1088, 1089, 1663, 1664, 1985, 4100])
def test_faces_of_one_size_are_found_in_pictures_of_any_size(detector, astronaut, width):
    """Each face has 58 pixels. The longest tile has 1088 pixels, and a picture of 1985 has one tile
    more."""
    picture, places = strip(astronaut, width)
    boxes = find(detector, picture)
    assert len(boxes) == len(places)
    assert all(max(overlap(box[:4], place) for box in boxes) > 0.5 for place in places)


@pytest.mark.parametrize("width", [400, 553, 556, 831, 833])
def test_small_faces_are_found_in_small_pictures_of_any_size(detector, astronaut, width):
    """Faces of 41 pixels are found, because pictures below 832 pixels are enlarged."""
    picture, places = strip(astronaut, width, 70, 4)
    boxes = find(detector, picture)
    assert len(boxes) == 4
    assert all(max(overlap(box[:4], place) for box in boxes) > 0.5 for place in places)


@pytest.mark.parametrize("side", [100, 180, 300, 420])
def test_a_face_on_the_border_of_tiles_is_found_once(detector, astronaut, side, monkeypatch):
    """The faces have 58 to 244 pixels. The largest is longer than the overlap of two tiles."""
    monkeypatch.setattr(finding, "TILE", 416)
    for offset in (-40, 0, 40):
        picture = np.full((440, 1000, 3), 90, np.float32)
        border = finding.spans(1000)[0].last
        x = round(border - side * (FACE[0] - 120 + FACE[2] / 2) / 200) + offset
        picture[5 : 5 + side, x : x + side] = resize(astronaut[30:230, 120:320], side, side)
        [box] = find(detector, picture)
        assert overlap(box[:4], (FACE - [120, 30, 0, 0]) * side / 200 + [x, 5, 0, 0]) > 0.5


@pytest.mark.parametrize("length", [1, 31, 32, 1087, 1088, 1089, 1984, 1985, 5000, 16_001])
def test_tiles_cover_an_axis_and_overlap(length):
    spans = finding.spans(length)
    assert spans[0].begin == 0 and spans[-1].end == length
    assert spans[0].first == -np.inf and spans[-1].last == np.inf
    for span in spans:
        assert 0 < span.end - span.begin <= finding.TILE
        assert len(spans) == 1 or (span.end - span.begin) % 32 == 0
    for before, after in itertools.pairwise(spans):
        assert before.end - after.begin >= finding.OVERLAP and before.last == after.first
        assert before.last - after.begin >= finding.OVERLAP / 2
        assert before.end - before.last >= finding.OVERLAP / 2


@pytest.mark.parametrize(
    ("height", "width"),
    [(1, 1), (480, 640), (1247, 1663), (1248, 1664), (1500, 4000), (400, 20_000)],
)
def test_the_cost_is_proportional_to_the_size_of_the_picture(height, width):
    """The cost is proportional to the number of pixels that the detector receives. Above 832 pixels
    these are at most twice those of the picture."""
    sizes = []

    class FixedDetector:
        def boxes(self, pictures):
            sizes.append(pictures.shape[1:3])
            return np.array([[[0.25, 0.25, 0.5, 0.5, 0.9]]], np.float32)

    find(FixedDetector(), np.zeros((height, width, 3), np.float32))
    assert max(map(max, sizes)) <= finding.TILE
    pixels = sum(height * width for height, width in sizes)
    assert pixels <= (2 * height * width if max(height, width) > 1000 else 2 * 832**2)


@pytest.mark.parametrize(
    "part", [np.s_[76:187, 163:279], np.s_[90:, 180:], np.s_[:170, 150:290], np.s_[60:200, :250]]
)
def test_a_face_that_touches_the_border(detector, astronaut, part):
    result = find(detector, astronaut[part])
    shifted = FACE - [part[1].start or 0, part[0].start or 0, 0, 0]
    assert len(result) == 1 and overlap(result[0, :4], shifted) > 0.4


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


def test_a_picture_without_a_sure_face_is_put_into_a_black_frame(detector, monkeypatch):
    """The detector is replaced by one whose box contains all pixels that are not black."""
    widths = []

    class Bright:
        def boxes(self, squares):
            places = np.argwhere(squares[0].any(axis=2)) / squares.shape[1:3]
            widths.append(squares.shape[2])
            begin, size = places.min(axis=0)[::-1], np.ptp(places, axis=0)[::-1]
            return np.array([[[*begin, *size, 0.9 if begin.all() else 0.1]]], np.float32)

    [box] = find(Bright(), np.full((60, 90, 3), 255, np.float32))
    assert widths == [128, 224, *finding.FRAMED]  # 90 · 1.25 and · 2.5 in whole cells
    np.testing.assert_allclose(box, [0, 0, 90, 60, 0.9], atol=2)


class FakeDetector:
    """Return the given boxes for a picture of 640 x 480, and one box with the next given score for
    each crop around a box."""

    def __init__(self, predicted, *scores):
        self.predicted, self.scores = predicted, list(scores)

    def boxes(self, pictures):
        if pictures.shape[1:3] not in [(side, side) for _, side in finding.CROPS]:
            if pictures.shape[1:3] != (608, 800):  # 800 x 600 in whole cells
                return np.zeros((1, 1, 5), np.float32)
            parts = [640, 608 * 480 / 600, 640, 608 * 480 / 600, 1]
            return np.array([np.array(self.predicted) / parts], np.float32)
        part = 1 / {side: factor for factor, side in finding.CROPS}[pictures.shape[1]]
        corner = 0.5 - part / 2
        return np.array([[[corner, corner, part, part, self.scores.pop(0)]]], np.float32)


@pytest.mark.parametrize(
    ("scores", "score"),
    [
        ([0.7, 0.7], 0.8),
        ([0.98, 0.94], 0.96),
        ([0.2, 0.9], 0.8),
        ([0.6, 0.3] * 2, 0.8),
        ([0.9, 0] * 2, 0.8),
        ([0.3, 0.4] * 2, None),
    ],
)
def test_a_box_must_be_confirmed_by_its_crops(scores, score, monkeypatch):
    """The mean score of two crops must be 0.5, or 0.4 if no face of the picture is sure."""
    monkeypatch.setattr(finding, "FRAMED", ())
    detector = FakeDetector([[100, 100, 80, 80, 0.8]], *scores)
    boxes = find(detector, np.zeros((480, 640, 3), np.float32))
    assert [float(box[4]) for box in boxes] == ([] if score is None else [pytest.approx(score)])


def test_a_box_with_a_high_score_needs_no_confirmation():
    [box] = find(FakeDetector([[100, 100, 80, 80, 0.86]]), np.zeros((480, 640, 3), np.float32))
    assert box[4] == pytest.approx(0.86)


def test_a_false_box_does_not_hide_the_face_within_it(monkeypatch):
    monkeypatch.setattr(finding, "FRAMED", ())
    boxes = [[100, 100, 300, 300, 0.84], [150, 150, 80, 80, 0.6]]
    detector = FakeDetector(boxes, 0.1, 0.1, 0.7, 0.9)
    [box] = find(detector, np.zeros((480, 640, 3), np.float32))
    np.testing.assert_allclose(box, [150, 150, 80, 80, 0.8], rtol=1e-4)


@pytest.mark.parametrize("side", [200, 256, 350, 450, 512, 1000])
def test_objects_that_resemble_a_face_at_one_size_only_are_left_out(detector, astronaut, side):
    """Examples are a badge and a helmet of the astronaut."""
    [box] = find(detector, resize(astronaut, side, side))
    assert overlap(box[:4], FACE * side / 512) > 0.6


def test_the_best_box_of_each_face_by_hand():
    first, shifted, separate = [0, 0, 10, 10, 0.9], [2, 2, 10, 10, 0.95], [30, 0, 10, 10, 0.6]
    inner, touching = [3, 3, 3, 3, 0.99], [40, 0, 10, 10, 0.5]
    np.testing.assert_allclose(best(np.array([first, shifted, separate])), [shifted, separate])
    np.testing.assert_allclose(best(np.array([first, inner])), [inner])
    np.testing.assert_allclose(best(np.array([separate, touching])), [separate, touching])
    assert best(np.empty((0, 5))).shape == (0, 5)
