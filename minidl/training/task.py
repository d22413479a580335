"""Task: what is trained, on which data, and how."""

import pathlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minidl.autograd import Tensor
from minidl.data import Batches
from minidl.data.batches import SideBySide
from minidl.layers import Module
from minidl.optim import Optimizer


@dataclass
class Task:
    """Everything that `train` needs, except the number of epochs and the folder.

    model      the network; it must be on the current device
    optimizer  the optimiser of the model's parameters
    batches    the training data; `train` moves each batch to the current device
    loss       loss(model, *arrays) -> (mean loss of the batch, measures). The loss is a Tensor.
               The measures are {name: number}, such as {"accuracy": 0.5}; a number may be an array
               of one element on either device.
    schedule   schedule(epoch) -> learning rate. The epoch is a fraction: 1.5 is the middle of the
               second epoch. A Plateau also gets the values of its measure after each epoch so far.
               None keeps the optimiser's rate.
    validate   validate(model) -> {name: number}, called after each epoch without a tape and with
               the model not in training; None: no validation
    baselines  {name: loss} of trivial networks, such as {"guessing": log(10)}. The curves show
               them, and the log has a remark on a loss that stays at one of them.
    accumulate the number of batches whose gradients are added up for one step, which acts as one
               large batch in the memory of a small one. The last step of an epoch may have fewer.
    clip       the largest Euclidean norm of all gradients together; None: no limit
    remark     remark(row) -> a sentence about an epoch's row of the log, or None
    draw       draw(model, path) writes a picture of what the network learned, called after each
               epoch if matplotlib is installed
    settings   what is needed to make this task again, in values that JSON can hold
    notes      {title: {group: names}} to print before the training, such as
               {"ImageNet's weights": {"taken": ["block1_conv1/kernel"]}}
    """

    model: Module
    optimizer: Optimizer
    batches: Batches | SideBySide
    loss: Callable[..., tuple[Tensor, Mapping[str, Any]]]
    schedule: Callable[[float], float] | None = None
    validate: Callable[[Any], Mapping[str, float]] | None = None
    baselines: Mapping[str, float] = field(default_factory=dict)
    accumulate: int = 1
    clip: float | None = None
    remark: Callable[[Mapping[str, Any]], str | None] | None = None
    draw: Callable[[Any, pathlib.Path], None] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
