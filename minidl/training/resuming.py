"""What a checkpoint holds of a run, and that only the same run goes on from it.

model, optimizer, batches    their states
progress                     step, rows and what else the log is made of
settings                     the task's own
rules                        what the steps follow beside the settings
machine                      where the run was: the last digits follow from it too
"""

import json
from dataclasses import is_dataclass

from minidl import machine
from minidl.backend import current_arithmetic, current_device
from minidl.engine.threads import get_threads
from minidl.errors import ArgumentError, FileError, MinidlError, brief, printable, unquoted
from minidl.limits import is_count, is_number
from minidl.training.progress import Progress


def identity_of(task):
    """The settings and rules of a task before its first step. Raises ArgumentError where JSON
    cannot hold the settings."""
    return {"settings": _settings_of(task), "rules": _rules_of(task)}


def state_of(task, identity, progress):
    """The tree for a checkpoint"""
    parts = {name: getattr(task, name).state() for name in ("model", "optimizer", "batches")}
    return {**parts, "progress": vars(progress), **identity, "machine": _machine()}


def restore(task, identity, state, path):
    """Put the task where the run was that left this tree in the file `path` -> (its Progress, a
    sentence on what is different here, or None). Raises ArgumentError where it was another run,
    FileError where it was none."""
    try:
        for part in identity:
            _must_agree(state[part], identity[part], path)
        _must_be_numbers(state["optimizer"], task.optimizer, path)
        for name in ("batches", "model", "optimizer"):
            getattr(task, name).restore(state[name])
        return Progress.restored(state["progress"], task.batches.epoch, path), _moved(
            state["machine"]
        )
    except MinidlError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FileError(
            f"{path} does not hold a training run ({printable(repr(error), 200)}); begin again in another folder"
        ) from None


def _settings_of(task):
    try:
        return json.loads(json.dumps(task.settings, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"the task's settings cannot be kept ({error}); wanted what JSON holds: texts, finite numbers, lists, dicts"
        ) from None


def _rules_of(task):
    """Of the optimiser the kind, the numbers that do not belong to its state, and those of its
    groups; the schedule; the clip; the batches"""
    optimizer, schedule, batches = task.optimizer, task.schedule, task.batches
    numbers = {
        name: value
        for name, value in vars(optimizer).items()
        if _is_plain(value) and name[0] != "_"
    }
    groups = {
        name.strip("_"): value for name, value in vars(optimizer).items() if _is_plain_list(value)
    }
    rules = {
        name: value for name, value in (numbers | groups).items() if name not in optimizer.NUMBERS
    }
    if schedule is None:
        rules["learning_rate"] = optimizer.learning_rate
    told = (
        repr(schedule)
        if is_dataclass(schedule)
        else getattr(schedule, "__qualname__", type(schedule).__name__)
    )
    return {
        "optimizer": type(optimizer).__name__, **rules, "schedule": told,
        "clip": None if task.clip is None else float(task.clip),
        "examples": len(batches.arrays[0]), "batch_size": batches.size, "batch_seed": batches.seed,
        "shuffle": bool(batches.shuffle), "drop_last": bool(batches.drop_last),
    }  # fmt: skip


def _is_plain(value):
    return isinstance(value, str | int | float)


def _is_plain_list(value):
    return isinstance(value, list) and all(map(_is_plain, value))


def _must_agree(before, now, path):
    if other := sorted(name for name in before | now if before.get(name) != now.get(name)):
        names = printable(", ".join(other), 200)
        raise ArgumentError(
            f"{path} was trained with other settings ({names}); resume with the same ones"
        )


def _must_be_numbers(state, optimizer, path):
    """Raise FileError for a number of the optimiser that is out of range. It is used as an exponent
    or a divisor."""
    for name, kind in optimizer.NUMBERS.items():
        value = state.get(name)
        if not (is_count(value) if kind is int else is_number(value)):
            raise FileError(
                f"{path} has {brief(value)} as the optimiser's {name}; begin again in another folder"
            )


def _machine():
    return {
        "threads": get_threads(), "device": current_device(), "arithmetic": current_arithmetic(),
        "processor": machine.kind(), "BLAS": machine.blas(),
    }  # fmt: skip


def _moved(before):
    now = {name: value for name, value in _machine().items() if name in before}
    if other := [
        f"{name} {unquoted(before[name])}, now {value}"
        for name, value in now.items()
        if before[name] != value
    ]:
        return f"the run was begun elsewhere ({'; '.join(other)}): its last digits will not be those of one that never stopped"
    return None
