"""The choice between a definition in the textbook and its fast implementation in the engine.

The functions in `ops/`, `losses/` and `optim/` are definitions: the shortest code that states a
formula. `engine/table.py` registers faster implementations of some of them with `replace`. Every
call of an op, and of a function decorated with `replaceable`, runs the implementation where one is
registered and applies, and the definition otherwise. Within `textbook()` it always runs the
definition.
"""

import functools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

from minidl.errors import ArgumentError

VARIABLE = "MINIDL_TEXTBOOK"
Function = TypeVar("Function", bound=Callable[..., Any])

_replacements: dict[Callable[..., Any], Callable[..., Any]] = {}


class _Choice(threading.local):
    """textbook: whether this thread computes by the definitions, or None if the environment
    variable has not been read yet."""

    textbook: bool | None = None


_choice = _Choice()


@contextmanager
def textbook() -> Iterator[None]:
    """Compute everything by the definitions in `ops/`, `losses/` and `optim/`, in this block and
    this thread.

    The environment variable MINIDL_TEXTBOOK=1 does the same for a whole process. Results differ
    from those of the fast implementations by rounding errors only. `backward` uses the definitions
    only if it is itself called within the block.

    >>> from minidl import ops
    >>> with textbook():
    ...     ops.relu(np.array([-1., 2.]))
    array([0., 2.])
    """
    before, _choice.textbook = uses_textbook(), True
    try:
        yield
    finally:
        _choice.textbook = before


def uses_textbook() -> bool:
    """Return whether this thread computes by the definitions."""
    if _choice.textbook is None:
        value = os.environ.get(VARIABLE, "0")
        if value not in ("", "0", "1"):
            raise ArgumentError(f"{VARIABLE} is {value!r}; wanted 0 or 1")
        _choice.textbook = value == "1"
    return _choice.textbook


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
    fast: the implementation. It takes the same arguments. applies: function of the same arguments
    that returns whether the implementation can take them. If it returns False, the implementation
    that was registered before runs, or the definition if there is none.
    """
    definition = getattr(definition, "definition", definition)
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
    if hasattr(definition, "definition"):
        return definition

    @functools.wraps(definition)
    def function(*args, **kwargs):
        return implementation_of(definition)(*args, **kwargs)

    function.definition = definition  # type: ignore[attr-defined]
    return function  # type: ignore[return-value]


def _where(applies, fast, earlier):
    """Return the function that calls `fast` where it applies, and `earlier` elsewhere."""

    @functools.wraps(fast)
    def chosen(*args, **kwargs):
        function = fast if applies(*args, **kwargs) else earlier
        return function(*args, **kwargs)

    return chosen
