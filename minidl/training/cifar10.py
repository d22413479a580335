"""VGG19 with batch normalization on CIFAR-10."""

import numpy as np

from minidl.backend import current_device
from minidl.data import Batches, cifar10, flip, normalize, shift, split
from minidl.data.cifar10 import CLASSES
from minidl.losses import softmax_cross_entropy
from minidl.models.vgg19_bn import take_imagenet, vgg19_bn
from minidl.optim import SGD, OneCycle, Steps
from minidl.training.outputs import outputs
from minidl.training.task import Task

MEAN, STD = (125.3, 123.0, 113.9), (63.0, 62.1, 66.7)  # of the training set's pixels
HELD_OUT = 5000
PRESETS = {
    # The seed's own, after 200 epochs: 0.1 to epoch 80, 0.01 to 160, 0.001; Keras' l2 of 1e-4 is a weight decay of 2e-4
    "seed": {
        "head": "4096-4096-10", "width": 1.0, "keep": 0.5, "learning_rate": 0.1, "schedule": "steps", "epochs": 200,
        "batch": 128, "weight_decay": 2e-4, "imagenet": True,
    },
    "fast": {
        "head": "512-10", "width": 0.25, "keep": 0.5, "learning_rate": 0.1, "schedule": "one-cycle", "epochs": 30,
        "batch": 128, "weight_decay": 5e-4, "imagenet": False,
    },
}  # fmt: skip


def task(folder=None, *, seed=0, limit=None, **settings):
    """The Task of training on CIFAR-10's first `limit` pictures (None: all), of which HELD_OUT, or a tenth, are for
    validation. folder: of the data set; settings: those of a preset."""
    pictures, labels = (array[:limit] for array in cifar10(folder, "train"))
    kept, held = split((pictures, labels), min(HELD_OUT, len(labels) // 10), seed)
    model = vgg19_bn(settings["head"], settings["width"], settings["keep"], seed)
    if settings["imagenet"]:
        take_imagenet(model, MEAN, STD)
    model.to(current_device())
    rate, epochs = settings["learning_rate"], settings["epochs"]
    schedule = (
        OneCycle(rate, epochs) if settings["schedule"] == "one-cycle" else Steps(rate, {0.4 * epochs: 0.1, 0.8 * epochs: 0.01})
    )
    optimizer = SGD(model.named_parameters(), rate, 0.9, nesterov=True, weight_decay=settings["weight_decay"])
    return Task(
        model=model, optimizer=optimizer, batches=Batches(kept, settings["batch"], seed, drop_last=True, transform=augment),
        loss=classification, schedule=schedule, validate=lambda model: validate(model, *held),
        baselines={"guessing, ln 10": float(np.log(len(CLASSES)))},
        settings={
            "network": "vgg19_bn", "seed": seed, "limit": limit, "classes": CLASSES, "mean": MEAN, "std": STD, **settings,
        },
    )  # fmt: skip


def augment(rng, pictures, labels):
    """Mirrored or not, moved by up to four pixels, and normalised"""
    return shift(rng, flip(rng, normalize(pictures, MEAN, STD)), 4), labels


def classification(model, pictures, labels):
    """The cross-entropy of a batch, and the share that is right"""
    logits = model(pictures)
    return softmax_cross_entropy(logits, labels), {"accuracy": (logits.data.argmax(axis=1) == labels).mean()}


def scores(model, pictures):
    """(N, 32, 32, 3) uint8 -> logits (N, classes), in NumPy, with the model not in training"""
    return outputs(model, pictures, lambda part: normalize(part, MEAN, STD))


def validate(model, pictures, labels):
    logits = scores(model, pictures)
    accuracy = (logits.argmax(axis=1) == labels).mean()
    return {"loss": float(softmax_cross_entropy(logits, labels)), "accuracy": float(accuracy)}


def report(model, folder):
    """{what: number} on CIFAR-10's test set"""
    return validate(model, *cifar10(folder, "test"))
