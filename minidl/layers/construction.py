"""How a layer was made: the arguments of its constructor, without the numbers of its arrays."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from minidl.autograd import Tensor
from minidl.backend import is_array
from minidl.typing import Shape


class Form(NamedTuple):
    """The form of an array."""

    shape: Shape
    dtype: str


class Construction:
    """The arguments and options of a call. An array is replaced by its Form, also in a dict, which
    keeps no memory."""

    __slots__ = ("arguments", "options")

    def __init__(self, arguments: Sequence[Any], options: Mapping[str, Any]) -> None:
        self.arguments = tuple(map(_without_numbers, arguments))
        self.options = {name: _without_numbers(value) for name, value in options.items()}


def _without_numbers(value):
    if isinstance(value, type):  # such as a dtype
        return value
    if isinstance(value, dict):
        return {name: _without_numbers(item) for name, item in value.items()}
    is_full = isinstance(value, Tensor) or (is_array(value) and value.ndim)
    return Form(tuple(value.shape), str(value.dtype)) if is_full else value
