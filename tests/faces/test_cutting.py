"""Faces that are cut out of their pictures."""

import numpy as np
import pytest

from minidl.data import read_image, shipped_picture
from minidl.faces import Face, FaceReader, between, look
from minidl.faces.cutting import AROUND, COVER, LARGEST, cut_out


def upright_face(box):
    """Return a face whose landmarks have horizontal eyes."""
    landmarks = np.zeros((68, 2))
    landmarks[36:42], landmarks[42:48], landmarks[48:] = (0, 0), (10, 0), (5, 9)
    return Face(box, 0.9, landmarks, None)


def test_the_part_has_the_face_in_its_middle():
    y, x = np.indices((100, 200)).astype(float)
    picture = np.stack([x, y, y], axis=-1)
    part = cut_out(picture, upright_face((80.0, 40.0, 20.0, 10.0)))
    side = AROUND * 20
    assert part.shape == (side, side, 3)
    assert part[0, 0, 0] == pytest.approx(90 - side / 2)
    assert part[0, 0, 1] == pytest.approx(45 - side / 2)
    assert part[0, -1, 0] - part[0, 0, 0] == pytest.approx(side - 1)


def test_a_large_face_is_reduced():
    part = cut_out(np.full((900, 900, 3), 50.0), upright_face((100.0, 100.0, 500.0, 400.0)))
    assert part.shape == (LARGEST, LARGEST, 3)


def test_other_faces_are_covered_outside_the_box_of_the_face():
    picture = np.full((100, 100, 3), 50.0)
    face = upright_face((40.0, 40.0, 20.0, 20.0))
    part = cut_out(picture, face, [upright_face((55.0, 30.0, 40.0, 40.0))])
    begin = 50 - AROUND * 10  # of the part in the picture
    covered = (part == COVER).all(axis=2)
    rows, columns = np.indices(covered.shape) + begin
    inside = (columns >= 55) & (rows >= 30) & (rows < 70)
    own = (columns >= 40) & (columns < 60) & (rows >= 40) & (rows < 60)
    np.testing.assert_array_equal(covered, inside & ~own)


@pytest.mark.parametrize("quarters", [0, 1])
def test_one_of_two_real_faces_is_found_again(quarters):
    astronaut = read_image(shipped_picture("astronaut"))[20:260, 120:330]
    picture = np.rot90(np.concatenate([astronaut, astronaut[:, ::-1]], axis=1), quarters)
    reader = FaceReader()
    first, second = look(picture, reader)
    part = cut_out(picture, first, [second])
    [found] = reader.faces(part)
    assert between(found.embedding, first.embedding) < 0.2
