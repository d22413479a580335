"""Trained networks as files that can be opened without the program that made them.

A checkpoint of `train` says how its network is made again, and what its examples look like. The
settings of the Task say the rest:

    classes      the names of the classes, in the order of the logits
    mean, std    of the pixels: the input of the network is (picture - mean) / std. One number, or
                 one for each channel

as in Task(..., settings={"classes": classes, "mean": 127.5, "std": 63.0}).
"""

from collections.abc import Mapping, Sequence
from math import isfinite, prod
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import no_grad
from minidl.errors import ArgumentError, FileError, brief, printable
from minidl.files import must_exist
from minidl.layers import Module, Sequential
from minidl.layers.description import built, described
from minidl.limits import NAME, is_number, is_shape
from minidl.training import checkpoint
from minidl.training.folder import network_file
from minidl.training.trained import restorable
from minidl.typing import Array, Path, Shape

LARGEST = 2**26  # numbers in the output of a layer, for one example
DIM = 2  # an input with larger numbers, none of them negative, may be the pixels themselves


class TrainedModel(NamedTuple):
    """A trained network, and what is needed to use it.

    model      not in training
    shape      of an example, such as (32, 32, 3)
    classes    the names of the classes, in the order of the logits, or None
    mean, std  arrays (C,) or (1,): the input of the model is (example - mean) / std
    """

    model: Sequential
    shape: Shape
    classes: tuple[str, ...] | None
    mean: np.ndarray
    std: np.ndarray

    @property
    def takes_pictures(self) -> bool:
        """Whether an example is a picture, in colours or grey."""
        return is_picture(self.shape)


def is_picture(shape: Shape) -> bool:
    """Return whether an example of this shape is a picture (H, W, 3) or (H, W, 1)."""
    return len(shape) == 3 and shape[-1] in (1, 3)


def save_model(
    path: Path,
    model: Module,
    shape: Shape,
    *,
    classes: Sequence[str] | None = None,
    mean: float | Sequence[float] = 0.0,
    std: float | Sequence[float] = 1.0,
) -> None:
    """Write a network to a file that `load_model`, `minidl classify`, `minidl visualize` and
    `minidl book --network` read.

    model: a Sequential of layers of `minidl.layers`. shape: of an example, such as (32, 32, 3).
    classes: the names of the classes, in the order of the logits. mean, std: the input of the model
    is (picture - mean) / std, with one number, or one for each channel.

    Raises ArgumentError if the model has other layers or the arguments do not fit each other, and
    FileError if the file cannot be written.
    """
    settings: dict[str, Any] = {"mean": _plain(mean), "std": _plain(std)}
    if classes is not None:
        settings["classes"] = list(classes)
    about = {"architecture": _described(model), "input": {"shape": list(shape)}}
    _facts(settings, about["input"])
    checkpoint.save(path, {"model": model.state(), "settings": settings, **about})


def load_model(path: Path) -> TrainedModel:
    """Return the network of a file of `save_model`, of a checkpoint of `train`, or of the folder of
    a run, of which it is the best network. The file may be of unknown origin.

    Raises FileError if the file is missing, damaged, or does not say how its network is made, and
    NonFiniteError if its numbers are NaN or infinite.
    """
    path = must_exist(network_file(path), "network")
    tree = checkpoint.load(path)
    with restorable(path, tree, None) as (settings, state):
        if refusal := refusal_of(tree):
            raise FileError(f"{path} holds a network that minidl cannot open by itself: {refusal}")
        facts = _facts(settings, tree.get("input"))
        model = _must_be_sequential(built(tree["architecture"]))
        model.restore(state).train(False)
        _must_be_small(model, facts[0])
        return TrainedModel(model, *facts)


def about_network(model: Module) -> dict[str, Any]:
    """Return what a checkpoint says about a network: its architecture, or why there is none."""
    try:
        return {"architecture": _described(model)}
    except ArgumentError as error:
        return {"architecture": {"refusal": str(error)}}


def about_input(examples: Array) -> dict[str, Any]:
    """Return what a checkpoint says about the examples (N, ...) of a batch: their shape, and the
    range of the numbers, which shows whether they are pixels."""
    numbers = (float(examples.min()), float(examples.max())) if examples.size else (0.0, 0.0)
    low, high = (number if isfinite(number) else 0.0 for number in numbers)
    return {"shape": list(examples.shape[1:]), "low": low, "high": high}


def refusal_of(tree: Mapping[str, Any]) -> str | None:
    """Return why the network of a checkpoint cannot be made again, or None if it can."""
    architecture = tree.get("architecture")
    if not isinstance(architecture, dict):
        return "an earlier version of minidl wrote it, or the program is needed that made it"
    refusal = architecture.get("refusal")
    return None if refusal is None else printable(str(refusal), 300)


def _described(model):
    return described(_must_be_sequential(model))


def _must_be_sequential(model):
    if type(model) is not Sequential:
        raise ArgumentError(
            f"the network is a {type(model).__name__}; wanted a Sequential of layers of "
            "minidl.layers"
        )
    return model


def _facts(settings, about) -> tuple[Shape, tuple[str, ...] | None, np.ndarray, np.ndarray]:
    """(shape, classes, mean, std), checked"""
    shape = about.get("shape") if isinstance(about, dict) else None
    if not (is_shape(shape) and shape and 0 < prod(shape) <= LARGEST):
        raise ArgumentError(f"its examples have the shape {brief(shape)}; wanted that of an array")
    classes = settings.get("classes")
    if classes is not None and not _are_names(classes):
        raise ArgumentError(f"its classes are {brief(classes)}; wanted a list of texts")
    if is_picture(shape) and "mean" not in settings and not _may_be_pixels(about):
        raise ArgumentError(
            f"it takes numbers from {about['low']:.3g} to {about['high']:.3g} and does not say how "
            "pixels become such numbers; train it with settings={'mean': .., 'std': ..} in its "
            "Task, or write it with minidl.training.save_model"
        )
    mean, std = settings.get("mean", 0.0), settings.get("std", 1.0)
    moments = [np.atleast_1d(np.asarray(value, np.float32)) for value in (mean, std)]
    for value, moment in zip((mean, std), moments, strict=True):
        if not _are_numbers(value) or moment.shape not in ((1,), (shape[-1],)):
            raise ArgumentError(
                f"its mean or std is {brief(value)}; wanted a number, or one for each of "
                f"{shape[-1]} channels"
            )
    if not (moments[1] > 0).all():
        raise ArgumentError(f"its std is {brief(std)}; wanted numbers above 0")
    return tuple(shape), None if classes is None else tuple(classes), moments[0], moments[1]


def _may_be_pixels(about):
    low, high = about.get("low", 0.0), about.get("high", 255.0)
    if not (is_number(low) and is_number(high)):
        raise ArgumentError(f"its examples go from {brief(low)} to {brief(high)}; wanted numbers")
    return low >= 0 and high > DIM


def _are_names(value):
    is_list = isinstance(value, list | tuple)
    return is_list and all(isinstance(name, str) and len(name) <= NAME for name in value)


def _are_numbers(value):
    return all(map(is_number, value)) if isinstance(value, list | tuple) else is_number(value)


def _plain(value):
    return np.asarray(value).tolist()


@no_grad()
def _must_be_small(model, shape):
    """Raise ArgumentError if a layer of a network of unknown origin makes more than LARGEST numbers
    of an example. The layers are computed for no example at all, which takes no memory."""
    x: Any = np.zeros((0, *shape), np.float32)
    for name, layer in model.by_path():
        if hasattr(layer, "windows"):
            windows = layer.windows(x.shape[1:-1])
            lengths = zip(x.shape[1:-1], windows.padding, strict=True)
            if any(before + after > 4 * length + 64 for length, (before, after) in lengths):
                raise ArgumentError(f"its layer {brief(name)} pads by {brief(windows.padding)}")
        x = layer(x)
        if prod(x.shape[1:]) > LARGEST:
            raise ArgumentError(f"its layer {brief(name)} makes {brief(x.shape[1:])} numbers")
