"""Recognise the known errors of an exercise by the numbers that they give."""

import functools
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from minidl.book.exercises.calls import Call, calls
from minidl.book.exercises.diagnosis import is_close
from minidl.book.exercises.exercise import Exercise
from minidl.book.exercises.results import as_arrays
from minidl.dispatch import textbook
from minidl.typing import Array

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


def known_errors(exercise: Exercise, found: Sequence[Results], wrong: Sequence[int]) -> list[str]:
    """Return the sentences of known errors that give the results that were found, or [].

    One error may explain the results of all calls. Or each wrong array has an error of its own. Or
    an error explains the calls up to the first wrong one after the example. Errors may look alike
    in the example.

    wrong: the places of the wrong calls.
    """
    errors = _results_of_errors(exercise)
    for sentence, results in errors.items():
        if _is_explained(exercise, results, found):
            return [sentence]
    if sentences := _by_name(exercise, found):
        return sentences
    end = 1 + next((place for place in wrong if place), 0)
    for sentence, results in errors.items():
        if _is_explained(exercise, results[:end], found[:end]):
            return [sentence, "Later cases show a further error."]
    return []


def _by_name(exercise, found):
    """Return a sentence for each returned array that is wrong, or [] if one has no known error."""
    sentences: dict[str, list[str]] = {}
    pairs = [*zip(calls(exercise), found, strict=False)]
    for place, name in enumerate(exercise.returns if len(exercise.returns) > 1 else ()):
        if all(_is_right(*pair, place) for pair in pairs):
            continue
        known = [
            sentence
            for sentence, results in _results_of_errors(exercise).items()
            if _is_explained(exercise, results, found, place)
        ]
        if not known:
            return []
        sentences.setdefault(known[0], []).append(name)
    return [f"{', '.join(names)}: {sentence}" for sentence, names in sentences.items()]


def _is_explained(exercise, error, found, place=None):
    """Return whether a known error gives the results. It may raise exceptions for the same calls,
    but at least one wrong array has to be the same.

    place: of the only array that counts, or None for all.
    """
    explained = False
    for call, a, b in zip(calls(exercise), error, found, strict=False):
        if isinstance(a, str) and isinstance(b, str):
            continue
        if isinstance(a, str) or isinstance(b, str):
            return False
        if not (agree(exercise, a, b) if place is None else is_close(a[place], b[place])):
            return False
        explained |= is_wrong(exercise, call, b) if place is None else not _is_right(call, b, place)
    return explained


def _is_right(call, results, place):
    return not isinstance(results, str) and is_close(results[place], call.right[place])


@functools.cache
def _results_of_errors(exercise):
    """Return {sentence: results of all calls} of the known errors."""

    def results(function, arguments):
        try:
            return as_arrays(function(**arguments))
        except (ValueError, IndexError) as error:  # the error does not fit these shapes
            return str(error)

    with textbook(), np.errstate(all="ignore"):
        return {
            sentence: [results(function, call.arguments) for call in calls(exercise)]
            for sentence, function in exercise.wrong.items()
        }
