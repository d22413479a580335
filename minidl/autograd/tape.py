"""The tape records which op computed what. A pass from the latest op to the first computes the
gradients.

A node of the tape is one call of an op. Its edges lead to the sources of the op's inputs. The
source of an input is the node that computed it. An input that no op computed is a leaf, and is its
own source.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from contextlib import ContextDecorator
from typing import Any, TypeAlias

from minidl.backend import array_module
from minidl.dispatch import replaceable
from minidl.errors import ArgumentError
from minidl.typing import Array

# (source, pull); `Node` documents both.
Edge: TypeAlias = tuple[Any, Callable[..., tuple[Array, bool]]]

_ticks = itertools.count()


class Node:
    """One op on the tape.

    edges: (source, pull) for each input that requires a gradient. `pull(dy, shared)` returns dx,
    and whether the memory of dx is new (see `op.py`). A pull holds all arrays that are kept for its
    gradient. shared: a dict in which the pulls of one call pass gradients to each other.
    """

    __slots__ = ("edges", "tick")

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.tick = next(_ticks)
        self.edges: Sequence[Edge] | None = edges  # None after their release


@replaceable
def propagate(source, dy, release):
    """Return a dict from each leaf that `source` depends on to a pair: the gradient ∂L/∂leaf, and
    whether its array is new.

    source: a node or a leaf. dy: the gradient with respect to the output of `source`. release:
    whether each node drops its edges after their use.

    An op is recorded after the ops that computed its inputs. The nodes are visited from the latest
    to the first, so that all ops that used the output of a node have been visited before it. Its
    cotangent is then the sum of their contributions.

    Raises ArgumentError if a part of the tape has been released.
    """
    pending: dict[Node, list[tuple]] = {}  # node -> [(pull, dy, shared)] of the ops that used it
    sums: dict[Any, tuple] = {}  # leaf -> (sum so far, whether its memory is new)
    if not isinstance(source, Node):
        return {source: (dy, False)}
    pending[source] = [(lambda dy, shared: (dy, False), dy, {})]
    nodes = _in_order(source)
    while nodes:
        _visit(nodes.pop(), pending, sums, release)
    return sums


def _visit(node, pending, sums, release):
    """Pass the cotangent of a node on to the sources of its inputs.

    After the return nothing refers to the arrays of a node that was visited before, so that its
    memory can be used by the next.
    """
    dy, _ = _add_up(pending.pop(node))
    shared: dict[str, Array] = {}
    for earlier, pull in node.edges:
        if isinstance(earlier, Node):
            pending.setdefault(earlier, []).append((pull, dy, shared))
        else:
            sums[earlier] = add(*sums.pop(earlier, (None, False)), *pull(dy, shared))
    if release:
        node.edges = None


def _in_order(source):
    """Return all nodes that `source` depends on, itself included, in the order of recording."""
    nodes, waiting = set(), [source]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Node) and node not in nodes:
            if node.edges is None:
                raise ArgumentError(
                    "backward(release=True) has already released this tape; compute the Tensor anew"
                )
            nodes.add(node)
            waiting += [earlier for earlier, _ in node.edges]
    return sorted(nodes, key=lambda node: node.tick)


def _add_up(pulls):
    """Return (Σ dx, whether its memory is new) over a list of (pull, dy, shared).

    Each dx is computed only here, where it is added, so that at most two of them are in memory.
    """
    total, is_new = None, False
    while pulls:
        total, is_new = add(total, is_new, *_pulled(*pulls.pop()))
    return total, is_new


def _pulled(pull, dy, shared):
    return pull(dy, shared)


def add(a, a_is_new, b, b_is_new):
    """Return (a + b, whether its memory is new). A new summand may be overwritten: the sum is
    written to its memory. If a is None, the sum is b."""
    if a is None:
        return b, b_is_new
    if a_is_new or b_is_new:
        return array_module(a, b).add(a, b, out=a if a_is_new else b), True
    return a + b, a.ndim > 0  # the sum of two arrays without axes is a NumPy scalar, not an array


class _Recording(threading.local):
    """blocks: for each enclosing block of this thread whether it records; the innermost is last."""

    def __init__(self):
        self.blocks = [True]


_recording = _Recording()


class recording_set(ContextDecorator):  # noqa: N801  it is called like a function
    """Record ops on the tape (on=True) or not (on=False) in a block, in this thread. It is also a
    decorator."""

    def __init__(self, on: bool) -> None:
        self._on = on  # several threads may run the decorated function at once

    def __enter__(self) -> "recording_set":
        _recording.blocks.append(self._on)
        return self

    def __exit__(self, *error: object) -> None:
        _recording.blocks.pop()


class no_grad(recording_set):  # noqa: N801
    """Compute without a tape in a block, in this thread. It is also a decorator.

    >>> from minidl import Tensor
    >>> x = Tensor([2.], requires_grad=True)
    >>> with no_grad():
    ...     (x * x).requires_grad
    False
    """

    def __init__(self) -> None:
        super().__init__(on=False)


def is_recording() -> bool:
    """Return whether ops are recorded on the tape in this thread."""
    return _recording.blocks[-1]
