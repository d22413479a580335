"""The arguments of ops: arrays in place of Tensors."""

from typing import Any

from minidl.autograd.tensor import Tensor
from minidl.errors import ArgumentError
from minidl.typing import Array, Operand


def plain(value: Any) -> Any:
    """Return the value with each Tensor in it, also in lists and tuples, replaced by its array.

    A tuple stays a tuple, because an index that is a list has another meaning. A list is copied,
    because its owner may change it between forward and backward.
    """
    if isinstance(value, Tensor):
        return value.data
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, tuple) and any(isinstance(v, (Tensor, list, tuple)) for v in value):
        return tuple(plain(v) for v in value)
    return value


def constant(op: str, name: str, value: Operand) -> Array:
    """Return the array of an argument that has no gradient. Raise ArgumentError if it is a Tensor
    that requires one.

    op, name: of the argument, for the message.
    """
    if isinstance(value, Tensor) and value.requires_grad:
        raise ArgumentError(f"{op} has no gradient for {name}; pass its .data")
    return plain(value)
