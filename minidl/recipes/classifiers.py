"""What recipes of networks that name classes share, above all those of signals and of volumes,
whose examples are made, not collected."""

from typing import NamedTuple

import numpy as np

from minidl.backend import current_device
from minidl.data import Batches, split
from minidl.errors import ArgumentError
from minidl.evaluation import nearest_neighbours
from minidl.layers import Dense, Flatten, Sequential
from minidl.layers.initializers import zeros
from minidl.losses import softmax_cross_entropy
from minidl.optim import Adam, Constant, OneCycle
from minidl.training.loop import train
from minidl.training.outputs import outputs
from minidl.training.task import Task

SCHEDULES = {"constant": lambda rate, epochs: Constant(rate), "one-cycle": OneCycle}
# seeds: a run's examples are of (its own, 1), and so never those of its test
TRAINED_ON, KNOWN, TESTED = 1, (0, 2), (0, 3)


class Trained(NamedTuple):
    """classes: names of what the model's logits are for."""

    model: Sequential
    classes: tuple


def classifier(network, model, made, classes, draw, transform=None, *, seed, examples, **settings):
    """The Task of training a model, for `minidl train NETWORK`, on examples of which a tenth are
    for validation.

    made(examples, seed) -> (examples, labels); draw(model, examples, labels, path); settings: those
    of a preset.
    """
    if examples < (least := 10 * len(classes)):
        raise ArgumentError(
            f"of {examples} examples too few can be held out; wanted at least {least}: raise --examples"
        )
    kept, held = split(made(examples, (seed, TRAINED_ON)), examples // 10, seed)
    model.to(current_device())
    return Task(
        model=model, optimizer=Adam(model.named_parameters(), settings["learning_rate"]), loss=classification,
        batches=Batches(kept, settings["batch"], seed, drop_last=True, transform=transform), clip=settings["clip"],
        schedule=SCHEDULES[settings["schedule"]](settings["learning_rate"], settings["epochs"]),
        validate=lambda model: validate(model, *held), draw=lambda model, path: draw(model, *held, path),
        baselines={f"guessing, ln {len(classes)}": float(np.log(len(classes)))},
        settings={"network": network, "seed": seed, "examples": examples, **settings},
    )  # fmt: skip


def classification(model, examples, labels):
    """The cross-entropy of a batch, and the share that is right"""
    logits = model(examples)
    return softmax_cross_entropy(logits, labels), {
        "accuracy": (logits.data.argmax(axis=1) == labels).mean()
    }


def validate(model, examples, labels):
    return loss_and_accuracy(outputs(model, examples), labels)


def loss_and_accuracy(logits, labels):
    """{what: number} of logits (N, classes), in NumPy"""
    accuracy = (logits.argmax(axis=1) == labels).mean()
    return {"loss": float(softmax_cross_entropy(logits, labels)), "accuracy": float(accuracy)}


def report(model, known, test):
    """{what: number} on the test set, beside the accuracies of the baselines"""
    return validate(model, *test) | baselines(known, test)


def baselines(known, test, epochs=5):
    """The accuracies on `test` of two classifiers that learn from `known` and look at single
    numbers, not at shapes: which class's mean is nearest, and logistic regression on all
    numbers."""
    classes = known[1].max() + 1
    flat, asked = (examples.reshape(len(examples), -1) for examples, _ in (known, test))
    means = np.stack([flat[known[1] == label].mean(axis=0) for label in range(classes)])
    kernel = zeros(None, (flat.shape[1], classes), np.float32)
    linear = Sequential(Flatten(), Dense(kernel, np.zeros(classes, np.float32))).to(
        current_device()
    )
    optimizer = Adam(linear.named_parameters(), 1e-3)
    train(
        Task(
            linear,
            optimizer,
            Batches(known, 50, seed=0),
            classification,
            schedule=OneCycle(1e-3, epochs),
        ),
        epochs,
    )
    return {
        "nearest_mean": float((nearest_neighbours(asked, means) == test[1]).mean()),
        "logistic_regression": validate(linear, *test)["accuracy"],
    }


def until(model, name):
    """A Sequential's layers up to and with the one of this name, as a Sequential"""
    names = list(model.layers)
    return Sequential({each: model.layers[each] for each in names[: names.index(name) + 1]})
