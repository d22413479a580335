"""`minidl stylize`: the painting, its settings, and their record."""

import json
import os

import numpy as np
import pytest

from minidl.cli.stylize import DEMO
from minidl.data import read_image, read_metadata
from minidl.style_transfer import PRESETS
from tests.cli.stylize.commands import settings_of, stylize, stylize_line


def test_two_pictures_make_a_third(capsys):
    assert stylize("-o", "painted.png") == 0
    assert read_image("painted.png").shape == (20, 32, 3)
    assert capsys.readouterr() == ("", "")


def test_without_pictures_a_shipped_photograph_is_painted(capsys):
    assert stylize_line("--size 24 --steps 2") == 0
    out = capsys.readouterr().out
    content, style = DEMO
    sizes = f"{content}.png (451x300, painted at 24x16)"
    assert f"painting {sizes} in the style of {style}.webp, on the CPU" in out
    assert f"the painting is in {content}-as-{style}.png" in out
    assert read_image(f"{content}-as-{style}.png").shape == (16, 24, 3)


def test_small_pictures_are_not_enlarged(capsys):
    assert stylize_line("photo.png painting.jpg --size 500 --steps 2 -o painted.png") == 0
    assert read_image("painted.png").shape == (40, 64, 3)
    assert "64x40; smaller than 500 and not enlarged" in capsys.readouterr().out


def test_the_size_of_the_photograph():
    assert stylize("-o", "painted.png", "--size", "full") == 0
    assert read_image("painted.png").shape == (40, 64, 3)
    assert settings_of("painted.png")["size"] is None


@pytest.mark.parametrize("name", ["painted.png", "painted.jpg", "painted.webp"])
def test_the_record_is_stored_in_the_picture(name):
    assert stylize("-o", name, "--content-weight", 7, "--seed", 3) == 0
    record = read_metadata(name)
    assert record["settings"]["content_weight"] == 7 and record["settings"]["seed"] == 3
    assert record["content"]["name"] == "photo.png" and len(record["content"]["sha256"]) == 64
    assert record["styles"][0]["name"] == "painting.jpg" and len(record["weights"]["sha256"]) == 64
    assert record["steps_done"] == 2 and record["loss"] > 0
    command = f"minidl stylize photo.png painting.jpg --size 32 --steps 2 -q -o {name} "
    assert record["command"].startswith(command)


def test_the_record_is_plain_json():
    assert stylize("-o", "painted.png") == 0
    record = json.loads(json.dumps(read_metadata("painted.png")))
    assert record["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize(
    ("option", "value", "setting", "stored"),
    [
        ("--optimizer", "adam", "optimizer", "adam"),
        ("--learning-rate", "0.5", "learning_rate", 0.5),
        ("--content-weight", "1", "content_weight", 1),
        ("--style-weight", "1e-3", "style_weight", 1e-3),
        ("--tv-weight", "1", "tv_weight", 1),
        ("--pooling", "max", "pooling", "max"),
        ("--start", "noise", "start", "noise"),
        ("--start", "style", "start", "style"),
        ("--start", "other.webp", "start", "other.webp"),
        ("--content-layers", "conv3_1", "content_layers", {"conv3_1": 1}),
        (
            "--style-layers",
            "conv1_1=2,block2_conv1=0.5",
            "style_layers",
            {"conv1_1": 2, "block2_conv1": 0.5},
        ),
        ("--content-normalization", "half", "content_normalization", "half"),
        ("--style-normalization", "gatys", "style_normalization", "gatys"),
        ("--tv-normalization", "power", "tv_normalization", "power"),
    ],
)
def test_every_setting_is_used_and_stored(option, value, setting, stored):
    base = ["--steps", 3, "--learning-rate", 5, "--tv-weight", 1e5, "--content-weight", 1e4]
    if option != "--start":
        base += ["--start", "noise"]
    if option != "--optimizer":
        base += ["--optimizer", "adam"]  # its first steps are long enough to change pixels
    assert stylize("-o", "plain.png", *base) == 0
    assert stylize("-o", "chosen.png", *base, option, value) == 0
    assert settings_of("chosen.png")[setting] == stored != settings_of("plain.png")[setting]
    assert (read_image("chosen.png") != read_image("plain.png")).any()


def test_noise_and_seed_are_used():
    commands = {"a": (), "again": (), "seed": ("--seed", 1), "half": ("--noise", 0.5)}
    for name, options in commands.items():
        assert stylize("-o", f"{name}.png", "--start", "noise", *options) == 0
    images = {name: read_image(f"{name}.png") for name in commands}
    np.testing.assert_array_equal(images["a"], images["again"])
    assert (images["a"] != images["seed"]).any() and (images["a"] != images["half"]).any()


def test_several_styles_with_weights():
    pictures = ("photo.png", "painting.jpg", "other.webp")
    for name, blend in {"first": "1,0", "second": "0,1", "both": "1,3"}.items():
        options = ("--style-blend", blend, "--optimizer", "adam", "--learning-rate", 5)
        assert stylize("-o", f"{name}.png", *options, pictures=pictures) == 0
    first, second, both = (read_image(f"{name}.png") for name in ("first", "second", "both"))
    assert (first != second).any() and (first != both).any()
    assert read_metadata("both.png")["style_weights"] == [1, 3]


@pytest.mark.parametrize("preset", PRESETS)
def test_options_replace_settings_of_a_preset(preset):
    assert stylize("-o", "painted.png", "--preset", preset, "--content-weight", 1.5) == 0
    stored, wanted = settings_of("painted.png"), PRESETS[preset]
    assert stored["content_weight"] == 1.5 and stored["steps"] == 2
    for name in ("optimizer", "pooling", "start"):
        assert stored[name] == getattr(wanted, name)


def test_another_optimizer_than_that_of_the_preset_has_its_own_learning_rate():
    assert stylize("-o", "painted.png", "--preset", "coursera", "--optimizer", "lbfgs") == 0
    assert settings_of("painted.png")["learning_rate"] is None


def test_late_steps_have_their_own_learning_rate():
    late = ("--late-learning-rate", 1e-9, "--late-steps", 2)
    for name, options in {"all": (), "late": late}.items():
        assert stylize("-o", f"{name}.png", "--optimizer", "adam", "--steps", 4, *options) == 0
    assert (read_image("all.png") != read_image("late.png")).any()


def test_the_same_command_gives_the_same_pixels():
    for name in ("a.png", "b.png"):
        assert stylize("-o", name, "--start", "noise") == 0
    np.testing.assert_array_equal(read_image("a.png"), read_image("b.png"))


def test_options_between_the_pictures():
    line = "photo.png -o painted.png painting.jpg --size 32 --steps 2 -q other.webp"
    assert stylize_line(line) == 0
    styles = read_metadata("painted.png")["styles"]
    assert [style["name"] for style in styles] == ["painting.jpg", "other.webp"]


def test_a_list_ends_at_the_pictures():
    layers = "--style-layers conv1_1 conv2_1=2"
    line = f"--size 32 --steps 2 -q {layers} photo.png painting.jpg -o a.png"
    assert stylize_line(line) == 0
    assert settings_of("a.png")["style_layers"] == {"conv1_1": 1, "conv2_1": 2}


def test_a_file_name_may_contain_a_comma():
    os.rename("photo.png", "a.jpg,b.png")
    assert stylize("-o", "painted.png", pictures=("a.jpg,b.png", "painting.jpg")) == 0


def test_steps_that_diverge_keep_the_best_picture(capsys):
    options = ("--optimizer", "sgd", "--learning-rate", "1e30", "--steps", 5)
    assert stylize("-o", "painted.png", *options) == 2
    assert "the loss is" in capsys.readouterr().err
    assert np.isfinite(read_image("painted.png")).all()


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (
            "--optimizer adam --learning-rate 1e4 --steps 4",
            "take a learning rate below 10000, or more steps",
        ),
        ("--steps 1", "one step only evaluates the start: take more steps"),
    ],
)
@pytest.mark.parametrize("quiet", ["-q", ""])
def test_no_improvement_is_reported_with_exit_code_2(capsys, options, advice, quiet):
    assert stylize_line(f"photo.png painting.jpg -o painted.png {options} {quiet}") == 2
    out, error = capsys.readouterr()
    assert "minidl: nothing improved in" in error
    assert f"{advice}; painted.png holds the picture at the start\n" in error
    assert error.count("nothing improved") == 1 and "done" not in out
    np.testing.assert_array_equal(read_image("painted.png"), read_image("photo.png"))
