"""The distances of a new face to its own person and to the others."""

import numpy as np
import pytest

from minidl.faces.lookalikes import Lookalikes


def test_by_hand():
    known = Lookalikes(["ann", "bob", "ann"], np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]))
    assert known.add("ann", np.array([0.0, 3.0])) == (2.0, "bob", pytest.approx(10**0.5))
    own, other, distance = known.add("eve", np.array([0.0, 3.0]))  # the face that was just added
    assert own is None and (other, distance) == ("ann", 0.0)
    assert known.add("bob", np.array([3.0, 4.0])).own == 0


def test_of_nobody_and_of_one_person():
    known = Lookalikes([], np.empty((0, 0)))
    assert known.add("ann", np.array([1.0, 2.0])) == (None, None, np.inf)
    assert known.add("ann", np.array([1.0, 4.0])) == (2.0, None, np.inf)


def test_many_faces_are_added():
    known, rng = Lookalikes([], np.empty((0, 0))), np.random.default_rng(0)
    points = rng.standard_normal((100, 3)).astype(np.float32)
    for number, point in enumerate(points):
        likeness = known.add(str(number), point)
        if number:
            distances = np.linalg.norm(points[:number] - point, axis=1)
            assert likeness.other == str(distances.argmin())
            assert likeness.distance == pytest.approx(distances.min())
