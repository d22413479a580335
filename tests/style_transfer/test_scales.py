"""Scales: their sizes and steps, what one hands on to the next, and runs that are interrupted."""

import numpy as np
import pytest

from minidl.data import write_image
from minidl.errors import ArgumentError, FileError
from minidl.style_transfer import Painter, Settings, resume, stylize
from minidl.style_transfer.scales import carried, resampled, scale_sizes, style_size

pytestmark = pytest.mark.usefixtures("paint_with_the_small_model", "small_scales")

rng = np.random.default_rng(0)
LARGE = rng.uniform(0, 255, (160, 188, 3)).astype(np.float32)
STYLE = rng.uniform(0, 255, (90, 140, 3)).astype(np.float32)


def test_a_scale_has_twice_the_size_of_the_one_before():
    assert scale_sizes((1000, 512, 3), 4) == [(125, 64), (250, 128), (500, 256), (1000, 512)]
    assert scale_sizes((1000, 510, 3), 4) == [(250, 128), (500, 255), (1000, 510)]
    assert scale_sizes((20, 28, 3), 3) == [(20, 28)]
    assert scale_sizes((1000, 500, 3), 1) == [(1000, 500)]


def test_each_scale_takes_twice_the_steps_of_the_next():
    steps = []
    painting = stylize(LARGE, STYLE, steps=3, scales=3, callback=steps.append)
    assert [len(losses) for losses in painting.losses] == [6, 3]
    assert [step.image.shape[:2] for step in steps] == [(80, 94)] * 6 + [(160, 188)] * 3
    assert [step.number for step in steps] == list(range(1, 10))
    assert {step.total for step in steps} == {9}
    assert painting.image.shape == LARGE.shape


def test_a_scale_begins_with_the_enlarged_picture_of_the_one_before():
    steps = []
    stylize(LARGE, STYLE, steps=3, callback=steps.append)
    enlarged = np.clip(resampled(steps[5].best, (160, 188)), 0, 255)
    np.testing.assert_array_equal(steps[6].image, enlarged)


def test_a_narrow_style_is_not_reduced():
    assert style_size((20, 140, 3), 0.5) == (20, 140)
    assert stylize(LARGE, STYLE[:20], steps=1, style_layers={"conv5_1": 1.0}).steps == 3


def test_resampling_keeps_constants_and_negative_numbers():
    numbers = np.full((5, 6, 2), [-7.5, 300.25], np.float32)
    np.testing.assert_allclose(resampled(numbers, (10, 9)), np.full((10, 9, 2), [-7.5, 300.25]))


def test_gradients_of_a_larger_picture_are_smaller():
    """Where a picture is constant, each pixel of one of twice the size has a quarter of the
    gradient."""
    state = {"steps": 7, "m/0": np.full((4, 4, 3), 8.0), "v/0": np.full((4, 4, 3), 32.0)}
    after = carried(state, (4, 4), (8, 8))
    np.testing.assert_allclose(after["m/0"], np.full((8, 8, 3), 2.0))
    np.testing.assert_allclose(after["v/0"], np.full((8, 8, 3), 2.0))
    assert after["steps"] == 7


def test_adam_keeps_its_averages_from_scale_to_scale(monkeypatch):
    def begin_anew(state, *sizes):
        arrays = {name: np.zeros((160, 188, 3)) for name in state if "/" in name}
        return state | arrays

    options = {"steps": 3, "optimizer": "adam"}
    kept = stylize(LARGE, STYLE, **options).image
    monkeypatch.setattr("minidl.style_transfer.run.carried", begin_anew)
    assert abs(stylize(LARGE, STYLE, **options).image - kept).max() > 1


@pytest.mark.thorough
@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
@pytest.mark.parametrize("stop", [3, 5, 7, 9])  # before, at and after the change of the scale
def test_a_resumed_run_gives_the_bytes_of_an_unbroken_one(tmp_path, optimizer, stop):
    def interrupt(step):
        if step.number == stop:
            raise KeyboardInterrupt

    options = {"steps": 3, "optimizer": optimizer}
    unbroken = stylize(LARGE, STYLE, **options)
    checkpoint = tmp_path / "run.checkpoint"
    stylize(LARGE, STYLE, callback=interrupt, checkpoint=checkpoint, every=2, **options)
    resumed = resume(checkpoint)
    assert resumed.image.tobytes() == unbroken.image.tobytes()
    assert resumed.losses == unbroken.losses and resumed.record == unbroken.record
    again = resume(checkpoint)  # of a complete run
    assert again.image.tobytes() == unbroken.image.tobytes()


def test_an_interruption_at_a_coarse_scale_gives_a_picture_of_the_full_size():
    def interrupt(step):
        if step.number == 2:
            raise KeyboardInterrupt

    painting = stylize(LARGE, STYLE, steps=3, callback=interrupt)
    assert painting.image.shape == LARGE.shape and painting.steps == 2


def test_files_that_are_no_checkpoints_are_refused(tmp_path):
    with pytest.raises(FileError, match="there is no such checkpoint"):
        resume(tmp_path / "missing")
    (tmp_path / "text").write_text("no HDF5")
    with pytest.raises(FileError, match="is not a complete checkpoint"):
        resume(tmp_path / "text")


def test_other_weights_than_those_of_the_first_run_are_refused(tmp_path):
    checkpoint, other = tmp_path / "run.checkpoint", tmp_path / "other.h5"
    stylize(LARGE, STYLE, steps=2, scales=1, checkpoint=checkpoint)
    other.write_bytes(b"other")
    with pytest.raises(FileError, match="the weights of the first run were vgg19"):
        resume(checkpoint, weights=other)


def test_a_painting_does_not_depend_on_the_one_before(tmp_path):
    """The style of the first, reduced for its coarse scale, has the size of that of the second."""
    write_image(tmp_path / "style.png", STYLE)
    painter, alone = (Painter(tmp_path / "style.png", Settings(steps=2)) for _ in range(2))
    first, second = LARGE[:128, :160], LARGE[:60, :100]
    assert style_size(STYLE.shape, 0.5) == (64, 100)
    painter.paint(first)
    assert painter.paint(second).image.tobytes() == alone.paint(second).image.tobytes()


@pytest.mark.parametrize("every", [0, -1])
def test_checkpoints_are_written_after_at_least_one_step(tmp_path, every):
    with pytest.raises(ArgumentError, match="wanted a whole number of at least 1"):
        stylize(LARGE, STYLE, checkpoint=tmp_path / "run", every=every)
