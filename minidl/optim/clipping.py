"""Clipping bounds the length of the gradient, so that one steep place does not move the parameters
far away (Pascanu, Mikolov, Bengio 2013)."""

import operator
from math import fsum, isfinite

from minidl.backend import array_module, read_numbers
from minidl.dispatch import replaceable
from minidl.errors import ArgumentError
from minidl.half import in_float32
from minidl.optim.optimizer import Parameters


def clip_gradients(parameters: Parameters, most: float) -> float:
    """Shorten the gradients to a length of at most `most`, and return their length before:

    g ← g min(1, most / |g|)

    g is the vector of all gradients, and |g| is its length.

    parameters: a list of Tensors, or a dict name -> Tensor. Frozen parameters and those without a
    gradient are skipped. If |g| is not finite, the gradients stay unchanged. On a GPU, one number
    is read. Raises ArgumentError unless `most` is above 0.

    >>> from minidl import Tensor
    >>> x = Tensor([0., 0.], requires_grad=True)
    >>> x.grad = np.array([3., 4.])
    >>> clip_gradients([x], most=1.), x.grad
    (5.0, array([0.6, 0.8]))
    """
    if not most > 0:
        raise ArgumentError(
            f"the length that gradients are clipped to is {most}; wanted a number above 0"
        )
    tensors = parameters.values() if isinstance(parameters, dict) else parameters
    learning = [p for p in tensors if p.requires_grad and p.grad is not None]
    length = gradient_length([p.grad for p in learning])
    if most < length and isfinite(length):
        for p in learning:
            p.grad = in_float32(operator.mul, (p.grad, most / length), {})
    return length


@replaceable
def gradient_length(gradients):
    """Return √(Σ g²) over all numbers of a list of arrays. The squares are computed in float64,
    because those of large gradients overflow float32."""
    sums = [array_module(g).multiply(g, g, dtype="float64").sum() for g in gradients]
    return fsum(read_numbers(*sums)) ** 0.5 if sums else 0.0
