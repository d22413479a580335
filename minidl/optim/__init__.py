"""Optimisers, schedules of their learning rate, and clipping of gradients.

optimizer.py   Optimizer, the base class: groups of parameters, state, resuming
counting.py    CountingOptimizer, the base class if the number of the step matters
sgd.py, adagrad.py, rmsprop.py, adam.py, nadam.py, lbfgs.py
               the optimisers
schedules.py   the learning rate as a function of time
clipping.py    a bound on the length of gradients
"""

from minidl.optim.adagrad import Adagrad
from minidl.optim.adam import Adam
from minidl.optim.clipping import clip_gradients
from minidl.optim.lbfgs import LBFGS
from minidl.optim.nadam import Nadam
from minidl.optim.optimizer import Group, Optimizer
from minidl.optim.rmsprop import RMSprop
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
    "LBFGS", "SGD", "Adagrad", "Adam", "Constant", "Cosine", "Exponential", "Group", "Nadam",
    "OneCycle", "Optimizer", "Plateau", "RMSprop", "Steps", "Warmup", "clip_gradients",
]  # fmt: skip
