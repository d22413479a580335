"""What a painting leaves behind beside the picture: its settings, the table of its losses, and
their curves."""

import csv
import hashlib
import platform
from dataclasses import asdict
from io import StringIO
from pathlib import Path

import numpy as np
import PIL

import minidl
from minidl.backend import current_arithmetic, current_device, is_array, to_numpy
from minidl.files import append, must_exist, replacing
from minidl.plots import new_figure, save_figure
from minidl.style_transfer.settings import STARTS


def describe(settings, **more):
    """What it takes to paint the picture again, as plain words and numbers."""
    versions = {"minidl": minidl.__version__, "numpy": np.__version__, "pillow": PIL.__version__}
    versions["python"] = platform.python_version()
    is_named = isinstance(settings.start, (str, Path))
    chosen = asdict(settings) | {"start": str(settings.start) if is_named else "an array"}
    start = None if is_named and settings.start in STARTS else identity(settings.start)
    return {
        "settings": chosen,
        "start_picture": start,
        "device": current_device(),
        "arithmetic": current_arithmetic(),
        "versions": versions,
        **more,
    }


def identity(source):
    """A file by its name and SHA-256, an array by its shape and the SHA-256 of its bytes."""
    if not isinstance(source, (str, Path)):
        array = to_numpy(source) if is_array(source) else np.asarray(source)
        return {"shape": list(array.shape), "sha256": hashlib.sha256(array.tobytes()).hexdigest()}
    path = must_exist(source, "picture")
    return {"name": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def row(step):
    """One step as a row of the table: step, total, content, style, each layer's, total_variation,
    seconds."""
    losses = step.losses._asdict()
    layers, last = losses.pop("layers"), losses.pop("total_variation")
    return {
        "step": step.number,
        **losses,
        **layers,
        "total_variation": last,
        "seconds": round(step.seconds, 3),
    }


def write_log(path, rows, written=0):
    """Write the rows as CSV. written: how many of them the file holds already; only the others are
    appended."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, rows[0])
    if not written:
        writer.writeheader()
    writer.writerows(rows[written:])
    if written:
        append(path, text.getvalue())
    else:
        with replacing(path) as beside, open(beside, "w", newline="") as file:
            file.write(text.getvalue())


def plot_log(path, rows):
    """The rows as curves over the steps, one for each term."""
    figure, axes = new_figure(9, 5.5)
    steps = [r["step"] for r in rows]
    for name in rows[0]:
        # A loss of 0, such as the content's at the photograph itself, has no place on a logarithmic
        # axis.
        values = [r[name] if r[name] > 1e-6 * rows[0]["total"] else None for r in rows]
        if name in ("step", "seconds") or not any(values):
            continue
        whole = name in ("total", "content", "style")
        axes.plot(
            steps,
            values,
            label=name.replace("_", " ", 1),
            linewidth=2.4 if whole else 1,
            alpha=1 if whole else 0.7,
        )
    axes.set(xlabel="step (evaluation of the objective)", ylabel="weighted loss", yscale="log")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(alpha=0.3)
    save_figure(figure, path)
