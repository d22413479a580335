"""Tensor: an array with its place on the tape, and its operators."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from minidl.autograd.operators import Operators
from minidl.autograd.tape import Edge, Node, add, is_recording, propagate
from minidl.backend import (
    array_module,
    current_module,
    device_of,
    is_array,
    to_device,
    to_numpy,
)
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.frozen import frozen_copy, is_frozen
from minidl.typing import Array, Device, Operand, Shape


class Tensor(Operators):
    """An array that remembers how it was computed.

    data: array on either device. It is not copied. Lists and numbers become float32 arrays on the
    current device.
    requires_grad: whether `backward` writes the gradient of this Tensor to `.grad`.

    Operators and methods such as `sum` call the ops in `minidl.ops` (see operators.py). The other
    operand of an operator is a Tensor, an array or a number. Raises ArgumentError if the data are
    not numbers, or if a gradient of anything but real floating-point numbers is required.

    >>> x = Tensor([1., 2., 3.], requires_grad=True)
    >>> y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    array([2., 4., 6.], dtype=float32)
    """

    __slots__ = ("_node", "data", "grad", "requires_grad")
    # Each Tensor is a key of its own: == is element-wise, and `backward` uses Tensors as keys.
    __hash__ = object.__hash__
    __array_ufunc__ = None  # `array + tensor` calls Tensor.__radd__, not a loop over the array

    data: Array
    grad: Array | None
    requires_grad: bool
    _node: Node | None  # None for a leaf

    def __init__(self, data: Operand, requires_grad: bool = False) -> None:
        self.data = as_array(data)
        if requires_grad and self.data.dtype.kind != "f":
            raise ArgumentError(
                f"a {self.data.dtype} array has no gradient; give floating-point data or "
                "requires_grad=False"
            )
        self.requires_grad = bool(requires_grad)
        self.grad = None
        self._node = None

    # ---- the array ------------------------------------------------------------------------------

    @property
    def shape(self) -> Shape:
        """The lengths of the axes."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def size(self) -> int:
        """The count of the numbers."""
        return self.data.size

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the data."""
        return self.data.dtype

    @property
    def device(self) -> Literal["cpu", "gpu"]:
        """The device of the data: "cpu" or "gpu"."""
        return device_of(self.data)

    def numpy(self) -> np.ndarray:
        """Return the data as a NumPy array, copied from the GPU if necessary."""
        return to_numpy(self.data)

    def item(self) -> Any:
        """Return the number of a Tensor of one number as a number of Python."""
        return self.data.item()

    def detach(self) -> "Tensor":
        """Return a Tensor of the same data that is not on the tape."""
        return Tensor(self.data)

    def to(self, device: Device) -> "Tensor":
        """Return this Tensor on a device: "cpu", "gpu" or "auto". Its gradient is moved back to the
        device of this Tensor. Raises DeviceError if there is no GPU."""
        origin = self.device
        moved = Tensor(to_device(self.data, device))
        if self.requires_grad and is_recording():
            moved.record([(self.source(), lambda dy, shared: (to_device(dy, origin), False))])
        return moved

    def astype(self, dtype: DTypeLike) -> "Tensor":
        """Return this Tensor in another dtype. Its gradient is rounded back to the dtype of this
        Tensor. Integers, bools and complex numbers have no gradient. Raises ArgumentError if there
        is no such dtype of numbers."""
        try:
            converted = Tensor(self.data.astype(dtype, copy=False))
        except TypeError as error:
            raise ArgumentError(f"{brief(dtype)} is no dtype of numbers: {error}") from None
        if self.requires_grad and is_recording() and converted.dtype.kind == "f":
            origin = self.dtype
            converted.record(
                [(self.source(), lambda dy, shared: (dy.astype(origin), dy.dtype != origin))]
            )
        return converted

    # ---- the tape -------------------------------------------------------------------------------

    def backward(self, dy: Operand = None, release: bool = False, accumulate: bool = False) -> None:
        """Set `.grad` of every leaf that this Tensor was computed from to dy·∂(this)/∂(leaf).

        A leaf is a Tensor with requires_grad=True that no op computed. Leaves that this Tensor does
        not depend on keep their `.grad`.

        dy: cotangent, an array of this Tensor's shape. It may be omitted for a Tensor of one number
        and is then 1.

        release: whether each part of the tape, and the arrays kept for it, are released as soon as
        they have been used. A second `backward` is then impossible.

        accumulate: whether the gradient is added to a `.grad` that is not None, instead of
        replacing it. The sum is a new array. Several batches then give the gradient of the sum of
        their losses, with the memory of one batch. Set `.grad` to None before the first of them.

        Raises ShapeError if dy has another shape. Raises ArgumentError if this Tensor depends on no
        leaf, if dy is missing, if the tape has been released, or if an array that a gradient reads
        was written to after the forward pass (overwriting.py says which writes are detected).
        """
        dy = self._cotangent(dy)
        for leaf, (dx, is_new) in propagate(self.source(), dy, release).items():
            if accumulate:
                dx, is_new = add(leaf.grad, False, dx, is_new)
            # Two leaves may have received the same array.
            leaf.grad = dx if is_new else array_module(dx).array(dx)

    def _cotangent(self, dy):
        if not self.requires_grad:
            raise ArgumentError(
                "backward from a Tensor that depends on no Tensor with requires_grad=True; set "
                "requires_grad on an input"
            )
        if dy is None:
            if self.data.size != 1:
                raise ArgumentError(
                    f"backward from a Tensor of shape {self.shape} wants dy, an array of that shape"
                )
            return array_module(self.data).ones_like(self.data)
        dy = as_array(dy)
        array_module(self.data, dy)
        if dy.shape != self.shape:
            raise ShapeError(
                f"dy has shape {dy.shape}; wanted {self.shape}, the shape of the Tensor"
            )
        return dy.astype(self.dtype, copy=False)

    def source(self) -> "Node | Tensor":
        """Return the node of the tape that computed this Tensor, or the Tensor itself if it is a
        leaf."""
        return self._node or self

    def record(self, edges: Sequence[Edge]) -> None:
        """Put this Tensor on the tape as the output of a node with these edges.

        edges: (source, pull) for each input that requires a gradient; `Node` documents them. Raises
        ArgumentError if the Tensor is not real and floating-point.
        """
        if self.data.dtype.kind != "f":
            raise ArgumentError(
                f"the result is an array of {self.data.dtype}, which has no gradient; compute with "
                "real numbers"
            )
        self._node = Node(edges)
        self.requires_grad = True

    # ---- Python's protocols ---------------------------------------------------------------------

    def __getstate__(self):
        """Support pickle and copy.deepcopy. The tape is not copied, so the copy of a computed
        Tensor is a constant."""
        requires_grad = self.requires_grad and self._node is None
        return self.data, requires_grad, self.grad, is_frozen(self.data)

    def __setstate__(self, state):
        data, self.requires_grad, self.grad, frozen = state
        self.data, self._node = frozen_copy(data) if frozen else data, None

    def __copy__(self) -> "Tensor":
        """Return a copy with the same data and the same place on the tape."""
        copy = object.__new__(type(self))
        for name in Tensor.__slots__:
            setattr(copy, name, getattr(self, name))
        return copy

    def __float__(self) -> float:
        return float(self.data.item())

    def __bool__(self) -> bool:
        if self.data.size != 1:
            raise ArgumentError(
                f"a Tensor of shape {self.shape} is neither true nor false; use .any() or .all(), "
                "or `is` to find it in a list"
            )
        return bool(self.data.item())

    def __invert__(self) -> "Tensor":
        return Tensor(~self.data)

    def all(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        """Whether all numbers over the axes are true; axis, keepdims: as for `ops.sum`"""
        return Tensor(self.data.all(axis=axis, keepdims=keepdims))

    def any(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        """Whether one of the numbers over the axes is true; axis, keepdims: as for `ops.sum`"""
        return Tensor(self.data.any(axis=axis, keepdims=keepdims))

    def __index__(self) -> int:
        if self.data.dtype.kind not in "iu" or self.data.size != 1:
            raise ArgumentError(
                f"a Tensor of {self.dtype} and shape {self.shape} is no index; wanted a single "
                "integer"
            )
        return int(self.data.item())

    def __array__(self, *args, **kwargs):
        raise ArgumentError(
            "a Tensor is not converted to an array implicitly, because the array would lose the "
            "tape; use its .data or .numpy()"
        )

    def __len__(self) -> int:
        return len(self.data)

    def __iter__(self) -> "Iterator[Tensor]":
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        grad = ", requires_grad=True" if self.requires_grad else ""
        return f"Tensor({self.data!r}{grad})"


def as_array(data):
    """Return the data as an array: arrays as they are, lists and numbers as float32 on the current
    device. Raise ArgumentError if the data are not numbers."""
    if isinstance(data, Tensor):
        return data.data
    if is_array(data) and not isinstance(data, (np.ndarray, np.generic)):
        return data
    if isinstance(data, (bool, int, float, list, tuple)) and not isinstance(data, np.generic):
        try:
            return current_module().asarray(data, dtype=np.float32)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                f"cannot make an array of numbers from this {type(data).__name__}: {error}"
            ) from None
    array = np.asarray(data)
    if array.dtype.kind not in "fiubc":
        raise ArgumentError(f"cannot make an array of numbers from a {type(data).__name__}")
    return array
