"""Painting: the loss, starts, errors, warnings, the record and reproducibility."""

import csv
import json
import tracemalloc
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from minidl import Tensor
from minidl.data import read_image, read_metadata, resize, write_image
from minidl.engine import threads as cores
from minidl.errors import ArgumentError, MinidlWarning, NonFiniteError, ShapeError
from minidl.style_transfer import PRESETS, Losses, Objective, Settings, paint, stylize
from minidl.style_transfer.record import plot_log, row, write_log
from minidl.style_transfer.run import _inwards, starting_picture

pytestmark = pytest.mark.usefixtures("paint_with_the_small_model")


@pytest.mark.parametrize(("optimizer", "rate"), [("lbfgs", 1.0), ("adam", 5.0), ("sgd", 5e-3)])
def test_the_loss_decreases(content, style, optimizer, rate):
    options = {"optimizer": optimizer, "learning_rate": rate, "tv_weight": 1500.0}
    painting = stylize(content, style, steps=25, content_weight=10.0, **options)
    totals = [losses.total for losses in painting.losses[0]]
    assert len(totals) == 25
    assert min(totals) < 0.5 * totals[0]
    assert painting.image.shape == content.shape
    assert painting.image.min() >= 0 and painting.image.max() <= 255


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(content, style):
    first, again, other = (
        stylize(content, style, start="noise", steps=4, seed=seed).image for seed in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_starts(content, style, small_model, tmp_path):
    def start(word, noise=1.0):
        return starting_picture(content, [style], small_model, Settings(start=word, noise=noise))

    mean = np.array([124.0, 117.0, 104.0])
    np.testing.assert_array_equal(start("content"), content)
    assert abs(start("noise") - mean).max() <= 20
    np.testing.assert_allclose(start("noise", 0.6), 0.6 * start("noise") + 0.4 * content, rtol=1e-5)
    assert start("style").shape == content.shape
    write_image(tmp_path / "start.png", np.full((7, 9, 3), 50.0))
    np.testing.assert_array_equal(start(str(tmp_path / "start.png")), np.full(content.shape, 50))
    assert all(start(word).dtype == np.float32 for word in ("content", "noise", "style"))


def test_the_callback_receives_every_step_and_the_best_picture_is_returned(content, style):
    steps = []
    painting = stylize(
        content, style, optimizer="adam", learning_rate=40.0, steps=8, callback=steps.append
    )
    assert [step.number for step in steps] == list(range(1, 9))
    best = min(steps, key=lambda step: step.losses.total)
    np.testing.assert_array_equal(painting.image, np.clip(best.image, 0, 255))
    np.testing.assert_array_equal(steps[0].image, content)


def test_the_late_learning_rate_is_used_in_the_last_steps(content, style, small_model):
    settings = Settings(
        optimizer="sgd", learning_rate=1e-6, late_learning_rate=1e-20, late_steps=2, steps=5
    )
    images = [step.image for step in paint(content, [style], settings, model=small_model)]
    moved = [abs(after - before).max() > 0 for before, after in pairwise(images)]
    assert moved == [True, True, False, False]


@pytest.mark.parametrize(("optimizer", "rate"), [("lbfgs", 1.0), ("adam", 40.0), ("sgd", 5e-3)])
def test_the_loss_is_that_of_the_saved_picture(
    content, style, small_model, tmp_path, optimizer, rate
):
    settings = Settings(optimizer=optimizer, learning_rate=rate, steps=12, content_weight=10.0)
    style = 255 * np.rint(style / 255)  # strong contrasts, whose gradients lead out of 0..255
    steps = []
    painting = stylize(content, style, settings, callback=steps.append)
    for step in steps:
        assert step.image.min() >= 0 and step.image.max() <= 255
    painting.save(tmp_path / "painted.png")
    saved = read_image(tmp_path / "painted.png")
    objective = Objective(small_model, content, [style], settings)
    assert Losses.read(*objective(Tensor(saved))).total == pytest.approx(painting.lowest, rel=1e-6)
    metadata = read_metadata(tmp_path / "painted.png")
    assert metadata["loss"] == painting.lowest < steps[0].losses.total
    best = min(steps, key=lambda step: step.losses.total)
    of_best = Losses.read(*objective(Tensor(best.image)))
    assert of_best.total == pytest.approx(best.losses.total, rel=1e-6)


def test_a_gradient_that_leads_out_of_0_to_255_is_set_to_0():
    x, g = np.array([0.0, 0.0, 255.0, 255.0, 9.0, 9.0]), np.array([1.0, -2.0, 3.0, -4.0, 5.0, -6.0])
    np.testing.assert_array_equal(_inwards(x, g), [0, -2, 3, 0, 5, -6])


def test_a_larger_style_is_reduced_to_the_size_of_the_painting(content, style, tmp_path):
    large = resize(style, 90, 70)
    write_image(tmp_path / "large.png", large)
    for source in (large, tmp_path / "large.png"):
        paintings = [
            stylize(content, source, size=size, steps=3).image for size in (28, 40, 1000, None)
        ]
        for other in paintings[1:]:
            np.testing.assert_array_equal(paintings[0], other)
        smaller = stylize(content, resize(large, 28, 22), steps=3).image
        np.testing.assert_allclose(paintings[0], smaller, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"optimizer": "adam", "learning_rate": 1e4},
            "in 4 steps: .* take a learning rate below 10000, or more steps",
        ),
        ({"steps": 1}, "in 1 step: .* one step only evaluates the start: take more steps"),
        (
            {"style": "content", "tv_weight": 0.0},
            "the start, 0; take another start, style or weights",
        ),
    ],
)
def test_no_improvement_warns_with_advice(content, style, options, words):
    with pytest.warns(MinidlWarning, match=f"nothing improved .*{words}") as caught:
        options = {"style": style, "steps": 4, **options}
        if isinstance(options["style"], str):
            options["style"] = content
        painting = stylize(content, **options)
    assert len(caught) == 1 and not painting.improved
    np.testing.assert_array_equal(painting.image, content)


def test_an_improvement_that_is_lost_in_rounding_warns(content, style):
    with pytest.warns(
        MinidlWarning,
        match="the changes of 3 steps were lost in rounding to 8 bits; take more steps",
    ):
        painting = stylize(np.rint(content), style, optimizer="sgd", learning_rate=1e-7, steps=3)
    assert painting.improved
    np.testing.assert_array_equal(np.rint(painting.image), np.rint(content))


def test_a_painting_that_improved_does_not_warn(content, style, recwarn):
    assert stylize(content, style, steps=5).improved and not recwarn.list


WRONG_PICTURES = {
    "0 to 1": (lambda picture: picture / 255, ArgumentError, "if 1 is white, multiply it by 255"),
    "a NaN": (
        lambda picture: np.where(np.arange(3) == 1, np.nan, picture),
        NonFiniteError,
        "holds NaN or infinite pixels",
    ),
    "grey": (lambda picture: picture[..., 0], ShapeError, "has shape"),
    "a batch": (lambda picture: picture[None], ShapeError, "has shape"),
    "nothing": (lambda picture: None, ArgumentError, "wanted"),
}


@pytest.mark.parametrize(
    ("change", "error", "words"), WRONG_PICTURES.values(), ids=WRONG_PICTURES.keys()
)
@pytest.mark.parametrize("where", ["content", "style 1", "style 2", "start"])
def test_arrays_that_are_not_pictures_are_refused_by_name(
    content, style, where, change, error, words
):
    pictures = {"content": content, "style 1": style, "style 2": style, "start": content}
    pictures[where] = change(pictures[where])
    with pytest.raises(error, match=f"{where} .*{words}") as caught:
        stylize(
            pictures["content"],
            [pictures["style 1"], pictures["style 2"]],
            start=pictures["start"],
            steps=1,
        )
    assert len(str(caught.value)) < 200


def test_pictures_of_16_bits_are_those_of_8(content, style):
    content, style = np.rint(content), np.rint(style)
    shallow = stylize(content.astype(np.uint8), style, steps=2)
    deep = stylize(content.astype(np.uint16) * 257, style.astype(np.uint16) * 257, steps=2)
    np.testing.assert_array_equal(shallow.image, deep.image)


def test_the_error_names_the_picture_that_is_too_small(content, style, tmp_path):
    write_image(tmp_path / "tiny.png", content[:9, :12])
    write_image(tmp_path / "wide.png", resize(content, 20, 100))
    write_image(tmp_path / "flat.png", resize(content, 10, 100))
    tiny, wide, flat = (tmp_path / f"{name}.png" for name in ("tiny", "wide", "flat"))
    for photograph, styles, size, words in (
        (
            content[:9],
            style,
            384,
            "the content: a picture of 28x9 is too small for block5_conv1, which needs at least "
            "16 pixels a side; take a larger picture or a shallower layer$",
        ),
        (content, [style, style[:, :8]], 384, "style 2: a picture of 8x24 is too small"),
        (tiny, style, 384, r"tiny\.png: a picture of 12x9 is too small"),
        (content, tiny, 384, r"tiny\.png: a picture of 12x9 is too small"),
        (
            wide,
            style,
            40,
            r"wide\.png: a picture of 40x8 .* shallower layer, or a size above 40$",
        ),
        (flat, style, 40, r"flat\.png: a picture of 100x10 is too small .* shallower layer$"),
        (
            content,
            resize(style, 20, 200),
            384,
            "style 1: a picture of 28x3 .*, or a size above 28$",
        ),
    ):
        with pytest.raises(ShapeError, match=words):
            stylize(photograph, styles, steps=1, size=size)
    shallow = {"style_layers": {"conv1_1": 1.0, "conv5_1": 0.0}, "content_layers": {"conv1_1": 1.0}}
    assert stylize(content, tmp_path / "tiny.png", steps=2, **shallow).image.shape == content.shape


def test_a_start_may_be_an_array(content, style, small_model):
    start = np.full((7, 9, 3), 50, np.uint8)
    result = starting_picture(content, [style], small_model, Settings(start=start))
    np.testing.assert_array_equal(result, np.full(content.shape, 50))
    same = starting_picture(content, [style], small_model, Settings(start=content[::-1]))
    np.testing.assert_array_equal(same, content[::-1])
    painting = stylize(content, style, start=start, steps=4)
    assert painting.record["start_picture"]["shape"] == [7, 9, 3]
    assert json.loads(json.dumps(painting.record))["settings"]["start"] == "an array"


@pytest.mark.parametrize(
    "wrong", [np.zeros((40, 40)), [[0] * 1000] * 1000, b"x" * 10**5], ids=["array", "list", "bytes"]
)
@pytest.mark.parametrize(
    "name",
    [
        "start",
        "optimizer",
        "pooling",
        "steps",
        "size",
        "content_weight",
        "style_layers",
        "learning_rate",
    ],
)
def test_no_message_prints_a_whole_array(name, wrong):
    with pytest.raises(ArgumentError, match=name) as caught:
        Settings(**{name: wrong})
    assert len(str(caught.value)) < 250


def test_a_loss_that_is_not_finite_is_reported_with_its_step(content, style):
    # The rate is infinite in float32, the gradient at a pixel of 0 is set to 0, and inf·0 is NaN.
    content = np.where(content < 60, 0, content)
    painting = stylize(content, style, optimizer="sgd", learning_rate=1e39, steps=5)
    assert isinstance(painting.trouble, NonFiniteError)
    assert "at step 2; try a learning rate below 1e+39" in str(painting.trouble)
    np.testing.assert_array_equal(painting.image, content)
    with pytest.raises(NonFiniteError, match="at step 1; look at the pictures"):
        stylize(content, style, style_weight=1e38, steps=5)


def test_a_step_that_was_undone_leaves_no_nan_in_the_record(content, style, tmp_path):
    painting = stylize(content, style, steps=4)
    [losses] = painting.losses
    undone = losses[1]._replace(total=float("nan"))
    painting = replace(painting, losses=[[undone, *losses]])
    painting.save(tmp_path / "painted.png")
    metadata = read_metadata(tmp_path / "painted.png")
    assert metadata["loss"] == painting.lowest < losses[0].total


def test_an_interrupted_painting_has_the_best_picture_until_then(content, style):
    def stop(step):
        if step.number == 3:
            raise KeyboardInterrupt

    painting = stylize(content, style, steps=9, callback=stop)
    assert isinstance(painting.trouble, KeyboardInterrupt) and painting.steps == 3
    assert stylize(content, style, steps=1).trouble is None


def test_a_step_keeps_no_tape(content, style, small_model, monkeypatch):
    """Twelve steps need no more memory than three. In pictures of this size the activations need
    much more memory than the list of losses. One thread is used, because others would allocate
    scratch memory at a later step."""
    monkeypatch.setattr(cores._pool, "size", 1)
    content, style = (np.tile(picture, (3, 3, 1)) for picture in (content, style))

    def peak(steps):
        tracemalloc.start()
        settings = Settings(steps=steps, optimizer="adam")
        kept = list(paint(content, [style], settings, model=small_model))
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size - sum(step.image.nbytes for step in kept)

    peak(2)  # imports modules and fills caches
    assert peak(12) < 1.2 * peak(3)


def test_painting_stops_when_the_optimiser_has_converged(content):
    painting = stylize(content, content, tv_weight=0.0, steps=50)
    assert painting.steps < 50


def test_presets_files_and_several_styles_from_python(content, style, tmp_path):
    for name, image in (("content.png", content), ("style.png", style)):
        write_image(tmp_path / name, image)
    styles = [tmp_path / "style.png", style]
    painting = stylize(
        tmp_path / "content.png", styles, PRESETS["coursera"], style_weights=[2, 1], steps=2
    )
    painting.save(tmp_path / "painted.png")
    record = read_metadata(tmp_path / "painted.png")
    settings = record["settings"]
    assert settings["content_weight"] == 10.0 and settings["optimizer"] == "adam"
    assert record["steps_done"] == 2
    assert set(record["versions"]) == {"minidl", "numpy", "pillow", "python"}
    assert record["content"]["name"] == "content.png"
    assert record["styles"][1]["shape"] == list(style.shape)
    assert record["style_weights"] == [2, 1] and len(record["weights"]["sha256"]) == 64
    assert read_image(tmp_path / "painted.png").shape == content.shape


def test_arrays_are_reduced_like_files(content, style):
    assert stylize(content, style, size=24, steps=1).image.shape == (17, 24, 3)


def test_the_default_learning_rate_depends_on_the_optimiser():
    rates = [
        Settings(optimizer=name).make_optimizer([Tensor([1.0], True)]).learning_rate
        for name in ("lbfgs", "adam")
    ]
    assert rates == [1.0, 5.0]
    with pytest.raises(ArgumentError, match="'sgd' without a learning rate"):
        Settings(optimizer="sgd")


def test_the_log_has_a_row_for_each_evaluation(content, style, small_model, tmp_path):
    settings = Settings(steps=3, tv_weight=1e-3)
    rows = [
        row(step.number, step.losses, step.seconds)
        for step in paint(content, [style], settings, model=small_model)
    ]
    write_log(tmp_path / "losses.csv", rows)
    with open(tmp_path / "losses.csv", newline="") as file:
        read = list(csv.DictReader(file))
    layers = ["content_conv3_2", "content_conv4_2", *(f"style_conv{i}_1" for i in range(1, 6))]
    sums = ["step", "total", "content", "style"]
    assert list(read[0]) == [*sums, *layers, "total_variation", "seconds"]
    assert [int(r["step"]) for r in read] == [1, 2, 3]
    for r in read:
        parts = float(r["content"]) + float(r["style"]) + float(r["total_variation"])
        assert parts == pytest.approx(float(r["total"]), rel=1e-5)


def test_the_curves_are_drawn(content, style, small_model, tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    rows = [
        row(step.number, step.losses, step.seconds)
        for step in paint(content, [style], Settings(steps=3), model=small_model)
    ]
    plot_log(tmp_path / "curves.png", rows)
    image = read_image(tmp_path / "curves.png")
    assert image.shape[0] > 300 and image.std() > 5


def test_a_callback_may_write_to_the_pictures_of_its_step(content, style):
    def overwrite(step):
        step.image[...] = 0
        step.best[...] = 0

    expected = stylize(content, style, steps=4)
    result = stylize(content, style, steps=4, callback=overwrite)
    np.testing.assert_array_equal(result.image, expected.image)
    assert result.losses == expected.losses and result.lowest == expected.lowest


def test_the_text_of_a_painting_is_short(content, style):
    assert len(repr(stylize(content, style, steps=2))) < 100
