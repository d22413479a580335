"""The tape: which op computed what, and the pass from the latest op to the first.

A node of the tape is one call of an op. Its edges lead to the sources of the op's inputs. A source
is the node that computed the input, or the leaf (a Tensor) itself.
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

# (source, pull), see Node
Edge: TypeAlias = tuple[Any, Callable[..., tuple[Array, bool]]]

_ticks = itertools.count()


class Node:
    """One op on the tape.

    edges: (source, pull) for each input that requires a gradient. pull(dy, shared) returns dx, and
    whether its memory is new (see `op.py`). It holds all arrays that are kept for this gradient.
    shared: a dict that the pulls of one dy share.
    """

    __slots__ = ("edges", "tick")

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.tick = next(_ticks)
        self.edges: Sequence[Edge] | None = edges  # None after they were released


@replaceable
def propagate(source, dy, release):
    """Return {leaf: (∂L/∂leaf, whether the array is new)} for all leaves that `source` depends on.

    dy: ∂L/∂(output of source). release: drop the edges of each node after they were used.

    The nodes are visited from the latest to the first, so that the cotangents of a node's output
    have all been computed when the node is visited.
    """
    pending: dict[Node, list[tuple]] = {}  # node -> pulls of the ops that used its output
    sums: dict[Any, tuple] = {}  # leaf -> sum so far, and whether it is new
    if not isinstance(source, Node):
        return {source: (dy, False)}
    pending[source] = [(lambda dy, shared: (dy, False), dy, {})]
    nodes = _in_order(source)
    while nodes:
        node = nodes.pop()
        dy, _ = _add_up(pending.pop(node))
        shared: dict[str, Array] = {}
        for source, pull in node.edges:
            if isinstance(source, Node):
                pending.setdefault(source, []).append((pull, dy, shared))
            else:
                sums[source] = _add(*sums.pop(source, (None, False)), *pull(dy, shared))
        if release:
            node.edges = None
    return sums


def _in_order(source):
    """All nodes that `source` depends on, in the order in which they were recorded."""
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
    """(Σ dx, whether it is new) over all [(pull, dy, shared)]. They are pulled here and not
    earlier, so that at most two gradients of one output are in memory at once."""
    total, is_new = None, False
    while pulls:
        pull, dy, shared = pulls.pop()
        total, is_new = _add(total, is_new, *pull(dy, shared))
    return total, is_new


def _add(a, a_is_new, b, b_is_new):
    """(a + b, whether it is new). The sum is written to the memory of a new summand. a is None for
    the first summand."""
    if a is None:
        return b, b_is_new
    if a_is_new or b_is_new:
        return array_module(a, b).add(a, b, out=a if a_is_new else b), True
    return a + b, a.ndim > 0  # the sum of two arrays without axes is a NumPy scalar, not an array


class _Recording(threading.local):
    """Whether this thread records, for each enclosing block, the innermost last."""

    def __init__(self):
        self.blocks = [True]


_recording = _Recording()


class recording_set(ContextDecorator):  # noqa: N801  a verb in the reader's code
    """Record, or do not, in a `with` block or a decorated function, in this thread."""

    def __init__(self, on: bool) -> None:
        self._on = on  # several threads may run the decorated function at once

    def __enter__(self) -> "recording_set":
        _recording.blocks.append(self._on)
        return self

    def __exit__(self, *error: object) -> None:
        _recording.blocks.pop()


class no_grad(recording_set):  # noqa: N801
    """`with no_grad():` computes without a tape, in this thread. It is also a decorator."""

    def __init__(self) -> None:
        super().__init__(on=False)


def is_recording() -> bool:
    """Return whether ops are recorded on the tape in this thread."""
    return _recording.blocks[-1]
