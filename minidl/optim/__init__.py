"""Optimisers: from gradients to the next point."""

from minidl.optim.adam import Adam
from minidl.optim.lbfgs import LBFGS
from minidl.optim.optimizer import Optimizer
from minidl.optim.sgd import SGD

__all__ = ["LBFGS", "SGD", "Adam", "Optimizer"]
