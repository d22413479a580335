"""The checkpoint of a painting in progress: one file that holds all that is needed to continue.

It holds the pictures as they are painted, so that it can be continued without the files of the
photograph and the styles. Of the network it holds only the name and the SHA-256 of the weights.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from minidl.checkpoints import tree
from minidl.errors import FileError, listed
from minidl.models import VGG19
from minidl.style_transfer.inputs import Form
from minidl.style_transfer.objective import Losses, Masks
from minidl.style_transfer.record import row
from minidl.style_transfer.run import Run
from minidl.style_transfer.settings import STARTS, Settings
from minidl.typing import Path

FORMAT = "minidl painting 1"


def save(path: Path, run: Run, form: Form, record: Mapping[str, Any]) -> None:
    """Write a run, the form of its file, and its record to a file, which replaces the former one at
    once.

    Raise FileError if it cannot be written.
    """
    content, regions, parts = run.masks
    state = {
        "content": run.photograph,
        "styles": _numbered(run.pictures),
        "weights": run.style_weights,
        "masks": {"content": content, "regions": _numbered(regions), "parts": _numbered(parts)},
        "form": _with_bytes(form),
        "run": run.state(),
        "record": [record],
    }
    tree.save(path, state, FORMAT)


def load(path: Path) -> dict[str, Any]:
    """Return the tree that `save` wrote.

    Raise FileError if the file is missing, damaged, or no checkpoint of a painting.
    """
    state = tree.load(path, FORMAT)
    if not state.keys() >= {"content", "styles", "weights", "masks", "form", "run", "record"}:
        raise FileError(
            f"{path} is no complete checkpoint of a painting; take an earlier one, or begin again"
        )
    [state["record"]] = state["record"]
    return state


def rows_of(state: Mapping[str, Any]) -> list[dict[str, float]]:
    """Return the rows of the table of losses until the checkpoint, as `record.row` makes them."""
    losses = [Losses(**losses) for scale in state["run"]["losses"] for losses in scale]
    return [
        row(number, *step)
        for number, step in enumerate(zip(losses, state["run"]["times"], strict=True), start=1)
    ]


def settings_of(record: Mapping[str, Any]) -> Settings:
    """Return the settings that a record holds. If they start from a picture, start is "content".

    Raise FileError if the record is of a version of minidl with other settings.
    """
    settings = record["settings"]
    if others := sorted(settings.keys() ^ {field.name for field in fields(Settings)}):
        raise FileError(
            f"the painting is of another version of minidl: only one of both has {listed(others)}; "
            "take that version"
        )
    start = settings["start"]
    return Settings(**settings | {"start": start if start in STARTS else "content"})


def resumed(state: Mapping[str, Any], model: VGG19) -> tuple[Run, Form]:
    """Return the run that a tree of `load` describes, and the form of its file."""
    masks, form = state["masks"], state["form"]
    masks = Masks(masks["content"], _listed(masks["regions"]), _listed(masks["parts"]))
    run = Run(
        model,
        state["content"],
        _listed(state["styles"]),
        settings_of(state["record"]),
        state["weights"],
        masks,
    )
    run.restore(state["run"])
    profile = form["profile"]
    return run, Form(**form | {"profile": None if profile is None else profile.tobytes()})


def _numbered(arrays):
    """Return a dict of arrays for a list of them."""
    return {str(number): array for number, array in enumerate(arrays)}


def _listed(numbered):
    """Undo `_numbered`."""
    return [numbered[str(number)] for number in range(len(numbered))]


def _with_bytes(form):
    """Return the form as a dict, with the colour profile as an array."""
    profile = None if form.profile is None else np.frombuffer(form.profile, np.uint8)
    return form._asdict() | {"profile": profile}
