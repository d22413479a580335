"""minidl chooses between a definition in the textbook and its fast implementation in the engine.

The functions in `ops/`, `losses/` and `optim/` are definitions: the shortest code that states a
formula. `engine/table.py` registers faster implementations of some of them with `replace`. Every
call of an op, and of a function decorated with `replaceable`, runs the implementation where one is
registered and applies, and the definition otherwise. Within `textbook()` it always runs the
definition.
"""

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TypeVar

from minidl.errors import ArgumentError

VARIABLE = "MINIDL_TEXTBOOK"
Function = TypeVar("Function", bound=Callable[..., Any])

_replacements: dict[Callable[..., Any], Callable[..., Any]] = {}

# Whether this thread or task computes by the definitions; None: the environment decides.
_textbook: ContextVar[bool | None] = ContextVar("textbook", default=None)


@contextmanager
def textbook() -> Iterator[None]:
    """Compute everything by the definitions in `ops/`, `losses/` and `optim/`, in this block and
    this thread.

    The environment variable MINIDL_TEXTBOOK=1 does the same for a whole process. Results differ
    from those of the fast implementations by rounding errors, and where numbers overflow or are
    infinite. `backward` uses the definitions if it is itself called within the block.
    """
    token = _textbook.set(True)
    try:
        yield
    finally:
        _textbook.reset(token)


def uses_textbook() -> bool:
    """Return whether this thread computes by the definitions."""
    chosen = _textbook.get()
    return _chosen_by_environment() if chosen is None else chosen


@functools.cache
def _chosen_by_environment():
    value = os.environ.get(VARIABLE, "0")
    if value not in ("", "0", "1"):
        raise ArgumentError(f"{VARIABLE} is {value!r}; wanted 0 or 1")
    return value == "1"


def implementation() -> Literal["textbook", "engine"]:
    """Return "textbook" if this thread computes by the definitions, and otherwise "engine"."""
    return "textbook" if uses_textbook() else "engine"


def replace(
    definition: Callable[..., Any],
    fast: Callable[..., Any],
    applies: Callable[..., bool] | None = None,
) -> None:
    """Register the fast implementation of a definition.

    definition: the forward or a gradient of an op, or a function decorated with `replaceable`.
    applies: function of the same arguments that returns whether the implementation can take them.
    Where it does not, the implementation registered before runs, or else the definition.

    Raises TypeError if the first parameters of the implementation have other names.
    """
    definition = definition_of(definition)
    wanted, found = ([*inspect.signature(f).parameters] for f in (definition, fast))
    if found[: len(wanted)] != wanted:
        names = f"{', '.join(found)}; wanted {', '.join(wanted)}, as {definition.__module__} has"
        raise TypeError(f"the implementation of {fast.__name__} takes {names}")
    if applies is not None:
        earlier = _replacements.get(definition, definition)
        fast = _where(applies, fast, earlier)
    _replacements[definition] = fast


def implementation_of(definition: Function) -> Function:
    """Return the function that this thread calls for a definition: the definition itself or its
    replacement."""
    if uses_textbook():
        return definition
    return _replacements.get(definition, definition)  # type: ignore[return-value]


def replaceable(definition: Function) -> Function:
    """Make a function replaceable: its calls run the implementation if the engine has one.

    A function that is already decorated is returned as it is.
    """
    if definition_of(definition) is not definition:
        return definition

    @functools.wraps(definition)
    def function(*args, **kwargs):
        return implementation_of(definition)(*args, **kwargs)

    function.definition = definition  # type: ignore[attr-defined]
    return function  # type: ignore[return-value]


def definition_of(function: Function) -> Function:
    """Return the definition that a replaceable function runs, and any other function itself.

    `functools.wraps` copies the attribute `definition` to functions that wrap a replaceable one.
    These are told apart by `__wrapped__`, which is then not the definition.
    """
    definition = getattr(function, "definition", None)
    is_replaceable = definition is not None and function.__wrapped__ is definition  # type: ignore[attr-defined]
    return definition if is_replaceable else function  # type: ignore[return-value]


def _where(applies, fast, otherwise):
    @functools.wraps(fast)
    def chosen(*args, **kwargs):
        function = fast if applies(*args, **kwargs) else otherwise
        return function(*args, **kwargs)

    return chosen
