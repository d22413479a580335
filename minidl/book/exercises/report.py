"""What is wrong with a reader's function, in sentences."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from minidl.book.exercises.calls import AGAIN, Call, calls
from minidl.book.exercises.diagnosis import Observation, diagnosed, is_close, wrong_numbers
from minidl.book.exercises.exercise import Exercise
from minidl.book.exercises.known_errors import Results, agree, is_wrong, known_errors
from minidl.errors import brief

LONGEST = 40  # characters of an array that is shown as a whole
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
    maths, differences = known_errors(exercise, found, wrong), []
    if isinstance(results, str):
        maths.insert(0, results)
    elif call.case == AGAIN:
        maths = [CHANGED]
    else:
        differences = [_first_difference(one) for one in _observations(exercise, call, results)]
        maths = maths or [*_patterns(exercise, [pairs[place] for place in wrong])] or [UNKNOWN]
    where = []
    bad = {pairs[place][0].case for place in wrong}
    right = dict.fromkeys(of.case for of, _ in pairs[: wrong[0]] if of.case not in bad)
    if right:
        where.append(f"Right for: {'; '.join(right)}.")
    if exercise.parameters:
        where.append(f"Wrong for: {call.case}, with {_shown(call.arguments)}.")
    return [f"{exercise.name} is wrong.", *maths, *where, *differences]


def _patterns(exercise: Exercise, wrong: Sequence[tuple[Call, Any]]) -> Iterator[str]:
    """Yield a sentence for each returned name whose wrong arrays show a pattern."""
    read = [(call, results) for call, results in wrong if not isinstance(results, str)]
    if exercise.compared and read:
        yield from _repairs(exercise, *read[0])
    observations = [one for pair in read for one in _observations(exercise, *pair)]
    for name in dict.fromkeys([*exercise.returns, *(one.name for one in observations)]):
        of_name = [one for one in observations if one.name == name]
        if sentence := of_name and diagnosed(of_name):
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


def _observations(exercise, call, results):
    """Return an Observation for each array that is wrong: for those of a wrong shape if there are
    any that cannot be compared, and otherwise for those of wrong numbers."""
    pairs = dict(zip(exercise.returns, zip(results, call.right, strict=True), strict=True))
    if all(a.shape == b.shape for a, b in pairs.values()):
        right = exercise.to_compare(call.right)
        pairs = {name: (a, right[name]) for name, a in exercise.to_compare(results).items()}
    elif exercise.compared:
        pairs = {name: (a, b) for name, (a, b) in pairs.items() if a.shape != b.shape}
    return [
        Observation(name, call.arguments, a, b)
        for name, (a, b) in pairs.items()
        if not is_close(a, b)
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


def _shown(arguments):
    """Return the arguments in words: the shapes of large arrays, and all other values."""
    shown = []
    for name, value in arguments.items():
        if isinstance(value, np.ndarray):
            numbers = np.array2string(value, precision=4, separator=", ")
            text = " ".join(numbers.split()).replace("[ ", "[")
            is_short = len(text) <= LONGEST
            shown.append(f"{name} = {text}" if is_short else f"{name} of shape {value.shape}")
        else:
            text = f"{value:.6g}" if isinstance(value, float) else brief(value)
            shown.append(f"{name} = {text}")
    return ", ".join(shown)
