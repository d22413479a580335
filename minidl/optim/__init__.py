"""Optimisers: from gradients to the next point; schedules of their learning rate; gradients held to
a length."""

from minidl.optim.adam import Adam
from minidl.optim.clipping import clip_gradients
from minidl.optim.lbfgs import LBFGS
from minidl.optim.optimizer import Group, Optimizer
from minidl.optim.schedules import Constant, Cosine, OneCycle, Steps, Warmup
from minidl.optim.sgd import SGD

__all__ = [
    "LBFGS", "SGD", "Adam", "Constant", "Cosine", "Group", "OneCycle", "Optimizer", "Steps", "Warmup", "clip_gradients",
]  # fmt: skip
