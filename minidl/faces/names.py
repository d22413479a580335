"""Names of people: what a person may be called, and what is said about an unknown name."""

import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches

from minidl.errors import ArgumentError, printable

LONGEST_NAME = 200
UNKNOWN = "unknown"  # a name that no person may have
# Invisible characters that Unicode classifies as letters or symbols
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"


def proper_name(name: str) -> str:
    """Return a person's name without surrounding spaces, in Unicode's composed form (NFC).

    Raise ArgumentError for a name that is too long, reserved, invisible, or holds characters that
    cannot be printed.

    >>> proper_name("  Zoe\\u0308 ")
    'Zoë'
    """
    name = normal_form(name)
    if len(name) > LONGEST_NAME:
        raise ArgumentError(
            f"the name {name[:20]}... has {len(name)} characters; wanted at most {LONGEST_NAME}"
        )
    if printable(name) != name:
        raise ArgumentError(
            f"the name {printable(name)!r} holds characters that cannot be shown; leave them out"
        )
    visible = "".join(
        c for c in name if unicodedata.category(c)[0] not in "CMZ" and c not in FILLERS
    )
    if not visible:
        raise ArgumentError("the name is empty, or all of it is invisible; give the person a name")
    if visible.casefold() == UNKNOWN:
        raise ArgumentError(
            f"nobody can be called {name!r}, which is the word for strangers; take another name"
        )
    return name


def normal_form(name: str) -> str:
    """Return a name without surrounding spaces, in Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", str(name)).strip()


def nobody_called(name: str, known: Iterable[str], where: object) -> ArgumentError:
    """Return the error for an unknown name, which proposes similar ones of the known names.

    where: the database, for the message.
    """
    similar = get_close_matches(name, list(known), n=3)
    if similar:
        advice = f"did you mean {' or '.join(map(repr, similar))}?"
    else:
        advice = "`minidl faces list` shows all names"
    wrong = printable(name, LONGEST_NAME)
    return ArgumentError(f"nobody in {where} is called {wrong!r}; {advice}")
