"""Dropout sets numbers to 0 at random (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov
2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting")."""

from typing import Any

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError
from minidl.ops.masks import masked
from minidl.typing import Operand, Result


def dropout(x: Operand, keep: float, seed: Any) -> Result:
    """y = x m / keep,      m: 1 with the probability `keep`, and otherwise 0

    x, m and y have the same shape. The division makes x the expected value of y. seed: the seed of
    NumPy's generator. The same seed gives the same m on every device.

    Cost: one random number, one comparison and one multiplication per number. Raises ArgumentError
    if x is not floating-point, or unless 0 < keep ≤ 1.

    >>> dropout(np.ones(6), 0.5, seed=1)
    array([2., 0., 0., 0., 2., 2.])
    """
    m = np.random.default_rng(seed).random(x.shape, np.float32) < keep
    return masked(x * (1 / np.asarray(keep, x.dtype)).astype(x.dtype), array_module(x).asarray(m))


def dropout_dx(dy, keep, seed):
    """∂y/∂x = m / keep

    m is not kept: the same seed gives the same m again.
    """
    return dropout(dy, keep, seed)


def check(x, keep, seed):
    """Raise ArgumentError if x is not floating-point, or unless 0 < keep ≤ 1."""
    must_be_floating("x", x)
    must_be_a_share(keep)


def must_be_a_share(keep):
    """Raise ArgumentError unless 0 < keep ≤ 1."""
    if not 0 < keep <= 1:
        raise ArgumentError(f"dropout keeps a share of {keep}; wanted a number above 0, at most 1")


dropout = differentiable(dropout, dx=dropout_dx, check=check)
