"""Exercises of the chapter about the tape."""

import functools

import numpy as np

from minidl import ops
from minidl.autograd import Tensor
from minidl.book.exercises.exercise import Exercise, as_gradient, given, gradient_of
from minidl.book.exercises.sentences import OVERWRITTEN, UNUSED_DY
from minidl.proofs import Shape


def tape_backward(reads, slopes, output):
    """By minidl's tape: each node adds a leaf, and the gradient of the leaf is that of the node."""
    leaves = [Tensor(np.zeros(()), requires_grad=True) for _ in reads]

    @functools.cache
    def value(node):
        y = leaves[node]
        for earlier, slope in zip(reads[node], slopes[node], strict=True):
            y = y + slope * value(earlier)
        return y

    value(output).backward()
    return np.array([0.0 if leaf.grad is None else float(leaf.grad) for leaf in leaves])


def numbered_down(reads, slopes, output):
    """Visit the nodes from the highest number to the lowest."""
    g = np.zeros(len(reads))
    g[output] = 1
    for node in reversed(range(len(reads))):
        for earlier, slope in zip(reads[node], slopes[node], strict=True):
            g[earlier] += slope * g[node]
    return g


def overwritten(reads, slopes, output):
    """Assign where a sum is needed. The nodes have their turn in a right order."""
    g = np.zeros(len(reads))
    g[output] = 1
    for node in reversed(in_order(reads, output)):
        for earlier, slope in zip(reads[node], slopes[node], strict=True):
            g[earlier] = slope * g[node]
    return g


def passed_on_early(reads, slopes, output):
    """Pass on the sum so far whenever a node is reached."""
    g = np.zeros(len(reads))
    g[output] = 1
    waiting = [output]
    while waiting:
        node = waiting.pop()
        for earlier, slope in zip(reads[node], slopes[node], strict=True):
            g[earlier] += slope * g[node]
            waiting.append(earlier)
    return g


def passed_on(
    part=lambda slope, g: slope * g,
    order=lambda reads, output: reversed(in_order(reads, output)),
):
    """Pass on another part(slope, gradient) to each node that is read, or in another order."""

    def wrong(reads, slopes, output):
        g = np.zeros(len(reads))
        g[output] = 1
        for node in order(reads, output):
            for earlier, slope in zip(reads[node], slopes[node], strict=True):
                g[earlier] += part(slope, g[node])
        return g

    return wrong


def in_order(reads, output):
    """Return the nodes that the output depends on, each after those that it reads."""
    done: list[int] = []

    def visit(node):
        for earlier in reads[node]:
            if earlier not in done:
                visit(earlier)
        done.append(node)

    visit(output)
    return done


def graph(reads, output, seed=0):
    """Return the arguments for a graph with random slopes."""
    rng = np.random.default_rng(seed)
    slopes = [[float(rng.integers(2, 10)) for _ in earlier] for earlier in reads]
    return {"reads": reads, "slopes": slopes, "output": output}


def residual(x, w):
    return x + np.tanh(x @ w)


def residual_gradients(dy, x, w):
    h = ops.tanh(x @ w)
    dz = gradient_of(ops.tanh, "dx")(dy, h)
    dx = gradient_of(ops.matmul, "da")(dz, w, x.shape)
    return dy + dx, gradient_of(ops.matmul, "db")(dz, x, w.shape)


def through(slope=lambda z: 1 - np.tanh(z) ** 2, around=1, inside=1, turned=np.transpose):
    """Return gradients with another slope of tanh, without a path, or with another w."""

    def wrong(dy, x, w):
        dz = dy * slope(x @ w)
        return around * dy + inside * dz @ turned(w), x.T @ dz

    return wrong


def with_dw(dw):
    """Return gradients with another dw(x, dz)."""

    def wrong(dy, x, w):
        dz = dy * (1 - np.tanh(x @ w) ** 2)
        return dy + dz @ w.T, dw(x, dz)

    return wrong


EXERCISES = [
    Exercise(
        name="tape-backward",
        chapter="tape",
        title="The pass back through a graph",
        task="""\
A graph has nodes 0, 1, 2, ..., each of which computes one number. reads[i] is the list of the nodes
that node i reads. slopes[i] is the list of the slopes ∂y[i]/∂y[j], one for each j in reads[i]. The
numbers of the nodes say nothing about their order. No node depends on itself.

Return the gradients of the number y[output] with respect to the numbers of all nodes, an array of
one number for each node:

    g[j] = ∂y[output]/∂y[j]

For the output itself it is 1. For nodes that the output does not depend on, it is 0. A node that is
read several times receives a sum, which has to be complete before the node passes it on.""",
        hint="""\
First find an order in which every node comes after the nodes that it reads: visit the nodes that a
node reads, and then append the node itself. Then go through this order from its end.""",
        right=tape_backward,
        returns=("g",),
        example={
            "reads": [[], [0], [0, 1]], "slopes": [[], [2.0], [3.0, 5.0]], "output": 2,
        },
        cases={
            "a chain": graph([[], [0], [1]], 2),
            "a chain with falling numbers": graph([[1], [2], []], 0),
            "a node that reads the same node twice": graph([[], [0, 0], [1]], 2),
            "a node that two nodes read": graph([[], [0], [0], [1, 2]], 3),
            "a long and a short way": graph([[], [0], [1], [2, 0], [3, 1]], 4),
            "a node that the output does not need": graph([[], [0], [0]], 1),
            "a graph with mixed numbers": graph([[3, 5], [4], [], [4, 1], [2, 2], [1, 2, 3]], 0),
        },
        wrong={
            "A node that is read twice keeps only one part of its gradient: the parts add up.":
                overwritten,
            "The gradient of y[output] with respect to itself is missing: it is 1.":
                lambda reads, slopes, output: np.zeros(len(reads)),
            "The nodes have their turn from the first to the last. Go from the end.":
                passed_on(order=in_order),
            "The slope is not multiplied by the gradient of the node that reads.":
                passed_on(lambda slope, g: slope),
            "The gradient is not multiplied by the slope.": passed_on(lambda slope, g: g),
            "The nodes have their turn by their numbers, which say nothing about their order.":
                numbered_down,
            "A node passes its gradient on before all nodes that read it have had their turn.":
                passed_on_early,
        },
    ),
    Exercise(
        name="residual-gradients",
        chapter="tape",
        title="Back through a layer and the path around it",
        task="""\
(N, D), (D, D) -> (N, D)

A layer with a path around it computes

    y = x + tanh(x w)

where x w is the matrix product. dy (N, D) is the gradient of a loss with respect to y. Return dx
(N, D) and dw (D, D), its gradients with respect to x and w. The derivative of tanh z is
1 - tanh² z.""",
        hint="""\
Name the parts: z = x w, h = tanh z, y = x + h. Go through them from the end: dh, dz, dw, dx. x is
read twice.""",
        right=residual_gradients,
        returns=("dx", "dw"),
        example={
            "dy": np.array([[1.0, 2.0]]), "x": np.array([[1.0, 0.0]]),
            "w": np.array([[0.0, 1.0], [0.0, 0.0]]),
        },
        cases={
            "one row": {"x": Shape((1, 2)), "w": Shape((2, 2))},
            "3 rows": {"x": Shape((3, 2)), "w": Shape((2, 2))},
        },
        wrong={
            "The path around the layer is missing: x is read twice, and both gradients add up.":
                through(around=0),
            "The path through the layer is missing in dx.": through(inside=0),
            "The path through the layer is subtracted in dx. Both gradients add up.":
                through(inside=-1),
            "The slope of tanh is 1 - tanh² z, and not 1 - tanh z.":
                through(lambda z: 1 - np.tanh(z)),
            "The slope of tanh is 1 - tanh² z, and not 1 + tanh² z.":
                through(lambda z: 1 + np.tanh(z) ** 2),
            "dw is the mean over the rows. It is their sum.":
                with_dw(lambda x, dz: x.T @ dz / len(x)),
            "The factors of dw are exchanged: this is its transpose.":
                with_dw(lambda x, dz: dz.T @ x),
            OVERWRITTEN: with_dw(lambda x, dz: x[-1:].T @ dz[-1:]),
            "Only the first row contributes to dw. The gradients of all rows add up.":
                with_dw(lambda x, dz: x[:1].T @ dz[:1]),
            UNUSED_DY: given(residual_gradients, dy=np.ones_like),
            "The slope of tanh, 1 - tanh² z, is missing.": through(lambda z: 1.0),
            "The slope of tanh is 1 - tanh² z, and not 1 - z².": through(lambda z: 1 - z * z),
            "The slope of tanh is 1 - tanh² z, and not tanh z.": through(np.tanh),
            "w is not transposed: dx = dz wᵀ.": through(turned=lambda w: w),
        },
        op=as_gradient(residual, "x", "w"),
        kinds={"x": "analytic", "w": "analytic"},
    ),
]  # fmt: skip
