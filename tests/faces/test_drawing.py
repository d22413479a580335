"""Boxes and landmarks drawn into a copy of a picture."""

from types import SimpleNamespace

import numpy as np

from minidl.faces.drawing import BOX, POINT, draw_faces


def face(box, landmarks):
    return SimpleNamespace(box=box, landmarks=np.asarray(landmarks, float))


def test_boxes_and_points_are_drawn_in_place_and_the_picture_is_not_changed():
    picture = np.zeros((40, 60, 3), np.float32)
    drawn = draw_faces(picture, [face((10, 5, 20, 25), [(20, 15), (40, 30)])])
    assert drawn.shape == picture.shape and drawn.dtype == np.float32 and not picture.any()
    for y, x in ((5, 10), (30, 30), (5, 20), (17, 10)):
        assert tuple(drawn[y, x]) == BOX
    for y, x in ((15, 20), (30, 40)):
        assert tuple(drawn[y, x]) == POINT
    assert not drawn[7:12, 12:18].any() and not drawn[35:].any()


def test_lines_are_wider_for_larger_faces():
    drawn = draw_faces(np.zeros((900, 900, 3)), [face((100, 100, 700, 700), [])])
    assert (drawn[450, :200].any(axis=1)).sum() == 7


def test_tiny_faces_and_faces_across_the_border():
    picture = np.full((30, 30, 3), 100.4)
    faces = [
        face((-10, -10, 20, 20), [(-5, -5), (3, 3)]),
        face((28, 28, 50, 50), []),
        face((15, 15, 0.2, 0.2), []),
    ]
    drawn = draw_faces(picture, faces)
    assert tuple(drawn[3, 3]) == POINT and tuple(drawn[15, 15]) == BOX
    assert tuple(drawn[20, 3]) == (100, 100, 100)
    np.testing.assert_array_equal(draw_faces(picture, []), np.full((30, 30, 3), 100))
