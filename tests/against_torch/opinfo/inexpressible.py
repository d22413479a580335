"""The mark of a sample that minidl cannot express."""

from collections.abc import Callable
from typing import Any, NoReturn


class Inexpressible(Exception):
    """minidl has nothing equal to a sample. The message is the reason."""


def cannot(reason: str) -> Callable[..., NoReturn]:
    """Return a translation of samples that minidl cannot express."""

    def translation(*args: Any, **kwargs: Any) -> NoReturn:
        raise Inexpressible(reason)

    return translation


def only(condition: bool, reason: str) -> None:
    """Raise Inexpressible with the reason if the condition is False."""
    if not condition:
        raise Inexpressible(reason)
