"""The picture of the curves, read back from matplotlib's objects."""

import numpy as np
import pytest

from minidl.training import log

pytest.importorskip("matplotlib")


def panels(monkeypatch, tmp_path, losses, baselines):
    """The left and the right panel, for these validation losses"""
    rows = [
        {
            "epoch": epoch,
            "step": epoch,
            "loss": 1.0 / epoch,
            "validation_loss": loss,
            "accuracy": 0.5,
        }
        for epoch, loss in enumerate(losses, 1)
    ]
    figures, save_figure = [], log.save_figure

    def save(figure, path):
        save_figure(figure, path)
        figures.append(figure)

    monkeypatch.setattr(log, "save_figure", save)
    log.plot_curves(tmp_path / "curves.png", rows, baselines)
    assert (tmp_path / "curves.png").stat().st_size > 5000
    return figures[0].axes


def test_a_spike_and_a_distant_baseline_are_cut_off_and_named(monkeypatch, tmp_path):
    losses, baselines = [1.2, 0.9, 300.0, 0.7, 0.6, 0.5], {"guessing": 2.0, "collapsed": 50.0}
    left, right = panels(monkeypatch, tmp_path, losses, baselines)
    low, high = left.get_ylim()
    assert -0.5 < low < 1 / 6 and 2.0 < high < 3
    title = left.get_title(loc="left")
    assert "validation loss up to 300, in epoch 3" in title
    assert "collapsed at 50" in title and "guessing" not in title
    assert right.get_title(loc="left") == ""


def test_a_curve_that_falls_from_a_high_value_is_not_cut_off(monkeypatch, tmp_path):
    left, _ = panels(monkeypatch, tmp_path, [3.0, 1.5, 0.8, 0.7, 0.6, np.nan], {"guessing": 2.0})
    assert left.get_title(loc="left") == "" and left.get_ylim()[1] > 3


@pytest.mark.parametrize("epochs", [1, 2, 3, 30])
def test_the_ticks_are_integers(epochs, monkeypatch, tmp_path):
    left, _ = panels(monkeypatch, tmp_path, [1.0] * epochs, {})
    ticks = left.get_xticks()
    assert len(ticks) > 0 and np.array_equal(ticks, np.rint(ticks))


def test_the_legend_is_below_the_curves(monkeypatch, tmp_path):
    for panel in panels(monkeypatch, tmp_path, [1.0, 0.5], {"guessing": 2.0}):
        assert panel.get_legend().get_window_extent().y1 < panel.get_window_extent().y0
