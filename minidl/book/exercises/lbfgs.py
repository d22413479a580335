"""Exercises of the chapter about optimisers: L-BFGS."""

import numpy as np

from minidl.autograd import Tensor
from minidl.book.exercises.exercise import Exercise
from minidl.optim import LBFGS
from minidl.optim.lbfgs import Pair
from minidl.proofs import Shape


def lbfgs_direction(g, s, y):
    """By minidl's optimiser, with its pairs set."""
    optimizer = LBFGS([Tensor(0 * g, requires_grad=True)], history=max(1, len(s)))
    for one, other in zip(s, y, strict=True):
        curvature = one @ other
        optimizer.pairs.append(Pair(one, other, 1 / curvature, curvature / (other @ other)))
    return optimizer._downhill(g)


def initial(s, y):
    return s[-1] @ y[-1] / (y[-1] @ y[-1])


def two_loops(first=reversed, second=iter, scaled_by=initial, with_beta=1, sign=-1):
    """Return the two-loop recursion with another order of the pairs, another factor between the
    loops or of β, or another sign."""

    def wrong(g, s, y):
        pairs, q, alphas = [*zip(s, y, strict=True)], g, {}
        for number, (si, yi) in first([*enumerate(pairs)]):
            alphas[number] = si @ q / (yi @ si)
            q = q - alphas[number] * yi
        if pairs:
            q = q * scaled_by(s, y)
        for number, (si, yi) in second([*enumerate(pairs)]):
            q = q + si * (alphas.get(number, 0.0) - with_beta * (yi @ q) / (yi @ si))
        return sign * q

    return wrong


def moves(count, size, seed):
    """Return g, and `count` moves s with changes y = A s of the gradient of a quadratic function
    with the Hessian A."""
    rng = np.random.default_rng(seed)
    B, s, g = (rng.integers(-3, 4, shape) + 0.0 for shape in ((size, size), (count, size), size))
    return {"g": g, "s": s, "y": s @ (B @ B.T + np.eye(size))}


EXERCISES = [
    Exercise(
        name="lbfgs-direction",
        chapter="optimisers",
        title="The direction of L-BFGS, by the two-loop recursion",
        task="""\
(D,), (k, D), (k, D) -> (D,)

g (D,) is the gradient. s[i] (D,) are the last k moves of the parameters, and y[i] (D,) the changes
of the gradient over these moves, the oldest first. L-BFGS moves along -H g, where H estimates the
inverse of the Hessian. Let ρ[i] = 1 / (y[i]·s[i]), where · is the product of two vectors. Begin
with q = g.

- For each pair, from the newest to the oldest: α[i] = ρ[i] s[i]·q, then q ← q - α[i] y[i].
- Multiply q by s·y / (y·y) of the newest pair.
- For each pair, from the oldest to the newest: β = ρ[i] y[i]·q, then q ← q + (α[i] - β) s[i].

Then q = H g. Return -H g. Without pairs (k = 0), H is the identity.""",
        hint="""\
Keep the α of the first loop: the second loop needs each of them, in the other order.""",
        right=lbfgs_direction,
        returns=("direction",),
        example={
            "g": np.array([2.0, 4.0]), "s": np.array([[1.0, 0.0]]), "y": np.array([[2.0, 0.0]]),
        },
        cases={
            "no pair": {"g": Shape((3,)), "s": np.zeros((0, 3)), "y": np.zeros((0, 3))},
            "one pair": moves(1, 3, 0),
            "2 pairs": moves(2, 3, 1),
            "4 pairs": moves(4, 6, 2),
        },
        wrong={
            "The first loop begins with the oldest pair. It begins with the newest.":
                two_loops(first=iter),
            "The second loop begins with the newest pair. It begins with the oldest.":
                two_loops(second=reversed),
            "Both loops run in the wrong order.": two_loops(first=iter, second=reversed),
            "q is not multiplied by s·y / (y·y) of the newest pair between the loops.":
                two_loops(scaled_by=lambda s, y: 1.0),
            "β is missing in the second loop: add (α - β) s.": two_loops(with_beta=0),
            "β is added in the second loop. It is subtracted: add (α - β) s.":
                two_loops(with_beta=-1),
            "A loop leaves out the oldest pair. Both run over all pairs.": (
                two_loops(first=lambda pairs: reversed(pairs[1:])),
                two_loops(second=lambda pairs: pairs[1:]),
            ),
            "q is multiplied by s·y / (y·y) of the oldest pair. It has to be the newest.":
                two_loops(scaled_by=lambda s, y: s[0] @ y[0] / (y[0] @ y[0])),
            "q is multiplied by another factor than s·y / (y·y) between the loops.": (
                two_loops(scaled_by=lambda s, y: s[-1] @ y[-1] / (s[-1] @ s[-1])),
                two_loops(scaled_by=lambda s, y: y[-1] @ y[-1] / (s[-1] @ y[-1])),
            ),
            "q is multiplied by s·y / (y·y) for each pair. Do it once, between the loops.":
                two_loops(scaled_by=lambda s, y: initial(s, y) ** len(s)),
            "The sign is wrong: the direction is -H g.": two_loops(sign=1),
            "This is the steepest descent -g, without the pairs.": lambda g, s, y: -g,
        },
    ),
]  # fmt: skip
