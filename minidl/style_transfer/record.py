"""What a painting leaves behind beside the picture: its settings, the table of its losses, and their curves."""

import csv
import platform
from dataclasses import asdict

import numpy as np

from minidl.extras import need
from minidl.files import replacing


def describe(settings, totals, **more):
    """Everything needed to paint the picture again, as plain words and numbers. totals: the loss of each step."""
    from minidl import __version__

    versions = {"minidl": __version__, "numpy": np.__version__, "python": platform.python_version()}
    done = {"steps_done": len(totals), "loss": min(totals)}
    return {**more, "settings": asdict(settings) | {"start": str(settings.start)}, "versions": versions, **done}


def row(step):
    """One step as a row of the table: step, total, content, style, each layer's, total_variation, seconds."""
    losses = step.losses
    layers = {name: value for name, value in losses.terms.items() if name != "total_variation"}
    return {
        "step": step.number, "total": float(losses.total), "content": losses.content, "style": losses.style, **layers,
        "total_variation": losses.total_variation, "seconds": round(step.seconds, 3),
    }  # fmt: skip


def write_log(path, rows):
    """The rows as CSV."""
    with replacing(path) as beside, open(beside, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def plot_log(path, rows):
    """The rows as curves over the steps, one for each term, as a picture or PDF by the name's ending."""
    pyplot = need("matplotlib.pyplot", "plot", "drawing the curves")
    figure, axes = pyplot.subplots(figsize=(9, 5.5), layout="constrained")
    steps = [r["step"] for r in rows]
    for name in rows[0]:
        values = [r[name] for r in rows]
        if name in ("step", "seconds") or not any(values):
            continue
        whole = name in ("total", "content", "style")
        axes.plot(steps, values, label=name.replace("_", " ", 1), linewidth=2.4 if whole else 1, alpha=1 if whole else 0.7)
    axes.set(xlabel="step (evaluation of the objective)", ylabel="weighted loss", yscale="log")
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.grid(alpha=0.3)
    with replacing(path) as beside:
        figure.savefig(beside, dpi=120)
    pyplot.close(figure)
