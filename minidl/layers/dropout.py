"""Dropout, which does nothing after training."""

from minidl import ops
from minidl.errors import ArgumentError
from minidl.layers.module import Module


class Dropout(Module):
    """In training every number is kept with probability `keep` and then divided by it, or else becomes 0 (Srivastava et al.
    2014, in the form that leaves nothing to do afterwards). Call number n draws from (seed, n)."""

    buffers = ("calls",)

    def __init__(self, keep, seed=0):
        if not 0 < keep <= 1:
            raise ArgumentError(f"dropout keeps a share of {keep}; wanted a number above 0, at most 1")
        self.keep, self.seed, self.calls = keep, seed, 0

    def __call__(self, x):
        if not self.training:
            return x
        self.calls += 1
        return ops.dropout(x, self.keep, (self.seed, self.calls))
