"""`minidl train`: train one of the networks in minidl/recipes."""

from contextlib import nullcontext
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from minidl.backend import device
from minidl.cli.faces.pictures import album_of
from minidl.cli.options import as_sentence, flag
from minidl.cli.output import counted, say, say_nothing, warn
from minidl.cli.progress import Progress
from minidl.cli.training_commands import command, command_with_lower_rate
from minidl.cli.training_options import HELP, add_options, chosen_settings, defaults, typed
from minidl.cli.training_rates import check_find_rate, print_rate
from minidl.cli.training_results import (
    draw_in,
    facts_about_faces,
    print_confusion,
    print_measures,
    write_result,
)
from minidl.cli.training_resumption import check_extension, resumed
from minidl.data import picture_folder
from minidl.errors import ArgumentError, FileError, NonFiniteError
from minidl.faces import FaceReader
from minidl.faces.portraits import FLOOR
from minidl.interruption import STOPPED
from minidl.recipes import cifar10, faces, siamese, signals, volumes
from minidl.training import load, train
from minidl.training.folder import BEST, CHECKPOINT

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
        subparser = networks.add_parser(name, help=purpose, description=as_sentence(purpose))
        subparser.set_defaults(run=run, network=name)
        add_options(subparser, name, recipe)


def run(arguments):
    recipe, tell = NETWORKS[arguments.network], say_nothing if arguments.quiet else say
    if arguments.find_rate:
        check_find_rate(arguments)
    chosen = chosen_settings(arguments, recipe)
    preset = chosen.get("preset", "original")
    folder = arguments.folder or Path("runs") / f"{arguments.network}-{preset}"
    checkpoint = folder / CHECKPOINT
    resume_command = command(arguments, "--folder", folder, "--resume")
    if arguments.resume:
        typed_too = {"accumulate": arguments.accumulate} if arguments.accumulate else {}
        settings, accumulate, epochs, patience = resumed(checkpoint, recipe, chosen | typed_too)
    elif checkpoint.exists() and not arguments.find_rate:
        raise FileError(
            f"{checkpoint} exists already; continue from it: {resume_command} "
            "(or choose another --folder)"
        )
    else:
        settings = defaults(recipe) | recipe.PRESETS[preset] | chosen
        accumulate, epochs, patience = arguments.accumulate or 1, settings["epochs"], None
    epochs, patience = chosen.get("epochs", epochs), arguments.patience or patience
    with device(arguments.device, arguments.tf32):
        data = _split(arguments.data, chosen, settings) if recipe is faces else arguments.data
        report_data = () if arguments.find_rate else recipe.for_report(data)
        task = replace(recipe.task(data, **settings), accumulate=accumulate)
        if arguments.find_rate:
            print_rate(task, arguments.quiet)
            return 0
        check_extension(task.schedule, epochs, settings)
        _describe(task, tell)
        try:
            with nullcontext() if arguments.quiet else Progress(epochs) as progress:
                outcome = train(
                    task,
                    epochs,
                    folder,
                    resume=arguments.resume,
                    watch=progress,
                    patience=patience,
                    tensorboard=arguments.tensorboard,
                )
        except NonFiniteError as error:
            restart_command = command_with_lower_rate(arguments, recipe, folder, settings)
            raise NonFiniteError(f"{error}: {restart_command}") from None
        if outcome.stopped:
            complete = counted(len(outcome.rows), "complete epoch")
            say(f"stopped after {complete}; to continue: {resume_command}")
            return STOPPED
        _use_the_best(task.model, folder, outcome, tell)
        test_set = "people that are held out" if recipe is faces else "the test set"
        tell(f"measuring on {test_set}")
        measures, confusion = _measured(recipe, task.model, report_data)
    print_measures(measures, test_set, task.baselines)
    for name, value in measures.items():
        if not isfinite(value):
            raise NonFiniteError(
                f"the {name} on {test_set} is {value}; begin again with a lower learning rate: "
                f"{command_with_lower_rate(arguments, recipe, folder, settings)}"
            )
    facts: dict[str, Any] = {}
    if recipe is faces:
        with device(arguments.device, arguments.tf32):
            facts = facts_about_faces(task, data, arguments.data)
    if confusion:
        facts["classes"] = confusion.as_json()
        print_confusion(confusion, tell)
        draw_in(folder, confusion)
    write_result(folder, task, outcome, measures, facts)
    tell(f"all files of the run are in {folder}")
    return 0


def _use_the_best(model, folder, outcome, tell):
    """Restore the state after the best epoch, if the run kept it."""
    if outcome.best is not None and (folder / BEST).exists():
        model.restore(load(folder / BEST)["model"])
        tell(f"the network after epoch {outcome.best} has the lowest validation loss")


def _measured(recipe, model, report_data):
    """Return {name: number} on the test data, and the Confusion of a classifier or None."""
    if not hasattr(recipe, "answers"):
        return recipe.report(model, *report_data), None
    answers = recipe.answers(model, *report_data)
    return recipe.report(model, *report_data, answers=answers), answers.confusion()


def _describe(task, tell):
    """Print the layers of the network and the notes of the task."""
    for line in task.model.summary(task.batches.arrays[0].shape[1:]):
        tell(line)
    for title, groups in task.notes.items():
        counts = ", ".join(f"{len(members)} {name}" for name, members in groups.items())
        tell(f"{title}: {counts}")


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
