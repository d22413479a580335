"""`minidl rerun`: what it prints, what it writes, and its exit codes."""

import os
from pathlib import Path

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.stylize.monitor import Monitor
from minidl.data import read_image, read_metadata, write_image

PAINT = ["stylize", "inputs/photo.png", "inputs/style.png", "--size", "32", "--steps", "2", "-q"]


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    """Change to a new folder with two pictures in the folder `inputs`."""
    monkeypatch.chdir(tmp_path)
    os.mkdir("inputs")
    rng = np.random.default_rng(0)
    for name, shape in {"photo": (40, 64, 3), "style": (50, 30, 3)}.items():
        write_image(f"inputs/{name}.png", rng.uniform(0, 255, shape))


def rerun(*words):
    return main(["rerun", *words])


def test_the_same_pixels_give_exit_code_0(capsys):
    main([*PAINT, "-o", "painted.jpg"])
    for name in ("painted-again.jpg", "painted-again-2.jpg"):
        assert rerun("painted.jpg", "--inputs", "inputs") == 0
        out = capsys.readouterr().out
        assert "the inputs are the same: photo.png, style.png, vgg19.h5\n" in out
        result = "the result is the same: after 2 steps, it has the pixels of painted.jpg"
        assert f"{result}; see {name}\n" in out
        assert Path(name).exists()
    assert read_metadata(name)["command"] == "minidl rerun painted.jpg --inputs inputs"
    assert rerun(name, "--inputs", "inputs", "-o", "third.png") == 0
    assert read_image("third.png").shape == (20, 32, 3)


def test_other_pixels_give_exit_code_1_and_name_what_has_changed(capsys):
    main([*PAINT, "-o", "painted.png"])
    record = read_metadata("painted.png")
    write_image("other.png", np.clip(read_image("painted.png") + 3, 0, 255), record)
    assert rerun("other.png", "--inputs", "inputs") == 1
    out = capsys.readouterr().out
    assert "the result differs from other.png by at most 3 levels of 255, 2." in out
    assert "nothing else in its record differs" in out
    old = record | {"versions": {"numpy": "1.0"}, "device": "gpu"}
    write_image("old.png", read_image("painted.png")[:-1], old)
    assert rerun("old.png", "--inputs", "inputs") == 1
    out = capsys.readouterr().out
    assert "the result differs from old.png in size" in out
    assert f"now device cpu instead of gpu, numpy {np.__version__} instead of 1.0\n" in out


def test_an_interrupted_painting_is_repeated_and_reported(capsys, monkeypatch):
    def stop(monitor, step):
        show(monitor, step)
        if step.number == 3:
            raise KeyboardInterrupt

    show = Monitor.__call__
    with monkeypatch.context() as patch:
        patch.setattr(Monitor, "__call__", stop)
        assert main([*PAINT, "-o", "painted.png", "--steps", "5"]) == 130
    assert rerun("painted.png", "--inputs", "inputs") == 0
    out = capsys.readouterr().out
    assert "the first run ended after 3 of 5 steps, and so did this one\n" in out
    assert "the result is the same: after 3 steps" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("missing.png", "there is no such picture"),
        ("inputs/photo.png", "carries no settings of minidl"),
        ("painted.png", "the photograph, photo.png, is in none of the folders; name its folder"),
        ("painted.png --inputs nowhere", "nowhere is no folder"),
        ("painted.png --inputs inputs --weights inputs/photo.png", "the weights of the first run"),
        ("painted.png --inputs inputs -o again.gif", "minidl writes"),
        ("painted.png --inputs inputs -o inputs/photo.png", "which would overwrite it"),
        ("painted.png --inputs inputs -o painted.png", "which would overwrite it"),
        ("painted.png --inputs inputs -o nowhere/again.png", "there is no folder"),
    ],
)
def test_mistakes_are_reported_in_one_sentence_with_exit_code_2(capsys, words, message):
    main([*PAINT, "-o", "painted.png"])
    files = {path: path.read_bytes() for path in Path().rglob("*.*")}
    assert rerun(*words.split()) == 2
    assert files == {path: path.read_bytes() for path in Path().rglob("*.*")}
    out, error = capsys.readouterr()
    assert not out and error.startswith("minidl: ") and error.count("\n") == 1
    assert message in error


def test_the_shipped_pictures_are_found():
    assert main(["stylize", "--size", "24", "--steps", "2", "-q", "-o", "painted.png"]) == 0
    assert rerun("painted.png") == 0
