"""What to do about an exception of NumPy, in a sentence."""

import re
from ast import literal_eval

from minidl.book.exercises.exercise import Arguments
from minidl.typing import Array

PARTS = "A slice that reaches beyond the end of an array is shorter than the others"


def advice(message: str, arguments: Arguments, right: tuple[Array, ...]) -> str:
    """Return a sentence with a space before it, or "".

    message: of the exception. arguments, right: of the call and its right results.
    """
    if "broadcast" in message:
        found = _about_slices(message, arguments, right)
    elif match := re.match(r"index (\d+) is out of bounds for axis (\d+) with size (\d+)", message):
        index, axis, size = map(int, match.groups())
        found = _about_index(index, axis, size, arguments)
    else:
        found = f"{PARTS}." if "inhomogeneous" in message else ""
    return found and f" {found}"


def _about_slices(message, arguments, right):
    """A slice of the padded input has another number of positions than the outputs."""
    shapes = [literal_eval(text) for text in re.findall(r"\([\d,]+\)", message)][:2]
    name, outputs = ("dy", arguments["dy"]) if "dy" in arguments else ("y", right[0])
    is_of_windows = {"stride", "padding", "dilation"} & arguments.keys() and outputs.ndim > 2
    if not is_of_windows or len(shapes) < 2:
        return ""
    wanted, axes = outputs.shape[1:-1], outputs.ndim - 2
    one, other = (shape[-1 - axes : -1] for shape in shapes)
    if wanted not in (one, other) or one == other:
        return ""
    found = other if one == wanted else one
    count = "more" if max(found) > max(wanted) else "fewer"
    begin = "t·dilation" if "dilation" in arguments else "t"
    length = "stride·(P - 1) + 1" if "stride" in arguments else "P"
    return f"The slice has {count} positions than {name}. End it at {begin} + {length}."


def _about_index(index, axis, size, arguments):
    shape = arguments["x"].shape if "x" in arguments else arguments.get("x_shape", ())
    padding = arguments.get("padding", 0)
    if padding not in (0, (0, 0)) and shape[axis : axis + 1] == (size,):
        return f"Position {index} is outside of x. Skip the padding: below 0 and above {size - 1}."
    return f"The last index along axis {axis} is {size - 1}."
