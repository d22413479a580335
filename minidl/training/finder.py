"""The learning-rate range test: which learning rates a task can be trained with.

Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from itertools import islice
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

from minidl.backend import is_array, read_numbers
from minidl.errors import ArgumentError, NonFiniteError, brief
from minidl.plots import new_figure, save_figure
from minidl.shapes import is_int
from minidl.training.step import take_step
from minidl.training.task import Task
from minidl.typing import Array, Path

FIRST, LAST, STEPS = 1e-6, 10.0, 100
FEWEST = 10  # steps before the test may end
MEMORY = 0.9  # the share of the steps before in a smoothed loss
EXPLODED = 4  # times the lowest smoothed loss: the test ends
HIGHEST = 2  # times the first loss, in the picture
MARGIN = 10  # the rate with the lowest loss, divided by the suggested rate


class RateTest(NamedTuple):
    """The losses of a few steps whose learning rate rises.

    rates, losses, smoothed: (steps,). suggestion: a tenth of the rate with the lowest smoothed
    loss. At that lowest point the loss no longer falls, so the rate there is too high already.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float


def find_rate(
    task: Task,
    first: float = FIRST,
    last: float = LAST,
    steps: int = STEPS,
    watch: Callable[[], object] = lambda: None,
) -> RateTest:
    """Train for a few steps with a learning rate that rises from `first` to `last`, by the same
    factor in each step. The task is then set back to its state before.

    The test ends early if the smoothed loss is four times its lowest value, or not finite. The
    schedule of the task is not used. watch: called after each step.

    Raises ArgumentError unless 0 < first < last and there are at least 10 steps, and NonFiniteError
    if a loss is not finite within the first 10 steps.
    """
    if not 0 < first < last < inf:
        raise ArgumentError(
            f"the learning rates are to rise from {brief(first)} to {brief(last)}; wanted a number "
            "above 0 and a larger one"
        )
    if not (is_int(steps) and steps >= FEWEST):
        raise ArgumentError(
            f"the test has {brief(steps)} steps; wanted a whole number of at least {FEWEST}"
        )
    before = _state(task)
    try:
        losses = np.array([*_losses(task, np.geomspace(first, last, steps), watch)])
    finally:
        _restore(task, before)
    if len(losses) < FEWEST:
        raise NonFiniteError(
            f"the loss is not finite after {len(losses)} steps of a learning rate of {first:g}; "
            "begin with a lower one"
        )
    rates, smoothed = np.geomspace(first, last, steps)[: len(losses)], _smoothed(losses)
    return RateTest(rates, losses, smoothed, float(rates[smoothed.argmin()]) / MARGIN)


def _losses(task, rates, watch) -> Iterator[float]:
    task.model.train()
    losses: list[float] = []
    for rate, group in zip(rates, _groups(task), strict=False):
        task.optimizer.learning_rate = float(rate)
        number = take_step(task, group)["loss"]
        [loss] = read_numbers(number) if is_array(number) else [float(number)]
        if not isfinite(loss):
            return
        losses.append(loss)
        watch()
        yield loss
        smoothed = _smoothed(losses)
        lowest = smoothed.min()
        if len(losses) >= FEWEST and smoothed[-1] > lowest + (EXPLODED - 1) * abs(lowest):
            return


def _groups(task) -> Iterator[list[tuple[Array, ...]]]:
    """The groups of batches of all steps, in one epoch after another"""
    while True:
        batches = iter(task.batches)
        while group := list(islice(batches, task.accumulate)):
            yield group


def _smoothed(losses):
    """s[i] = (0.9 s'[i-1] + 0.1 loss[i]) / (1 - 0.9^i), the mean of the losses so far, in which
    each has 0.9 times the weight of the next"""
    means, total = [], 0.0
    for number, loss in enumerate(losses, start=1):
        total = MEMORY * total + (1 - MEMORY) * loss
        means.append(total / (1 - MEMORY**number))
    return np.array(means)


def _state(task) -> dict[str, Any]:
    parts = {name: getattr(task, name).state() for name in ("model", "optimizer", "batches")}
    return deepcopy(parts) | {"rate": task.optimizer.learning_rate}


def _restore(task, state):
    for name in ("model", "optimizer", "batches"):
        getattr(task, name).restore(state[name])
    task.optimizer.learning_rate = state["rate"]
    task.model.train(False)


def draw_rates(test: RateTest, path: Path) -> None:
    """Write a picture of the losses over the rates. Raises ExtraError without matplotlib."""
    figure = new_figure(8, 5)
    panel = figure.subplots()
    panel.plot(test.rates, test.losses, color="0.7", linewidth=1, label="loss of a step")
    panel.plot(test.rates, test.smoothed, color="C0", linewidth=2, label="smoothed")
    panel.axvline(
        test.suggestion, color="C3", linestyle="--", label=f"suggestion: {test.suggestion:.2g}"
    )
    low = min(test.losses.min(), 0.0)
    panel.set(xscale="log", xlabel="learning rate", ylabel="loss")
    panel.set_ylim(low, min(test.smoothed.max(), HIGHEST * max(test.smoothed[0], low + 1e-9)))
    panel.grid(alpha=0.3)
    panel.legend(frameon=False)
    save_figure(figure, path)
