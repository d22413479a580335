"""Groups of faces, compared with average linkage by its definition."""

import numpy as np
import pytest

from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.faces.clustering import group_faces
from tests.faces.fake import embedding


def by_definition(points, threshold, pictures=None):
    """Join the two groups with the smallest mean squared distance of all pairs, again and again."""
    pictures = range(len(points)) if pictures is None else pictures
    squares = ((points[:, None] - points) ** 2).sum(axis=-1)
    same = np.equal.outer(np.array(pictures), np.array(pictures))
    squares[same & ~np.eye(len(points), dtype=bool)] = np.inf
    groups = [[number] for number in range(len(points))]
    while len(groups) > 1:
        mean, first, second = min(
            (squares[np.ix_(a, b)].mean(), i, j)
            for i, a in enumerate(groups)
            for j, b in enumerate(groups)
            if i < j
        )
        if mean > threshold**2:
            break
        groups[first] += groups.pop(second)
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0.5, 1.0, 1.5, 2.5, 9.0])
def test_groups_are_those_of_the_definition(seed, threshold):
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((5, 4))[rng.integers(0, 5, 24)] + 0.4 * rng.standard_normal(
        (24, 4)
    )
    assert group_faces(points, threshold) == by_definition(points, threshold)


@pytest.mark.parametrize("seed", range(6))
def test_two_faces_of_one_picture_are_in_two_groups(seed):
    rng = np.random.default_rng(seed)
    points, pictures = rng.standard_normal((20, 3)), rng.integers(0, 8, 20)
    groups = group_faces(points, 2.0, pictures)
    assert groups == by_definition(points, 2.0, pictures)
    for group in groups:
        assert len({pictures[number] for number in group}) == len(group)
    assert max(map(len, groups)) > 1


def test_people_are_separated():
    labels = [0, 1, 2, 1, 0, 2, 2, 1, 0, 2]
    points = np.stack([embedding(label, look) for look, label in enumerate(labels)])
    assert group_faces(points, 0.48) == [[2, 5, 6, 9], [0, 4, 8], [1, 3, 7]]


def test_ends_of_the_threshold():
    points = np.array([[0.0], [1.0], [3.0], [3.0]])
    assert group_faces(points, 0) == [[2, 3], [0], [1]]
    assert group_faces(points, 1) == [[0, 1], [2, 3]]
    assert group_faces(points, 0.999) == [[2, 3], [0], [1]]
    assert group_faces(points, np.inf) == [[0, 1, 2, 3]]
    assert group_faces(np.empty((0, 128)), 1) == []


def test_many_equal_faces_end():
    """Of equal distances, the earlier face in the chain counts, or the chain would not end."""
    assert group_faces(np.zeros((50, 3)), 0.1) == [list(range(50))]
    square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    assert group_faces(square, 1.0) == [[0, 1], [2, 3]]


def test_large_coordinates_have_no_cancellation():
    points = np.array([[0.0], [0.3], [5.0], [5.3]])
    assert group_faces(points + 1e6, 0.4) == [[0, 1], [2, 3]]


def test_invalid_arguments_are_refused():
    points = np.zeros((3, 2))
    with pytest.raises(ShapeError, match=r"wanted \(N, D\) and \(N,\)"):
        group_faces(points[0], 1)
    with pytest.raises(ShapeError, match=r"wanted \(N, D\) and \(N,\)"):
        group_faces(points, 1, [1, 2])
    with pytest.raises(NonFiniteError, match="NaN or infinity"):
        group_faces(points + np.nan, 1)
    for threshold in (-1, np.nan):
        with pytest.raises(ArgumentError, match="wanted a distance of at least 0"):
            group_faces(points, threshold)
