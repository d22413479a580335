"""The squares of boxes and landmarks, by hand."""

import numpy as np
import pytest

from minidl.faces.reader import CENTRE_HEIGHT, EYES_TO_MOUTH, around, upright
from minidl.faces.sampling import Square

SIZE = 100, 200  # height, width of a picture


def landmarks(left, right, mouth):
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[48:] = left, right, mouth
    noise = np.random.default_rng(0).standard_normal((68, 2))
    for part in (slice(36, 42), slice(42, 48), slice(48, 68)):
        points[part] += noise[part] - noise[part].mean(axis=0)
    return points


def test_the_square_around_a_box():
    assert around((20, 30, 40, 20), *SIZE) == Square(40, 40, 40)
    assert around((20, 30, 20, 40), *SIZE) == Square(30, 50, 40)


def test_only_the_part_of_a_box_inside_the_picture_is_used():
    assert around((-20, 60, 60, 70), *SIZE) == Square(20, 80, 40)
    assert around((190, -30, 50, 40), *SIZE) == Square(195, 5, 10)
    assert around((300, 300, 10, 10), *SIZE) == Square(200, 100, 1)


def test_an_upright_face():
    square = upright(landmarks((40, 50), (80, 50), (60, 80)))
    assert square.angle == pytest.approx(0)
    assert square.side == pytest.approx(np.hypot(20, 30) / EYES_TO_MOUTH)
    assert square.x == pytest.approx(60)
    assert square.y == pytest.approx(60 + (0.5 - CENTRE_HEIGHT) * square.side)


@pytest.mark.parametrize("degrees", [0, 30, -45, 90, 180])
def test_a_rotated_face_has_the_same_place_in_its_square_as_an_upright_one(degrees):
    upright_points = landmarks((40, 50), (80, 50), (60, 80))
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = (upright_points - 60) @ turn * 3 + [200, 300]
    square, expected = upright(points), upright(upright_points)
    assert square.side == pytest.approx(3 * expected.side)
    assert np.cos(square.angle - angle) == pytest.approx(1)
    centre = (np.array([expected.x, expected.y]) - 60) @ turn * 3 + [200, 300]
    assert square[:2] == pytest.approx(tuple(centre))
    left, right = (points[part].mean(axis=0) for part in (slice(36, 42), slice(42, 48)))
    (x0, y0), (x1, y1) = (np.linalg.inv(turn.T) @ (eye - centre) for eye in (left, right))
    assert y0 == pytest.approx(y1) and x0 < x1


def test_equal_landmarks_give_a_square_of_one_pixel():
    assert upright(np.full((68, 2), 7.0)).side == 1
