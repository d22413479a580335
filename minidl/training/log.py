"""The log of a run: a table of its epochs, and their curves as a picture."""

import csv
from collections.abc import Mapping, Sequence
from itertools import cycle
from math import isfinite
from typing import Any

from minidl.files import replacing
from minidl.plots import new_figure, save_figure
from minidl.typing import Path

NO_MEASURES = {"epoch", "step", "learning_rate", "seconds", "remark"}
OWN_COLUMNS = {"loss", *NO_MEASURES}

SPIKE = 5  # values above SPIKE times the 80th percentile of a curve are cut off
MARGIN = 0.05  # share of the drawn range to leave free above and below


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows as CSV, with a column for each name that occurs in a row."""
    columns = dict.fromkeys(name for row in rows for name in row)
    with replacing(path) as temporary, open(temporary, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def plot_curves(
    path: Path, rows: Sequence[Mapping[str, Any]], baselines: Mapping[str, float]
) -> None:
    """Draw the measures over the epochs: losses on the left, all others on the right.

    The baselines {name: loss} are horizontal lines. Spikes would flatten the other curves: they
    are cut off, and the title of the panel names them.
    """
    figure = new_figure(10, 5)
    left, right = figure.subplots(1, 2)
    names = dict.fromkeys(name for row in rows for name in row if name not in NO_MEASURES)
    curves = {name.replace("_", " "): _points(name, rows) for name in names}
    losses = {name: points for name, points in curves.items() if name.endswith("loss")}
    others = {name: points for name, points in curves.items() if name not in losses}
    _draw(left, "loss", losses, baselines)
    _draw(right, "", others, {})
    save_figure(figure, path)


def _points(name, rows):
    return [(row["epoch"], row[name]) for row in rows if name in row and isfinite(row[name])]


def _draw(panel, label, curves, baselines):
    panel.set(xlabel="epoch", ylabel=label)
    panel.grid(alpha=0.3)
    panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    limit = max((_limit(points) for points in curves.values()), default=0.0)
    cut_off = []
    for name, points in curves.items():
        panel.plot(*_columns(points), label=name, marker=".")
        highest, epoch = max(((value, epoch) for epoch, value in points), default=(limit, 0))
        if highest > limit:
            cut_off.append(f"{name} up to {highest:.3g}, in epoch {epoch}")
    for (name, loss), style in zip(baselines.items(), cycle((":", "--", "-.")), strict=False):
        if loss > limit:
            cut_off.append(f"{name} at {loss:.3g}")
        else:
            text = f"{name}: {loss:.3g}"
            panel.axhline(loss, linestyle=style, linewidth=1, color="grey", label=text)
    if cut_off:
        values = [
            *baselines.values(),
            *(value for points in curves.values() for _, value in points),
        ]
        low, high = min(values), max(value for value in values if value <= limit)
        margin = MARGIN * (high - low or abs(high) or 1)
        panel.set_ylim(low - margin, high + margin)
        panel.set_title("not shown: " + "\n".join(cut_off), fontsize=8, loc="left")
    if curves:
        epochs = [epoch for points in curves.values() for epoch, _ in points]
        panel.set_xlim(min(epochs, default=1) - 0.5, max(epochs, default=1) + 0.5)
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.12)}
        panel.legend(frameon=False, fontsize=8, ncols=2, **below)


def _columns(points):
    return [epoch for epoch, _ in points], [value for _, value in points]


def _limit(points):
    """The largest value of a curve that is no spike; 0 for a curve without points"""
    values = sorted(value for _, value in points)
    if not values:
        return 0.0
    usual = values[len(values) - len(values) // 5 - 1]  # the 80th percentile
    return SPIKE * usual if usual > 0 else values[-1]
