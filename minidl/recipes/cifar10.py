"""This recipe trains VGG19 with batch normalization, or a smaller network like it, on CIFAR-10."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minidl.backend import current_device
from minidl.checkpoints import Preprocessing
from minidl.data import Batches, cifar10, flip, normalize, shift, split
from minidl.data.cifar10 import CLASSES
from minidl.errors import ArgumentError
from minidl.layers import Sequential
from minidl.models.vgg import vgg
from minidl.models.vgg19_bn import VGG19, take_imagenet
from minidl.optim import SGD, Steps
from minidl.recipes import classifiers
from minidl.recipes.classifiers import (
    Answers,
    Examples,
    Schedules,
    classification,
    loss_and_accuracy,
)
from minidl.training.task import Task
from minidl.training.trained import opened, outputs
from minidl.typing import Path

NETWORK = "cifar10"
MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # of the training set, for each channel
HELD_OUT = 5000
PRESETS = {
    # The settings of the original program, with Keras' form of momentum. Keras' l2(1e-4) equals a
    # weight decay of 2e-4.
    "original": {
        "blocks": VGG19,
        "norm": True,
        "head": "4096-4096-10",
        "width": 1.0,
        "keep": 0.5,
        "learning_rate": 0.1,
        "schedule": "steps",
        "epochs": 200,
        "batch": 128,
        "weight_decay": 2e-4,
        "momentum_form": "keras",
        "clip": None,
        "imagenet": True,
    },
    "fast": {
        "blocks": VGG19,
        "norm": True,
        "head": "512-10",
        "width": 0.25,
        "keep": 0.8,
        "learning_rate": 0.1,
        "schedule": "one-cycle",
        "epochs": 40,
        "batch": 128,
        "weight_decay": 5e-4,
        "momentum_form": "pytorch",
        "clip": None,
        "imagenet": False,
    },
    # The network that the book explores: few enough numbers to show all of them.
    "tiny": {
        "blocks": "2x10-2x10",
        "norm": False,
        "head": "10",
        "width": 1.0,
        "keep": 1.0,
        "learning_rate": 0.05,
        "schedule": "one-cycle",
        "epochs": 40,
        "batch": 128,
        "weight_decay": 1e-4,
        "momentum_form": "pytorch",
        "clip": 1.0,
        "imagenet": False,
    },
}
# A checkpoint does not hold these settings if they have these values. It is therefore the same as
# before there were other networks than VGG19.
USUAL = {"blocks": VGG19, "norm": True}
SCHEDULES: Schedules = classifiers.SCHEDULES | {
    # Of the original program's 200 epochs, 80 have the full rate, 80 a tenth and 40 a hundredth.
    "steps": lambda rate, epochs: Steps(rate, {0.4 * epochs: 0.1, 0.8 * epochs: 0.01}),
}


class Trained(NamedTuple):
    """A trained network, and what is needed to classify with it.

    classes    the names of the classes, in the order of the logits
    mean, std  of the pixels in the training, for each channel
    """

    model: Sequential
    classes: list[str]
    mean: tuple[float, ...]
    std: tuple[float, ...]


def task(
    folder: Path | None = None, *, seed: int = 0, limit: int | None = None, **settings: Any
) -> Task:
    """Return the Task of training on CIFAR-10, with HELD_OUT pictures, or a tenth, for validation.

    folder    of the data set; None: as `minidl.data.cifar10` finds it
    seed      of the held-out pictures, the initial weights, and the order and changes of batches
    limit     use the first `limit` pictures only; None: all
    settings  those of a preset

    Raises FileError if the data set is missing, and ArgumentError if `limit` is too small or the
    head has another number of classes.
    """
    pictures, labels = (array[:limit] for array in cifar10(folder, "train"))
    if len(labels) < 10:
        raise ArgumentError(
            f"{len(labels)} pictures are too few to hold some out; "
            "wanted at least 10: raise --limit"
        )
    kept, held_out = split((pictures, labels), min(HELD_OUT, len(labels) // 10), seed)
    model = network(settings, seed)
    if (classes := len(model.named_parameters()["predictions/bias"])) != len(CLASSES):
        raise ArgumentError(
            f"the head {settings['head']} ends with {classes} classes; "
            f"wanted CIFAR-10's {len(CLASSES)}"
        )
    notes = {"ImageNet's weights": take_imagenet(model, STD)} if settings["imagenet"] else {}
    model.to(current_device())
    rate, epochs = settings["learning_rate"], settings["epochs"]
    optimizer = SGD(
        model.named_parameters(),
        rate,
        momentum=0.9,
        nesterov=True,
        momentum_form=settings["momentum_form"],
        weight_decay=settings["weight_decay"],
    )
    return Task(
        model=model,
        optimizer=optimizer,
        batches=Batches(kept, settings["batch"], seed, drop_last=True, transform=augment),
        loss=classification,
        schedule=SCHEDULES[settings["schedule"]](rate, epochs),
        validate=lambda model: validate(model, *held_out),
        baselines={"guessing, ln 10": float(np.log(len(CLASSES)))},
        clip=settings["clip"],
        settings={
            "network": NETWORK,
            "seed": seed,
            "limit": limit,
            "classes": CLASSES,
            "mean": MEAN,
            "std": STD,
            **dict(item for item in settings.items() if item not in USUAL.items()),
        },
        notes=notes,
    )


def network(settings: Mapping[str, Any], seed: int = 0) -> Sequential:
    """Return the network before training: (N, 32, 32, 3) -> logits (N, classes). settings: those of
    a preset; seed: of the initial kernels and of dropout."""
    blocks, head, width, keep, norm = (
        settings[name] for name in ("blocks", "head", "width", "keep", "norm")
    )
    return vgg(blocks, head, width, keep, seed, norm=norm)


def augment(
    rng: np.random.Generator, pictures: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures normalized, mirrored at random by `rng`, and shifted by up to four
    pixels; and the labels as they are."""
    return shift(rng, flip(rng, normalize(pictures, MEAN, STD)), 4), labels


def scores(
    model: Sequential,
    pictures: np.ndarray,
    mean: tuple[float, ...] = MEAN,
    std: tuple[float, ...] = STD,
) -> np.ndarray:
    """Return the logits (N, classes) of pictures (N, 32, 32, 3), uint8.

    mean, std: of the pixels in the training. The model is not in training afterwards.
    """
    return outputs(model, pictures, lambda part: normalize(part, mean, std))


def validate(model: Sequential, pictures: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return the loss and the accuracy of a model on pictures (N, 32, 32, 3), uint8, with labels
    (N,)."""
    return loss_and_accuracy(scores(model, pictures), labels)


def for_report(folder: Path | None = None) -> Examples:
    """Return CIFAR-10's test set, which `report` needs. Raises FileError if it is missing."""
    return cifar10(folder, "test")


def answers(model: Sequential, pictures: np.ndarray, labels: np.ndarray) -> Answers:
    """Return the Answers of a model for pictures (N, 32, 32, 3), uint8, with labels (N,)."""
    return Answers(scores(model, pictures), labels, CLASSES)


def report(
    model: Sequential,
    pictures: np.ndarray,
    labels: np.ndarray,
    answers: Answers | None = None,
) -> dict[str, float]:
    """Return what `validate` measures. answers: of the model, if they are computed already"""
    return answers.measures() if answers else validate(model, pictures, labels)


def trained(path: Path) -> Trained:
    """Return the network of a checkpoint, which may be of unknown origin.

    Raises FileError if it is not a checkpoint of this recipe, and NonFiniteError if it holds NaN or
    infinity.
    """
    with opened(path, NETWORK) as (settings, state):
        model = network(USUAL | settings)
        model.restore(state).train(False)
        pixels = Preprocessing("RGB", tuple(settings["mean"]), tuple(settings["std"]))
        names, count = settings["classes"], len(model.named_parameters()["predictions/bias"])
        is_list = isinstance(names, list) and all(isinstance(name, str) for name in names)
        if not is_list or len(names) != count:
            raise ArgumentError(
                f"its {count} classes have the names {names!r}; wanted a list of {count} texts"
            )
        return Trained(model, names, pixels.mean, pixels.std)
