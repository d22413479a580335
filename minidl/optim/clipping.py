"""Gradients held to a length (Pascanu, Mikolov, Bengio 2013): one steep place does not throw the
parameters far away."""

from math import fsum, isfinite

import numpy as np

from minidl.backend import array_module, read_numbers
from minidl.cores import share
from minidl.errors import ArgumentError
from minidl.ops.half import summed_in_float32
from minidl.ops.strips import GPU_STRIP, equal_parts
from minidl.optim.optimizer import STRIP


def clip_gradients(parameters, most):
    """Give the parameters gradients g·min(1, most / |g|), where |g| is the length of all of them as
    one vector, and return |g|.

    parameters: a list of Tensors, or a dict name -> Tensor; frozen ones and those without a
    gradient are skipped.
    A length that is not finite has no direction to keep: the gradients then stay unchanged, and the
    caller sees the length in the result. On a GPU |g| is read, once.

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
    found = [p for p in tensors if p.requires_grad and p.grad is not None]
    length = _length([p.grad for p in found])
    if most < length and isfinite(length):
        for p in found:
            p.grad = _scaled(p.grad, most / length)
    return length


@summed_in_float32  # whose smallest factor would be 0 in float16
def _scaled(g, factor):
    return g * factor


def _length(gradients):
    """√Σ g², in float64: the squares of a steep gradient overflow float32 long before it does."""
    if not gradients:
        return 0.0
    xp = array_module(*gradients)
    rows = [g.reshape(-1) for g in gradients]
    strips = [
        row[part]
        for row in rows
        for part in equal_parts(row.size, STRIP if xp is np else GPU_STRIP, cores=1)
    ]
    sums = share(xp, lambda strip: xp.multiply(strip, strip, dtype="float64").sum(), strips)
    return fsum(read_numbers(*sums)) ** 0.5 if sums else 0.0
