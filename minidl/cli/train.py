"""`minidl train`: the siamese network on MNIST, VGG19 on CIFAR-10, an embedding on faces, signals,
volumes."""

import json
import shlex
from contextlib import nullcontext
from math import isfinite
from pathlib import Path

from minidl.backend import device
from minidl.cli.output import counted
from minidl.cli.people import read_people
from minidl.cli.progress import Progress
from minidl.cli.saying import say, say_nothing
from minidl.cli.training_options import HELP, add_options, defaults, flag, given, names, typed
from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.files import replacing
from minidl.recipes import cifar10, faces, siamese, signals, volumes
from minidl.recipes.ranges import unfit
from minidl.training import load, train
from minidl.training.folder import CHECKPOINT, RESULT, alone_in

NETWORKS = {recipe.NETWORK: recipe for recipe in (siamese, cifar10, faces, signals, volumes)}


def register(commands):
    parser = commands.add_parser(
        "train", help="train a network: siamese (MNIST), cifar10, faces, signals or volumes"
    )
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    for name, recipe in NETWORKS.items():
        command = networks.add_parser(name, help=HELP[name], description=HELP[name] + ".")
        command.set_defaults(run=run, network=name)
        add_options(command, name, recipe)


def run(arguments):
    recipe, tell = NETWORKS[arguments.network], say_nothing if arguments.quiet else say
    chosen = given(arguments, recipe)
    preset = chosen.get("preset", "original")
    folder = arguments.folder or Path("runs") / f"{arguments.network}-{preset}"
    resuming = _command(arguments, "--folder", folder, "--resume")
    if arguments.resume:
        settings = _begun_with(folder / CHECKPOINT, recipe, chosen)
    elif (folder / CHECKPOINT).exists():
        raise FileError(
            f"{folder / CHECKPOINT} is there already; go on from it: {resuming} (or choose another --folder)"
        )
    else:
        settings = defaults(recipe) | recipe.PRESETS[preset] | chosen
    with device(arguments.device, arguments.tf32):
        data = _people(arguments.data, chosen, settings) if recipe is faces else arguments.data
        for_report = recipe.for_report(data)
        task = recipe.task(data, **settings)
        for line in task.model.summary(task.batches.arrays[0].shape[1:]):
            tell(line)
        for what, found in task.notes.items():
            tell(f"{what}: " + ", ".join(f"{len(some)} {word}" for word, some in found.items()))
        try:
            with nullcontext() if arguments.quiet else Progress(settings["epochs"]) as progress:
                outcome = train(
                    task,
                    settings["epochs"],
                    folder,
                    resume=arguments.resume,
                    watch=progress,
                    tensorboard=arguments.tensorboard,
                )
        except NonFiniteError as error:
            raise NonFiniteError(
                f"{error}: {_with_a_lower_rate(arguments, folder, settings)}"
            ) from None
        if outcome.stopped:
            say(f"stopped after {counted(len(outcome.rows), 'whole epoch')}; to go on: {resuming}")
            return 130
        tested = "people never seen" if recipe is faces else "the test set"
        tell(f"measuring on {tested}")
        found = recipe.report(task.model, *for_report)
    told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
    baselines = ", ".join(f"{name}: {loss:.4f}" for name, loss in task.baselines.items())
    say(f"on {tested}: {told} (a loss of {baselines})")
    if broken := [name for name, value in found.items() if not isfinite(value)]:
        raise NonFiniteError(
            f"the {broken[0]} on {tested} is {found[broken[0]]}; begin again with a lower learning rate: "
            f"{_with_a_lower_rate(arguments, folder, settings)}"
        )
    seconds = outcome.rows[-1]["seconds"]  # of the epochs
    result = {
        "test": found,
        "baselines": task.baselines,
        "seconds": seconds,
        "settings": task.settings,
        "notes": task.notes,
    }
    with alone_in(folder), replacing(folder / RESULT) as path:
        path.write_text(json.dumps(result, allow_nan=False))
    tell(f"everything is in {folder}")
    return 0


def _people(folder, chosen, settings):
    """Those to train on and those to test on"""
    for choice, others in (("head", faces.OF_TRIPLETS), ("on_top", faces.FROM_SCRATCH)):
        if settings[choice] not in ("triplet", False) and (
            idle := [name for name in others if name in chosen]
        ):
            told = f"{flag(choice)} {typed(settings[choice])}"
            raise ArgumentError(
                f"{', '.join(map(flag, idle))} would change nothing with {told}; leave it out"
            )
    return faces.held_out(read_people(folder, settings["on_top"]), settings["hold_out"])


def _begun_with(path, recipe, chosen):
    """The settings of the run to go on with, with which those that were typed must agree."""
    if not path.exists():
        raise FileError(
            f"there is no {path} to go on from; name the --folder of the run, or its --preset, or begin one without --resume"
        )
    stored, wanted = load(path).get("settings"), names(recipe)
    if (
        not isinstance(stored, dict)
        or stored.get("network") != recipe.NETWORK
        or not stored.keys() >= set(wanted)
    ):
        raise FileError(
            f"{path} is of no run that `minidl train {recipe.NETWORK}` began; name the folder of such a run"
        )
    settings = {name: stored[name] for name in wanted}
    if found := unfit(recipe, settings):
        name, value, fit = found
        raise FileError(
            f"{path} has {value} as its setting {name}; wanted {fit}: it is damaged, take an earlier one, or begin again"
        )
    if other := [
        f"{flag(name)} {typed(settings[name])}"
        for name, value in chosen.items()
        if settings[name] != value
    ]:
        raise ArgumentError(
            f"{path} was begun with {', '.join(other)}; leave that to --resume, or begin again in another folder"
        )
    return settings


def _command(arguments, *more):
    """`minidl train` on the same data and device, to be typed"""
    words = ["minidl", "train", arguments.network]
    if arguments.data is not None:
        words += (
            [arguments.data] if arguments.network == faces.NETWORK else ["--data", arguments.data]
        )
    words += [] if arguments.device == "cpu" else ["--device", arguments.device]
    words += ["--tf32"] * arguments.tf32 + ["--tensorboard"] * arguments.tensorboard
    return shlex.join(map(str, [*words, *more]))


def _with_a_lower_rate(arguments, folder, settings):
    """The command that begins the run again, more carefully, in a folder of its own"""
    recipe = NETWORKS[arguments.network]
    usual = defaults(recipe) | recipe.PRESETS[settings["preset"]]
    careful = settings | {"learning_rate": float(f"{settings['learning_rate'] / 10:g}")}
    differing = [name for name in careful if name == "preset" or careful[name] != usual[name]]
    words = [word for name in differing for word in (flag(name), typed(careful[name]))]
    others = (folder.with_name(f"{folder.name}-{number}") for number in range(2, 10**6))
    return _command(
        arguments, "--folder", next(path for path in others if not path.exists()), *words
    )
