"""The options of `minidl train`: one for each setting of a preset, and how each is typed."""

import argparse
from pathlib import Path

from minidl.cli.lists import name_list
from minidl.cli.options import add_device, add_tf32
from minidl.errors import ArgumentError
from minidl.recipes import faces, signals, volumes
from minidl.recipes.ranges import out_of_range, words_for

MADE = signals, volumes  # recipes that make their data themselves

HELP = {
    "siamese": "points of the plane for MNIST's digits, from pairs that are told same or different",
    "cifar10": "VGG19 with batch normalization on CIFAR-10",
    "faces": "vectors for faces, from pictures of people, tested on others that are held out",
    "signals": "which key of a telephone sounds over a bad line, by convolution in one dimension; the data are made",
    "volumes": "which solid is inside a noisy scan, by convolution in three dimensions; the data are made",
}
MEANINGS = {
    "epochs": "how often each example is seen", "learning_rate": "at its highest", "schedule": "of the learning rate",
    "keep": "share of numbers that dropout keeps", "pairs": "of a step", "batch": "examples of a step",
    "head": "how the network ends", "width": "factor on all channels", "weight_decay": "of kernels",
    "imagenet": "begin with ImageNet's kernels", "clip": "the largest norm of all gradients together",
    "epsilon_form": "Adam's", "momentum_form": "SGD's", "hold_out": "people to test on: how many, the last ones, or names",
    "on_top": "begin with the vectors of the shipped network for faces", "triplets": "choice, or such as all,0.2:semi-hard",
    "margin": "of triplets", "squared": "compare squared distances of triplets", "soft": "log(1 + e^z) in the place of a hinge",
    "reduction": "of the triplets' losses", "dimensions": "numbers of a vector", "members": "networks side by side",
    "people": "of a step", "pictures": "of each of them", "examples": "to be made, a tenth of them to validate with",
}  # fmt: skip
PRESETS_HELP = "the values of all options below that are not given; original takes longer than the others (default: original)"
DEFAULTS = {"preset": "original", "seed": 0, "limit": None}  # beside the settings of a preset


def add_options(command, name, recipe):
    files = command.add_argument_group("files")
    files.add_argument(
        "--folder",
        type=_folder,
        metavar="FOLDER",
        help=f"for checkpoint, log and curves (default: runs/{name}-PRESET)",
    )
    if recipe is faces:
        files.add_argument(
            "data", type=_folder, metavar="PEOPLE", help="folder of people: PEOPLE/PERSON/PICTURE"
        )
    elif recipe in MADE:
        command.set_defaults(data=None)
    else:
        files.add_argument(
            "--data",
            type=_folder,
            metavar="FOLDER",
            help="of the data set (default: MINIDL_DATA, then your cache)",
        )
    files.add_argument(
        "--resume",
        action="store_true",
        help="go on from the folder's checkpoint, with the settings that it was begun with",
    )
    files.add_argument(
        "--tensorboard", action="store_true", help="log for TensorBoard, in the folder"
    )
    files.add_argument(
        "-q", "--quiet", action="store_true", help="print nothing but errors and the result"
    )
    the_run = command.add_argument_group("the run")
    the_run.add_argument("--preset", choices=recipe.PRESETS, help=PRESETS_HELP)
    the_run.add_argument("--seed", type=int, metavar="N", help="of everything random (default: 0)")
    if recipe not in (faces, *MADE):
        the_run.add_argument(
            "--limit", type=int, metavar="N", help="train on the first N pictures alone"
        )
    add_device(the_run)
    add_tf32(the_run)
    for setting in recipe.PRESETS["original"]:
        _add_setting(the_run, recipe, setting)


def _add_setting(group, recipe, name):
    by_preset = {preset: settings[name] for preset, settings in recipe.PRESETS.items()}
    kind = float if name == "clip" else type(by_preset["original"])
    options = {"type": kind, "metavar": {int: "N", float: "X", str: "WORDS"}.get(kind)}
    if name in ("hold_out", "triplets"):
        options["type"] = name_list()
    if words := words_for(recipe, name):
        options = {"choices": words}
    elif kind is bool:
        options = {"type": _yes_or_no, "metavar": "yes|no"}
    told = ", ".join(f"{preset}: {typed(value)}" for preset, value in by_preset.items())
    group.add_argument(flag(name), help=f"{MEANINGS[name]} ({told})", **options)


def _folder(text):
    if not text:
        raise argparse.ArgumentTypeError("found ''; wanted the name of a folder")
    return Path(text)


def _yes_or_no(text):
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted yes or no")
    return text == "yes"


def given(arguments, recipe):
    """{setting: value} of those that were typed"""
    found = {
        name: value
        for name in names(recipe)
        if (value := getattr(arguments, name, None)) is not None
    }
    for name, value in found.items():
        if not isinstance(value, str | bool) and (wanted := out_of_range(name, value)):
            raise ArgumentError(f"{flag(name)} is {value}; wanted {wanted}")
    return found


def defaults(recipe):
    """{setting: value} of those that are in no preset"""
    return {
        name: value
        for name, value in DEFAULTS.items()
        if not (recipe in (faces, *MADE) and name == "limit")
    }


def names(recipe):
    """Of all settings"""
    return [*defaults(recipe), *recipe.PRESETS["original"]]


def flag(name):
    return "--" + name.replace("_", "-")


def typed(value):
    """A setting's value as it would be typed"""
    return (
        "none" if value is None else ("no", "yes")[value] if isinstance(value, bool) else str(value)
    )
