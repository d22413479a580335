"""Element-wise comparisons of Tensors and logical operators for their results.

The result is a Tensor of bools, with the methods `all` and `any`. It never requires a gradient,
because it is constant almost everywhere.

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
    """Return the result of Python's operator of that name: eq, ne, lt, le, gt, ge, and, or, xor.

    Return NotImplemented if b is neither an array nor a number. == is then False. Raises ShapeError
    if the shapes do not broadcast.
    """
    b = b.data if isinstance(b, Tensor) else b
    if isinstance(b, (list, tuple)):
        b = array_module(a.data).asarray(b)
    if not is_array(b) and not isinstance(b, (bool, int, float, complex)):
        return NotImplemented
    array_module(a.data, b)
    must_broadcast(a.data, b)
    return Tensor(getattr(operator, f"__{name}__")(a.data, b))
