"""Scalars: one number of a network for each picture, and its gradient. Saliency methods show on
which pixels it depends."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.errors import one_of
from minidl.typing import Array, Operand
from minidl.visualize.network import Network
from minidl.visualize.units import Unit

OVER = ("mean", "max")
# The most numbers in a batch: three pictures of 224x224. It limits the memory of the activations.
NUMBERS_AT_ONCE = 1 << 19


class Scalar(NamedTuple):
    """The mean or largest activation of a unit: scalar(pictures) -> (N,).

    unit: a channel, or a layer; for a layer, the scalar is the mean or maximum over all channels
    over: "mean" or "max", over all positions
    """

    network: Network
    unit: Unit
    over: str = "mean"

    def __call__(self, pictures: Tensor, rectifier: Callable[[Any], Any] = ops.relu) -> Any:
        """Return a Tensor (N,) for pictures (N, *spatial, C), with `rectifier` as the ReLU."""
        one_of("over", self.over, OVER)
        activations = self.network.activations(pictures, [self.unit.layer], rectifier)
        y = self.unit.of(activations[self.unit.layer])
        axes = tuple(range(1, y.ndim))
        reduce = {"mean": ops.mean, "max": ops.max}[self.over]
        return reduce(y, axes) if axes else y

    def __str__(self) -> str:
        return self.network.class_name(self.unit) or f"the {self.over} of {self.unit}"


# A Scalar, or another function of a Tensor with numbers as its result.
ScalarFunction: TypeAlias = Scalar | Callable[..., Any]


def value_and_gradient(
    scalar: ScalarFunction, pictures: Array, rectifier: Callable[[Operand], Operand] = ops.relu
) -> tuple[Array, Array]:
    """Return the scalar (N,) of each picture (N, *spatial, C) and its gradient (N, *spatial, C)
    with respect to the picture.

    scalar: a Scalar, or another function that maps pictures to (N,). The gradient is that of the
        sum of the N numbers, so number n must depend on picture n only. A function that maps a
        Tensor of any shape to one number is allowed too.
    rectifier: passed to the scalar if it is not `ops.relu`
    """
    x = Tensor(pictures, requires_grad=True)
    values = scalar(x) if rectifier is ops.relu else scalar(x, rectifier)
    values.sum().backward(release=True)
    assert x.grad is not None
    return values.data, x.grad


def value(scalar: ScalarFunction, pictures: Array) -> Array:
    """Return the scalar (N,) of pictures (N, *spatial, C). No tape is recorded."""
    with no_grad():
        return scalar(Tensor(pictures)).data


def batches(count: int, size: int) -> list[slice]:
    """Return slices that cut `count` pictures into batches of at most NUMBERS_AT_ONCE numbers.

    size: numbers of one picture

    >>> batches(3, NUMBERS_AT_ONCE // 2)
    [slice(0, 2, None), slice(2, 3, None)]
    """
    most = max(1, NUMBERS_AT_ONCE // size)
    return [slice(begin, min(begin + most, count)) for begin in range(0, count, most)]
