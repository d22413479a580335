"""The learning rate of a step, by the schedule of a task."""

from collections.abc import Mapping, Sequence
from typing import Any

from minidl.errors import ArgumentError, listed
from minidl.optim import Plateau
from minidl.training.task import Task


def must_be_measured(task: Task) -> None:
    """Raise ArgumentError if a Plateau needs a validation that the task does not have."""
    schedule = task.schedule
    if not isinstance(schedule, Plateau) or task.validate is not None:
        return
    if schedule.measure.startswith("validation_"):
        raise ArgumentError(
            f"the schedule waits for a plateau of {schedule.measure}, but the task has no "
            "validate; give it one, or choose a measure of the training, such as 'loss'"
        )


def rate_at(task: Task, epoch: float, rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the learning rate at a fraction of an epoch.

    rows: of the log, one for each finished epoch. Raises ArgumentError if the log lacks what a
    Plateau measures.
    """
    schedule = task.schedule
    if schedule is None:
        return task.optimizer.learning_rate
    if not isinstance(schedule, Plateau):
        return schedule(epoch)
    if any(schedule.measure not in row for row in rows):
        raise ArgumentError(
            f"the schedule waits for a plateau of {schedule.measure!r}, which the log lacks; it "
            f"has {listed([*rows[0]], most=20)}"
        )
    return schedule(epoch, [row[schedule.measure] for row in rows])
