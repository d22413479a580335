"""From boxes and landmarks to squares, by hand."""

import numpy as np
import pytest

from minidl.faces.reader import CENTRE_HEIGHT, EYES_TO_MOUTH, around, upright
from minidl.faces.sampling import Square

SIZE = 100, 200  # height, width of a picture


def landmarks(left, right, mouth):
    points = np.zeros((68, 2))
    points[36:42], points[42:48], points[48:] = left, right, mouth
    around_them = np.random.default_rng(0).standard_normal((68, 2))
    for part in (slice(36, 42), slice(42, 48), slice(48, 68)):
        points[part] += around_them[part] - around_them[part].mean(axis=0)
    return points


def test_the_square_around_a_box():
    assert around((20, 30, 40, 20), *SIZE) == Square(40, 40, 40)
    assert around((20, 30, 20, 40), *SIZE) == Square(30, 50, 40)


def test_of_a_box_that_leaves_the_picture_the_part_inside_counts():
    assert around((-20, 60, 60, 70), *SIZE) == Square(20, 80, 40)
    assert around((190, -30, 50, 40), *SIZE) == Square(195, 5, 10)
    assert around((300, 300, 10, 10), *SIZE) == Square(200, 100, 1)


def test_a_face_that_is_upright_already():
    square = upright(landmarks((40, 50), (80, 50), (60, 80)))
    assert square.angle == pytest.approx(0) and square.side == pytest.approx(
        np.hypot(20, 30) / EYES_TO_MOUTH
    )
    assert square.x == pytest.approx(60) and square.y == pytest.approx(
        60 + (0.5 - CENTRE_HEIGHT) * square.side
    )


@pytest.mark.parametrize("degrees", [0, 30, -45, 90, 180])
def test_a_turned_face_fills_its_square_as_the_upright_one_does(degrees):
    upright_points = landmarks((40, 50), (80, 50), (60, 80))
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = (upright_points - 60) @ turn * 3 + [200, 300]
    square, wanted = upright(points), upright(upright_points)
    assert square.side == pytest.approx(3 * wanted.side)
    assert np.cos(square.angle - angle) == pytest.approx(1)
    middle = (np.array([wanted.x, wanted.y]) - 60) @ turn * 3 + [200, 300]
    assert square[:2] == pytest.approx(tuple(middle))
    left, right = (points[part].mean(axis=0) for part in (slice(36, 42), slice(42, 48)))
    (x0, y0), (x1, y1) = (
        np.linalg.inv(turn.T) @ (left - middle),
        np.linalg.inv(turn.T) @ (right - middle),
    )
    assert y0 == pytest.approx(y1) and x0 < x1


def test_points_that_are_all_one_make_no_square_of_nothing():
    assert upright(np.full((68, 2), 7.0)).side == 1
