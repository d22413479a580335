"""Comparisons of Tensors, element by element, logical operators on their results, and the places of
the largest and the smallest numbers.

Comparisons give a Tensor of bools with the methods `all` and `any`. The results never require a
gradient, because they are constant almost everywhere.

Cost: one comparison per number.

Source: Harris et al. 2020, "Array programming with NumPy".

>>> from minidl import Tensor
>>> x = Tensor([1., 2., 3.])
>>> (x > 1) & (x != 3)
Tensor(array([False,  True, False]))
"""

import operator
from typing import Any

from minidl.autograd import Tensor, plain
from minidl.backend import array_module, is_array, must_be_an_array
from minidl.ops.arithmetic import must_broadcast
from minidl.ops.reductions import must_be_one_axis, must_not_be_empty
from minidl.typing import Operand, Result


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


def argmax(x: Operand, axis: int | None = None, keepdims: bool = False) -> Result:
    """(..., L, ...) -> (...), integers

    y[i] = the first k with x[i,k] = max_m x[i,m]

    axis: along which k is a place, or None for the place among all numbers in row-major order.
    keepdims: whether y keeps the axis, with length 1. Raises ShapeError if there are no numbers to
    compare, and ArgumentError if x has no such axis.

    >>> argmax(np.array([[1., 2.], [4., 3.]]), axis=1)
    array([1, 0])
    """
    return _place("argmax", x, axis, keepdims)


def argmin(x: Operand, axis: int | None = None, keepdims: bool = False) -> Result:
    """(..., L, ...) -> (...), integers

    y[i] = the first k with x[i,k] = min_m x[i,m]

    axis, keepdims: as for `argmax`. Raises the errors of `argmax`.

    >>> argmin(np.array([[1., 2.], [4., 3.]]), axis=1)
    array([0, 1])
    """
    return _place("argmin", x, axis, keepdims)


def _place(name, x, axis, keepdims):
    array = plain(x)
    must_be_an_array(name, array)
    must_be_one_axis(array, axis)
    must_not_be_empty(name, array, axis, "there are no numbers to compare")
    places = getattr(array, name)(axis=axis, keepdims=keepdims)
    return Tensor(places) if isinstance(x, Tensor) else places
