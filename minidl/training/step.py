"""One step of the training: the loss of a batch, its gradients, and the move of the parameters."""

from collections.abc import Sequence
from typing import Any

from minidl.backend import current_device, to_device
from minidl.errors import ArgumentError
from minidl.optim import clip_gradients
from minidl.training.log import OWN_COLUMNS
from minidl.training.task import Task
from minidl.typing import Array


def take_step(task: Task, arrays: Sequence[Array]) -> dict[str, Any]:
    """Train on a batch, and return {name: number} of its loss and measures.

    The numbers may be arrays of one element on the device. Raises ArgumentError if a measure has
    the name of a column of the log.
    """
    device, parameters = current_device(), task.optimizer.parameters
    loss: Any  # L-BFGS reads its value, which the other optimisers leave on the device
    loss, measures = task.loss(task.model, *(to_device(array, device) for array in arrays))
    for name in measures:
        if name in OWN_COLUMNS or name.startswith("validation_"):
            raise ArgumentError(
                f"the task's loss returns a measure {name!r}, but this is a column of the log "
                "itself; rename the measure"
            )
    for parameter in parameters:
        # A parameter that this loss does not reach must not move by its previous gradient.
        parameter.grad = None
    loss.backward(release=True)
    if task.clip is not None:
        clip_gradients(parameters, task.clip)
    task.optimizer.step(loss)
    return {"loss": loss.data, **measures}
