"""A task that trains in milliseconds, with everything that has a state: batch normalization,
dropout, momentum, augmentation.

`python -m tests.training.small FOLDER EPOCHS` trains it in a process of its own, which stops in the
middle of the third epoch and waits to be killed; with a number behind, it kills itself half-way
through that save instead."""

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
    """Bright on the left, on the right or nowhere"""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    x = rng.standard_normal((count, 8, 8, 1)).astype(np.float32)
    x[labels == 1, :, :4] += 2
    x[labels == 2, :, 4:] += 2
    return x, labels


def loss(model, x, labels):
    logits = model(x)
    return softmax_cross_entropy(logits, labels), {
        "accuracy": (logits.data.argmax(axis=1) == labels).mean()
    }


def small_task(optimizer="sgd", loss=loss, **more):
    rng = np.random.default_rng(0)
    model = Sequential(
        Convolution.new(rng, (3, 3), 1, 4, padding="same"), BatchNorm(4), ReLU(), MaxPool(2), Flatten(),
        Dropout(0.8, seed=5), Dense.new(rng, 64, 3),
    )  # fmt: skip
    batches = Batches(
        pictures(), 16, seed=3, transform=lambda rng, x, labels: (shift(rng, x, 1), labels)
    )
    return Task(
        model, OPTIMIZERS[optimizer](model), batches, loss, schedule=Steps(0.05, {2: 0.5}), settings={"seed": 3},
        baselines={"guessing": float(np.log(3))}, **more,
    )  # fmt: skip


def bytes_of(state):
    return {name: np.asarray(value).tobytes() for name, value in state.items()}


def everything(task):
    """Model, optimiser and position, as bytes"""
    return bytes_of(task.model.state()), bytes_of(task.optimizer.state()), task.batches.state()


def dying_in(save, write=Path.write_bytes):
    """Path.write_bytes, but at its call of this number only half is written before the process is
    killed"""
    calls = count(1)

    def half(path, contents):
        if next(calls) == save:
            write(path, contents[: len(contents) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(path, contents)

    return half


if __name__ == "__main__":
    folder, epochs, *save = sys.argv[1:]
    steps = count(1)

    def stopping(model, x, labels):
        if next(steps) == 11 and not save:  # an epoch has 4
            threading.Event().wait()
        return loss(model, x, labels)

    if save:
        Path.write_bytes = dying_in(int(save[0]))
    train(
        small_task(loss=stopping), int(epochs), folder, watch=lambda told: print(told, flush=True)
    )
