"""The calls of a reader's function from which it is judged."""

import functools
import inspect
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.book.exercises.exercise import Exercise, Function
from minidl.book.exercises.results import as_arrays
from minidl.dispatch import textbook
from minidl.gradcheck import Proof, prove
from minidl.proofs import Row, Shape, fill
from minidl.typing import Array

EXAMPLE, AGAIN = "the example", "the example once more"


class Call(NamedTuple):
    """A call of the function. case: in words. right: the arrays that it has to return."""

    case: str
    arguments: dict[str, Any]
    right: tuple[Array, ...]


@functools.cache
def calls(exercise: Exercise) -> list[Call]:
    """Return all calls of `used`, in their order, with the right results."""
    found: list[Call] = []
    pending: list[tuple[dict[str, Any], tuple[Array, ...]]] = []
    signature = inspect.signature(exercise.right)

    @functools.wraps(exercise.right)
    def recorded(*args, **kwargs):
        arguments = signature.bind(*args, **kwargs).arguments
        result = exercise.right(**arguments)
        pending.append(({name: _plain(value) for name, value in arguments.items()}, result))
        return result

    for case, _ in used(exercise, recorded):
        found += [Call(case, arguments, as_arrays(result)) for arguments, result in pending]
        pending.clear()
    return found


def used(exercise: Exercise, function: Function) -> Iterator[tuple[str, list[Proof]]]:
    """Call the function as often as the judgement needs it. Yield each case with its proofs.

    A case begins with whole numbers, because a reader can check these by hand. The order of the
    calls and their arguments do not depend on what the function returns. The last call is the first
    one again, because a function may keep something between calls.
    """
    with textbook(), np.errstate(all="ignore"):
        function(**exercise.example)
        yield EXAMPLE, []
        row = Row(exercise.name, function, lambda choose: {}, exercise.kinds, exercise.data)
        for number, (case, geometry) in enumerate(exercise.cases.items()):
            arguments = fill(row, geometry, (0, number))
            simple = {
                name: whole(value) if isinstance(geometry[name], Shape) else value
                for name, value in arguments.items()
            }
            if exercise.op:
                op = exercise.op(function)
                _forward_and_back(op, simple, exercise.kinds)
                yield case, prove(op, arguments, exercise.kinds, (1, number))
                continue
            function(**simple)
            if any(isinstance(value, Shape) for value in geometry.values()):
                function(**arguments)
            yield case, []
        for case, special in exercise.special.items():
            function(**special)
            yield case, []
        function(**exercise.example)
        yield AGAIN, []


def whole(numbers: Array) -> Array:
    """Return whole numbers instead, of the same signs and in the same order of size.

    >>> whole(np.array([-0.4, 0.0, 0.9]))
    array([-2.,  0.,  3.])
    """
    return np.asarray(np.sign(numbers) * np.ceil(3 * abs(numbers)))


def proofs(exercise: Exercise, results: Sequence[Any]) -> list[Proof]:
    """Return the proof with the largest error for each argument, computed from the results of
    `calls`: one tuple of arrays for each call."""
    left = iter(results)

    @functools.wraps(exercise.right)
    def replayed(*args, **kwargs):
        arrays = tuple(array[()] for array in next(left))
        return arrays if len(arrays) > 1 else arrays[0]

    worst: dict[str, Proof] = {}
    for _, of_case in used(exercise, replayed):
        for proof in of_case:
            if proof.argument not in worst or not proof.error <= worst[proof.argument].error:
                worst[proof.argument] = proof
    return [*worst.values()]


def _forward_and_back(op, arguments, wanted):
    """Call the op and its gradients once. The gradient of its result consists of whole numbers."""
    tensors = {name: Tensor(arguments[name], requires_grad=True) for name in wanted}
    y = op(**{**arguments, **tensors})
    y.backward(whole(np.random.default_rng(y.data.size).standard_normal(y.shape)))


def _plain(value):
    """Return a copy of an array, and a number for an array without axes."""
    return value.copy()[()] if isinstance(value, np.ndarray) else value
