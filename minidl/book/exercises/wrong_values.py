"""Patterns of arrays that have the right shape, but wrong numbers."""

import itertools

import numpy as np

from minidl.book.exercises.comparison import Pattern, axes_in_words, is_close, wrong_numbers
from minidl.book.exercises.sentences import OVERWRITTEN

NEAR = 1e-5  # a difference that is due to float32, to a rounded constant or to a finite difference


def transposed(one):
    """The axes are in another order. The shape may be the right one."""
    order = tuple(range(one.right.ndim))
    if one.found.ndim == one.right.ndim <= 4:
        for axes in itertools.permutations(order):
            if axes != order and is_close(one.found.transpose(axes), one.right):
                yield f"The axes are in the wrong order. It is right after .transpose{axes}."


def sums_of_other_axes(one):
    """The right array is the sum of an argument over some axes, and the wrong one is another sum or
    mean of it, or its last term."""
    for name, array in one.arguments.items():
        axes = list(some_axes(array)) if isinstance(array, np.ndarray) and array.ndim <= 4 else ()
        for wanted in axes:
            if not is_over(np.sum, array, wanted, one.right):
                continue
            if is_over(_last, array, wanted, one.found):
                yield OVERWRITTEN
            for some in axes:
                has_to = f"It has to run over {axes_in_words(wanted)}."
                if some != wanted and is_over(np.sum, array, some, one.found):
                    yield f"The sum runs over {axes_in_words(some)} of {name}. {has_to}"
                if some != wanted and is_over(np.mean, array, some, one.found):
                    yield f"This is a mean over {axes_in_words(some)}, not a sum. {has_to}"


def some_axes(array):
    """Yield tuples of one or more axes of an array."""
    for count in range(1, array.ndim + 1):
        yield from itertools.combinations(range(array.ndim), count)


def is_over(reduce, array, axes, found):
    """Whether an array is a reduction of another one, with or without the axes of length 1."""
    return array.size > 0 and any(
        is_close(reduce(array, axis=axes, keepdims=keepdims), found) for keepdims in (False, True)
    )


def _last(array, axis, keepdims):
    """Return the last term along axes."""
    end = slice(-1, None)
    term = array[tuple(end if i in axis else slice(None) for i in range(array.ndim))]
    return term if keepdims else term.squeeze(axis)


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
                yield f"The order is reversed along {axes_in_words(flipped)}."


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


def _only_some(one):
    """All wrong numbers are at some positions of an axis."""
    places = np.argwhere(wrong_numbers(one.found, one.right))
    for axis, length in enumerate(one.right.shape):
        indices = sorted({*places[:, axis].tolist()})
        if len(indices) < length:
            at = ", ".join(map(str, indices))
            yield f"Only the numbers at index {at} along axis {axis} are wrong."


PATTERNS: tuple[Pattern, ...] = (
    _infinite, _near, _argument_factor, _difference, transposed, sums_of_other_axes, _reversed,
    _signs, _shifted, _at_an_end, _only_some,
)  # fmt: skip
