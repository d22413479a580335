"""Deep learning from scratch: every op a forward and its hand-derived gradients, in NumPy or
CuPy."""

__version__ = "0.1.0"

from minidl.interruption import quit_at_ctrl_c

quit_at_ctrl_c()  # before the imports that take long
# ruff: noqa: E402

from minidl import checkpoints, data, gradcheck, layers, losses, models, ops, optim, style_transfer
from minidl.autograd import Tensor, no_grad, value_and_grad
from minidl.backend import device
from minidl.cores import get_threads, set_threads
from minidl.errors import MinidlError

__all__ = [
    "MinidlError", "Tensor", "checkpoints", "data", "device", "get_threads", "gradcheck", "layers", "losses", "models",
    "no_grad", "ops", "optim", "set_threads", "style_transfer", "value_and_grad",
]  # fmt: skip
