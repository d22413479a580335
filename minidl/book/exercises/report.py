"""What is wrong with a reader's function, in sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minidl.book.exercises.calls import AGAIN, Call, calls
from minidl.book.exercises.code import code_of, filled
from minidl.book.exercises.comparison import Observation, is_close, wrong_numbers
from minidl.book.exercises.diagnosis import diagnosed
from minidl.book.exercises.exercise import Exercise
from minidl.book.exercises.known_errors import Results, agree, first_error, is_wrong, known_errors

MOST = 24  # numbers of an array that is shown as a whole
LONGEST = 100  # characters of a line with all arguments
UNKNOWN = "This is none of the errors that the check knows."
CHANGED = "The same call has returned the right result before. The function keeps something."


def what_is_wrong(exercise: Exercise, found: Sequence[Results]) -> list[str]:
    """Return the lines about a wrong function.

    found: the results of each call. They may end before the calls do; at least one is wrong.
    """
    pairs = [*zip(calls(exercise), found, strict=False)]
    wrong = [place for place, pair in enumerate(pairs) if is_wrong(exercise, *pair)]
    call, results = pairs[wrong[0]]
    if isinstance(results, str) and "not filled in yet" in results:
        return [results]
    maths, differences = known_errors(exercise, found), []
    if isinstance(results, str):
        maths.insert(0, results)
    elif call.case == AGAIN:
        maths = [CHANGED]
    else:
        differences = [_first_difference(one) for one in _observations(exercise, call, results)]
        maths = (
            maths
            or [*_patterns(exercise, pairs, wrong, everywhere=True)]
            or first_error(exercise, found, wrong)
            or [*_patterns(exercise, pairs, wrong)]
            or [UNKNOWN]
        )
    where = []
    bad = {pairs[place][0].case for place in wrong}
    right = dict.fromkeys(of.case for of, _ in pairs[: wrong[0]] if of.case not in bad)
    if right:
        where.append(f"Right for: {'; '.join(right)}.")
    if exercise.parameters:
        where += _shown(f"Wrong for: {call.case}, with", call.arguments)
    return [f"{exercise.name} is wrong.", *maths, *where, *differences]


def _patterns(
    exercise: Exercise,
    pairs: Sequence[tuple[Call, Any]],
    wrong: Sequence[int],
    everywhere: bool = False,
) -> Iterator[str]:
    """Yield a sentence for each returned name whose wrong arrays show a pattern. everywhere: all of
    them have to."""
    read = {place: pair for place, pair in enumerate(pairs) if not isinstance(pair[1], str)}
    bad = [read[place] for place in wrong if place in read]
    if exercise.compared and bad:
        yield from _repairs(exercise, *bad[0])
    found = [one for pair in bad for one in _observations(exercise, *pair)]
    good = [one for pair in read.values() for one in _observations(exercise, *pair, right=True)]
    for name in dict.fromkeys([*exercise.returns, *(one.name for one in found)]):
        of_name = [one for one in found if one.name == name]
        right = [one for one in good if one.name == name]
        if sentence := of_name and diagnosed(of_name, right, everywhere):
            yield f"{name}: {sentence}" if len(exercise.returns) > 1 else sentence


def _repairs(exercise, call, results):
    """Yield a sentence for each returned matrix with which all would be right if it were
    transposed, or if one of its numbers had the other sign."""
    for name, matrix in zip(exercise.returns, results, strict=True):

        def is_right_with(other, name=name):
            arrays = {**dict(zip(exercise.returns, results, strict=True)), name: other}
            return agree(exercise, [*arrays.values()], call.right)

        if is_right_with(matrix.T):
            yield f"{name} has to be transposed."
        for index in zip(*np.nonzero(matrix), strict=True):
            other = matrix.copy()
            other[index] *= -1
            if is_right_with(other):
                yield f"{name}[{', '.join(map(str, index))}] has the wrong sign."


def _observations(exercise, call, results, right=False):
    """Return an Observation for each array that is wrong: for those of a wrong shape if there are
    any that cannot be compared, and otherwise for those of wrong numbers.

    right: return those of the arrays that are right instead.
    """
    pairs = dict(zip(exercise.returns, zip(results, call.right, strict=True), strict=True))
    if all(a.shape == b.shape for a, b in pairs.values()):
        wanted = exercise.to_compare(call.right)
        pairs = {name: (a, wanted[name]) for name, a in exercise.to_compare(results).items()}
    elif exercise.compared:
        pairs = {name: (a, b) for name, (a, b) in pairs.items() if a.shape != b.shape}
    return [
        Observation(name, call.arguments, a, b, exercise.axes)
        for name, (a, b) in pairs.items()
        if is_close(a, b) == right
    ]


def _first_difference(one):
    """Return the sentence that shows the first wrong number, or the wrong shape."""
    if one.found.shape != one.right.shape:
        return f"{one.name} has the shape {one.found.shape}; wanted {one.right.shape}."
    wrong = wrong_numbers(one.found, one.right)
    index = tuple(map(int, np.argwhere(wrong)[0])) if one.right.ndim else ()
    place = f"{one.name}[{', '.join(map(str, index))}]" if index else one.name
    count = f" {np.count_nonzero(wrong)} of {wrong.size} numbers differ." if index else ""
    found, right = (f"{array[index] + 0.0:.6g}" for array in (one.found, one.right))  # not -0
    if found == right:
        found, right = repr(float(one.found[index])), repr(float(one.right[index]))
    return f"{place} is {found}; wanted {right}.{count}"


def _shown(words, arguments):
    """Return lines that begin with the words and contain the arguments: the shapes of large arrays,
    and the values of all others."""
    arrays: list[str] = []
    others: list[str] = []
    for name, value in arguments.items():
        is_array = isinstance(value, np.ndarray)
        is_large = is_array and value.size > MOST
        text = f"{name} of shape {value.shape}" if is_large else f"{name} = {code_of(value)}"
        (arrays if is_array else others).append(text)
    line = f"{words} {', '.join([*arrays, *others])}."
    if len(line) <= LONGEST:
        return [line]
    lines = [*arrays, *filter(None, [", ".join(others)])]
    return [words, *(f"    {filled(each, '        ')}" for each in lines)]
