"""Sideways, upside-down, dark and faint pictures."""

import numpy as np
import pytest

from minidl.data import read_image, shipped_picture
from minidl.faces import Face, FaceReader, between, look
from minidl.faces.looking import LEAST, stretched

HEIGHT, WIDTH = 30, 50


class Marks:
    """A reader that finds a red pixel left of a green one, as a face is upright. The blue of the
    red pixel is its score in per cent. It counts how often it is asked."""

    def __init__(self, suspects=False):
        self.asked, self.suspects = 0, suspects

    def faces(self, picture, embed=True):
        self.asked += 1
        picture = np.asarray(picture, float)
        found = []
        for y, x in np.argwhere(picture[..., 0] == 255):
            if x + 1 < picture.shape[1] and picture[y, x + 1, 1] == 255:
                landmarks = np.array([[x, y], [x + 1, y]], float)
                box = (float(x), float(y), 4.0, 2.0)
                score = picture[y, x, 2] / 100
                found.append(Face(box, score, landmarks, np.zeros(128) if embed else None))
        return sorted(found, key=lambda face: -face.score)

    def suspects_half_turn(self, picture, face):
        return self.suspects


def marked(*places, score=90):
    """Return a picture with pairs of pixels at (x, y)."""
    picture = np.random.default_rng(0).integers(0, 250, (HEIGHT, WIDTH, 3))
    for x, y in places:
        picture[y, x], picture[y, x + 1] = (255, 0, score), (0, 255, 0)
    return picture.astype(np.uint8)


def turned(picture, quarters):
    """Return a picture turned anticlockwise."""
    return np.ascontiguousarray(np.rot90(picture, quarters))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_face_is_located_in_the_picture_as_it_is(quarters):
    picture = turned(marked((20, 7)), quarters)
    [face] = look(picture, Marks())
    assert face.turned == 90 * quarters and not face.stretched and face.embedding is not None
    (left_y, left_x), (right_y, right_x) = (
        np.argwhere(picture[..., channel] == 255)[0] for channel in (0, 1)
    )
    assert face.landmarks.tolist() == [[left_x, left_y], [right_x, right_y]]
    # The box begins at the corner of the red pixel that was its upper left one.
    x, y, width, height = face.box
    assert (width, height) == ((2, 4) if quarters % 2 else (4, 2))
    corner = {1: (x, y + height), 2: (x + width, y + height), 3: (x + width, y)}[quarters]
    after = {1: (0, 1), 2: (1, 1), 3: (1, 0)}[quarters]
    assert corner == (left_x + after[0], left_y + after[1])


def test_an_upright_face_is_found_at_once():
    reader = Marks()
    [face] = look(marked((20, 7)), reader, embed=False)
    assert (face.turned, face.stretched, face.embedding, reader.asked) == (0, False, None, 1)


def test_a_picture_is_looked_at_once_on_request():
    reader = Marks()
    assert look(turned(marked((20, 7)), 1), reader, again=False) == [] and reader.asked == 1


def test_an_uncertain_box_in_a_changed_picture_is_no_face():
    assert look(turned(marked((20, 7), score=round(100 * LEAST) - 1), 1), Marks()) == []
    assert look(turned(marked((20, 7), score=round(100 * LEAST) + 1), 1), Marks())


def test_faces_of_all_turns_are_found_on_request():
    picture = marked((20, 7), (2, 20))
    picture[12, 40], picture[13, 40] = (255, 0, 95), (0, 255, 0)  # turned clockwise
    picture[21, 5], picture[21, 4] = (255, 0, 99), (0, 255, 0)  # at the place of another face
    assert [face.turned for face in look(picture, Marks())] == [0, 0]
    faces = look(picture, Marks(), turn=True)
    assert [(face.turned, round(face.score, 2)) for face in faces] == [
        (180, 0.99),
        (270, 0.95),
        (0, 0.9),
    ]


@pytest.mark.parametrize(("half_turn", "wanted"), [(95, 180), (80, 0)])
def test_of_an_upright_and_an_upside_down_face_the_better_one_counts(half_turn, wanted):
    picture = marked((20, 7), score=85)
    picture[20, 30], picture[20, 29] = (255, 0, half_turn), (0, 255, 0)
    [face] = look(picture, Marks(suspects=True))
    assert face.turned == wanted
    [face] = look(picture, Marks(suspects=False))
    assert face.turned == 0
    picture[7, 20, 2] = 90  # a clear score
    reader = Marks(suspects=True)
    look(picture, reader)
    assert reader.asked == 1


class Contrast:
    """A reader that finds a face in portraits, if they have enough contrast."""

    def __init__(self):
        self.seen = []

    def faces(self, picture, embed=True):
        self.seen.append(picture)
        height, width = picture.shape[:2]
        if np.ptp(picture) < 200 or height < width:
            return []
        return [Face((1.0, 2.0, 3.0, 4.0), 0.8, np.array([[1.0, 2.0]]), None)]


@pytest.mark.parametrize("is_portrait", [True, False])
def test_the_contrast_of_a_faint_picture_is_stretched(is_portrait):
    faint = np.random.default_rng(0).uniform(100, 130, (40, 30, 3) if is_portrait else (30, 40, 3))
    reader = Contrast()
    [face] = look(faint, reader)
    assert face.stretched and face.turned == (0 if is_portrait else 90)
    assert len(reader.seen) == (5 if is_portrait else 6)
    np.testing.assert_array_equal(reader.seen[4], stretched(faint))
    assert look(faint, reader, again=False) == []
    for turn in (False, True):  # only a faint picture is stretched
        reader = Marks()
        assert look(marked(), reader, turn=turn) == [] and reader.asked == 4
    faces = look(faint, Contrast(), turn=True)
    assert {face.turned for face in faces} == ({0, 180} if is_portrait else {90, 270})


@pytest.mark.parametrize(("brightness", "is_dark"), [(0.2, True), (0.7, False)])
def test_a_dark_picture_with_a_lamp_is_stretched(brightness, is_dark):
    picture = np.random.default_rng(0).uniform(0, 255 * brightness, (40, 30, 3))
    picture[:2] = 190
    assert [face.stretched for face in look(picture, Contrast())] == [True] * is_dark


def test_stretching_by_hand():
    """The luminance from 40 to 60 becomes 0 to 255, and its median 50 becomes 0.45 of 255."""
    row = np.linspace(40, 60, 1001)
    picture = np.repeat(row[None, :, None], 3, axis=2)
    result = stretched(picture)[0, :, 0]
    low, high = np.percentile(row, [1, 99])
    assert result[0] == 0 and result[-1] == 255 and result.dtype == np.float32
    assert result[500] == pytest.approx(0.45 * 255, rel=1e-3)
    share = (row[300] - low) / (high - low)
    assert result[300] == pytest.approx(255 * share ** (np.log(0.45) / np.log(0.5)), rel=1e-3)


def test_black_pictures_have_no_face():
    assert look(np.zeros((20, 30, 3)), Marks()) == []
    assert np.isfinite(stretched(np.full((4, 4, 3), 7, np.uint8))).all()


@pytest.fixture(scope="module")
def reader():
    return FaceReader()


@pytest.fixture(scope="module")
def astronaut():
    return read_image(shipped_picture("astronaut"))[:300, 60:390]


CHANGED = {
    "left": lambda picture: turned(picture, 1),
    "upside down": lambda picture: turned(picture, 2),
    "right": lambda picture: turned(picture, 3),
    "dark": lambda picture: (picture * 0.06).round(),
    "faint": lambda picture: (120 + picture * 0.06).round(),
    "dark and left": lambda picture: turned((picture * 0.1).round(), 1),
}


@pytest.mark.parametrize("change", CHANGED)
def test_a_real_face(reader, astronaut, change):
    [original] = reader.faces(astronaut)
    picture = CHANGED[change](astronaut)
    assert not [face for face in look(picture, reader, again=False) if face.score > 0.9]
    [face] = look(picture, reader)
    quarters = {"left": 1, "upside down": 2, "right": 3, "dark and left": 1}.get(change, 0)
    assert face.turned == 90 * quarters
    assert face.stretched == (change.split()[0] in ("dark", "faint"))
    assert between(face.embedding, original.embedding) < 0.3
    rows = np.indices(astronaut.shape[:2]).transpose(1, 2, 0)
    x, y, width, height = original.box
    centre = turned(rows, quarters)
    place = np.argwhere((centre == (round(y + height / 2), round(x + width / 2))).all(axis=2))[0]
    x, y, width, height = face.box
    assert np.hypot(x + width / 2 - place[1], y + height / 2 - place[0]) < 8
