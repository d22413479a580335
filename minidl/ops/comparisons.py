"""Comparisons of Tensors, element by element, and logical operators on their results.

The result is a Tensor of bools with the methods `all` and `any`. It never requires a gradient,
because a comparison is constant almost everywhere.

>>> from minidl import Tensor
>>> x = Tensor([1., 2., 3.])
>>> (x > 1) & (x != 3)
Tensor(array([False,  True, False]))
"""

import operator
from typing import Any

from minidl.autograd import Tensor
from minidl.backend import array_module, is_array
from minidl.ops.arithmetic import must_broadcast
from minidl.typing import Operand


def compare(name: str, a: Tensor, b: Operand) -> Any:
    """Return the result of one of Python's operators: eq, ne, lt, le, gt, ge, and, or, xor.

    a, b: broadcast. If b is neither an array nor a number, return NotImplemented, so that Python
    computes a == b as False. Raises ShapeError if the shapes do not broadcast.
    """
    b = b.data if isinstance(b, Tensor) else b
    if isinstance(b, (list, tuple)):
        b = array_module(a.data).asarray(b)
    if not is_array(b) and not isinstance(b, (bool, int, float, complex)):
        return NotImplemented
    array_module(a.data, b)
    must_broadcast(a.data, b)
    return Tensor(getattr(operator, f"__{name}__")(a.data, b))
