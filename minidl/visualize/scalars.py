"""One number of a network for each picture: what saliency asks about."""

from typing import NamedTuple

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.errors import one_of
from minidl.visualize.network import Network
from minidl.visualize.units import Unit

OVER = ("mean", "max")
# of the pictures in a batch: about three of 224x224, with whose activations memory ends
NUMBERS_AT_ONCE = 1 << 19


class Scalar(NamedTuple):
    """scalar(pictures) is a unit's mean activation over all positions, or its largest; of a layer
    without a channel also over all channels. over: "mean" or "max"."""

    network: Network
    unit: Unit
    over: str = "mean"

    def __call__(self, pictures, rectifier=ops.relu):
        """(N, *spatial, C) -> (N,), Tensors both"""
        one_of("over", self.over, OVER)
        found = self.network.activations(pictures, [self.unit.layer], rectifier)
        y = self.unit.of(found[self.unit.layer])
        axes = tuple(range(1, y.ndim))
        reduced = {"mean": ops.mean, "max": ops.max}[self.over]
        return reduced(y, axes) if axes else y

    def __str__(self):
        return self.network.class_name(self.unit) or f"the {self.over} of {self.unit}"


def value_and_gradient(scalar, pictures, rectifier=ops.relu):
    """(N, *spatial, C) -> (N,), (N, *spatial, C): each picture's number, and the number's gradient
    for the picture

    scalar: a Scalar, or any function of Tensors that gives each picture of a batch a number of its
    own, so that the gradient of their sum is that of each.
    """
    x = Tensor(pictures, requires_grad=True)
    values = scalar(x) if rectifier is ops.relu else scalar(x, rectifier)
    values.sum().backward(release=True)
    return values.data, x.grad


def value(scalar, pictures):
    """(N, *spatial, C) -> (N,), without a tape"""
    with no_grad():
        return scalar(Tensor(pictures)).data


def batches(count, size):
    """range(count) in slices; size: of one picture, in numbers

    >>> batches(3, NUMBERS_AT_ONCE // 2)
    [slice(0, 2, None), slice(2, 3, None)]
    """
    most = max(1, NUMBERS_AT_ONCE // size)
    return [slice(begin, min(begin + most, count)) for begin in range(0, count, most)]
