"""`minidl train`: train one of the networks in minidl/recipes."""

import json
import shlex
from contextlib import nullcontext
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from minidl.backend import device
from minidl.cli.faces.pictures import album_of
from minidl.cli.options import as_sentence, flag
from minidl.cli.output import counted, say, say_nothing, warn
from minidl.cli.progress import Progress
from minidl.cli.training_options import (
    HELP,
    add_options,
    chosen_settings,
    defaults,
    setting_names,
    typed,
)
from minidl.data import picture_folder
from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.faces import FaceReader
from minidl.faces.portraits import FLOOR
from minidl.files import replacing
from minidl.interruption import STOPPED
from minidl.recipes import cifar10, faces, siamese, signals, volumes
from minidl.recipes.ranges import unfit
from minidl.training import load, train
from minidl.training.folder import CHECKPOINT, RESULT, alone_in

NETWORKS = {recipe.NETWORK: recipe for recipe in (siamese, cifar10, faces, signals, volumes)}


def register(commands):
    parser = commands.add_parser(
        "train",
        help=f"train a network: {', '.join(NETWORKS)}",
        description="Train a network and measure it on a test set.",
    )
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    for name, recipe in NETWORKS.items():
        purpose = HELP[recipe]
        command = networks.add_parser(name, help=purpose, description=as_sentence(purpose))
        command.set_defaults(run=run, network=name)
        add_options(command, name, recipe)


def run(arguments):
    recipe, tell = NETWORKS[arguments.network], say_nothing if arguments.quiet else say
    chosen = chosen_settings(arguments, recipe)
    preset = chosen.get("preset", "original")
    folder = arguments.folder or Path("runs") / f"{arguments.network}-{preset}"
    checkpoint = folder / CHECKPOINT
    resume_command = _command(arguments, "--folder", folder, "--resume")
    if arguments.resume:
        settings = _settings_of_checkpoint(checkpoint, recipe, chosen)
    elif checkpoint.exists():
        raise FileError(
            f"{checkpoint} exists already; continue from it: {resume_command} "
            "(or choose another --folder)"
        )
    else:
        settings = defaults(recipe) | recipe.PRESETS[preset] | chosen
    with device(arguments.device, arguments.tf32):
        data = _split(arguments.data, chosen, settings) if recipe is faces else arguments.data
        report_data = recipe.for_report(data)
        task = recipe.task(data, **settings)
        _describe(task, tell)
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
            restart_command = _command_with_lower_rate(arguments, folder, settings)
            raise NonFiniteError(f"{error}: {restart_command}") from None
        if outcome.stopped:
            epochs = counted(len(outcome.rows), "complete epoch")
            say(f"stopped after {epochs}; to continue: {resume_command}")
            return STOPPED
        test_set = "people that are held out" if recipe is faces else "the test set"
        tell(f"measuring on {test_set}")
        measures = recipe.report(task.model, *report_data)
    _print_measures(measures, test_set, task.baselines)
    for name, value in measures.items():
        if not isfinite(value):
            raise NonFiniteError(
                f"the {name} on {test_set} is {value}; begin again with a lower learning rate: "
                f"{_command_with_lower_rate(arguments, folder, settings)}"
            )
    _write_result(folder, task, outcome, measures)
    tell(f"all files of the run are in {folder}")
    return 0


def _describe(task, tell):
    """Print the layers of the network and the notes of the task."""
    for line in task.model.summary(task.batches.arrays[0].shape[1:]):
        tell(line)
    for title, groups in task.notes.items():
        counts = ", ".join(f"{len(members)} {name}" for name, members in groups.items())
        tell(f"{title}: {counts}")


def _print_measures(measures, test_set, baselines):
    texts = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in measures.items()]
    losses = ", ".join(f"{name}: {loss:.4f}" for name, loss in baselines.items())
    say(f"on {test_set}: {', '.join(texts)} (losses to compare with: {losses})")


def _write_result(folder, task, outcome, measures):
    result = {
        "test": measures,
        "baselines": task.baselines,
        "seconds": outcome.rows[-1]["seconds"],  # of all epochs
        "settings": task.settings,
        "notes": task.notes,
    }
    with alone_in(folder), replacing(folder / RESULT) as path:
        path.write_text(json.dumps(result, allow_nan=False))


def _split(folder, chosen, settings):
    """Return the People to train on and the People to test on.

    Raise ArgumentError if a chosen setting has no effect together with the other settings.
    """
    for name, dependent in (("head", faces.OF_TRIPLETS), ("on_top", faces.FROM_SCRATCH)):
        ineffective = [setting for setting in dependent if setting in chosen]
        if settings[name] not in ("triplet", False) and ineffective:
            options = ", ".join(map(flag, ineffective))
            reason = f"{flag(name)} {typed(settings[name])}"
            raise ArgumentError(f"{options} would change nothing with {reason}; leave it out")
    return faces.held_out(read_people(folder, settings["on_top"]), settings["hold_out"])


def read_people(folder, on_top):
    """Return the People of a folder with a subfolder of pictures for each person.

    on_top: whether to include the embeddings of the shipped network for faces. Files that cannot be
    read are reported and left out. If `on_top` is True, pictures without a face are left out too.
    """
    if not on_top:
        pictures, labels, people = picture_folder(folder, faces.SIZE, skip=warn)
        grey = pictures.mean(axis=-1, keepdims=True, dtype=np.float32)
        return faces.People(grey, labels, people)
    album = album_of(folder, FaceReader())
    pictures = album.pixels.reshape(-1, *FLOOR, 1)
    embeddings = np.asarray(album.embeddings, np.float32)
    return faces.People(pictures, album.labels, album.people, embeddings).of(album.found)


def _settings_of_checkpoint(path, recipe, chosen):
    """Return the settings of the run to resume. Raise ArgumentError if the chosen ones differ."""
    if not path.exists():
        raise FileError(
            f"there is no {path} to continue from; "
            "name the --folder of the run, or its --preset, or start a run without --resume"
        )
    stored: Any = load(path).get("settings")
    wanted = setting_names(recipe)
    is_of_recipe = isinstance(stored, dict) and stored.get("network") == recipe.NETWORK
    stored = getattr(recipe, "USUAL", {}) | stored if is_of_recipe else {}
    if not stored.keys() >= set(wanted):
        raise FileError(
            f"{path} is not from a run of `minidl train {recipe.NETWORK}`; "
            "name the folder of such a run"
        )
    settings = {name: stored[name] for name in wanted}
    if invalid := unfit(recipe, settings):
        name, value, valid = invalid
        raise FileError(
            f"{path} has the setting {name} = {value}; wanted {valid}: "
            "the file is damaged, use an earlier one, or begin again"
        )
    differing = [name for name, value in chosen.items() if settings[name] != value]
    if differing:
        options = ", ".join(f"{flag(name)} {typed(settings[name])}" for name in differing)
        raise ArgumentError(
            f"{path} is of a run with {options}; "
            "leave these options out, or begin again in another folder"
        )
    return settings


def _command(arguments, *words):
    """Return the command line `minidl train` with the same data and device, followed by `words`."""
    command = ["minidl", "train", arguments.network]
    if arguments.data is not None:
        is_faces = arguments.network == faces.NETWORK
        command += [arguments.data] if is_faces else ["--data", arguments.data]
    command += [] if arguments.device == "cpu" else ["--device", arguments.device]
    command += ["--textbook"] * arguments.textbook
    command += ["--tf32"] * arguments.tf32 + ["--tensorboard"] * arguments.tensorboard
    return shlex.join(map(str, [*command, *words]))


def _command_with_lower_rate(arguments, folder, settings):
    """Return the command that starts the run again in a new folder, with a tenth of the learning
    rate."""
    recipe = NETWORKS[arguments.network]
    usual = defaults(recipe) | recipe.PRESETS[settings["preset"]]
    changed = settings | {"learning_rate": float(f"{settings['learning_rate'] / 10:g}")}
    differing = [name for name in changed if name == "preset" or changed[name] != usual[name]]
    options = [word for name in differing for word in (flag(name), typed(changed[name]))]
    candidates = (folder.with_name(f"{folder.name}-{number}") for number in range(2, 10**6))
    new_folder = next(path for path in candidates if not path.exists())
    return _command(arguments, "--folder", new_folder, *options)
