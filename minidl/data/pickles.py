"""Read the pickles of CIFAR-10 without running code from them.

A pickle is a program for a small stack machine. The machine in this file accepts only the
instructions that the pickles of CIFAR-10 contain. It imports nothing and calls nothing: a call
becomes a `Call`, which describes it.
"""

import pickletools
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from minidl.errors import printable
from minidl.limits import INSTRUCTIONS

# The functions by which NumPy pickles an array, and Python 3 pickles bytes for Python 2.
KNOWN = (
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
)


class Refused(Exception):
    """A pickle is damaged or not of a data set. The message is the second half of a sentence about
    the file."""


@dataclass(eq=False)
class Call:
    """A call in a pickle: the function as "module name", its arguments, and the state that is set
    on its result."""

    function: str
    arguments: tuple[Any, ...]
    state: Any = None


def describe(pickled: bytes) -> Any:
    """Return the object of a pickle, which consists of dicts with text keys, lists, tuples, text,
    ints and Calls. Bytes become text in Latin-1.

    Raises Refused if the bytes are not one complete pickle, or if it has instructions or names that
    no data set needs.
    """
    try:
        return _describe(BytesIO(pickled))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise Refused(f"cannot be read as a pickle ({printable(str(error), 200)})") from error


def _describe(stream):
    stack: list[Any] = []
    marks: list[int] = []
    memo: dict[Any, Any] = {}

    def since_mark():
        mark = marks.pop()
        items = stack[mark:]
        del stack[mark:]
        return items

    for number, (instruction, argument, _) in enumerate(pickletools.genops(stream)):
        if number == INSTRUCTIONS:
            raise Refused(f"has more than {INSTRUCTIONS:,} instructions; no data set needs so many")
        match instruction.name:
            case "PROTO":
                pass
            case "STOP":
                break
            case "MARK":
                marks.append(len(stack))
            case "BININT" | "BININT1" | "BININT2" | "SHORT_BINSTRING" | "BINSTRING" | "BINUNICODE":
                stack.append(argument)
            case "NONE" | "NEWFALSE" | "NEWTRUE" as name:
                stack.append({"NONE": None, "NEWFALSE": False, "NEWTRUE": True}[name])
            case "EMPTY_TUPLE" | "EMPTY_LIST" | "EMPTY_DICT" as name:
                stack.append({"EMPTY_TUPLE": (), "EMPTY_LIST": [], "EMPTY_DICT": {}}[name])
            case "TUPLE":
                stack.append(tuple(since_mark()))
            case "TUPLE1" | "TUPLE2" | "TUPLE3" as name:
                count = int(name[-1])
                stack[-count:] = [tuple(stack[-count:])]
            case "APPEND":
                item = stack.pop()
                stack[-1].append(item)
            case "APPENDS":
                items = since_mark()
                stack[-1].extend(items)
            case "SETITEM" | "SETITEMS" as name:
                items = since_mark() if name == "SETITEMS" else [stack.pop(-2), stack.pop()]
                if any(type(key) is not str for key in items[::2]):
                    raise Refused("has a dictionary whose keys are not text")
                stack[-1].update(zip(items[::2], items[1::2], strict=True))
            case "BINPUT" | "LONG_BINPUT":
                memo[argument] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(memo[argument])
            case "GLOBAL":
                if argument not in KNOWN:
                    name = printable(str(argument).replace(" ", "."), 100)
                    raise Refused(f"asks to import {name}, which was not done")
                stack.append(argument)
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                is_text = function == "_codecs encode"
                stack.append(arguments[0] if is_text else Call(function, arguments))
            case "BUILD":
                state = stack.pop()
                stack[-1].state = state
            case name:
                raise Refused(f"holds the pickle instruction {name}, which was not run")
    if stream.read(1) or len(stack) != 1:
        raise Refused("is not one pickle and nothing else")
    return stack.pop()
