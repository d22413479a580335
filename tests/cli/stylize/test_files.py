"""`minidl stylize`: the files that it writes, and those that it must not overwrite."""

import csv
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from minidl.cli.stylize import files
from minidl.cli.stylize import monitor as command
from minidl.data import read_image, read_metadata, write_image
from minidl.errors import FileError, NonFiniteError
from minidl.style_transfer.record import write_log
from tests.cli.stylize.commands import refused, stylize


def steps_in_log(path):
    with open(path, newline="") as file:
        return [int(row["step"]) for row in csv.DictReader(file)]


def test_default_names_overwrite_nothing():
    for _ in range(2):
        assert stylize() == 0
    assert os.path.exists("photo-as-painting.png") and os.path.exists("photo-as-painting-2.png")


def test_log_plot_preview_and_frames():
    pytest.importorskip("matplotlib").use("agg")
    line = (
        "-o painted.png --steps 5 --log losses.csv --plot curves.png --preview preview.jpg "
        "--frames frames/all --every 2"
    )
    assert stylize(*line.split()) == 0
    assert steps_in_log("losses.csv") == [1, 2, 3, 4, 5]
    frames = ["step-00002.png", "step-00004.png", "step-00005.png"]
    assert sorted(os.listdir("frames/all")) == frames
    painting = read_image("painted.png")
    np.testing.assert_array_equal(read_image("frames/all/step-00005.png"), painting)
    assert read_image("preview.jpg").shape == painting.shape
    assert read_image("frames/all/step-00002.png").shape == painting.shape
    assert read_image("curves.png").std() > 5


@pytest.mark.parametrize(("steps", "frames"), [(4, [2, 4]), (5, [2, 4, 5]), (2, [2]), (3, [2, 3])])
def test_the_last_frame_is_the_painting(steps, frames):
    line = f"-o painted.png --steps {steps} --frames frames --every 2 --preview preview.png"
    assert stylize(*line.split()) == 0
    assert sorted(os.listdir("frames")) == [f"step-{number:05}.png" for number in frames]
    for last in (f"frames/step-{steps:05}.png", "preview.png"):
        np.testing.assert_array_equal(read_image(last), read_image("painted.png"))


def test_the_log_is_extended_in_place(monkeypatch):
    inodes = []

    def write_and_watch(path, rows, *written):
        write_log(path, rows, *written)
        inodes.append(os.stat(path).st_ino)

    monkeypatch.setattr(command, "write_log", write_and_watch)
    assert stylize("-o", "painted.png", "--log", "losses.csv", "--every", 1, "--steps", 4) == 0
    assert len(inodes) == 4 and len(set(inodes)) == 1
    assert steps_in_log("losses.csv") == [1, 2, 3, 4]


def test_unfinished_files_of_a_killed_run_are_removed():
    os.mkdir("frames")
    code = "0123456789abcdef" * 2
    unfinished = [
        f".losses-{code}.csv",
        f".painted-{code}.png",
        f".p-{code}.jpg",
        f".c-{code}.png",
        f"frames/.step-00004-{code}.png",
    ]
    others = [f".other-{code}.csv", ".losses.csv", "frames/.step-00001.png", f".photo-{code}.png"]
    for path in (*unfinished, *others):
        Path(path).touch()
    options = ("--preview", "p.jpg", "--log", "losses.csv", "--plot", "c.png", "--frames", "frames")
    assert stylize("-o", "painted.png", *options) == 0
    assert not any(map(os.path.exists, unfinished)) and all(map(os.path.exists, others))
    Path(f".photo-as-painting-{code}.png").touch()
    assert stylize() == 0
    assert not os.path.exists(f".photo-as-painting-{code}.png")


@pytest.mark.parametrize(
    "options",
    [
        "-o photo.png",
        "-o painting.jpg",
        "-o link.png",
        "--preview photo.png",
        "--log photo.png",
        "--plot photo.png",
        "-o a.png --preview a.png",
        "-o a.png --log a.png",
        "--log a.png --plot a.png",
        "--start other.webp -o other.webp",
    ],
)
def test_an_output_never_overwrites_an_input_or_another_output(capsys, options):
    os.symlink("photo.png", "link.png")
    files = {path: path.read_bytes() for path in Path().iterdir()}
    assert "which would overwrite it" in refused(capsys, *options.split())
    assert files == {path: path.read_bytes() for path in Path().iterdir()}


def test_pictures_too_large_for_their_format_are_refused_before_the_computation(capsys):
    write_image("wide.png", np.zeros((1, 17000, 3)))
    options = ("-o", "painted.webp", "--size", "17000")
    error = refused(capsys, *options, pictures=("wide.png", "painting.jpg"))
    assert "WEBP holds at most 16383 pixels" in error


def test_on_a_full_disk_the_painting_is_saved_in_another_folder(capsys, full_folder):
    assert stylize("-o", "full/painted.png", "--log", "losses.csv") == 2
    error = capsys.readouterr().err
    path = Path("painted.png").absolute()
    assert "full/painted.png: no space left on device" in error
    assert f"{path} holds the best picture after 2 steps" in error
    assert read_metadata(path)["steps_done"] == 2
    assert not os.listdir("full") and os.path.exists("losses.csv")
    assert stylize("-o", "full/painted.png") == 2  # painted.png exists now
    [path] = full_folder.glob("minidl-*/painted.png")
    assert str(path) in capsys.readouterr().err and read_image(path).shape == (20, 32, 3)


def test_the_painting_is_saved_if_a_preview_fills_the_disk(capsys, full_folder):
    options = ("--preview", "full/preview.png", "--every", 1, "--steps", 3)
    assert stylize("-o", "full/painted.png", *options) == 2
    error = capsys.readouterr().err
    assert "full/preview.png: no space left" in error
    assert "painted.png holds the best picture after 1 step\n" in error
    assert read_image("painted.png").shape == (20, 32, 3)


def test_a_full_disk_leaves_no_unfinished_file(capsys, monkeypatch):
    def fail(path, *arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PIL.Image.Image.save", fail)
    assert "no space left on device" in refused(capsys, "-o", "painted.png")


def test_nan_at_the_first_step_writes_nothing(capsys, monkeypatch):
    def fail(*arguments, **options):
        raise NonFiniteError("the loss is nan at the first step")

    monkeypatch.setattr("minidl.style_transfer.run.Run._step", fail)
    assert "nan at the first step" in refused(capsys, "-o", "painted.png")


def test_the_painting_is_saved_if_a_preview_cannot_be_written(capsys, monkeypatch):
    os.mkdir("states")
    preview = "states/preview.png"

    def fail_for_preview(path, *arguments, **options):
        if str(path) == preview:
            raise FileError(f"cannot write {path}: gone")
        return write_image(path, *arguments, **options)

    monkeypatch.setattr(command, "write_image", fail_for_preview)
    assert stylize("-o", "painted.png", "--preview", preview, "--every", 1, "--steps", 3) == 2
    assert "gone; painted.png holds the best picture after 1 step\n" in capsys.readouterr().err
    assert read_image("painted.png").shape == (20, 32, 3)


def test_a_file_that_cannot_be_written_does_not_cost_the_others(capsys, monkeypatch):
    def fail(path, *arguments):
        raise FileError(f"cannot write {path}: gone")

    monkeypatch.setattr(command, "write_log", fail)
    assert stylize("-o", "painted.png", "--log", "log.csv", "--film", "film.gif") == 2
    message = "cannot write log.csv: gone; painted.png holds the best picture after 2 steps"
    assert message in capsys.readouterr().err
    assert os.path.exists("film.gif")


def test_a_free_name_is_chosen_when_the_painting_is_done(monkeypatch):
    call = command.Monitor.__call__

    def paint_elsewhere(self, step):
        call(self, step)
        Path("photo-as-painting.png").write_text("of another process")

    monkeypatch.setattr(command.Monitor, "__call__", paint_elsewhere)
    assert stylize() == 0
    assert Path("photo-as-painting.png").read_text() == "of another process"
    assert os.path.exists("photo-as-painting-2.png")


def test_missing_libraries_for_16_bits_are_reported_before_the_computation(capsys, monkeypatch):
    deep = files.read_picture("photo.png")._replace(depth=16)
    monkeypatch.setattr(files, "read_picture", lambda *arguments: deep)
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert "pip install" in refused(capsys, "-o", "painted.png")
    assert stylize("-o", "painted.jpg") == 0


def test_a_picture_that_is_no_better_than_the_start_replaces_no_painting(capsys):
    assert stylize("-o", "painted.png", "--steps", 4) == 0
    painting = Path("painted.png").read_bytes()
    assert stylize("-o", "painted.png", "--steps", 1, "--scales", 1) == 2
    assert "painted-2.png holds the picture at the start" in capsys.readouterr().err
    assert Path("painted.png").read_bytes() == painting
