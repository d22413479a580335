"""Optimisers, schedules of their learning rate, and clipping of gradients.

optimizer.py   Optimizer, the base class: groups of parameters, state, resuming
sgd.py, adam.py, lbfgs.py
               the optimisers
schedules.py   the learning rate as a function of time
clipping.py    a bound on the length of gradients
"""

from minidl.optim.adam import Adam
from minidl.optim.clipping import clip_gradients
from minidl.optim.lbfgs import LBFGS
from minidl.optim.optimizer import Group, Optimizer
from minidl.optim.schedules import (
    Constant,
    Cosine,
    Exponential,
    OneCycle,
    Plateau,
    Steps,
    Warmup,
)
from minidl.optim.sgd import SGD

__all__ = [
    "LBFGS", "SGD", "Adam", "Constant", "Cosine", "Exponential", "Group", "OneCycle", "Optimizer",
    "Plateau", "Steps", "Warmup", "clip_gradients",
]  # fmt: skip
