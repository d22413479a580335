"""The exercises of the book: functions that a reader writes, and that are judged by the same proofs
as minidl's own ops.

exercise.py     what an exercise consists of
template.py     the file that a reader fills in
calls.py        the calls from which a function is judged, and its proof
checking.py     the reader's code in a process of its own, and the verdict
results.py      what the function returns
known_errors.py the known errors of an exercise, recognised by their numbers
diagnosis.py    patterns that wrong arrays show
report.py       what is wrong, in sentences
the others      the exercises of one chapter each
"""

from minidl.book.exercises import (
    broadcasting,
    convolution,
    convolution_forms,
    convolution_gradients,
    derivative,
    likeness_losses,
    matmul,
    normalization,
    optimisers,
    pair_losses,
    picture_losses,
    pooling,
    proofs,
    shapes,
    softmax,
    style_losses,
    tape,
    winograd,
)
from minidl.book.exercises.checking import Verdict, check, judge
from minidl.book.exercises.exercise import Exercise
from minidl.book.exercises.template import template, worked_example
from minidl.errors import ArgumentError, did_you_mean, printable

__all__ = [
    "EXERCISES",
    "Exercise",
    "Verdict",
    "check",
    "exercise",
    "judge",
    "template",
    "worked_example",
]

_MODULES = (
    shapes, derivative, tape, broadcasting, matmul, convolution, convolution_gradients,
    convolution_forms, winograd, pooling, normalization, softmax, picture_losses, style_losses,
    pair_losses, likeness_losses, optimisers, proofs,
)  # fmt: skip

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for module in _MODULES for exercise in module.EXERCISES
}


def exercise(name: str) -> Exercise:
    """Return the exercise of a name. Raise ArgumentError, which names the nearest, for another."""
    if name not in EXERCISES:
        hint = did_you_mean(name, EXERCISES) or "; `minidl exercise` lists all exercises"
        raise ArgumentError(f"there is no exercise {printable(name, 80)!r}{hint}")
    return EXERCISES[name]
