"""Patterns of arrays that have a wrong shape."""

import itertools

import numpy as np

from minidl.book.exercises.comparison import Pattern, axes_in_words, is_close
from minidl.book.exercises.wrong_values import is_over, some_axes, sums_of_other_axes, transposed


def _empty(one):
    if one.right.size and not one.found.size:
        yield "It is empty. Note that a slice such as [p:-p] is empty for p = 0."


def _other_shape(one):
    if is_close(one.found.reshape(-1), one.right.reshape(-1)):
        yield "Its numbers are right, but the shape has to be {right}, not {found}."


def _unsummed(one):
    """The sum over broadcast axes is missing."""
    added = one.found.ndim - one.right.ndim
    aligned = (1,) * added + one.right.shape
    if added < 0 or any(n not in (1, m) for m, n in zip(one.found.shape, aligned, strict=True)):
        return
    repeated = [i for i, n in enumerate(aligned) if n == 1 != one.found.shape[i]]
    axes = tuple(sorted({*range(added), *repeated}))
    for total, words in ((np.sum, "sum"), (np.mean, "mean")) if one.found.size else ():
        if is_close(total(one.found, axis=axes, keepdims=True).reshape(one.right.shape), one.right):
            yield f"The {words} over {axes_in_words(axes)} is missing."


def _summed(one):
    """The right array has been summed over some of its axes."""
    for axes in some_axes(one.right):
        if is_over(np.sum, one.right, axes, one.found):
            yield f"The result is summed over {axes_in_words(axes)}. It must not be."


def _too_many(one):
    """The right array is a part of the one that was found."""
    if one.found.ndim != one.right.ndim:
        return
    room = [m - n for m, n in zip(one.found.shape, one.right.shape, strict=True)]
    for begin in itertools.product(*(range(n + 1) for n in room)):
        part = tuple(slice(b, b + n) for b, n in zip(begin, one.right.shape, strict=True))
        if not is_close(one.found[part], one.right):
            continue
        if any(begin):
            yield f"It contains the right numbers, from index {begin} on. Remove the others."
        else:
            yield from (f"There are too many positions {words}" for words in _longer(one))


def _too_few(one):
    """The array that was found is a part of the right one."""
    if one.found.ndim == one.right.ndim:
        part = tuple(map(slice, one.found.shape))
        if is_close(one.found, one.right[part]):
            for words in _longer(one):
                yield f"The last positions are missing {words}"


def _longer(one):
    """Yield the end of a sentence for each axis of a wrong length."""
    for axis, (m, n) in enumerate(zip(one.found.shape, one.right.shape, strict=True)):
        name = one.axis_name(one.name, axis)
        hint = f" Check the formula of {name}." if name in ("P", "Q") else ""
        length = f" = {name}" if name and not hint and not name.isdigit() else ""
        if m != n:
            found, right = f"{{found[{axis}]}}", f"{{right[{axis}]}}"  # see Pattern
            yield f"along axis {axis}: {found} instead of {right}{length}.{hint}"


PATTERNS: tuple[Pattern, ...] = (
    _empty, _other_shape, _unsummed, transposed, sums_of_other_axes, _summed, _too_many, _too_few,
)  # fmt: skip
