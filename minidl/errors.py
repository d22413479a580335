"""What goes wrong, in words.

Every message says three things: what was found, what was wanted, and what to do. A user of the command line sees the
message alone and exit code 2; a user of the library can catch one type, `MinidlError`, or its parts.
"""


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


class MinidlWarning(UserWarning):
    """Something that goes on, but probably not as the caller meant it."""


JOINERS = "\u200c\u200d"  # which show nothing themselves, but some scripts need them


def printable(text, longest=2000):
    """Words of strangers (a name inside a file) for a terminal: without control characters, and not without end."""
    shown = "".join(c if c.isprintable() or c in JOINERS else "?" for c in text)
    return shown if len(shown) <= longest else f"{shown[:longest]} ..."


def one_of(name, value, words):
    """Refuse a word that is not in the list, and show the list."""
    if not isinstance(value, str) or value not in words:
        raise ArgumentError(f"{name} is {value!r}; wanted one of {', '.join(map(repr, words))}")
    return value
