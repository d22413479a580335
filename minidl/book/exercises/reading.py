"""Which position an output reads through a tap, and the errors that readers make there.

Along each axis, an array of 0 and 1 says that output o reads position i through tap t:

    reads[o,t,i] = [i = o·stride + t·dilation - before]

A convolution, its gradients and the windows of pooling are sums over the same triples (o, t, i).
Therefore an error in the position is the same array for all of them.
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np

from minidl.book.exercises.exercise import Function
from minidl.book.exercises.sentences import NEGATIVE
from minidl.typing import Array


class Axis(NamedTuple):
    """One axis over which a window moves. before, after: the padding."""

    outputs: int
    taps: int
    length: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1


Rule: TypeAlias = Callable[[Axis], Array]  # returns the array `reads` of an axis
By: TypeAlias = Callable[..., Function]  # (one rule for each axis) -> a function of the exercise


class Mistake(NamedTuple):
    """A typical error in the position.

    sentence: with {along} where " along axis 1" may follow. needs: the parameter without which this
    is no error, if there is one. rules: several ways to make it.
    """

    sentence: str
    needs: str
    rules: tuple[Rule, ...]


def axes(
    outputs: Sequence[int], taps: Sequence[int], lengths: Sequence[int], stride: int, padding: int
) -> list[Axis]:
    """Return the axes of windows with the same stride and padding along all axes."""
    sizes = zip(outputs, taps, lengths, strict=True)
    return [Axis(*each, stride, padding, padding) for each in sizes]


def positions(axis: Axis) -> Array:
    """(outputs, taps): the position that each output reads through each tap"""
    o, t = np.ogrid[: axis.outputs, : axis.taps]
    return o * axis.stride + t * axis.dilation - axis.before


def reads_at(found: Array, length: int) -> Array:
    """Return the array `reads` of positions. Those outside of the input are skipped."""
    return (found[..., None] == np.arange(length)).astype(float)


def right(axis: Axis) -> Array:
    return reads_at(positions(axis), axis.length)


def where(**changes: Callable[[Axis], int]) -> Rule:
    """Return the rule that changes properties of the axis. changes: {property: its new value}."""
    return lambda axis: right(axis._replace(**{name: to(axis) for name, to in changes.items()}))


def read_by(rules: Sequence[Rule], along: Sequence[Axis]) -> list[Array]:
    """Return the arrays `reads` of some axes, each by its rule."""
    return [rule(axis) for rule, axis in zip(rules, along, strict=True)]


def flipped(axis):
    return right(axis)[:, ::-1]


def from_the_end(axis):
    """Negative positions count from the end, as those of NumPy do."""
    found = positions(axis)
    if found.min() < -axis.length:
        raise IndexError("a position is out of bounds")
    return reads_at(np.where(found < 0, found + axis.length, found), axis.length)


def at_the_border(axis):
    """Positions in the padding read the first or the last number."""
    return reads_at(np.clip(positions(axis), 0, axis.length - 1), axis.length)


def last(there: Array, axis: int) -> Array:
    """Return where the last True along an axis is."""
    return there & (np.flip(np.cumsum(np.flip(there, axis), axis), axis) == 1)


def last_of(axis: int, over: int | tuple[int, ...]) -> Rule:
    """Return the rule of terms that overwrite each other: only the last along an axis of `reads`
    counts.

    over: the axes of `reads` along which it does not matter where a term is.
    """

    def rule(of):
        reads = right(of)
        return reads * last(np.asarray(reads.any(axis=over, keepdims=True)), axis)

    return rule


# How the last term of a sum is chosen: (the rule for numbers that skip the padding, the rule if
# there is no padding, or it is part of the array)
LAST_TAP_OF_OUTPUT = last_of(1, 2), last_of(1, (0, 2))
LAST_OUTPUT_OF_TAP = last_of(0, 2), last_of(0, (1, 2))
LAST_FOR_POSITION = last_of(0, 1), last_of(1, 0)  # the last output, or the last tap

MISTAKES = {
    "flip": Mistake("The kernel is flipped{along}.", "", (flipped,)),
    "stride": Mistake("The stride is ignored{along}.", "stride", (where(stride=lambda a: 1),)),
    "taps": Mistake(
        "The stride is used as the distance of the taps too.", "stride",
        (where(dilation=lambda a: a.stride * a.dilation),),
    ),
    "dilation": Mistake(
        "The dilation is ignored{along}.", "dilation", (where(dilation=lambda a: 1),)
    ),
    "padding": Mistake(
        "The padding is not subtracted from the position{along}.", "padding",
        (where(before=lambda a: 0),),
    ),
    "front": Mistake(
        "The padding is only in front of the input.", "padding",
        (where(before=lambda a: a.before + a.after),),
    ),
    "plus": Mistake(
        "The padding is added to the position{along}. Subtract it.", "padding",
        (where(before=lambda a: -a.before),),
    ),
    "low": Mistake(
        "The padding is off by one{along}: each position is one too low.", "padding",
        (where(before=lambda a: a.before + 1),),
    ),
    "high": Mistake(
        "The padding is off by one{along}: each position is one too high.", "padding",
        (where(before=lambda a: a.before - 1),),
    ),
    "negative": Mistake(NEGATIVE, "padding", (from_the_end,)),
    "border": Mistake("The padding repeats the border. It is 0.", "padding", (at_the_border,)),
}  # fmt: skip


def reading_errors(
    by: By, parameters: Sequence[str], axes: int = 1, **sentences: str
) -> dict[str, tuple[Function, ...]]:
    """Return {sentence: functions} of the errors in the position, as `Exercise.wrong` has them.

    parameters: of the exercise. axes: the number of axes over which the window moves. sentences:
    other words for the errors whose keys in MISTAKES they have, or "" to leave one out.
    """
    found: dict[str, tuple[Function, ...]] = {}
    for name, mistake in MISTAKES.items():
        sentence = sentences.get(name, mistake.sentence)
        if not sentence or (mistake.needs and mistake.needs not in parameters):
            continue
        everywhere = tuple(by(*[rule] * axes) for rule in mistake.rules)
        found[sentence.format(along="")] = everywhere
        for place in range(axes if axes > 1 and "{along}" in mistake.sentence else 0):
            here = mistake.sentence.format(along=f" along axis {place + 1}")
            found[here] = tuple(
                by(*(rule if axis == place else right for axis in range(axes)))
                for rule in mistake.rules
            )
    return found


def overwriting(
    by: By, rules: Sequence[Rule], axes: int = 1, **options: Sequence[object]
) -> tuple[Function, ...]:
    """Return functions whose terms overwrite each other.

    options: {parameter of `by`: values}. The functions are made of all combinations.
    """
    return tuple(
        by(*[rule] * axes, **dict(zip(options, values, strict=True)))
        for rule in rules
        for values in product(*options.values())
    )


# ---- the sums ------------------------------------------------------------------------------------

_LETTERS = {
    1: {"x": "nic", "w": "tck", "y": "nok", "windows": "notc", "reads": "oti"},
    2: {"x": "nijc", "w": "tsck", "y": "npqk", "windows": "npqtsc", "reads": "pti,qsj"},
}


def summed(result: str, reads: Sequence[Array], **arrays: Array) -> Array:
    """Return the sum over all indices that the result does not have.

    result: "y", "x" or "w" for y = Σ x w or one of its gradients, and "windows" for the numbers
    (N, *outputs, *taps, C) that the outputs read. reads: one array for each axis. arrays: the
    factors by their names, y for dy.

    >>> reads = [right(Axis(outputs=3, taps=2, length=4))]
    >>> x, w = np.array([1.0, 2, 3, 4]).reshape(1, 4, 1), np.array([10.0, 1]).reshape(2, 1, 1)
    >>> summed("y", reads, x=x, w=w).ravel()
    array([12., 23., 34.])
    """
    letters = _LETTERS[len(reads)]
    operands = ",".join([*(letters[name] for name in arrays), letters["reads"]])
    return np.einsum(f"{operands}->{letters[result]}", *arrays.values(), *reads)
