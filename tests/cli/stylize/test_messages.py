"""`minidl stylize`: each mistake of a user gives one sentence that says what to do."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minidl.data import shipped_picture, write_image
from tests.cli.stylize.commands import refused, stylize, stylize_line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("-o nowhere/painted.png", "there is no folder"),
        ("-o folder.png", "'folder.png' is a folder"),
        ("-o painted.gif", "minidl writes"),
        ("--style-layers conv9_9", "no layer 'conv9_9'"),
        ("--style-layers Conv1_1", "did you mean 'conv1_1'?"),
        ("--size 15", "too small for block5_conv1"),
        ("--steps 0", "steps is 0"),
        ("--learning-rate 0", "learning_rate is 0.0"),
        ("--content-weight -1", "content_weight is -1.0"),
        ("--content-weight nan", "content_weight is nan"),
        ("--every 0", "--every is 0"),
        ("--style-blend 1,2", "weights of the styles are [1.0, 2.0]"),
        ("--start missing.png", "there is no such picture"),
        ("--start random", "--start is 'random'; did you mean 'noise'?"),
        ("--start Nosie", "--start is 'Nosie'; did you mean 'noise'?"),
        ("--start photo", "--start is 'photo'; did you mean 'content'?"),
        (
            "--start xyzzy",
            "--start is 'xyzzy'; wanted content, noise, style, or the file of a picture",
        ),
        ("--start \x1b[31m", "--start is '?[31m'; wanted content"),
        (
            "--start https://a.b/c.png",
            "https://a.b/c.png is an address, and minidl reads files; download the picture",
        ),
        ("-o https://a.b/c.png", "https://a.b/c.png is an address, and minidl writes files"),
        ("--weights missing.h5", "there is no such"),
        ("--log nowhere/losses.csv", "there is no folder"),
        ("--log /dev/full", "/dev/full is a device"),
        ("--plot curves.csv", "drawings are written as .png"),
    ],
)
def test_options_that_cannot_be_used(capsys, options, message):
    os.mkdir("folder.png")
    error = refused(capsys, *options.split())
    assert message in error and len(error) < 300


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        (["missing.png", "painting.jpg"], "missing.png: there is no such picture"),
        (["photo.png", "folder"], "'folder' is not a file"),
        (["text.png", "painting.jpg"], "text.png is no"),
        (["photo.png", "half.jpg"], "half.jpg is damaged"),
        (["photo.png"], "found only photo.png"),
        (["https://a.b/c.png", "painting.jpg"], "download the picture first and name the file"),
        (["photo.png", "HTTP://a.b/c.png"], "HTTP://a.b/c.png is an address"),
        (["photo.png", "file:///a/c.png"], "name the file without file://"),
        (
            ["photo.png", "painting.jpg,other.webp"],
            "two pictures are separated by a space, not by a comma",
        ),
        (["photo.png,painting.jpg"], "two pictures are separated by a space, not by a comma"),
        (["photo.png", "a.png,b.png,c.png"], "several pictures are separated by a space"),
    ],
)
def test_pictures_that_cannot_be_used(capsys, pictures, message):
    Path("text.png").write_text("no picture")
    Path("half.jpg").write_bytes(shipped_picture("rocket").read_bytes()[:50_000])
    os.mkdir("folder")
    error = refused(capsys, pictures=pictures)
    assert message in error and len(error) < 300


def test_names_that_are_too_long(capsys):
    error = refused(capsys, "-o", f"{'x' * 300}.png")
    assert "cannot be written: file name too long" in error
    error = refused(capsys, pictures=["x" * 5000, "painting.jpg"])
    assert "cannot be read: file name too long" in error


def damaged_files():
    """Return {name: bytes} of files that cannot be read as pictures."""
    jpeg, png = shipped_picture("rocket").read_bytes(), Path("photo.png").read_bytes()
    tga = io.BytesIO()
    Image.new("RGB", (40, 40)).save(tga, "TGA")
    return {
        "cut.jpg": jpeg[:50_000],
        "header.jpg": jpeg[:100],
        "cut.png": png[: len(png) // 2],
        "header.png": png[:20],
        "text.png": b"no picture",
        "empty.png": b"",
        "targa.png": tga.getvalue(),
        "picture.svg": b"<svg></svg>",
    }


@pytest.mark.parametrize(
    "name",
    [
        "cut.jpg",
        "header.jpg",
        "cut.png",
        "header.png",
        "text.png",
        "empty.png",
        "targa.png",
        "picture.svg",
        "large.png",
        "missing.png",
    ],
)
def test_a_bad_picture_gives_the_same_message_in_every_role(capsys, monkeypatch, name):
    damaged = damaged_files()
    if name in damaged:
        Path(name).write_bytes(damaged[name])
    if name == "large.png":
        write_image(name, np.zeros((90, 90, 3)))
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 4000)
    messages = {
        refused(capsys, pictures=(name, "painting.jpg")),
        refused(capsys, "-o", "painted.png", pictures=(name, "painting.jpg")),
        refused(capsys, pictures=("photo.png", name)),
        refused(capsys, pictures=("photo.png", "painting.jpg", name)),
        refused(capsys, "--start", name),
    }
    assert len(messages) == 1 and name in messages.pop()


def test_a_damaged_colour_profile_is_reported(capsys):
    Image.new("RGB", (40, 40), (171, 35, 35)).save("red.png", icc_profile=b"no profile")
    assert stylize_line("red.png painting.jpg --size 32 --steps 3 -o painted.png") == 0
    error = capsys.readouterr().err
    assert "minidl: the colour profile of red.png is damaged; it was ignored" in error
    assert ".py" not in error
    assert stylize("-o", "painted.png", pictures=("red.png", "painting.jpg")) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "options",
    ["--size big", "--style-layers conv1_1=x", "--style-blend a"],
)
def test_words_that_cannot_be_parsed_give_exit_code_2(options):
    with pytest.raises(SystemExit) as stop:
        stylize(*options.split())
    assert stop.value.code == 2


def test_a_missing_gpu_is_reported(capsys, monkeypatch):
    monkeypatch.setattr("minidl.backend.why_no_gpu", lambda: "CuPy is not installed; install it")
    error = refused(capsys, "--device", "gpu")
    assert "the GPU cannot be used: CuPy is not installed" in error
    assert stylize("-o", "painted.png", "--device", "auto") == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--noise 0.5", "--noise has no effect without --start noise"),
        ("--seed 3 --start style", "--seed has no effect without --start noise"),
        ("--late-steps 1", "--late-steps has no effect without --late-learning-rate"),
        ("--late-learning-rate 1", "--late-learning-rate has no effect without --late-steps"),
        ("--every 2", "--every has no effect without --preview, --frames, --log or --checkpoint"),
        (
            "--style-normalization ng --style-objective moments",
            "--style-normalization has no effect without the style objective gram",
        ),
        (
            "--tv-normalization power --tv-weight 0",
            "--tv-normalization has no effect without --tv-weight",
        ),
        ("--style-blend 3", "--style-blend has no effect without several STYLEs"),
        ("--noise 0.5 --seed 3 --start noise", ""),
        ("--style-normalization ng --tv-normalization power", ""),
        ("--preset coursera --optimizer lbfgs --seed 1", ""),
        ("--late-learning-rate 1 --late-steps 1", ""),
        ("--every 1 --log losses.csv", ""),
    ],
)
def test_an_option_without_effect_is_reported(capsys, options, message):
    line = f"photo.png painting.jpg --size 32 --steps 2 -o painted.png {options}"
    assert stylize_line(line) == 0
    error = capsys.readouterr().err
    assert message in error and error.count("has no effect") == bool(message)


@pytest.mark.parametrize(
    ("blend", "styles", "message"),
    [
        ("1,2", ["painting.jpg"], "are [1.0, 2.0]; wanted one number above 0, for one style"),
        (
            "0,0",
            ["painting.jpg", "other.webp"],
            "wanted 2 numbers of at least 0, not all 0, for 2 styles",
        ),
    ],
)
def test_a_blend_has_a_weight_for_each_style(capsys, blend, styles, message):
    assert message in refused(capsys, "--style-blend", blend, pictures=["photo.png", *styles])
