"""The record of a painting: its settings, the table of its losses, and their curves."""

import csv
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import PIL

import minidl
from minidl.backend import current_arithmetic, current_device, is_array, to_numpy
from minidl.data.images import read_metadata
from minidl.dispatch import implementation
from minidl.engine.threads import get_threads
from minidl.errors import FileError, unquoted
from minidl.files import append, must_exist, replacing
from minidl.machine import blas, kind, kind_with_gpu
from minidl.plots import new_figure, save_figure
from minidl.style_transfer.settings import STARTS, Settings
from minidl.typing import Array
from minidl.typing import Path as PathLike

if TYPE_CHECKING:
    from minidl.style_transfer.objective import Losses

ARRAY = "an array"  # the stored start, if it is an array


# the entries of a record on which the painting depends, apart from devices and versions
DEFINING = ("content", "styles", "style_weights", "masks", "weights", "settings", "start_picture")


def describe(settings: Settings, **more: Any) -> dict[str, Any]:
    """Return what is needed to paint the picture again, as values that JSON can represent.

    more: further entries.
    """
    is_named = isinstance(settings.start, (str, Path))
    chosen = asdict(settings) | {
        "start": str(settings.start) if is_named else ARRAY,
        "style_layers": dict(settings.layers_of_style),
        "balance": settings.balance_of_content,
        "style_scale": list(settings.style_scale),
    }
    start = None if is_named and settings.start in STARTS else identity(settings.start)
    return {
        "settings": chosen,
        "start_picture": start,
        **circumstances(),
        **more,
    }


def circumstances() -> dict[str, Any]:
    """Return what decides the last digits of a painting beside its settings, as values that JSON
    can represent.

    The number of threads is among them, because sums are divided among the threads.
    """
    versions = {"minidl": minidl.__version__, "numpy": np.__version__, "pillow": PIL.__version__}
    return {
        "device": current_device(),
        "arithmetic": current_arithmetic(),
        "implementation": implementation(),
        "threads": get_threads(),
        "processor": kind_with_gpu() if current_device() == "gpu" else kind(),
        "blas": blas(),
        "versions": versions | {"python": platform.python_version()},
    }


def changes(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return which `circumstances` differ between two records, in words.

    >>> changes({"device": "gpu", "versions": {"numpy": "2.3.0"}}, {"device": "cpu"})
    ['device cpu instead of gpu']
    """
    old, new = ({**record, **record.get("versions", {})} for record in (then, now))
    names = [*circumstances(), *circumstances()["versions"]]
    return [
        f"{name} {unquoted(new[name])} instead of {unquoted(old[name])}"
        for name in names
        if name != "versions" and name in old and name in new and old[name] != new[name]
    ]


def identity(source: PathLike | Array) -> dict[str, Any]:
    """Return the name and SHA-256 of a file, or the shape and the SHA-256 of the bytes of an
    array."""
    if not isinstance(source, (str, os.PathLike)):
        array = to_numpy(source) if is_array(source) else np.asarray(source)
        return {"shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
    path = must_exist(source, "picture")
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def record_of_same(path: PathLike, record: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the record in a picture file, if it is of the painting that `record` describes: of the
    same pictures, weights and settings. Otherwise return None.
    """
    try:
        stored = read_metadata(path)
    except FileError:
        return None
    wanted = json.loads(json.dumps(record))  # as it is read from a file
    is_same = isinstance(stored, dict) and all(stored.get(key) == wanted[key] for key in DEFINING)
    return stored if is_same else None


def must_be_identical(source: PathLike | Array, stored: Mapping[str, Any], what: str) -> None:
    """Raise FileError if a file or an array is not the one whose `identity` was stored.

    what: the source in words, such as "the weights".
    """
    if identity(source)["sha256"] != stored["sha256"]:
        name = stored.get("name", "an array")
        raise FileError(
            f"{what} of the first run were {name} with SHA-256 {stored['sha256'][:16]}..., and "
            f"{source} is another file; name the file of the first run"
        )


def row(number: int, losses: "Losses", seconds: float) -> dict[str, float]:
    """Return a step as a row of the table.

    The columns are step, total, content, style, the part of each layer, total_variation and
    seconds.
    """
    terms = losses._asdict()
    layers, variation = terms.pop("layers"), terms.pop("total_variation")
    return {
        "step": number,
        **terms,
        **layers,
        "total_variation": variation,
        "seconds": round(seconds, 3),
    }


def write_log(path: PathLike, rows: Sequence[Mapping[str, float]], written: int = 0) -> None:
    """Write the rows as CSV.

    written: the number of rows that the file already holds. If it is not 0, only the others are
    appended. Raise FileError if the file cannot be written.
    """
    text = StringIO(newline="")
    writer = csv.DictWriter(text, rows[0])
    if not written:
        writer.writeheader()
    writer.writerows(rows[written:])
    if written:
        append(path, text.getvalue())
    else:
        with replacing(path) as temporary, open(temporary, "w", newline="") as file:
            file.write(text.getvalue())


def plot_log(path: PathLike, rows: Sequence[Mapping[str, float]]) -> None:
    """Draw the rows as curves over the steps, one for each term.

    Raise FileError if the file cannot be written.
    """
    save_figure(curves(rows, 9, 5.5), path)


def curves(rows: Sequence[Mapping[str, float]], width: float, height: float) -> Any:
    """Return a matplotlib Figure, of a size in inches, with a curve for each term of the rows."""
    figure = new_figure(width, height)
    axes = figure.subplots()
    steps = [row["step"] for row in rows]
    for name in rows[0]:
        # A logarithmic axis cannot show a loss of 0, such as that of the content at the photograph.
        least = 1e-6 * rows[0]["total"]
        values = [row[name] if row[name] > least else None for row in rows]
        if name in ("step", "seconds") or not any(values):
            continue
        is_sum = name in ("total", "content", "style")
        thickness, opacity = (2.4, 1) if is_sum else (1, 0.7)
        label = name.replace("_", " ", 1)
        axes.plot(steps, values, label=label, linewidth=thickness, alpha=opacity)
    axes.set(xlabel="step (evaluation of the objective)", ylabel="weighted loss", yscale="log")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(alpha=0.3)
    return figure
