"""Reverse-mode automatic differentiation (Linnainmaa 1970; Griewank & Walther 2008, section 3.2).

An op is written as plain functions of plain arrays: a forward, and one gradient for each input.
`differentiable` joins them. A Tensor holds an array and its place on the tape. `backward` reads the
tape from the latest op to the first and turns the cotangent dy = ∂L/∂y of each output into the
cotangents dx = ∂L/∂x = dy·∂y/∂x of its inputs. minidl differentiates once: gradients are arrays,
not Tensors.

tensor.py        Tensor: an array on the tape
operators.py     its operators and methods that compute
arguments.py     the arguments of ops: arrays in place of Tensors
functions.py     value and gradient of a function of arrays
op.py            Op: a forward joined with its gradients
tape.py          the tape, and the pass from the latest op to the first
overwriting.py   detection of arrays that changed between forward and backward
"""

from minidl.autograd.arguments import constant, plain
from minidl.autograd.functions import value_and_grad
from minidl.autograd.op import Op, differentiable
from minidl.autograd.tape import is_recording, no_grad
from minidl.autograd.tensor import Tensor

__all__ = [
    "Op", "Tensor", "constant", "differentiable", "is_recording", "no_grad", "plain",
    "value_and_grad",
]  # fmt: skip
