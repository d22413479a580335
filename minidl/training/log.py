"""What a run leaves behind beside its checkpoint: the table of its epochs, their curves, and TensorBoard's files."""

import csv
from pathlib import Path

from minidl.extras import need
from minidl.files import replacing
from minidl.plots import new_figure, save_figure

NOT_DRAWN = ("epoch", "step", "learning_rate", "seconds", "remark")


def write_table(path, rows):
    """The rows as CSV; a column for every name that any row has."""
    columns = dict.fromkeys(name for row in rows for name in row)
    with replacing(path) as beside, open(beside, "w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def plot_curves(path, rows, baselines):
    """Losses, with the baselines as lines, and all other measures, over the epochs: two drawings in one picture."""
    figure, axes = new_figure(10, 4.5)
    axes.remove()
    left, right = figure.subplots(1, 2)
    names = [name for name in dict.fromkeys(name for row in rows for name in row) if name not in NOT_DRAWN]
    for name in names:
        points = [(row["epoch"], row[name]) for row in rows if name in row]
        (left if name.endswith("loss") else right).plot(*zip(*points, strict=True), label=name.replace("_", " "), marker=".")
    for name, loss in baselines.items():
        left.axhline(loss, linestyle="--", linewidth=1, color="grey")
        left.annotate(name, (1, loss), xycoords=("axes fraction", "data"), ha="right", va="bottom", fontsize=8)
    for panel, label in ((left, "loss"), (right, "")):
        panel.set(xlabel="epoch", ylabel=label)
        panel.grid(alpha=0.3)
        if panel.lines:
            panel.legend(frameon=False)
    save_figure(figure, path)


class TensorBoard:
    """The rows for TensorBoard, in a folder of its own."""

    def __init__(self, folder):
        self._writer = need("tensorboardX", "tensorboard", "a log for TensorBoard").SummaryWriter(str(Path(folder)))

    def write(self, row):
        for name, value in row.items():
            if isinstance(value, (int, float)) and name not in ("epoch", "step"):
                self._writer.add_scalar(name, value, row["step"])
        self._writer.flush()
