"""Exercises of the chapter about a family album."""

import numpy as np

from minidl.book.exercises.exercise import Exercise
from minidl.faces.clustering import Groups
from minidl.proofs import Shape


def group_distance(a, b):
    """As `minidl.faces.clustering` computes it, after it has joined the faces of each group."""
    groups, begin = Groups(np.concatenate([a, b]), range(len(a) + len(b))), len(a)
    for number in range(1, begin):
        groups.join(0, number)
    for number in range(begin + 1, begin + len(b)):
        groups.join(begin, number)
    return np.array(groups.distances(0)[begin])


def squares(a, b):
    """Return the squared distances (M, N) of all pairs."""
    return np.square(a[:, None] - b).sum(axis=-1)


def spread(a):
    return squares(a, a.mean(axis=0, keepdims=True)).mean()


def between_means(a, b):
    return np.square(a.mean(axis=0) - b.mean(axis=0)).sum()


EXERCISES = [
    Exercise(
        name="group-distance",
        chapter="family-album",
        title="The distance of two groups of faces",
        task="""\
(M, D), (N, D) -> ()

a (M, D) and b (N, D) are the embeddings of two groups of faces. Average linkage joins the groups
with the smallest mean squared distance of their pairs:

    d = 1/(M N) Σ_i Σ_j |a[i] - b[j]|²

Return d, a number.""",
        hint="""\
a[:, None] - b has the shape (M, N, D). Without it, d is also |μ_A - μ_B|² + v_A + v_B, with the
means μ of the groups and the mean squared distances v to them.""",
        right=group_distance,
        returns=("d",),
        example={
            "a": np.array([[0.0, 0.0], [2.0, 0.0]]), "b": np.array([[1.0, 3.0]]),
        },
        cases={
            "two faces": {"a": Shape((1, 3)), "b": Shape((1, 3))},
            "a face and a group": {"a": Shape((1, 3)), "b": Shape((4, 3))},
            "groups of one size": {"a": Shape((3, 4)), "b": Shape((3, 4))},
            "groups of two sizes": {"a": Shape((5, 4)), "b": Shape((2, 4))},
        },
        wrong={
            "The spreads of the groups are left out: this is the distance of their means.":
                between_means,
            "The spread of the first group is left out.":
                lambda a, b: between_means(a, b) + spread(b),
            "The spread of the second group is left out.":
                lambda a, b: between_means(a, b) + spread(a),
            "The spreads are subtracted. They are added.":
                lambda a, b: between_means(a, b) - spread(a) - spread(b),
            "The sum over the pairs is not divided by their number.":
                lambda a, b: squares(a, b).sum(),
            "The squared differences are averaged over D. They are added.":
                lambda a, b: squares(a, b).mean() / a.shape[1],
            "This is the distance of the nearest pair (single linkage). Take the mean of all "
            "pairs.":
                lambda a, b: squares(a, b).min(),
            "This is the distance of the farthest pair (complete linkage). Take the mean of all "
            "pairs.":
                lambda a, b: squares(a, b).max(),
            "The square is missing: this is the mean distance.":
                lambda a, b: np.sqrt(squares(a, b)).mean(),
            "The mean distance is squared. Take the mean of the squared distances.":
                lambda a, b: np.sqrt(squares(a, b)).mean() ** 2,
            "This is the root of the mean. Return the mean of the squared distances.":
                lambda a, b: np.sqrt(squares(a, b).mean()),
        },
    ),
]  # fmt: skip
