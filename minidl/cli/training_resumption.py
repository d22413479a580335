"""What a resumed run of `minidl train` takes from its checkpoint: its settings, and where it ends.

The number of epochs and the patience may change when a run is resumed. All other settings may not.
The setting `epochs` of a checkpoint stays the number that the run began with, because it determines
the schedule of the learning rate.
"""

from typing import Any, NamedTuple

from minidl.cli.options import flag
from minidl.cli.output import counted
from minidl.cli.training_options import setting_names, typed
from minidl.errors import ArgumentError, FileError, printable
from minidl.limits import is_count
from minidl.optim import Cosine, OneCycle
from minidl.recipes.ranges import INTEGERS, unfit
from minidl.training import load


class Resumed(NamedTuple):
    """A run to resume: its settings, the number of batches per step, and the end that it was last
    given."""

    settings: dict[str, Any]
    accumulate: int
    epochs: int
    patience: int | None


def resumed(path, recipe, chosen):
    """Return the Resumed of a checkpoint.

    chosen: {setting: value} of the options that were typed, with "accumulate"; the epochs may
    differ from those of the checkpoint. Raise ArgumentError if others differ.
    """
    if not path.exists():
        raise FileError(
            f"there is no {path} to continue from; "
            "name the --folder of the run, or its --preset, or start a run without --resume"
        )
    tree = load(path)
    stored: Any = tree.get("settings")
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
    accumulate = _accumulated(tree, path)
    own = settings | {"accumulate": accumulate}
    differing = [name for name, value in chosen.items() if own[name] != value and name != "epochs"]
    if differing:
        options = ", ".join(f"{flag(name)} {typed(own[name])}" for name in differing)
        raise ArgumentError(
            f"{path} is of a run with {options}; "
            "leave these options out, or begin again in another folder"
        )
    done = tree["batches"].get("epoch") if isinstance(tree.get("batches"), dict) else None
    if is_count(done) and chosen.get("epochs", done) < done:
        raise ArgumentError(
            f"--epochs is {chosen['epochs']}, but the run in {path.parent} has "
            f"{counted(done, 'epoch')} already; wanted at least as many"
        )
    return Resumed(settings, accumulate, *_end(tree.get("end", {}), settings, path))


def _accumulated(tree, path):
    """The number of batches per step"""
    rules = tree.get("rules")
    accumulate = rules.get("accumulate", 1) if isinstance(rules, dict) else 1
    if not _is_count(accumulate):
        raise FileError(
            f"{path} accumulates {printable(repr(accumulate), 80)} batches; wanted a whole number: "
            "the file is damaged, use an earlier one, or begin again"
        )
    return accumulate


def _end(stored, settings, path):
    """The number of epochs and the patience of the last call of `train`"""
    is_valid = isinstance(stored, dict)
    if is_valid:
        epochs, patience = stored.get("epochs", settings["epochs"]), stored.get("patience")
        is_valid = _is_count(epochs) and (patience is None or _is_count(patience))
    if not is_valid:
        raise FileError(
            f"{path} holds an invalid end of its run ({printable(repr(stored), 80)}); wanted "
            "numbers of epochs: the file is damaged, use an earlier one, or begin again"
        )
    return epochs, patience


def _is_count(value):
    least, most = INTEGERS["epochs"]
    return is_count(value) and least <= value <= most


def check_extension(schedule, epochs, settings):
    """Raise ArgumentError if a run cannot be extended to this number of epochs, because its
    learning rate is 0 by then."""
    if epochs > settings["epochs"] and isinstance(schedule, Cosine | OneCycle):
        raise ArgumentError(
            f"--epochs is {epochs}, but the learning rate of this run falls to 0 within its "
            f"{counted(settings['epochs'], 'epoch')} (--schedule {settings['schedule']}); leave "
            f"--epochs out, or begin again in another folder with --epochs {epochs}"
        )
