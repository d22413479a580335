"""One step of the training: the loss of one batch or of several, its gradients, and the move of the
parameters."""

from collections.abc import Mapping, Sequence
from typing import Any

from minidl.backend import current_device, to_device
from minidl.errors import ArgumentError
from minidl.optim import clip_gradients
from minidl.training.log import OWN_COLUMNS
from minidl.training.task import Task
from minidl.typing import Array


def take_step(task: Task, group: Sequence[tuple[Array, ...]]) -> dict[str, Any]:
    """Train on the batches of a group as on one large batch. Return {name: number} of the loss and
    the measures, as means over all examples.

    The gradients of the batches are added up, so that the memory is that of one batch. (Batch
    normalization normalizes each batch by itself.) The numbers may be arrays of one element on the
    device. Raises ArgumentError if a measure has the name of a column of the log.
    """
    parameters, total = task.optimizer.parameters, sum(len(arrays[0]) for arrays in group)
    numbers: dict[str, Any] = {}
    for parameter in parameters:
        # A parameter that this loss does not reach must not move by its previous gradient.
        parameter.grad = None
    for arrays in group:
        share = len(arrays[0]) / total
        loss, measures = _forward(task, arrays)
        _times(share, loss).backward(release=True, accumulate=True)
        for name, number in {"loss": loss.data, **measures}.items():
            numbers[name] = _sum(numbers.get(name), _times(share, number))
    if task.clip is not None:
        clip_gradients(parameters, task.clip)
    task.optimizer.step(numbers["loss"])
    return numbers


def _forward(task, arrays) -> tuple[Any, Mapping[str, Any]]:
    device = current_device()
    loss, measures = task.loss(task.model, *(to_device(array, device) for array in arrays))
    for name in measures:
        if name in OWN_COLUMNS or name.startswith("validation_"):
            raise ArgumentError(
                f"the task's loss returns a measure {name!r}, but this is a column of the log "
                "itself; rename the measure"
            )
    return loss, measures


def _times(share, number):
    return number if share == 1 else share * number


def _sum(a, b):
    """a + b, where None is nothing"""
    return b if a is None else a if b is None else a + b
