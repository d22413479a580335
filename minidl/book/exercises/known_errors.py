"""Recognise the known errors of an exercise by the numbers that they give."""

import functools
import itertools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from minidl.book.exercises.calls import Call, calls
from minidl.book.exercises.comparison import is_close
from minidl.book.exercises.exercise import Exercise
from minidl.book.exercises.results import as_arrays
from minidl.dispatch import textbook
from minidl.typing import Array

MANY = 3  # numbers whose agreement is hardly a coincidence
Results: TypeAlias = tuple[Array, ...] | str  # of a call, or the sentence that says why none


def is_wrong(exercise: Exercise, call: Call, found: Results) -> bool:
    """Return whether the results of a call differ from the right ones."""
    return isinstance(found, str) or not agree(exercise, found, call.right)


def agree(exercise: Exercise, found: Sequence[Array], right: Sequence[Array]) -> bool:
    """Return whether arrays have the right shapes and, where they are compared, the right
    numbers."""
    if [a.shape for a in found] != [b.shape for b in right]:
        return False
    wanted = exercise.to_compare(right)
    return all(is_close(a, wanted[name]) for name, a in exercise.to_compare(found).items())


def known_errors(exercise: Exercise, found: Sequence[Results]) -> list[str]:
    """Return the sentences of known errors that give all results that were found, or [].

    One error may explain the results of all calls, or each wrong array has an error of its own.
    """
    for sentence, results in _results_of_errors(exercise):
        if _is_explained(exercise, results, found):
            names = _wrong_names(exercise, found)
            is_one = len(names) == 1 < len(exercise.returns) and names[0] not in sentence
            return [f"{names[0]}: {sentence}" if is_one else sentence]
    return _by_name(exercise, found)


def first_error(exercise: Exercise, found: Sequence[Results], wrong: Sequence[int]) -> list[str]:
    """Return the sentence of a known error that gives the results up to the first wrong case after
    the example, and a sentence that names a case of which it does not. Return [] if there is none.
    Errors may look alike in the example.

    wrong: the places of the wrong calls.
    """
    every = calls(exercise)
    case = every[next((place for place in wrong if place), 0)].case
    end = 1 + max(place for place, call in enumerate(every) if call.case == case)
    for sentence, results in _results_of_errors(exercise):
        if _is_explained(exercise, results[:end], found[:end], least=MANY):
            differ = (_differ(exercise, *pair) for pair in zip(results, found, strict=False))
            other = every[[*differ].index(True)].case
            return [sentence, f'In the case "{other}", this error alone gives another result.']
    return []


def _wrong_names(exercise, found):
    """Return the names of the returned arrays that are wrong for at least one call."""
    pairs = [*zip(calls(exercise), found, strict=False)]
    return [
        name
        for place, name in enumerate(exercise.returns)
        if not all(_is_right(*pair, place) for pair in pairs)
    ]


def _by_name(exercise, found):
    """Return a sentence for each returned array that is wrong, or [] if one has no known error."""
    sentences: dict[str, list[str]] = {}
    for name in _wrong_names(exercise, found) if len(exercise.returns) > 1 else ():
        place = exercise.returns.index(name)
        known = [
            sentence
            for sentence, results in _results_of_errors(exercise)
            if _is_explained(exercise, results, found, place)
        ]
        if not known:
            return []
        sentences.setdefault(known[0], []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in sentences.items()]


def _is_explained(exercise, error, found, place=None, least=1):
    """Return whether a known error gives the results. It may raise exceptions for the same calls.

    place: of the only array that counts, or None for all. least: how many numbers wrong arrays must
    have that are the same.
    """
    numbers = 0
    for call, a, b in zip(calls(exercise), error, found, strict=False):
        if _differ(exercise, a, b, place):
            return False
        is_right = not is_wrong(exercise, call, b) if place is None else _is_right(call, b, place)
        if not isinstance(b, str) and not is_right:
            numbers += sum(array.size for array in b)
    return numbers >= least


def _differ(exercise, error, found, place=None):
    """Whether the results of a known error and those that were found differ. Two exceptions do not.

    place: of the only array that counts, or None for all.
    """
    if isinstance(error, str) or isinstance(found, str):
        return isinstance(error, str) != isinstance(found, str)
    if place is None:
        return not agree(exercise, error, found)
    return not is_close(error[place], found[place])


def _is_right(call, results, place):
    return not isinstance(results, str) and is_close(results[place], call.right[place])


@functools.cache
def _results_of_errors(exercise):
    """Return (sentence, results of all calls) for each known error."""

    def results(function, arguments):
        try:
            return as_arrays(function(**arguments))
        except (ValueError, IndexError) as error:  # the error does not fit these shapes
            return str(error)

    with textbook(), np.errstate(all="ignore"):
        found = [
            (sentence, [results(function, call.arguments) for call in calls(exercise)])
            for sentence, function in exercise.errors
        ]
    for order in [*itertools.permutations(range(len(exercise.returns)))][1:]:
        sentence = f"The results are in the wrong order. Return {', '.join(exercise.returns)}."
        found.append((sentence, [tuple(c.right[i] for i in order) for c in calls(exercise)]))
    return found
