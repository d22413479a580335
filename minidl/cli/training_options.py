"""The options of `minidl train`: one for each setting of a preset."""

import argparse
from pathlib import Path
from typing import Any

from minidl.cli.lists import name_list
from minidl.cli.options import LOOKUP, add_device, add_tf32, flag
from minidl.errors import ArgumentError
from minidl.recipes import cifar10, faces, siamese, signals, volumes
from minidl.recipes.ranges import out_of_range, words_for

SYNTHETIC = signals, volumes  # recipes that generate their data

HELP = {
    siamese: "embed the digits of MNIST in the plane, from pairs of the same or different digits",
    cifar10: "classify CIFAR-10 with VGG19 and batch normalization, or a smaller network",
    faces: "embed faces, from pictures of people; test on people that are held out",
    signals: "recognise the keys of a telephone by their tones: 1-D convolution on synthetic data",
    volumes: "recognise solids in noisy scans: 3-D convolution on synthetic data",
}
SETTINGS_HELP = {
    "epochs": "number of passes over the training examples",
    "learning_rate": "highest learning rate",
    "schedule": "schedule of the learning rate",
    "keep": "share of activations that dropout keeps",
    "pairs": "number of pairs per step",
    "batch": "number of examples per step",
    "blocks": "convolutions x channels of each block of the network",
    "norm": "normalize the numbers of each batch",
    "head": "last layers of the network",
    "width": "factor on the number of channels",
    "weight_decay": "weight decay of the kernels",
    "imagenet": "start from the kernels of the network trained on ImageNet",
    "clip": "largest norm of all gradients together",
    "epsilon_form": "form of epsilon in Adam",
    "momentum_form": "form of momentum in SGD",
    "hold_out": "people to test on: their number (the last ones by name) or their names",
    "on_top": "train on the embeddings of the shipped network for faces",
    "triplets": "choice of triplets, which may change with progress, as in all,0.2:semi-hard",
    "margin": "margin of the triplet loss",
    "squared": "use squared distances in the triplet loss",
    "soft": "use log(1 + exp(z)) instead of a hinge in the triplet loss",
    "reduction": "reduction of the triplet losses",
    "dimensions": "number of dimensions of the embedding",
    "members": "number of networks in the committee",
    "people": "number of people per step",
    "pictures": "number of pictures of each person per step",
    "examples": "number of examples to generate; a tenth of them is for validation",
}
DEFAULTS = {"preset": "original", "seed": 0, "limit": None}  # settings that no preset contains
DEFAULT_PRESET = DEFAULTS["preset"]
PRESET_HELP = (
    f"settings to start from (default: {DEFAULT_PRESET}, which takes longer than the others)"
)


def add_options(command, name, recipe):
    if recipe is faces:
        command.add_argument(
            "data",
            type=_folder,
            metavar="PEOPLE",
            help="folder with a subfolder of pictures for each person",
        )
    elif recipe in SYNTHETIC:
        command.set_defaults(data=None)
    _add_files(command.add_argument_group("files"), name, recipe)
    _add_run(command.add_argument_group("run"), recipe)
    settings = command.add_argument_group(
        "settings",
        "An option replaces the value in the preset, which is shown in parentheses.",
    )
    for setting in recipe.PRESETS[DEFAULT_PRESET]:
        _add_setting(settings, recipe, setting)


def _add_files(group, name, recipe):
    group.add_argument(
        "--folder",
        type=_folder,
        metavar="FOLDER",
        help=f"folder for checkpoint, log and curves (default: runs/{name}-PRESET)",
    )
    if _has_data_set(recipe):
        group.add_argument(
            "--data", type=_folder, metavar="FOLDER", help=f"folder of the data set {LOOKUP}"
        )
    group.add_argument(
        "--resume",
        action="store_true",
        help="continue from the checkpoint in the folder, with its settings; --epochs and "
        "--patience may be others",
    )
    group.add_argument(
        "--tensorboard",
        action="store_true",
        help="write a log of all steps and epochs for TensorBoard to the folder",
    )
    group.add_argument(
        "-q", "--quiet", action="store_true", help="print only errors and the result"
    )


def _add_run(group, recipe):
    group.add_argument("--preset", choices=recipe.PRESETS, help=PRESET_HELP)
    group.add_argument("--seed", type=int, metavar="N", help="seed of the run (default: 0)")
    if _has_data_set(recipe):
        group.add_argument(
            "--limit", type=int, metavar="N", help="train on only the first N pictures"
        )
    group.add_argument(
        "--find-rate",
        action="store_true",
        help="make no run; train for some steps with a rate that rises, print the suggested "
        "--learning-rate, and draw the losses in rates.png",
    )
    group.add_argument(
        "--accumulate",
        type=_at_least_1,
        metavar="N",
        help="add up the gradients of N batches for each step, as a batch of N times the size "
        "would, but in the memory of one (default: 1)",
    )
    if recipe is faces:  # it validates no loss
        group.set_defaults(patience=None)
    else:
        group.add_argument(
            "--patience",
            type=_at_least_1,
            metavar="N",
            help="end the run after N epochs in a row without a lower validation loss",
        )
    add_device(group)
    add_tf32(group)


def _add_setting(group, recipe, name):
    by_preset = {preset: settings[name] for preset, settings in recipe.PRESETS.items()}
    kind = float if name == "clip" else type(by_preset[DEFAULT_PRESET])
    options: dict[str, Any] = {"type": kind}
    options["metavar"] = {int: "N", float: "X", str: "TEXT"}.get(kind)
    if name in ("hold_out", "triplets"):
        options["type"] = name_list()
    if words := words_for(recipe, name):
        options = {"choices": words}
    elif kind is bool:
        options = {"type": _yes_or_no, "metavar": "yes|no"}
    values = ", ".join(f"{preset}: {typed(value)}" for preset, value in by_preset.items())
    group.add_argument(flag(name), help=f"{SETTINGS_HELP[name]} ({values})", **options)


def _folder(text):
    if not text:
        raise argparse.ArgumentTypeError("found ''; wanted the name of a folder")
    return Path(text)


def _at_least_1(text):
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a whole number of at least 1")
    return int(text)


def _yes_or_no(text):
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted yes or no")
    return text == "yes"


def chosen_settings(arguments, recipe):
    """Return {setting: value} for the options that were typed.

    Raise ArgumentError for a number that is out of range.
    """
    typed_values = {name: getattr(arguments, name, None) for name in setting_names(recipe)}
    settings = {name: value for name, value in typed_values.items() if value is not None}
    for name, value in settings.items():
        if not isinstance(value, str | bool) and (wanted := out_of_range(name, value)):
            raise ArgumentError(f"{flag(name)} is {value}; wanted {wanted}")
    return settings


def defaults(recipe):
    """Return {setting: value} for the settings that no preset contains."""
    limit_applies = _has_data_set(recipe)
    return {name: value for name, value in DEFAULTS.items() if limit_applies or name != "limit"}


def setting_names(recipe):
    """Return the names of all settings."""
    return [*defaults(recipe), *recipe.PRESETS[DEFAULT_PRESET]]


def typed(value):
    """Return the value of a setting as a user types it.

    >>> typed(None), typed(True), typed(0.1)
    ('none', 'yes', '0.1')
    """
    if value is None:
        return "none"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


def _has_data_set(recipe):
    return recipe is not faces and recipe not in SYNTHETIC
