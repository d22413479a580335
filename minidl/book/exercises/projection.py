"""Exercises of the chapter about a painting."""

import numpy as np

from minidl.book.exercises.exercise import Exercise
from minidl.proofs import Shape
from minidl.style_transfer.run import _inwards


def project_gradient(x, g):
    return _inwards(x, g)


def zero_where(outwards):
    """Return a projection that sets g to 0 elsewhere: where outwards(x, g)."""
    return lambda x, g: np.where(outwards(x, g), 0.0, g)


def leaves(x, g):
    return ((x <= 0) & (g > 0)) | ((x >= 255) & (g < 0))


PICTURE = np.array([[0.0, 9.0, 255.0, 0.0], [255.0, 0.0, 255.0, 254.0]]).reshape(2, 2, 2)

EXERCISES = [
    Exercise(
        name="project-gradient",
        chapter="painting",
        title="A gradient that stays within the interval",
        task="""\
x is a picture whose numbers are within 0..255, and g the gradient of the loss with respect to it,
arrays of one shape. An optimiser moves x along -g. A number of x that is at an end of the interval,
0 or 255, cannot move further outwards.

Return the projected gradient: 0 where x is at an end and a step along -g leaves the interval, and g
elsewhere.""",
        hint="""\
At x = 0, the step along -g leaves the interval if g is positive. & and | combine arrays of bools.
Comparisons need brackets beside them.""",
        right=project_gradient,
        returns=("projected",),
        example={"x": np.array([0.0, 0.0, 100.0]), "g": np.array([2.0, -2.0, 2.0])},
        cases={
            "inside": {"x": np.array([1.0, 2.0, 100.0, 254.0]), "g": Shape((4,))},
            "at 0": {"x": np.zeros(4), "g": np.array([3.0, -3.0, 300.0, 0.0])},
            "at 255": {"x": np.full(4, 255.0), "g": np.array([3.0, -3.0, -300.0, 0.0])},
            "a picture": {
                "x": PICTURE,
                "g": np.array([4.0, 40.0, -3.0, -2.0, 5.0, 6.0, -7.0, -8.0]).reshape(2, 2, 2),
            },
        },
        wrong={
            "The signs are exchanged: a step along -g leaves the interval at 0 if g > 0.":
                zero_where(lambda x, g: leaves(x, -g)),
            "All parts at an end are 0. Keep those along which x moves inwards.":
                zero_where(lambda x, g: (x <= 0) | (x >= 255)),
            "The end 255 is forgotten.": zero_where(lambda x, g: (x <= 0) & (g > 0)),
            "The end 0 is forgotten.": zero_where(lambda x, g: (x >= 255) & (g < 0)),
            "The upper end is 1. The numbers of a picture are within 0..255.":
                zero_where(lambda x, g: ((x <= 0) & (g > 0)) | ((x >= 1) & (g < 0))),
            "The condition on the sign of g is missing at 0.":
                zero_where(lambda x, g: (x <= 0) | ((x >= 255) & (g < 0))),
            "The condition on the sign of g is missing at 255.":
                zero_where(lambda x, g: ((x <= 0) & (g > 0)) | (x >= 255)),
            "g is shortened where a whole step would leave the interval. Only ends count.":
                lambda x, g: x - np.clip(x - g, 0, 255),
            "The numbers of g are limited to 0..255. It is x that has to stay there.":
                lambda x, g: np.clip(g, 0, 255),
            "This is the picture after a step. Return the gradient.": (
                lambda x, g: np.clip(x - g, 0, 255),
                lambda x, g: x - project_gradient(x, g),
            ),
            "The sign is wrong: return the gradient, and not the step along -g.":
                lambda x, g: -project_gradient(x, g),
            "All channels of a pixel become 0 together. Each number has its own condition.":
                zero_where(lambda x, g: leaves(x, g).any(axis=-1, keepdims=True)),
            "Nothing is set to 0.": lambda x, g: g,
        },
    ),
]  # fmt: skip
