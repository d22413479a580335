"""A task that trains in milliseconds and has every kind of state: batch normalization, dropout,
momentum and augmentation.

`python -m tests.training.small FOLDER EPOCHS` trains it in a process of its own, which blocks in
the middle of the third epoch until it is killed. With a third argument N, the process kills itself
in the middle of its N-th save instead. A fourth argument gives the validation losses.
"""

import os
import signal
import sys
import threading
from itertools import count
from pathlib import Path

import numpy as np

from minidl.data import Batches, shift
from minidl.layers import BatchNorm, Convolution, Dense, Dropout, Flatten, MaxPool, ReLU, Sequential
from minidl.losses import softmax_cross_entropy
from minidl.optim import SGD, Adam, Steps
from minidl.training import Task, train

OPTIMIZERS = {
    "sgd": lambda model: SGD(model.named_parameters(), 0.1, 0.9, weight_decay=1e-3),
    "adam": lambda model: Adam(model.named_parameters(), 0.01),
}


def pictures(count=60, seed=0):
    """Noise that is brighter on the left (label 1), on the right (label 2) or nowhere (label 0)"""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    x = rng.standard_normal((count, 8, 8, 1)).astype(np.float32)
    x[labels == 1, :, :4] += 2
    x[labels == 2, :, 4:] += 2
    return x, labels


def loss(model, x, labels):
    logits = model(x)
    accuracy = (logits.data.argmax(axis=1) == labels).mean()
    return softmax_cross_entropy(logits, labels), {"accuracy": accuracy}


def augment(rng, x, labels):
    return shift(rng, x, 1), labels


def small_task(optimizer="sgd", loss=loss, **options):
    rng = np.random.default_rng(0)
    model = Sequential(
        Convolution.new(rng, (3, 3), 1, 4, padding="same"),
        BatchNorm(4),
        ReLU(),
        MaxPool(2),
        Flatten(),
        Dropout(0.8, seed=5),
        Dense.new(rng, 64, 3),
    )
    return Task(
        model,
        OPTIMIZERS[optimizer](model),
        Batches(pictures(), 16, seed=3, transform=augment),
        loss,
        schedule=Steps(0.05, {2: 0.5}),
        settings={"seed": 3},
        baselines={"guessing": float(np.log(3))},
        **options,
    )


def validated_task(losses, **options):
    """A task whose validation loss after epoch e is losses[e - 1]"""
    task = small_task(**options)
    task.validate = lambda model: {"loss": losses[task.batches.epoch - 1]}
    return task


def bytes_of(state):
    return {name: np.asarray(value).tobytes() for name, value in state.items()}


def everything(task):
    """The state of a task: model, optimiser and position, as bytes"""
    return bytes_of(task.model.state()), bytes_of(task.optimizer.state()), task.batches.state()


def dying_in(save, write=Path.write_bytes):
    """A Path.write_bytes that writes half of the bytes and kills the process at call `save`"""
    calls = count(1)

    def write_half(path, contents):
        if next(calls) == save:
            write(path, contents[: len(contents) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(path, contents)

    return write_half


if __name__ == "__main__":
    folder, epochs, *more = sys.argv[1:]
    save, losses = more[:1], [float(word) for word in "".join(more[1:]).split(",") if word]
    steps = count(1)

    def blocking(model, x, labels):
        if next(steps) == 11 and not save:  # an epoch has 4 steps
            threading.Event().wait()
        return loss(model, x, labels)

    if save:
        Path.write_bytes = dying_in(int(save[0]))
    task = validated_task(losses, loss=blocking) if losses else small_task(loss=blocking)
    train(
        task,
        int(epochs),
        folder,
        watch=lambda event: print(event, flush=True),
    )
