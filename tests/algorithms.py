"""Convolutions computed by one algorithm, or by the definition."""

import functools

from minidl import ops, textbook
from minidl.autograd import differentiable
from minidl.proofs.table import by_algorithm


def by(name, op=ops.convolution):
    """Return the op, computed by an algorithm of the engine, or "textbook": by its definition."""
    return by_definition(op) if name == "textbook" else by_algorithm(name, op)


def by_definition(op):
    """Return the op with its forward and gradients computed by their definitions."""

    def within(function):
        @functools.wraps(function)
        def run(*args, **kwargs):
            with textbook():
                return function(*args, **kwargs)

        return run

    gradients = {of: within(gradient) for of, gradient in op.gradients.items()}
    return differentiable(within(op.forward), check=op.check, **gradients)
