"""What the ratio of wrong arrays to the right ones tells about the error."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from minidl.book.exercises.comparison import TOLERANCE, Observation, is_close

LARGEST = 1000  # denominator of a factor that is shown as a fraction


def ratio_in_words(wrong: Sequence[Observation], right: Sequence[Observation]) -> str | None:
    """Return a sentence if all wrong arrays are multiples of the right ones, and None otherwise.

    right: the results that are right. The reason for a factor is 1 for them.
    """
    ratios = [_ratio(one) for one in wrong]
    if None in ratios:
        return None
    is_constant = np.ptp(ratios) <= TOLERANCE
    if is_constant and abs(ratios[0]) <= TOLERANCE:
        return "It is 0 everywhere."
    if is_constant and abs(ratios[0] + 1) <= TOLERANCE:
        return "The sign is wrong."
    others = [one for one in right if one.right.any()]
    reason = _reason([*wrong, *others], [*ratios, *[1.0] * len(others)])
    return reason or (_times(ratios[0]) if is_constant else None)


def _reason(observations, ratios):
    """Return a sentence if the ratios are not equal, but multiples of a number of the arguments or
    of its inverse."""
    if np.ptp(ratios) <= TOLERANCE:
        return None
    other = None
    for words in dict(_lengths(observations[0])):
        lengths = [dict(_lengths(one)).get(words, np.nan) for one in observations]
        for rest, power, verb in (
            (np.divide(ratios, lengths), "·", "multiplied"),
            (np.multiply(ratios, lengths), "/", "divided"),
        ):
            if np.ptp(rest) <= TOLERANCE * abs(rest[0]):
                if abs(rest[0] - 1) <= TOLERANCE:
                    return f"It is {verb} by {words}."
                other = other or _times(rest[0], power, words)
    return other


def _ratio(one):
    """Return c if found = c·right, and None otherwise."""
    place = np.unravel_index(abs(one.right).argmax(), one.right.shape) if one.right.size else None
    if place is None or one.right[place] == 0:
        return None
    ratio = float(one.found[place] / one.right[place])
    return ratio if is_close(one.found, ratio * one.right) else None


def _lengths(one):
    """Yield (words, number) for the sizes of arrays and the numbers among the arguments."""
    for name, value in one.arguments.items():
        if isinstance(value, np.ndarray):
            for axis, length in enumerate(value.shape):
                letter = one.axis_name(name, axis)
                words = f"{letter and letter + ', '}the length of axis {axis} of {name}"
                yield words, length
                yield f"the square of {words}", length**2
            yield f"the size of {name}", value.size
            if value.ndim > 2:
                yield f"the number of positions of {name}", int(np.prod(value.shape[1:-1]))
        elif isinstance(value, int | float) and not isinstance(value, bool) and value:
            yield name, float(value)


def _times(number, power="", words=""):
    """Return the sentence for a factor. The number is shown as a fraction if it is one."""
    fraction = Fraction(number).limit_denominator(LARGEST)
    is_one = abs(fraction - number) <= TOLERANCE * abs(number)
    text = str(fraction) if is_one and abs(fraction.numerator) <= LARGEST else f"{number:.6g}"
    return f"It is the right answer times {text}{words and f' {power} ({words})'}."
