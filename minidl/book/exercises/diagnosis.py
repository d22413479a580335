"""What a wrong array tells about the error: patterns that are computed from the arrays alone.

A pattern compares a wrong array with the right one and yields sentences. A sentence is believed if
it holds for all wrong arrays, or for the first one if that has several numbers.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minidl.typing import Array

TOLERANCE = 1e-9  # relative to the largest number of the right array, or to 1
NEAR = 1e-5  # a difference that is due to float32, to a rounded constant or to a finite difference
LARGEST = 1000  # denominator of a factor that is shown as a fraction
MANY = 4  # numbers whose pattern is hardly a coincidence


class Observation(NamedTuple):
    """A wrong result of a call. name: of the result. found, right: the arrays."""

    name: str
    arguments: dict[str, Any]
    found: Array
    right: Array


Pattern: TypeAlias = Callable[[Observation], Iterator[str]]


def is_close(found: Array, right: Array, tolerance: float = TOLERANCE) -> bool:
    """Return whether two arrays have one shape and the same numbers, apart from rounding."""
    return found.shape == right.shape and not wrong_numbers(found, right, tolerance).any()


def wrong_numbers(found: Array, right: Array, tolerance: float = TOLERANCE) -> Array:
    """Return bools: where two arrays of one shape differ by more than rounding."""
    scale = max(1.0, abs(right[np.isfinite(right)]).max(initial=0))
    same = (found == right) | (np.isnan(found) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        return ~(same | (abs(found - right) <= tolerance * scale))


def diagnosed(wrong: Sequence[Observation]) -> str | None:
    """Return a sentence about the error in wrong results of one name, or None."""
    shapes = [one for one in wrong if one.found.shape != one.right.shape]
    patterns = _SHAPES if shapes else _VALUES
    with np.errstate(all="ignore"):
        sentences = [
            dict.fromkeys(words for pattern in patterns for words in pattern(one))
            for one in shapes or wrong
        ]
        for_all = [words for words in sentences[0] if all(words in s for s in sentences)]
        sizes = [max(one.right.size, one.found.size) for one in shapes or wrong]
        if sum(sizes) < MANY:
            return None
        ratio = None if shapes else _ratio_in_words(wrong)
        first = next(iter(sentences[0]), None) if sizes[0] >= MANY else None
        return ratio or next(iter(for_all), first)


# ---- the shape is wrong --------------------------------------------------------------------------


def _empty(one):
    if one.right.size and not one.found.size:
        yield "It is empty. Note that a slice such as [p:-p] is empty for p = 0."


def _unsummed(one):
    """The sum over broadcast axes is missing."""
    added = one.found.ndim - one.right.ndim
    aligned = (1,) * added + one.right.shape
    if added < 0 or any(n not in (1, m) for m, n in zip(one.found.shape, aligned, strict=True)):
        return
    repeated = [i for i, n in enumerate(aligned) if n == 1 != one.found.shape[i]]
    axes = tuple(sorted({*range(added), *repeated}))
    for total, words in ((np.sum, "sum"), (np.mean, "mean")):
        if is_close(total(one.found, axis=axes, keepdims=True).reshape(one.right.shape), one.right):
            yield f"The {words} over {_axes(axes)} is missing."


def _padded(one):
    """The right array is a part of the one that was found."""
    if one.found.ndim == one.right.ndim:
        room = [m - n for m, n in zip(one.found.shape, one.right.shape, strict=True)]
        for begin in itertools.product(*(range(n + 1) for n in room)):
            part = tuple(slice(b, b + n) for b, n in zip(begin, one.right.shape, strict=True))
            if is_close(one.found[part], one.right):
                yield f"It contains the right numbers, from index {begin} on. Remove the others."


def _cut(one):
    """The array that was found is a part of the right one."""
    if one.found.ndim == one.right.ndim and one.found.size:
        part = tuple(map(slice, one.found.shape))
        if is_close(one.found, one.right[part]):
            axes = [i for i, n in enumerate(one.found.shape) if n < one.right.shape[i]]
            yield f"Its numbers are right, but the last ones along {_axes(axes)} are missing."


def _reshaped(one):
    if is_close(one.found.reshape(-1), one.right.reshape(-1)):
        yield "Its numbers are right, but their array has to be reshaped."


def _transposed(one):
    """The axes are in another order. The shape may be the right one."""
    order = tuple(range(one.right.ndim))
    if one.found.ndim == one.right.ndim <= 4:
        for axes in itertools.permutations(order):
            if axes != order and is_close(one.found.transpose(axes), one.right):
                yield f"The axes are in the wrong order. It is right after .transpose{axes}."


# ---- numbers are wrong ---------------------------------------------------------------------------


def _ratio_in_words(wrong):
    """Return a sentence if all wrong arrays are multiples of the right ones, and None otherwise."""
    ratios = [_ratio(one) for one in wrong]
    if None in ratios:
        return None
    if np.ptp(ratios) <= TOLERANCE:
        if abs(ratios[0]) <= TOLERANCE:
            return "It is 0 everywhere."
        return "The sign is wrong." if abs(ratios[0] + 1) <= TOLERANCE else _times(ratios[0])
    for words in dict(_lengths(wrong[0].arguments)):
        lengths = [dict(_lengths(one.arguments)).get(words, np.nan) for one in wrong]
        for rest, power in ((np.divide(ratios, lengths), "·"), (np.multiply(ratios, lengths), "/")):
            if np.ptp(rest) <= TOLERANCE * abs(rest[0]):
                return _times(rest[0], f" {power} ({words})")
    return None


def _ratio(one):
    """Return c if found = c·right, and None otherwise."""
    place = np.unravel_index(abs(one.right).argmax(), one.right.shape) if one.right.size else None
    if place is None or one.right[place] == 0:
        return None
    ratio = float(one.found[place] / one.right[place])
    return ratio if is_close(one.found, ratio * one.right) else None


def _lengths(arguments):
    """Yield (words, number) for the sizes of arrays and the numbers among the arguments."""
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            yield f"the size of {name}", value.size
            for axis, length in enumerate(value.shape):
                yield f"the length of axis {axis} of {name}", length
            if value.ndim > 2:
                yield f"the number of positions of {name}", int(np.prod(value.shape[1:-1]))
        elif isinstance(value, int | float) and not isinstance(value, bool) and value:
            yield name, float(value)


def _infinite(one):
    if not np.isfinite(one.found).all():
        yield "It contains NaN or infinity."


def _near(one):
    if is_close(one.found, one.right, NEAR):
        yield (
            "It is nearly right. Compute in float64 throughout, and without rounded constants or "
            "finite differences."
        )


def _argument_factor(one):
    """An argument is missing as a factor, or is a factor too often."""
    for name, value in _broadcast(one):
        if is_close(one.found * value, one.right):
            yield f"The factor {name} is missing."
        if is_close(one.found, one.right * value):
            yield f"The factor {name} is there once too often."


def _difference(one):
    """The wrong array differs from the right one by a multiple of an argument."""
    for name, value in _broadcast(one):
        for factor in (1, 2, 0.5):
            number = "" if factor == 1 else f"{factor:g} "
            if is_close(one.found, one.right + factor * value):
                yield f"It is the right answer plus {number}{name}."
            if is_close(one.found, one.right - factor * value):
                yield f"It is the right answer minus {number}{name}."


def _broadcast(one):
    """Yield (name, number or array) of the arguments with which the right array can be multiplied.
    Arguments that consist of 0 or 1 only say nothing."""
    for name, value in one.arguments.items():
        if isinstance(value, np.ndarray | float) and not np.isin(value, (0, 1)).all():
            lengths = zip(reversed(np.shape(value)), reversed(one.right.shape), strict=False)
            if np.ndim(value) <= one.right.ndim and all(m in (1, n) for m, n in lengths):
                yield name, value


def _signs(one):
    if is_close(abs(one.found), abs(one.right)):
        yield "Only signs are wrong."


def _reversed(one):
    axes = [i for i, n in enumerate(one.right.shape) if n > 1]
    for count in range(1, len(axes) + 1):
        for flipped in itertools.combinations(axes, count):
            if is_close(np.flip(one.found, flipped), one.right):
                yield f"The order is reversed along {_axes(flipped)}."


def _shifted(one):
    """The numbers are right, but one or two positions too far along an axis."""
    for axis, length in enumerate(one.right.shape):
        found, right = np.moveaxis(one.found, axis, 0), np.moveaxis(one.right, axis, 0)
        for step in range(1, min(3, length - 1)):
            positions = "one position" if step == 1 else f"{step} positions"
            if right[:-step].any() and is_close(found[step:], right[:-step]):
                yield f"The numbers are {positions} too late along axis {axis}."
            if right[step:].any() and is_close(found[:-step], right[step:]):
                yield f"The numbers are {positions} too early along axis {axis}."


def _at_an_end(one):
    """All wrong numbers are at one or both ends of an axis."""
    places = np.argwhere(wrong_numbers(one.found, one.right))
    for axis, length in enumerate(one.right.shape):
        indices = {*places[:, axis].tolist()}
        for ends, words in (
            ({0}, "the first position along axis {} is"),
            ({length - 1}, "the last position along axis {} is"),
            ({0, length - 1}, "the first and the last position along axis {} are"),
        ):
            if length > 2 and indices == ends:
                yield f"Only {words.format(axis)} wrong."


def _times(number, factor=""):
    """Return the sentence for a factor. The number is shown as a fraction if it is one."""
    fraction = Fraction(number).limit_denominator(LARGEST)
    is_one = abs(fraction - number) <= TOLERANCE * abs(number)
    text = str(fraction) if is_one and abs(fraction.numerator) <= LARGEST else f"{number:.6g}"
    return f"It is the right answer times {text}{factor}."


def _axes(axes):
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"


_SHAPES: tuple[Pattern, ...] = (_empty, _unsummed, _transposed, _padded, _cut, _reshaped)
_VALUES: tuple[Pattern, ...] = (
    _infinite, _near, _argument_factor, _difference, _transposed, _reversed, _signs, _shifted,
    _at_an_end,
)  # fmt: skip
