"""Deep learning from scratch in NumPy and CuPy. Every op is a forward function with hand-derived
gradients."""

__version__ = "0.1.0"

from minidl.interruption import quit_at_ctrl_c

quit_at_ctrl_c()  # before the slow imports
# ruff: noqa: E402

import importlib
from typing import TYPE_CHECKING

from minidl import checkpoints, data, engine, gradcheck, layers, losses, models, ops, optim
from minidl.autograd import Tensor, no_grad, value_and_grad
from minidl.backend import device, set_device
from minidl.dispatch import textbook
from minidl.engine import get_threads, set_threads
from minidl.errors import MinidlError

engine.install()

if TYPE_CHECKING:
    from minidl import evaluation, faces, recipes, style_transfer, training, visualize

__all__ = [
    "MinidlError", "Tensor", "checkpoints", "data", "device", "engine", "evaluation", "faces",
    "get_threads", "gradcheck", "layers", "losses", "models", "no_grad", "ops", "optim", "recipes",
    "set_device", "set_threads", "style_transfer", "textbook", "training", "value_and_grad",
    "visualize",
]  # fmt: skip

_LAZY = ("evaluation", "faces", "recipes", "style_transfer", "training", "visualize")


def __getattr__(name):
    """Import an application when it is first used: `minidl.faces` after `import minidl`."""
    if name in _LAZY:
        return importlib.import_module(f"minidl.{name}")
    raise AttributeError(f"module 'minidl' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_LAZY})
