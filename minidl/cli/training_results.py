"""The results of `minidl train`: printed, and written to result.json."""

import json
from contextlib import suppress

from minidl.cli.output import say
from minidl.data.folders import class_files
from minidl.extras import ExtraError
from minidl.faces import FaceReader
from minidl.faces.trained import facts, framing_of
from minidl.files import replacing
from minidl.training.confusion import draw_confusion
from minidl.training.folder import CONFUSION, RESULT, alone_in


def print_measures(measures, test_set, baselines):
    texts = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in measures.items()]
    losses = ", ".join(f"{name}: {loss:.4f}" for name, loss in baselines.items())
    say(f"on {test_set}: {', '.join(texts)} (losses to compare with: {losses})")


def facts_about_faces(task, split, folder):
    """Return what `minidl faces --network` needs to know about a network, for result.json.

    split: (People to train on, People to test on). folder: of their pictures
    """
    _, held = split
    if task.settings["on_top"]:
        return facts(task.model, held, None)
    files = [path for paths in class_files(folder).values() for path in paths]
    return facts(task.model, held, framing_of(files, FaceReader()))


def print_confusion(confusion, tell):
    """Print the classes, those with the lowest accuracy first."""
    for line in confusion.lines():
        tell(line)


def draw_in(folder, confusion):
    """Write a picture of a Confusion into the folder of a run, if matplotlib is installed."""
    with alone_in(folder), suppress(ExtraError):  # which the run has reported
        draw_confusion(confusion, folder / CONFUSION)


def write_result(folder, task, outcome, measures, more):
    """Write the results of a run. more: further entries"""
    result = {
        "test": measures,
        "baselines": task.baselines,
        "epochs": len(outcome.rows),
        "best_epoch": outcome.best,
        "seconds": outcome.rows[-1]["seconds"],  # of all epochs
        "settings": task.settings,
        "notes": task.notes,
        **more,
    }
    with alone_in(folder), replacing(folder / RESULT) as path:
        path.write_text(json.dumps(result, allow_nan=False))
