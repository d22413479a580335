"""A bar chart of ratios."""

from minidl.plots import new_figure, save_figure


def draw(path, ratios, title, note=""):
    """Draw ratios [(label, ratio)] as bars, the first at the top, and save them at a path.

    Ratios below 1, for which minidl needs more, have another colour. note: a line below the axis.
    """
    labels, values = zip(*ratios, strict=True)
    positions = range(len(values), 0, -1)
    colors = ["tab:blue" if value >= 1 else "tab:orange" for value in values]
    figure = new_figure(9, 1.2 + 0.3 * len(values))
    axes = figure.subplots()
    bars = axes.barh(positions, values, color=colors)
    axes.bar_label(bars, [f"{value:.2f}" for value in values], padding=3)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(yticks=list(positions), yticklabels=labels, xlim=(0, 1.15 * max(values)))
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11)
    figure.supxlabel(note, fontsize=8)
    save_figure(figure, path)
