"""What is trained, on what, and how."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Task:
    """model: a Module; optimizer: over its parameters; batches: minidl.data.Batches, whose arrays
    are moved to the current device.

    loss(model, *arrays) -> (Tensor of the mean loss, {"accuracy": a number or an array of one, ..})
    schedule(epoch) -> learning rate; epoch may be a fraction: 1.5 in the middle of the second
    validate(model) -> {"accuracy": number, ..}, called after each epoch, with the model not in
    training and no tape baselines: {"guessing": loss}: losses that a network has which has learned
    nothing; the log says when it sits at one clip: the largest norm that all gradients together may
    have; None: any remark(row) -> a sentence on what an epoch's row of the log shows, such as a
    collapse, or None draw(model, path): a picture of what was learned, written after each epoch
    settings: what it takes to make this task again, for JSON
    notes: {what: {word: [names]}}: to be told before training, such as {"ImageNet's weights":
    {"taken": [..], ..}}
    """

    model: Any
    optimizer: Any
    batches: Any
    loss: Callable
    schedule: Callable | None = None
    validate: Callable | None = None
    baselines: dict = field(default_factory=dict)
    clip: float | None = None
    remark: Callable | None = None
    draw: Callable | None = None
    settings: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)
