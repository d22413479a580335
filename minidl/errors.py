"""The error types, and helpers for their messages.

Every message states what was found, what was wanted, and what to do. A user of the command line
sees the message alone and exit code 2. A user of the library can catch `MinidlError` or one of its
subclasses.
"""

import reprlib
from difflib import get_close_matches


class MinidlError(Exception):
    """Something that the caller did and can mend."""


class ArgumentError(MinidlError, ValueError):
    """An argument whose value or type no op or command can work with."""


class ShapeError(ArgumentError):
    """Arrays whose shapes do not fit each other or the op."""


class DeviceError(MinidlError, RuntimeError):
    """A device that is not there, or arrays that live on two of them."""


class FileError(MinidlError, OSError):
    """A file that cannot be read, is not what it should be, or cannot be written."""


class NonFiniteError(MinidlError, ArithmeticError):
    """A NaN or an infinity where a number has to be."""


class MinidlWarning(MinidlError, UserWarning):
    """Passed to `warnings.warn` where the work continues, but probably not as the caller meant."""


JOINERS = "\u200c\u200d"  # which show nothing themselves, but some scripts need them


def printable(text, longest=2000):
    """The text with "?" for each control character, cut after `longest` characters. It makes names
    from files safe to print."""
    shown = "".join(c if c.isprintable() or c in JOINERS else "?" for c in text)
    return shown if len(shown) <= longest else f"{shown[:longest]} ..."


def brief(value, longest=80):
    """The repr of a value for a message, cut after `longest` characters; of an array the type and
    shape.

    Deep levels of nested values become "...", so a value that contains itself many times takes no
    longer than others.

    >>> print(brief("adam"), brief([1, 2]), brief(b"1" * 100, longest=8))
    'adam' [1, 2] b'111111 ...
    """
    if getattr(value, "shape", ()):
        return f"{type(value).__name__} of shape {tuple(value.shape)}"
    if isinstance(value, (list, tuple, dict, set, range)) and len(value) > longest:
        return f"{type(value).__name__} of length {len(value)}"
    limited = reprlib.Repr()
    limited.maxstring = limited.maxlong = limited.maxother = 4 * longest
    text = " ".join(limited.repr(value).split())
    return text if len(text) <= longest else f"{text[:longest]} ..."


def unquoted(value, longest=40):
    """A text for a message, printable and without quotes; of another value its `brief` form."""
    return printable(value, longest) if isinstance(value, str) else brief(value, longest)


def listed(names, most=5):
    """The first names for a message, separated by commas, and how many more there are.

    >>> listed(["a", "b", "c", "d"], most=3)
    'a, b, c and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return printable(", ".join(name[:80] for name in names[:most])) + more


def did_you_mean(word, words, least=0.6):
    """The end of an error message about an unknown word: the most similar known word, or "" where
    none is similar.

    least: the smallest similarity that counts, from 0 to 1; 1 means equal

    >>> did_you_mean("Nosie", ["content", "noise"]), did_you_mean("x", ["content", "noise"])
    ("; did you mean 'noise'?", '')
    """
    known = {known.lower(): known for known in words}
    near = get_close_matches(word[:80].lower(), known, 1, least)
    return f"; did you mean {known[near[0]]!r}?" if near else ""


def one_of(name, value, words):
    """Refuse a word that is not in the list, and show the list."""
    if not isinstance(value, str) or value not in words:
        refusal = f"{name} is {brief(value)}; wanted one of {', '.join(map(repr, words))}"
        raise ArgumentError(
            refusal + (did_you_mean(value, words) if isinstance(value, str) else "")
        )
    return value
