"""The contents of a run's checkpoint, and resuming from it.

    model, optimizer, batches   their states
    steps                       the numbers of each step
    progress                    the step, the rows and the other numbers of the log
    settings                    those of the task
    rules                       what else determines the steps: optimiser, schedule, batches
    machine                     device, processor and threads, which determine the last digits
    end                         the number of epochs and the patience, which `train` was called with
    architecture, input         how the network is made, and what its examples look like

A run resumes only if the settings and the rules are equal to those of the checkpoint.
"""

import json
from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any

from minidl import machine
from minidl.backend import current_arithmetic, current_device
from minidl.dispatch import implementation
from minidl.engine.threads import get_threads
from minidl.errors import ArgumentError, FileError, MinidlError, brief, printable, unquoted
from minidl.limits import is_count, is_number
from minidl.training.history import History
from minidl.training.progress import Progress
from minidl.training.task import Task
from minidl.typing import Path


def identity_of(task: Task) -> dict[str, Any]:
    """Return the settings and the rules of a task before its first step.

    Raises ArgumentError if JSON cannot hold the settings.
    """
    return {"settings": _settings_of(task), "rules": _rules_of(task)}


def state_of(
    task: Task,
    identity: Mapping[str, Any],
    progress: Progress,
    history: History,
    about: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the tree of a checkpoint.

    identity: of `identity_of`, before the first step; about: the parts that `restore` does not read
    """
    return {
        "model": task.model.state(),
        "optimizer": task.optimizer.state(),
        "batches": task.batches.state(),
        "steps": history.state(),
        "progress": vars(progress),
        **identity,
        "machine": _machine(),
        **about,
    }


def restore(
    task: Task, identity: Mapping[str, Any], state: Mapping[str, Any], path: Path
) -> tuple[Progress, History, str | None]:
    """Set a task to the state of a run, and return the run's Progress, its History and a remark.

    state: the tree that `state_of` returned; path: of its checkpoint, for messages. The remark is a
    sentence on how this machine differs from that of the run, or None.

    Raises ArgumentError if the run had other settings or rules, and FileError if the tree is not
    that of a run.
    """
    try:
        for part in identity:
            _must_agree(state[part], identity[part], path)
        _must_be_valid(state["optimizer"], task.optimizer, path)
        for name in ("batches", "model", "optimizer"):
            getattr(task, name).restore(state[name])
        progress = Progress.restored(state["progress"], task.batches.epoch, path)
        history = History.restored(state.get("steps"), progress.step, path)
        return progress, history, _moved(state["machine"])
    except MinidlError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FileError(
            f"{path} does not hold a training run ({printable(repr(error), 200)}); "
            "begin again in another folder"
        ) from None


def _settings_of(task):
    try:
        return json.loads(json.dumps(task.settings, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"the task's settings cannot be saved ({error}); "
            "wanted what JSON holds: texts, finite numbers, lists, dicts"
        ) from None


def _rules_of(task):
    """The optimiser's type, its constants and those of its groups; schedule; clip; batches"""
    optimizer, batches = task.optimizer, task.batches
    rules = optimizer.rules()
    if task.schedule is None:
        rules["learning_rate"] = optimizer.learning_rate
    return {
        "optimizer": type(optimizer).__name__,
        **rules,
        "schedule": _name_of(task.schedule),
        "clip": None if task.clip is None else float(task.clip),
        "examples": len(batches.arrays[0]),
        "batch_size": batches.size,
        "batch_seed": batches.seed,
        "shuffle": bool(batches.shuffle),
        "drop_last": bool(batches.drop_last),
        # Runs that began before there was this rule have one batch per step.
        **({"accumulate": task.accumulate} if task.accumulate > 1 else {}),
    }


def _name_of(schedule):
    if is_dataclass(schedule):
        return repr(schedule)
    return getattr(schedule, "__qualname__", type(schedule).__name__)


def _must_agree(stored, own, path):
    if differing := sorted(name for name in stored | own if stored.get(name) != own.get(name)):
        names = printable(", ".join(differing), 200)
        raise ArgumentError(
            f"{path} was trained with other settings ({names}); resume with the same ones"
        )


def _must_be_valid(state, optimizer, path):
    """Raise FileError if a number of the optimiser is out of range.

    A step uses such numbers as exponents and divisors.
    """
    for name, kind in optimizer.NUMBERS.items():
        value = state.get(name)
        is_valid = is_count if kind is int else is_number
        if not is_valid(value):
            wanted = "a whole number of at least 0" if kind is int else "a finite number"
            raise FileError(
                f"{path} has {brief(value)} as the optimiser's {name}; wanted {wanted}: "
                "begin again in another folder"
            )


def _machine():
    return {
        "threads": get_threads(),
        "device": current_device(),
        "arithmetic": current_arithmetic(),
        "processor": machine.kind(),
        "BLAS": machine.blas(),
        "implementation": implementation(),
    }


def _moved(stored):
    """A sentence on how this machine differs from the stored one, or None"""
    differences = [
        f"{name} {unquoted(stored[name])}, now {value}"
        for name, value in _machine().items()
        if name in stored and stored[name] != value
    ]
    if not differences:
        return None
    return (
        f"the run was begun elsewhere ({'; '.join(differences)}): "
        "its results will differ in the last digits from a run that never stopped"
    )
