"""The error types, and helpers for their messages.

Every message states what was found, what was expected, and what to do. A user of the command line
sees only the message, and the exit code is 2. A user of the library can catch `MinidlError` or one
of its subclasses.
"""

import reprlib
from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from typing import Any


class MinidlError(Exception):
    """An error that the caller made and can correct."""


class ArgumentError(MinidlError, ValueError):
    """An argument has an invalid value or type."""


class ShapeError(ArgumentError):
    """The shapes of arrays do not match each other or the op."""


class LackOfMemoryError(ArgumentError):
    """A computation needs more memory than is available."""


class DeviceError(MinidlError, RuntimeError):
    """A device does not exist, or arrays of one op are on two devices."""


class FileError(MinidlError, OSError):
    """A file cannot be read or written, or its contents are invalid."""


class NonFiniteError(MinidlError, ArithmeticError):
    """A number that must be finite is NaN or infinite."""


class MinidlWarning(MinidlError, UserWarning):
    """A warning for `warnings.warn`: the work continues, but perhaps not as the caller intended."""


JOINERS = "\u200c\u200d"  # invisible characters that some scripts need


def printable(text: str, longest: int = 2000) -> str:
    """Replace each control character by "?", and cut the text after `longest` characters. Names
    from files are then safe to print."""
    shown = "".join(c if c.isprintable() or c in JOINERS else "?" for c in text)
    return shown if len(shown) <= longest else f"{shown[:longest]} ..."


def brief(value: Any, longest: int = 80) -> str:
    """Return the repr of a value for a message, cut after `longest` characters. For an array,
    return its type and shape.

    Deep levels of nested values become "...", so the time does not depend on the depth of the
    value.

    >>> print(brief("adam"), brief([1, 2]), brief(b"1" * 100, longest=8))
    'adam' [1, 2] b'111111 ...
    """
    if getattr(value, "shape", ()):
        return f"{type(value).__name__} of shape {tuple(value.shape)}"
    if isinstance(value, (list, tuple, dict, set, range)) and len(value) > longest:
        return f"{type(value).__name__} of length {len(value)}"
    limited = reprlib.Repr()
    limited.maxstring = limited.maxlong = limited.maxother = 4 * longest
    try:
        text = " ".join(limited.repr(value).split())
    except ValueError:  # Python prints integers of at most 4300 digits
        text = f"{type(value).__name__} with a very long number"
    return text if len(text) <= longest else f"{text[:longest]} ..."


def unquoted(value: Any) -> str:
    """Return a text in printable form without quotes, or another value in its `brief` form."""
    return printable(value, 40) if isinstance(value, str) else brief(value, 40)


def listed(names: Sequence[str], most: int = 5) -> str:
    """Return the first `most` names, separated by commas, and the number of the others.

    >>> listed(["a", "b", "c", "d"], most=3)
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return printable(", ".join(name[:80] for name in names[:most])) + more


def did_you_mean(word: str, words: Iterable[str], least: float = 0.6) -> str:
    """Return the end of an error message that proposes the most similar known word, or "" if none
    is similar.

    least: the smallest similarity that counts, from 0 to 1, where 1 means equal.

    >>> did_you_mean("Nosie", ["content", "noise"]), did_you_mean("x", ["content", "noise"])
    ("; did you mean 'noise'?", '')
    """
    known = {known.lower(): known for known in words}
    near = get_close_matches(word[:80].lower(), known, 1, least)
    return f"; did you mean {known[near[0]]!r}?" if near else ""


def one_of(name: str, value: Any, words: Collection[str]) -> str:
    """Return `value` if it is one of the words. Raise ArgumentError, which lists them, otherwise.

    name: what the value is, for the message.
    """
    if isinstance(value, str) and value in words:
        return value
    proposal = did_you_mean(value, words) if isinstance(value, str) else ""
    raise ArgumentError(
        f"{name} is {brief(value)}; wanted one of {', '.join(map(repr, words))}{proposal}"
    )
