"""The value and the gradient of a function of arrays."""

import functools
from collections.abc import Callable
from typing import Any

from minidl.autograd.tape import recording_set
from minidl.autograd.tensor import Tensor
from minidl.backend import array_module
from minidl.errors import ArgumentError
from minidl.typing import Array


def value_and_grad(f: Callable[..., Tensor]) -> Callable[..., tuple[Any, tuple[Array, ...]]]:
    """Return a function g of arrays. `g(*arrays)` returns the value of f and a tuple with one
    gradient for each array.

    f: function of as many Tensors that returns a Tensor of one number. The gradient with respect to
    an input that f does not use is zero. g raises ArgumentError if f returns anything else.

    >>> value_and_grad(lambda x, y: (x * y).sum())(np.array([1., 2.]), np.array([3., 4.]))[1]
    (array([3., 4.]), array([1., 2.]))
    """

    @functools.wraps(f)
    def value_and_gradients(*arrays):
        inputs = [Tensor(array, requires_grad=True) for array in arrays]
        with recording_set(on=True):
            value = f(*inputs)
        if not isinstance(value, Tensor) or value.data.size != 1:
            kind = type(value).__name__
            result = f"shape {value.shape}" if isinstance(value, Tensor) else f"a {kind}"
            raise ArgumentError(
                f"the function returned {result}; wanted a Tensor of one number, such as a loss"
            )
        if value.requires_grad:
            value.backward()
        gradients = (
            array_module(x.data).zeros_like(x.data) if x.grad is None else x.grad for x in inputs
        )
        return value.data.reshape(())[()], tuple(gradients)

    return value_and_gradients
