"""The results of `minidl train`: printed, and written to result.json."""

import json

from minidl.cli.output import say
from minidl.files import replacing
from minidl.training.folder import RESULT, alone_in


def print_measures(measures, test_set, baselines):
    texts = [f"{name.replace('_', ' ')} {value:.4f}" for name, value in measures.items()]
    losses = ", ".join(f"{name}: {loss:.4f}" for name, loss in baselines.items())
    say(f"on {test_set}: {', '.join(texts)} (losses to compare with: {losses})")


def write_result(folder, task, outcome, measures):
    result = {
        "test": measures,
        "baselines": task.baselines,
        "epochs": len(outcome.rows),
        "best_epoch": outcome.best,
        "seconds": outcome.rows[-1]["seconds"],  # of all epochs
        "settings": task.settings,
        "notes": task.notes,
    }
    with alone_in(folder), replacing(folder / RESULT) as path:
        path.write_text(json.dumps(result, allow_nan=False))
