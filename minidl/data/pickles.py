"""Pickles described, not run.

A pickle is a program for a small machine with a stack. The machine here knows only the instructions
that the pickles of CIFAR-10 are made of. It imports nothing and calls nothing: what a pickle asks
to be called becomes a Call, a description.
"""

import pickletools
from dataclasses import dataclass
from io import BytesIO

from minidl.errors import printable
from minidl.limits import INSTRUCTIONS

# How NumPy pickles an array, and how Python 3 pickles bytes for Python 2.
KNOWN = (
    "numpy.core.multiarray _reconstruct",
    "numpy._core.multiarray _reconstruct",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
)


class Refused(Exception):
    """What is wrong with a pickle; the sentence lacks its subject, the file."""


@dataclass(eq=False)
class Call:
    """The function that a pickle names, "module name", the arguments, and the state that the result
    is given."""

    function: str
    arguments: tuple
    state: object = None


def describe(pickled):
    """The object of a pickle, made of dicts with text keys, lists, tuples, text, ints and Calls;
    bytes are text in Latin-1.

    Raises Refused for what is no whole pickle, and for instructions and names that no data set
    needs.
    """
    try:
        return _describe(BytesIO(pickled))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise Refused(f"cannot be read as a pickle ({printable(str(error), 200)})") from error


def _describe(stream):
    stack, marks, memo = [], [], {}

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
                    raise Refused(
                        f"asks to import {printable(argument.replace(' ', '.'), 100)}, which was not done"
                    )
                stack.append(argument)
            case "REDUCE":
                arguments, function = stack.pop(), stack.pop()
                stack.append(
                    arguments[0] if function == "_codecs encode" else Call(function, arguments)
                )
            case "BUILD":
                state = stack.pop()
                stack[-1].state = state
            case name:
                raise Refused(f"holds the pickle instruction {name}, which was not run")
    if stream.read(1) or len(stack) != 1:
        raise Refused("is not one pickle and nothing else")
    return stack.pop()
