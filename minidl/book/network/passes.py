"""The pass forward and the passes back over one picture, layer by layer, and which units are
shown."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from minidl.autograd import Tensor
from minidl.book.network.parts import MIXING, Part
from minidl.typing import Array

MOST_UNITS = 12  # of a layer, and inputs of a unit


@dataclass
class Step:
    """A part in the passes.

    x, y: its input, which is a leaf, and its output. dx, dy: their gradients, one for each target.
    gradients: those of the parameters by name, for each target. units: the channels of y that are
    shown.
    """

    part: Part
    x: Tensor
    y: Tensor
    dx: list[Array] = field(default_factory=list)
    dy: list[Array] = field(default_factory=list)
    gradients: list[dict[str, Array]] = field(default_factory=list)
    units: list[int] = field(default_factory=list)


def forward(parts: Sequence[Part], picture: Array) -> list[Step]:
    """Return a Step for each part, without gradients and units. picture: (1, H, W, C)"""
    steps, x = [], picture
    for part in parts:
        leaf = Tensor(x, requires_grad=True)
        steps.append(Step(part, leaf, part.run(leaf)))
        x = steps[-1].y.data
    return steps


def backward(steps: Sequence[Step], dy: Array) -> None:
    """Add the gradients of one target to the steps. dy: with respect to the scores (1, K)"""
    for step in reversed(steps):
        step.y.backward(dy)
        assert step.x.grad is not None
        step.dy.append(dy)
        step.dx.append(step.x.grad)
        own = step.part.layer.named_parameters()
        step.gradients.append({name: p.grad for name, p in own.items() if p.grad is not None})
        dy = step.x.grad


def choose_units(steps: Sequence[Step], chosen: int) -> None:
    """Set the units that are shown of each step.

    Layers that do not mix units have the units of the layer before them. For a group of such layers
    the units are those with the largest sum over the positions of |y·dy|, at its last layer and for
    the first target. Of the scores, the units are the largest scores, among them `chosen`.
    """
    starts = [i for i, step in enumerate(steps) if step.part.kind in MIXING]
    for start, end in pairwise([0, *starts, len(steps)]):
        last = steps[end - 1]
        y, dy = last.y.data, last.dy[0]
        if last is steps[-1]:
            weight = np.where(np.arange(y.shape[-1]) == chosen, np.inf, y[0])
        else:
            weight = abs(y * dy).sum(axis=tuple(range(y.ndim - 1)))
        best = np.argsort(-weight, kind="stable")[:MOST_UNITS]
        for step in steps[start:end]:
            step.units = sorted(best.tolist())
