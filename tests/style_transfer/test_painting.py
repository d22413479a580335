"""Painting goes downhill, begins where it was told to, is the same twice, and leaves a true record."""

import csv
import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from minidl import Tensor
from minidl.data import read_image, read_metadata, write_image
from minidl.errors import ArgumentError, NonFiniteError
from minidl.style_transfer import PRESETS, Settings, paint, stylize
from minidl.style_transfer.painting import starting_picture
from minidl.style_transfer.record import plot_log, row, write_log

pytestmark = pytest.mark.usefixtures("paint_with_the_small_model")


@pytest.mark.parametrize(("optimizer", "rate"), [("lbfgs", 1.0), ("adam", 5.0), ("sgd", 5e-3)])
def test_the_loss_falls(content, style, optimizer, rate):
    painting = stylize(content, style, optimizer=optimizer, learning_rate=rate, steps=25)
    totals = [losses.total for losses in painting.losses]
    assert len(totals) == 25
    assert min(totals) < 0.5 * totals[0]
    assert painting.image.shape == content.shape
    assert painting.image.min() >= 0 and painting.image.max() <= 255


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(content, style):
    first, again, other = (stylize(content, style, start="noise", steps=4, seed=seed).image for seed in (1, 1, 2))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_starts(content, style, small_model, tmp_path):
    def start(word, noise=1.0):
        return starting_picture(content, [style], small_model, Settings(start=word, noise=noise))

    mean = np.array([124.0, 117.0, 104.0])
    np.testing.assert_array_equal(start("content"), content)
    assert abs(start("noise") - mean).max() <= 20
    np.testing.assert_allclose(start("noise", 0.6), 0.6 * start("noise") + 0.4 * content, rtol=1e-5)
    assert start("style").shape == content.shape
    write_image(tmp_path / "begun.png", np.full((7, 9, 3), 50.0))
    np.testing.assert_array_equal(start(str(tmp_path / "begun.png")), np.full(content.shape, 50))
    assert all(start(word).dtype == np.float32 for word in ("content", "noise", "style"))


def test_the_callback_sees_every_step_and_the_best_picture_is_kept(content, style):
    steps = []
    painting = stylize(content, style, optimizer="adam", learning_rate=40.0, steps=8, callback=steps.append)
    assert [step.number for step in steps] == list(range(1, 9))
    best = min(steps, key=lambda step: step.losses.total)
    np.testing.assert_array_equal(painting.image, np.clip(best.image, 0, 255))
    np.testing.assert_array_equal(steps[0].image, content)


def test_the_late_learning_rate_comes_late(content, style, small_model):
    settings = Settings(optimizer="sgd", learning_rate=1e-6, late_learning_rate=1e-20, late_steps=2, steps=5)
    images = [step.image for step in paint(content, [style], settings, model=small_model)]
    moved = [abs(after - before).max() > 0 for before, after in pairwise(images)]
    assert moved == [True, True, False, False]


def test_a_step_that_leads_nowhere_is_named(content, style):
    painting = stylize(content, style, optimizer="sgd", learning_rate=1e30, steps=5)
    assert isinstance(painting.trouble, NonFiniteError)
    assert "at step 2; try a learning rate below 1e+30" in str(painting.trouble)
    np.testing.assert_array_equal(painting.image, content)
    with pytest.raises(NonFiniteError, match="at step 1; look at the pictures"):
        stylize(np.full_like(content, np.nan), style, steps=5)


def test_a_step_that_was_taken_back_leaves_no_nan_in_the_record(content, style, tmp_path):
    painting = stylize(content, style, steps=4)
    lost = painting.losses[1]._replace(total=float("nan"))
    painting = replace(painting, losses=[lost, *painting.losses])
    painting.save(tmp_path / "painted.png")
    assert (
        read_metadata(tmp_path / "painted.png")["loss"]
        == painting.lowest
        == min(losses.total for losses in painting.losses[1:])
    )


def test_an_interruption_leaves_the_best_picture_so_far(content, style):
    def stop(step):
        if step.number == 3:
            raise KeyboardInterrupt

    painting = stylize(content, style, steps=9, callback=stop)
    assert isinstance(painting.trouble, KeyboardInterrupt) and len(painting.losses) == 3
    assert stylize(content, style, steps=1).trouble is None


def test_a_step_keeps_no_tape(content, style, small_model):
    """Ten steps need no more memory than two. (In pictures of this size activations outweigh the record of the losses.)"""
    content, style = (np.tile(picture, (3, 3, 1)) for picture in (content, style))

    def peak(steps):
        tracemalloc.start()
        kept = list(paint(content, [style], Settings(steps=steps, optimizer="adam"), model=small_model))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size - sum(step.image.nbytes for step in kept)

    peak(2)  # what is imported and cached on the way
    assert peak(12) < 1.2 * peak(3)


def test_it_stops_when_nothing_changes_any_more(content):
    painting = stylize(content, content, tv_weight=0.0, steps=50)
    assert len(painting.losses) < 50


def test_settings_presets_and_files_work_from_python(content, style, tmp_path):
    for name, image in (("content.png", content), ("style.png", style)):
        write_image(tmp_path / name, image)
    styles = [tmp_path / "style.png", style]
    painting = stylize(tmp_path / "content.png", styles, PRESETS["coursera"], style_weights=[2, 1], steps=2)
    painting.save(tmp_path / "painted.png")
    record = read_metadata(tmp_path / "painted.png")
    assert record["settings"]["content_weight"] == 10.0 and record["settings"]["optimizer"] == "adam"
    assert record["steps_done"] == 2 and set(record["versions"]) == {"minidl", "numpy", "pillow", "python"}
    assert record["content"]["name"] == "content.png" and record["styles"][1]["shape"] == list(style.shape)
    assert record["style_weights"] == [2, 1] and len(record["weights"]["sha256"]) == 64
    assert read_image(tmp_path / "painted.png").shape == content.shape


def test_arrays_are_made_smaller_like_files(content, style):
    assert stylize(content, style, size=24, steps=1).image.shape == (17, 24, 3)


def test_the_learning_rate_follows_the_optimiser():
    rates = [Settings(optimizer=name).make_optimizer([Tensor([1.0], True)]).learning_rate for name in ("lbfgs", "adam")]
    assert rates == [1.0, 5.0]
    with pytest.raises(ArgumentError, match="'sgd' without a learning rate"):
        Settings(optimizer="sgd")


def test_the_log_is_a_row_an_evaluation_and_adds_up(content, style, small_model, tmp_path):
    settings = Settings(steps=3, tv_weight=1e-3)
    rows = [row(step) for step in paint(content, [style], settings, model=small_model)]
    write_log(tmp_path / "losses.csv", rows)
    with open(tmp_path / "losses.csv", newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == [
        "step", "total", "content", "style", "content_conv4_2", *(f"style_conv{i}_1" for i in range(1, 6)),
        "total_variation", "seconds",
    ]  # fmt: skip
    assert [int(r["step"]) for r in read] == [1, 2, 3]
    for r in read:
        parts = float(r["content"]) + float(r["style"]) + float(r["total_variation"])
        assert parts == pytest.approx(float(r["total"]), rel=1e-5)


def test_the_curves_are_drawn(content, style, small_model, tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    rows = [row(step) for step in paint(content, [style], Settings(steps=3), model=small_model)]
    plot_log(tmp_path / "curves.png", rows)
    image = read_image(tmp_path / "curves.png")
    assert image.shape[0] > 300 and image.std() > 5
