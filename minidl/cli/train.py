"""`minidl train`: the siamese network on MNIST, VGG19 on CIFAR-10, an embedding on faces."""

import argparse
import json
from contextlib import nullcontext
from pathlib import Path

from minidl.backend import device
from minidl.cli.options import add_device, add_tf32
from minidl.cli.people import read_people
from minidl.cli.progress import Progress
from minidl.cli.saying import say, say_nothing
from minidl.errors import ArgumentError, FileError
from minidl.files import replacing
from minidl.optim.adam import EPSILON_FORMS
from minidl.optim.sgd import MOMENTUM_FORMS
from minidl.training import cifar10, faces, load, siamese, train
from minidl.training.loop import CHECKPOINT

NETWORKS = {recipe.NETWORK: recipe for recipe in (siamese, cifar10, faces)}
HELP = {
    "siamese": "points of the plane for MNIST's digits, from pairs that are told same or different",
    "cifar10": "VGG19 with batch normalization on CIFAR-10",
    "faces": "vectors for faces, from pictures of people, tested on others that are held out",
}
MEANINGS = {
    "epochs": "how often each picture is seen", "learning_rate": "at its highest", "schedule": "of the learning rate",
    "keep": "share of numbers that dropout keeps", "pairs": "of a step", "batch": "pictures of a step",
    "head": "widths of the dense layers", "width": "factor on all channels", "weight_decay": "of kernels",
    "imagenet": "begin with ImageNet's kernels", "clip": "the largest norm of all gradients together",
    "epsilon_form": "Adam's", "momentum_form": "SGD's", "hold_out": "people to test on: how many, the last ones, or names",
    "on_top": "begin with the vectors of the shipped network for faces", "triplets": "choice, or a schedule of them",
    "margin": "of triplets", "squared": "compare squared distances of triplets", "soft": "log(1 + e^z) in the place of a hinge",
    "reduction": "of the triplets' losses", "dimensions": "numbers of a vector", "people": "of a step",
    "pictures": "of each of them",
}  # fmt: skip
LEAST = {"seed": 0, "limit": 1, "epochs": 1, "batch": 1, "pairs": 2, "dimensions": 1, "people": 2, "pictures": 2}
DEFAULTS = {"preset": "seed", "seed": 0, "limit": None}  # beside the settings of a preset
RESULT = "result.json"


def register(commands):
    parser = commands.add_parser("train", help="train a network: siamese (MNIST), cifar10 or faces")
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    for name, recipe in NETWORKS.items():
        command = networks.add_parser(name, help=HELP[name], description=HELP[name] + ".")
        command.set_defaults(run=run, network=name)
        files = command.add_argument_group("files")
        files.add_argument(
            "--folder", type=Path, metavar="FOLDER", help=f"for checkpoint, log and curves (default: runs/{name}-PRESET)"
        )
        if recipe is faces:
            files.add_argument("data", type=Path, metavar="PEOPLE", help="folder of people: PEOPLE/PERSON/PICTURE")
        else:
            files.add_argument(
                "--data", type=Path, metavar="FOLDER", help="of the data set (default: MINIDL_DATA, then your cache)"
            )
        files.add_argument(
            "--resume", action="store_true", help="go on from the folder's checkpoint, with the settings that it was begun with"
        )
        files.add_argument("--tensorboard", action="store_true", help="log for TensorBoard, in the folder")
        files.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors and the result")
        the_run = command.add_argument_group("the run")
        the_run.add_argument("--preset", choices=recipe.PRESETS, help="the settings (default: seed)")
        the_run.add_argument("--seed", type=int, metavar="N", help="of everything random (default: 0)")
        if recipe is not faces:
            the_run.add_argument("--limit", type=int, metavar="N", help="train on the first N pictures alone")
        add_device(the_run)
        add_tf32(the_run)
        for setting in recipe.PRESETS["seed"]:
            _add_setting(the_run, recipe, setting)


def _add_setting(group, recipe, name):
    by_preset = {preset: settings[name] for preset, settings in recipe.PRESETS.items()}
    choices = {"schedule": recipe.SCHEDULES, "epsilon_form": EPSILON_FORMS, "momentum_form": MOMENTUM_FORMS}
    choices |= faces.WORDS if recipe is faces else {}
    kind = float if name == "clip" else type(by_preset["seed"])
    options = {"type": kind, "metavar": "N" if kind is int else "X"}
    if name in choices:
        options = {"choices": choices[name]}
    elif kind is bool:
        options = {"type": _yes_or_no, "metavar": "yes|no"}
    told = ", ".join(f"{preset}: {_shown(value)}" for preset, value in by_preset.items())
    group.add_argument(_flag(name), help=f"{MEANINGS[name]} ({told})", **options)


def _yes_or_no(text):
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted yes or no")
    return text == "yes"


def _flag(name):
    return "--" + name.replace("_", "-")


def _shown(value):
    """As it would be typed"""
    return "none" if value is None else ("no", "yes")[value] if isinstance(value, bool) else value


def run(arguments):
    recipe = NETWORKS[arguments.network]
    defaults = {name: value for name, value in DEFAULTS.items() if hasattr(arguments, name)}
    names = [*defaults, *recipe.PRESETS["seed"]]
    given = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    for name, least in LEAST.items():
        if given.get(name, least) < least:
            raise ArgumentError(f"--{name} is {given[name]}; wanted at least {least}")
    preset = given.get("preset", DEFAULTS["preset"])
    folder = arguments.folder or Path("runs") / f"{arguments.network}-{preset}"
    if arguments.resume:
        settings = _begun_with(folder / CHECKPOINT, arguments.network, names, given)
    else:
        settings = defaults | recipe.PRESETS[preset] | given
    with device(arguments.device, arguments.tf32):
        data = _people(arguments.data, given, settings) if recipe is faces else arguments.data
        for_report = recipe.for_report(data)
        task = recipe.task(data, **settings)
        tell = say_nothing if arguments.quiet else say
        for line in task.model.summary(task.batches.arrays[0].shape[1:]):
            tell(line)
        for what, found in task.notes.items():
            tell(f"{what}: " + ", ".join(f"{len(names)} {word}" for word, names in found.items()))
        with nullcontext() if arguments.quiet else Progress(settings["epochs"]) as progress:
            outcome = train(
                task, settings["epochs"], folder, resume=arguments.resume, watch=progress, tensorboard=arguments.tensorboard
            )
        if outcome.stopped:
            say(f"stopped after {len(outcome.rows)} whole epochs; --resume goes on from {folder / CHECKPOINT}")
            return 130
        found = recipe.report(task.model, *for_report)
    seconds = outcome.rows[-1]["seconds"]  # of the epochs
    result = {"test": found, "baselines": task.baselines, "seconds": seconds, "settings": task.settings, "notes": task.notes}
    with replacing(folder / RESULT) as path:
        path.write_text(json.dumps(result))
    told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
    baselines = ", ".join(f"{name}: {loss:.4f}" for name, loss in task.baselines.items())
    tested = "people never seen" if recipe is faces else "the test set"
    say(f"on {tested}: {told} (a loss of {baselines}); everything is in {folder}")
    return 0


def _people(folder, given, settings):
    """Those to train on and those to test on"""
    for chosen, others in (("head", faces.OF_TRIPLETS), ("on_top", faces.FROM_SCRATCH)):
        if settings[chosen] not in ("triplet", False) and (idle := [name for name in others if name in given]):
            told = f"{_flag(chosen)} {_shown(settings[chosen])}"
            raise ArgumentError(f"{', '.join(map(_flag, idle))} would change nothing with {told}; leave it out")
    return faces.held_out(read_people(folder, settings["on_top"]), settings["hold_out"])


def _begun_with(path, network, names, given):
    """The settings of the run to go on with, with which those that were given must agree."""
    stored = load(path).get("settings")
    if not isinstance(stored, dict) or stored.get("network") != network or not stored.keys() >= set(names):
        raise FileError(f"{path} is of no run that `minidl train {network}` began; name the folder of one")
    if other := [f"{_flag(name)} {_shown(stored[name])}" for name, value in given.items() if stored[name] != value]:
        raise ArgumentError(
            f"{path} was begun with {', '.join(other)}; leave that to --resume, or begin again in another folder"
        )
    return {name: stored[name] for name in names}
