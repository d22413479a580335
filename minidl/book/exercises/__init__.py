"""The exercises of the book: functions that a reader writes, and that are judged by the same proofs
as minidl's own ops.

exercise.py     what an exercise consists of
template.py     the file that a reader fills in
code.py         arguments and results as Python code
calls.py        the calls from which a function is judged, and its proof
checking.py     the reader's code in a process of its own, and the verdict
results.py      what the function returns
advice.py       what to do about an exception of NumPy
known_errors.py the known errors of an exercise, recognised by their numbers
reading.py      the errors in the position that an output reads, for all exercises with windows
groups.py       the errors in the channels that it reads
sentences.py    sentences about errors that several exercises share
diagnosis.py    the patterns that wrong arrays show: comparison.py, ratios.py, wrong_shapes.py and
                wrong_values.py
report.py       what is wrong, in sentences
the others      the exercises of one chapter each
"""

from minidl.book.exercises import (
    activations,
    average_pooling,
    axes,
    broadcasting,
    convolution,
    convolution_forms,
    convolution_gradients,
    derivative,
    grad_cam,
    grouping,
    identification,
    lbfgs,
    likeness_losses,
    matmul,
    normalization,
    normalization_gradients,
    occlusion,
    one_cycle,
    optimisers,
    pair_losses,
    picture_losses,
    pooling,
    projection,
    proofs,
    shapes,
    shared_weights,
    softmax,
    strips,
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
    shapes, derivative, tape, broadcasting, axes, matmul, activations, convolution,
    convolution_gradients, convolution_forms, winograd, pooling, average_pooling, normalization,
    normalization_gradients, softmax, picture_losses, style_losses, pair_losses, likeness_losses,
    optimisers, lbfgs, proofs, projection, identification, grouping, shared_weights, one_cycle,
    grad_cam, occlusion, strips,
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
