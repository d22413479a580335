"""Convolutions computed by one algorithm, or by the definition."""

from minidl import ops, textbook
from minidl.proofs.table import by_algorithm, within


def by(name, op=ops.convolution):
    """Return the op, computed by an algorithm of the engine, or "textbook": by its definition."""
    return within(textbook(), op) if name == "textbook" else by_algorithm(name, op)
