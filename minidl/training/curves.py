"""The log as a picture: losses on the left, with their baselines, and all other measures on the
right."""

from itertools import cycle
from math import isfinite

from minidl.plots import new_figure, save_figure
from minidl.training.log import NO_MEASURES

ROOM = 5  # times the height of a curve without its highest fifth: what is above is a spike
MARGIN = 0.05  # of the heights that are drawn


def plot_curves(path, rows, baselines):
    """Draw the measures of the rows over the epochs, and the baselines {name: loss} as lines.
    Spikes, which would flatten all else, are cut off and told of above the drawing."""
    figure, axes = new_figure(10, 5)
    axes.remove()
    left, right = figure.subplots(1, 2)
    names = [
        name
        for name in dict.fromkeys(name for row in rows for name in row)
        if name not in NO_MEASURES
    ]
    curves = {name.replace("_", " "): _points(name, rows) for name in names}
    losses = {name: points for name, points in curves.items() if name.endswith("loss")}
    _draw(left, "loss", losses, baselines)
    _draw(right, "", {name: points for name, points in curves.items() if name not in losses}, {})
    save_figure(figure, path)


def _points(name, rows):
    return [(row["epoch"], row[name]) for row in rows if name in row and isfinite(row[name])]


def _draw(panel, label, curves, baselines):
    panel.set(xlabel="epoch", ylabel=label)
    panel.grid(alpha=0.3)
    panel.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    limit, beyond = max((_reach(points) for points in curves.values()), default=0.0), []
    for name, points in curves.items():
        panel.plot(
            [epoch for epoch, _ in points], [value for _, value in points], label=name, marker="."
        )
        highest, epoch = max(((value, epoch) for epoch, value in points), default=(limit, 0))
        if highest > limit:
            beyond.append(f"{name} up to {highest:.3g}, in epoch {epoch}")
    for (name, loss), style in zip(baselines.items(), cycle((":", "--", "-.")), strict=False):
        if loss > limit:
            beyond.append(f"{name} at {loss:.3g}")
        else:
            panel.axhline(
                loss, linestyle=style, linewidth=1, color="grey", label=f"{name}: {loss:.3g}"
            )
    if beyond:
        drawn = [*baselines.values(), *(value for points in curves.values() for _, value in points)]
        low, high = min(drawn), max(value for value in drawn if value <= limit)
        room = MARGIN * (high - low or abs(high) or 1)
        panel.set_ylim(low - room, high + room)
        panel.set_title("beyond the drawing: " + "\n".join(beyond), fontsize=8, loc="left")
    if curves:
        epochs = [epoch for points in curves.values() for epoch, _ in points]
        panel.set_xlim(min(epochs, default=1) - 0.5, max(epochs, default=1) + 0.5)
        panel.legend(
            frameon=False, fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.12)
        )


def _reach(points):
    """How high what is no spike may be, beside this curve"""
    values = sorted(value for _, value in points)
    usual = values[: len(values) - len(values) // 5]
    return 0.0 if not values else ROOM * usual[-1] if usual[-1] > 0 else values[-1]
