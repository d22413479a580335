"""What a network makes of many examples, some at a time."""

import numpy as np

from minidl.autograd import no_grad
from minidl.backend import current_device, to_device, to_numpy

BATCH = 250


@no_grad()
def outputs(model, examples, prepare=None):
    """model(prepare(examples)), in NumPy, with the model not in training"""
    model.train(False)
    parts = (examples[begin : begin + BATCH] for begin in range(0, len(examples), BATCH))
    prepared = parts if prepare is None else map(prepare, parts)
    return np.concatenate(
        [to_numpy(model(to_device(part, current_device())).data) for part in prepared]
    )
