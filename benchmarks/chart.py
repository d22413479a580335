"""A bar chart of ratios."""

from minidl.plots import new_figure, save_figure


def draw(path, ratios, title, note=""):
    """ratios: [(label, ratio)], drawn from the top, on white; those below 1, where minidl is
    behind, in another colour."""
    labels, values = zip(*ratios, strict=True)
    places = range(len(values), 0, -1)
    figure, axes = new_figure(9, 1.2 + 0.3 * len(values))
    bars = axes.barh(
        places, values, color=["tab:blue" if value >= 1 else "tab:orange" for value in values]
    )
    axes.bar_label(bars, [f"{value:.2f}" for value in values], padding=3)
    axes.axvline(1, color="black", linewidth=1)
    axes.set(yticks=list(places), yticklabels=labels, xlim=(0, 1.15 * max(values)))
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, fontsize=11)
    figure.supxlabel(note, fontsize=8)
    save_figure(figure, path)
