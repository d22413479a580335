"""Exercise: a function that a reader writes, and what is needed to judge it."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from minidl.autograd import Op, differentiable
from minidl.book.exercises.code import with_arguments
from minidl.typing import Array

Function: TypeAlias = Callable[..., Any]
Arguments: TypeAlias = Mapping[str, Any]
Functions: TypeAlias = Function | tuple[Function, ...]


@dataclass(frozen=True, eq=False)
class Exercise:
    """A function that a reader writes, with what is needed to judge it.

    name: of the exercise and, with _ for -, of the function. chapter: the name of a chapter of the
    book. task: the shapes, the formula and what is wanted, in the notation of docstrings. hint: a
    help that a reader may ignore.

    right: the right function. The reader's function has its parameters. returns: the names of what
    it returns. example: arguments of `right` that can be followed by hand.

    cases: {words: geometry} from the simplest to the most general. A geometry has a Shape for each
    array. It gives the arguments of the op, or those of `right` if there is no op. special: {words:
    arguments of `right`} that the proof cannot take, such as ties.

    wrong: {sentence: function that makes this error, or several that make it in different ways}.
    They have the parameters of `right`.

    op: function that returns the op with a given function as its forward or its gradient. kinds,
    data: what is proven of this op, and the numbers in its arrays, as in a Row of the proofs.

    compared: function of the returned arrays that returns {name: array}, what is compared instead,
    because more than one result is right.
    """

    name: str
    chapter: str
    title: str
    task: str
    hint: str
    right: Function
    returns: tuple[str, ...]
    example: Arguments
    cases: Mapping[str, Arguments]
    wrong: Mapping[str, Functions]
    op: Callable[[Function], Op] | None = None
    kinds: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)
    special: Mapping[str, Arguments] = field(default_factory=dict)
    compared: Callable[..., dict[str, Array]] | None = None

    @property
    def function(self) -> str:
        """The name of the reader's function."""
        return self.name.replace("-", "_")

    @property
    def parameters(self) -> list[str]:
        """The parameters of the reader's function."""
        return [*inspect.signature(self.right).parameters]

    @property
    def stub(self) -> str:
        """The function to fill in."""
        head = with_arguments(f"def {self.function}", ", ".join(self.parameters), ":")
        return f"{head}\n    raise NotImplementedError"

    @property
    def errors(self) -> Iterator[tuple[str, Function]]:
        """The (sentence, function) of each known error."""
        for sentence, functions in self.wrong.items():
            for function in functions if isinstance(functions, tuple) else (functions,):
                yield sentence, function

    @property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """The names of the axes of arrays, where the task states them: "w (T, C, K)", and in the
        shapes of its first line."""
        first, _, rest = self.task.partition("\n\n")
        shapes, arrow, results = " ".join(first.split()).partition(" -> ")
        text = " ".join(rest.split())
        stated = dict(re.findall(r"(\w+) \(([^()]+)\)", text))
        if arrow:
            given = zip(self.parameters, re.findall(r"\(([^()]+)\)", shapes), strict=False)
            returned = zip(self.returns, re.findall(r"\(([^()]+)\)", results), strict=False)
            stated = {**dict(given), **stated, **dict(returned)}
        return {
            name: tuple(axis.strip() for axis in axes.split(",") if axis.strip())
            for name, axes in stated.items()
        }

    def to_compare(self, arrays: Sequence[Array]) -> dict[str, Array]:
        """Return the arrays that are compared, by name. arrays: what was returned."""
        if self.compared:
            return self.compared(*arrays)
        return dict(zip(self.returns, arrays, strict=True))


def as_gradient(forward: Function, *inputs: str) -> Callable[[Function], Op]:
    """Return the function that joins a reader's gradient with its forward.

    inputs: those whose gradients the reader's function returns, one array or a tuple of arrays.
    """

    def op(function):
        def joint(*args, wanted, **kwargs):
            results = function(*args, **kwargs)
            results = results if isinstance(results, tuple) else (results,)
            return dict(zip(inputs, results, strict=True))

        wanted = inspect.Parameter("wanted", inspect.Parameter.KEYWORD_ONLY)
        parameters = inspect.signature(function).parameters.values()
        joint.__signature__ = inspect.Signature([*parameters, wanted])  # type: ignore[attr-defined]
        return differentiable(forward, joint={inputs: joint})

    return op


def as_forward(**gradients: Any) -> Callable[[Function], Op]:
    """Return the function that joins a reader's forward with its right gradients."""
    return lambda function: differentiable(function, **gradients)


def gradient_of(op: Any, name: str) -> Function:
    """Return a gradient of one of minidl's ops as a plain function.

    >>> from minidl import ops
    >>> gradient_of(ops.tanh, "dx")(3.0, y=0.5)                       # 3 (1 - y²)
    2.25
    """
    return op.gradients[name]


def given(function: Function, **changes: Callable[[Any], Any]) -> Function:
    """Return the function for other arguments.

    changes: {parameter: function that changes its argument}.

    >>> given(lambda a, b: a - b, b=lambda b: 2 * b)(a=5, b=1)
    3
    """

    def changed(**arguments):
        others = {name: change(arguments[name]) for name, change in changes.items()}
        return function(**{**arguments, **others})

    return changed
