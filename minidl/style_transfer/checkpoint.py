"""The checkpoint of a painting in progress: one file that holds all that is needed to continue.

It holds the pictures as they are painted, so that it can be continued without the files of the
photograph and the styles. Of the network it holds only the name and the SHA-256 of the weights.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from minidl.backend import to_numpy
from minidl.checkpoints import tree
from minidl.errors import FileError
from minidl.models import VGG19
from minidl.style_transfer.run import Run
from minidl.style_transfer.settings import STARTS, Settings
from minidl.typing import Path

FORMAT = "minidl painting 1"


def save(path: Path, run: Run, record: Mapping[str, Any]) -> None:
    """Write a run and its record to a file, which replaces the former one at once.

    Raise FileError if it cannot be written.
    """
    styles = {str(number): to_numpy(style) for number, style in enumerate(run.styles)}
    state = {"content": run.content, "styles": styles, "run": run.state(), "record": [record]}
    tree.save(path, state, FORMAT)


def load(path: Path) -> dict[str, Any]:
    """Return the tree that `save` wrote.

    Raise FileError if the file is missing, damaged, or no checkpoint of a painting.
    """
    state = tree.load(path, FORMAT)
    if state.keys() != {"content", "styles", "run", "record"}:
        raise FileError(
            f"{path} is no complete checkpoint of a painting; take an earlier one, or begin again"
        )
    [state["record"]] = state["record"]
    return state


def settings_of(record: Mapping[str, Any]) -> Settings:
    """Return the settings that a record holds. A start picture becomes the photograph."""
    known = {field.name for field in fields(Settings)}
    settings = {name: value for name, value in record["settings"].items() if name in known}
    start = settings["start"]
    return Settings(**settings | {"start": start if start in STARTS else "content"})


def resumed(state: Mapping[str, Any], model: VGG19) -> Run:
    """Return the run that a tree of `load` describes."""
    record, styles = state["record"], state["styles"]
    pictures = [styles[str(number)] for number in range(len(styles))]
    run = Run(model, state["content"], pictures, settings_of(record), record["style_weights"])
    run.restore(state["run"])
    return run
