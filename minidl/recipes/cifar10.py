"""VGG19 with batch normalization on CIFAR-10."""

from typing import NamedTuple

import numpy as np

from minidl.backend import current_device
from minidl.checkpoints import Preprocessing
from minidl.data import Batches, cifar10, flip, normalize, shift, split
from minidl.data.cifar10 import CLASSES
from minidl.errors import ArgumentError
from minidl.layers import Sequential
from minidl.models.vgg19_bn import take_imagenet, vgg19_bn
from minidl.optim import SGD, OneCycle, Steps
from minidl.recipes.classifiers import classification, loss_and_accuracy
from minidl.training.outputs import outputs
from minidl.training.task import Task
from minidl.training.trained import opened

NETWORK = "cifar10"
MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # of the training set's pixels
HELD_OUT = 5000
PRESETS = {
    # The original program's, with Keras' momentum; Keras' l2 of 1e-4 is a weight decay of 2e-4
    "original": {
        "head": "4096-4096-10", "width": 1.0, "keep": 0.5, "learning_rate": 0.1, "schedule": "steps", "epochs": 200,
        "batch": 128, "weight_decay": 2e-4, "momentum_form": "keras", "clip": None, "imagenet": True,
    },
    "fast": {
        "head": "512-10", "width": 0.25, "keep": 0.8, "learning_rate": 0.1, "schedule": "one-cycle", "epochs": 40,
        "batch": 128, "weight_decay": 5e-4, "momentum_form": "pytorch", "clip": None, "imagenet": False,
    },
}  # fmt: skip
# the original program's: of 200 epochs the first 80 at the whole rate, the next 80 at a tenth
SCHEDULES = {
    "steps": lambda rate, epochs: Steps(rate, {0.4 * epochs: 0.1, 0.8 * epochs: 0.01}),
    "one-cycle": OneCycle,
}


def task(folder=None, *, seed=0, limit=None, **settings):
    """The Task of training on CIFAR-10's first `limit` pictures (None: all), of which HELD_OUT, or
    a tenth, are for validation. folder: of the data set; settings: those of a preset."""
    pictures, labels = (array[:limit] for array in cifar10(folder, "train"))
    if len(labels) < 10:
        raise ArgumentError(
            f"of {len(labels)} pictures none can be held out; wanted at least 10: raise --limit"
        )
    kept, held = split((pictures, labels), min(HELD_OUT, len(labels) // 10), seed)
    model = vgg19_bn(settings["head"], settings["width"], settings["keep"], seed)
    if (classes := len(model.layers["predictions"].bias)) != len(CLASSES):
        raise ArgumentError(
            f"the head {settings['head']} ends with {classes} classes; wanted CIFAR-10's {len(CLASSES)}"
        )
    notes = {"ImageNet's weights": take_imagenet(model, MEAN, STD)} if settings["imagenet"] else {}
    model.to(current_device())
    optimizer = SGD(
        model.named_parameters(), settings["learning_rate"], momentum=0.9, nesterov=True,
        momentum_form=settings["momentum_form"], weight_decay=settings["weight_decay"],
    )  # fmt: skip
    return Task(
        model=model, optimizer=optimizer, loss=classification, clip=settings["clip"],
        batches=Batches(kept, settings["batch"], seed, drop_last=True, transform=augment),
        schedule=SCHEDULES[settings["schedule"]](settings["learning_rate"], settings["epochs"]),
        validate=lambda model: validate(model, *held),
        baselines={"guessing, ln 10": float(np.log(len(CLASSES)))}, notes=notes,
        settings={
            "network": NETWORK, "seed": seed, "limit": limit, "classes": CLASSES, "mean": MEAN, "std": STD, **settings,
        },
    )  # fmt: skip


def augment(rng, pictures, labels):
    """Mirrored or not, moved by up to four pixels, and normalised"""
    return shift(rng, flip(rng, normalize(pictures, MEAN, STD)), 4), labels


def scores(model, pictures, mean=MEAN, std=STD):
    """(N, 32, 32, 3) uint8 -> logits (N, classes), in NumPy, with the model not in training"""
    return outputs(model, pictures, lambda part: normalize(part, mean, std))


def validate(model, pictures, labels):
    return loss_and_accuracy(scores(model, pictures), labels)


def for_report(folder=None):
    """What `report` reads, to be looked for before a long run"""
    return cifar10(folder, "test")


report = validate  # {what: number} on CIFAR-10's test set


class Trained(NamedTuple):
    """classes: names of what the model's logits are for; mean, std: of the pixels that it was
    trained on."""

    model: Sequential
    classes: list
    mean: tuple
    std: tuple


def trained(path):
    """A Trained from a checkpoint of this task, perhaps a stranger's. Raises what `opened` does
    where it is anything else."""
    with opened(path, NETWORK) as (settings, state):
        model = (
            vgg19_bn(settings["head"], settings["width"], settings["keep"])
            .restore(state)
            .train(False)
        )
        fed = Preprocessing("RGB", tuple(settings["mean"]), tuple(settings["std"]))
        names, classes = settings["classes"], len(model.layers["predictions"].bias)
        if (
            not isinstance(names, list)
            or not all(isinstance(name, str) for name in names)
            or len(names) != classes
        ):
            raise ArgumentError(
                f"its {classes} classes have the names {names!r}; wanted a list of as many texts"
            )
        return Trained(model, names, fed.mean, fed.std)
