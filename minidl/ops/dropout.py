"""Dropout: numbers left out at random (Srivastava et al. 2014)."""

import numpy as np

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ArgumentError
from minidl.ops.masks import masked


def dropout(x, keep, seed):
    """y = x · m / keep,      m: 1 with probability `keep`, else 0

    The division keeps the expected y at x. seed: of NumPy's generator; the same one leaves out the
    same numbers, on every device.

    >>> dropout(np.ones(6), 0.5, seed=1)
    array([2., 0., 0., 0., 2., 2.])
    """
    must_be_floating("x", x)
    return _kept(x, keep, seed)


def dropout_dx(dy, keep, seed):
    """∂y/∂x = m / keep, drawn again from the same seed rather than kept"""
    return _kept(dy, keep, seed)


dropout = differentiable(dropout, dx=dropout_dx)


def _kept(x, keep, seed):
    """x · m / keep"""
    if not 0 < keep <= 1:
        raise ArgumentError(f"dropout keeps a share of {keep}; wanted a number above 0, at most 1")
    m = np.random.default_rng(seed).random(x.shape, np.float32) < keep
    return masked(x * (1 / np.asarray(keep, x.dtype)).astype(x.dtype), array_module(x).asarray(m))
