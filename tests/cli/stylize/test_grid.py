"""`minidl stylize --grid`: one photograph with several settings."""

import os
import signal
from dataclasses import fields

import numpy as np
import pytest

from minidl.cli.stylize import grid
from minidl.cli.stylize.settings import stylize_parser
from minidl.data import read_image, read_metadata
from minidl.style_transfer import Painter, Settings
from tests.cli.stylize.commands import refused, stylize, stylize_line


@pytest.fixture
def sheets(monkeypatch):
    """Return a list that receives the pictures, the columns and the texts of each sheet."""
    received, draw = [], grid.sheet

    def draw_and_keep(pictures, columns, **texts):
        received.append((pictures, columns, texts))
        return draw(pictures, columns, **texts)

    monkeypatch.setattr(grid, "sheet", draw_and_keep)
    return received


def alone(*options):
    """Return the picture that a command of its own paints."""
    assert stylize("-o", "alone.png", *options) == 0
    return read_image("alone.png")


def test_the_sheet_has_a_column_for_each_value_and_a_row_for_each_of_the_second(sheets):
    base = ("--optimizer", "adam")  # whose first steps are long enough to change pixels
    axes = ("--grid", "balance=0.2,0.5,1", "--grid", "style-scale=1.2,1")
    assert stylize(*base, "--steps", 3, *axes, "--sheet", "sheet.png") == 0
    [(pictures, columns, texts)] = sheets
    assert columns == 3 and len(pictures) == 6
    assert texts["column_labels"] == ["balance=0.2", "balance=0.5", "balance=1"]
    assert texts["row_labels"] == ["style_scale=1.2", "style_scale=1"]
    assert texts["title"] == "photo.png in the style of painting.jpg"
    corner = alone(*base, "--steps", 3, "--balance", 1, "--style-scale", 1.2)
    np.testing.assert_array_equal(np.rint(pictures[2]), corner)
    assert (np.rint(pictures[3]) != corner).any()
    height, width, _ = read_image("sheet.png").shape
    assert width > 3 * 32 and height > 2 * 20


@pytest.mark.parametrize(
    "axis",
    [
        "size=28,full",
        "style_layers=conv1_1,conv2_1=2",
        *(
            pytest.param(axis, marks=pytest.mark.thorough)
            for axis in (
                "optimizer=lbfgs,adam",
                "start=content,other.webp",
                "steps=2,3",
                "pooling=avg,max",
            )
        ),
    ],
)
def test_each_value_is_that_of_its_option(sheets, axis):
    assert stylize("--grid", axis) == 0
    assert os.path.exists("photo-as-painting-sheet.png")
    [(pictures, columns, texts)] = sheets
    assert columns == 2 and not texts["row_labels"]
    name, _, values = axis.partition("=")
    for value, picture in zip(values.split(","), pictures, strict=True):
        option = f"--{name.replace('_', '-')}"
        np.testing.assert_array_equal(np.rint(picture), alone(option, value))


def test_each_setting_has_an_option():
    names = {action.dest for action in stylize_parser()._actions}
    assert {field.name for field in fields(Settings)} <= names


def test_the_record_of_the_sheet_has_the_grid():
    assert stylize("--grid", "balance=0.2 1", "--preset", "cs231n", "--sheet", "a.webp") == 0
    record = read_metadata("a.webp")
    assert record["grid"] == {"balance": ["0.2", "1"]}
    assert record["settings"]["optimizer"] == "adam" and record["content"]["name"] == "photo.png"
    assert "--grid 'balance=0.2 1'" in record["command"]


def test_no_loss_is_printed_because_the_losses_differ_in_meaning(capsys):
    line = "photo.png painting.jpg --size 32 --steps 2 --grid balance=1,2 --sheet a.png"
    assert stylize_line(line) == 0
    out, error = capsys.readouterr()
    assert "loss" not in out + error and "done: a.png shows 2 of 2 paintings" in out


def test_the_cell_of_a_painting_that_fails_is_empty(sheets, capsys):
    assert stylize("--grid", "size=8,32", "--sheet", "sheet.png") == 2
    error = capsys.readouterr().err
    assert "painting 1 of 2: photo.png: a picture of 8x5 is too small" in error
    assert error.endswith("; sheet.png shows 1 of 2 paintings\n") and error.count("\n") == 1
    [(pictures, _, _)] = sheets
    assert pictures[0] is None and pictures[1] is not None


def test_if_all_paintings_fail_no_sheet_is_written(capsys):
    assert stylize("--grid", "size=8,9", "--sheet", "sheet.png") == 2
    first, last = capsys.readouterr().err.splitlines()
    assert "painting 1 of 2" in first and last.endswith("no sheet was written")
    assert not os.path.exists("sheet.png")


def test_an_interruption_keeps_the_paintings_until_then(sheets, monkeypatch):
    calls, paint = [], Painter.paint

    def stop(self, *arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return paint(self, *arguments, **options)

    monkeypatch.setattr(Painter, "paint", stop)
    assert stylize("--grid", "balance=1,2,3", "--sheet", "sheet.png") == 130
    [(pictures, _, _)] = sheets
    assert [picture is None for picture in pictures] == [False, True, True]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--grid ballance=1,2", "the setting 'ballance'; did you mean 'balance'?"),
        ("--grid xyz=1,2", "the setting 'xyz'; wanted one of size, scales"),
        ("--grid balance", "--grid balance has no values; wanted balance=VALUE,VALUE"),
        ("--grid balance=", "--grid balance has no values"),
        ("--grid balance=0,1", "balance is 0.0; wanted a number above 0"),
        ("--grid balance=1 --grid balance=2", "found --grid for balance, balance"),
        ("--grid balance=1 --grid steps=2 --grid seed=1", "wanted one setting, or two"),
        ("--grid start=content,missing.png", "missing.png: there is no such picture"),
        ("--grid start=content,nosie", "did you mean 'noise'?"),
        ("--grid balance=1 --sheet photo.png", "photo.png is meant both as"),
        ("--grid balance=1 --sheet a.gif", "minidl writes .png"),
        ("--grid balance=1 -o a.png", "found --output with --grid; name the file"),
        ("--grid balance=1 --log a.csv", "found --log with --grid; leave it out"),
        ("--grid balance=1 --more other.webp", "found --more with --grid"),
        ("--grid balance=1 --sequence", "found --grid with --sequence"),
        ("--grid balance=1 --resume a", "found --grid with --resume"),
        ("--sheet a.png", "found --sheet with one set of settings; give --grid"),
    ],
)
def test_grids_that_cannot_be_painted(capsys, options, message):
    assert message in refused(capsys, *options.split())


@pytest.mark.parametrize("values", ["steps=1.5", "pooling=mxa", "balance=1,,2", "style_scale=a"])
def test_values_that_cannot_be_parsed(capsys, values):
    with pytest.raises(SystemExit) as stop:
        stylize("--grid", values)
    assert stop.value.code == 2 and "minidl: argument --" in capsys.readouterr().err


def test_settings_that_are_valid_only_together_are_painted():
    """Gradient descent needs a learning rate, which only the grid gives."""
    axis = "learning_rate=1e-6,2e-6"
    assert stylize("--optimizer", "sgd", "--grid", axis, "--sheet", "sheet.png") == 0
    assert read_metadata("sheet.png")["settings"]["learning_rate"] == 1e-6


def test_paintings_that_do_not_improve_are_reported(capsys):
    line = "photo.png painting.jpg --size 32 --steps 1 --grid balance=1,2 --sheet sheet.png"
    assert stylize_line(line) == 0
    assert "nothing improved in 1 step" in capsys.readouterr().err


def test_an_option_that_has_an_effect_in_one_painting_is_not_reported(capsys):
    line = "photo.png painting.jpg --size 32 --steps 2 --sheet sheet.png --seed 3"
    assert stylize_line(f"{line} --grid start=content,noise") == 0
    assert "has no effect" not in capsys.readouterr().err


def test_the_sheet_is_written_while_interruptions_are_ignored(monkeypatch):
    handlers, save = [], grid.save_image

    def save_and_look(*arguments):
        handlers.append(signal.getsignal(signal.SIGINT))
        save(*arguments)

    monkeypatch.setattr(grid, "save_image", save_and_look)
    assert stylize("--grid", "balance=1,2", "--sheet", "sheet.png") == 0
    assert handlers[0] is not signal.default_int_handler


def test_a_folder_is_refused(capsys):
    os.mkdir("photos")
    axis = "balance=1,2"
    error = refused(capsys, "--grid", axis, "--sheet", "a.png", pictures=("photos", "painting.jpg"))
    assert "photos is a folder; wanted one photograph with --grid" in error
