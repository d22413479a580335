"""What the picture of the curves shows, as matplotlib's own objects tell it."""

import numpy as np
import pytest

from minidl.training import log

pytest.importorskip("matplotlib")


def panels(monkeypatch, tmp_path, losses, baselines):
    """The two drawings, of these validation losses"""
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
    kept = []
    save = log.save_figure
    monkeypatch.setattr(
        log, "save_figure", lambda figure, path: (save(figure, path), kept.append(figure))
    )
    log.plot_curves(tmp_path / "curves.png", rows, baselines)
    assert (tmp_path / "curves.png").stat().st_size > 5000
    return kept[0].axes


def test_a_spike_and_a_far_baseline_do_not_flatten_the_curves(monkeypatch, tmp_path):
    left, right = panels(
        monkeypatch,
        tmp_path,
        [1.2, 0.9, 300.0, 0.7, 0.6, 0.5],
        {"guessing": 2.0, "collapsed": 50.0},
    )
    low, high = left.get_ylim()
    assert -0.5 < low < 1 / 6 and 2.0 < high < 3
    told = left.get_title(loc="left")
    assert (
        "validation loss up to 300, in epoch 3" in told
        and "collapsed at 50" in told
        and "guessing" not in told
    )
    assert right.get_title(loc="left") == ""


def test_what_falls_from_a_height_is_not_cut(monkeypatch, tmp_path):
    left, _ = panels(monkeypatch, tmp_path, [3.0, 1.5, 0.8, 0.7, 0.6, np.nan], {"guessing": 2.0})
    assert left.get_title(loc="left") == "" and left.get_ylim()[1] > 3


@pytest.mark.parametrize("epochs", [1, 2, 3, 30])
def test_epochs_are_whole(epochs, monkeypatch, tmp_path):
    left, _ = panels(monkeypatch, tmp_path, [1.0] * epochs, {})
    ticks = left.get_xticks()
    assert len(ticks) > 0 and np.array_equal(ticks, np.rint(ticks))


def test_no_line_goes_through_the_legend(monkeypatch, tmp_path):
    for panel in panels(monkeypatch, tmp_path, [1.0, 0.5], {"guessing": 2.0}):
        assert panel.get_legend().get_window_extent().y1 < panel.get_window_extent().y0
