"""`minidl stylize`: presets of one's own, in files and in paintings."""

import os
from pathlib import Path

import pytest

from minidl import cli
from minidl.data import read_metadata
from minidl.style_transfer import read_settings, write_settings
from minidl.style_transfer.presets import PRESETS, SOURCES
from minidl.style_transfer.settings import Settings
from tests.cli.stylize.commands import refused, settings_of, stylize, stylize_line


@pytest.fixture(autouse=True)
def presets(new_folder, tmp_path, monkeypatch):
    """Keep presets in the folder `config`, and return their folder."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "minidl" / "presets"


def test_a_file_is_a_preset_and_options_replace_its_settings():
    Path("ink.toml").write_text('preset = "coursera"\nseed = 7\ntv-weight = 3')
    assert stylize("-o", "painted.png", "--preset", "ink.toml", "--tv-weight", 5) == 0
    stored = settings_of("painted.png")
    chosen = {name: stored[name] for name in ("optimizer", "noise", "seed", "tv_weight", "steps")}
    assert chosen == {"optimizer": "adam", "noise": 0.6, "seed": 7, "tv_weight": 5, "steps": 2}


def test_a_painting_is_a_preset():
    options = ("--start", "noise", "--seed", 3, "--style-objective", "moments")
    assert stylize("-o", "first.png", *options) == 0
    line = "photo.png painting.jpg -q --preset first.png -o second.png"
    assert stylize_line(line) == 0
    assert settings_of("second.png") == settings_of("first.png")
    assert read_metadata("second.png")["loss"] == read_metadata("first.png")["loss"]


def test_settings_are_saved_as_a_preset_and_painted_with(presets, capsys):
    options = ("--preset", "pastiche", "--style-layers", "conv1_1=2,conv3_1")
    assert stylize("-o", "first.png", *options, "--save-preset", "ink") == 0
    assert os.listdir(presets) == ["ink.toml"]
    assert stylize_line("photo.png painting.jpg -q --preset ink -o second.png") == 0
    assert settings_of("second.png") == settings_of("first.png")
    assert capsys.readouterr() == ("", "")


def test_without_pictures_settings_are_only_saved(capsys):
    assert stylize_line("--preset gatys-code --steps 9 --size full --save-preset a.toml") == 0
    assert os.listdir() and not list(Path().glob("*-as-*"))
    assert capsys.readouterr().out == "the settings are in a.toml\n"
    saved = read_settings("a.toml")
    assert saved.steps == 9 and saved.size is None and saved.pooling == "max"


def test_without_pictures_an_output_is_painted():
    line = "--size 24 --steps 2 -q --save-preset a.toml"
    assert stylize_line(f"{line} -o painted.png") == 0
    assert os.path.exists("painted.png") and os.path.exists("a.toml")


def test_a_preset_is_not_overwritten(capsys):
    Path("a.toml").write_text("# mine\nsteps = 9\nstart = 'other.webp'")
    assert stylize_line("--save-preset a.toml --steps 9 --start other.webp -q") == 0
    error = refused(capsys, "--save-preset", "a.toml")
    assert "a.toml exists with other settings" in error
    assert Path("a.toml").read_text().startswith("# mine")


@pytest.mark.parametrize(
    "options",
    [
        "--preset painted.png -o painted.png",
        "--preset a.toml --log a.toml",
        "--save-preset b.toml --log b.toml",
        "--preset ink --log config/minidl/presets/ink.toml",
    ],
)
def test_a_file_of_settings_is_no_output(capsys, options):
    assert stylize("-o", "painted.png") == 0
    write_settings("a.toml", Settings())
    write_settings("ink", Settings())
    assert "which would overwrite it" in refused(capsys, *options.split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--preset monet", "there is no preset 'monet'; wanted one of gatys-paper"),
        ("--preset coursra", "did you mean 'coursera'?"),
        ("--preset=", "there is no preset ''"),
        ("--preset missing.toml", "missing.toml: there is no such file of settings"),
        ("--preset photo.png", "photo.png carries no settings"),
        ("--preset bad.toml", "bad.toml has the unknown word 'stepz'; did you mean 'steps'?"),
        ("--save-preset coursera", "coursera is a preset of minidl"),
        ("--save-preset a.png", "wanted a name of your own"),
        ("--save-preset nowhere/a.toml", "there is no folder"),
        (f"--save-preset {'x' * 300}.toml", "file name too long"),
        ("--save-preset a --style-layers conv9_9", "unknown layer 'conv9_9'"),
        ("--resume painting.state --save-preset a", "painting.state"),
    ],
)
def test_presets_that_cannot_be_used(capsys, options, message):
    Path("bad.toml").write_text("stepz = 9")
    assert message in refused(capsys, *options.split())


def test_a_resumed_painting_saves_no_preset(capsys):
    assert stylize("-o", "painted.png", "--checkpoint", "run.state", "--every", 1) == 0
    assert stylize_line("--resume run.state --save-preset a.toml") == 2
    assert "found --save-preset with --resume" in capsys.readouterr().err
    assert not os.path.exists("a.toml")


def listed(capsys):
    with pytest.raises(SystemExit) as stop:
        stylize_line("--list-presets")
    assert stop.value.code == 0
    return capsys.readouterr().out.splitlines()


def test_all_presets_are_listed(capsys, presets):
    lines = listed(capsys)
    assert [line.split(maxsplit=1) for line in lines[:-1]] == [[*item] for item in SOURCES.items()]
    assert "--save-preset" in lines[-1]
    write_settings("a preset with a long name", Settings())
    (presets / "coursera.toml").touch()
    *minidl, own, hidden = listed(capsys)
    assert [line.split()[0] for line in minidl] == list(PRESETS)
    assert own == f"a preset with a long name  {presets / 'a preset with a long name.toml'}"
    assert hidden.endswith("coursera.toml, not used: minidl has this name")


def test_the_file_in_the_help_can_be_read(capsys):
    with pytest.raises(SystemExit):
        cli.main(["stylize", "--help"])
    lines = capsys.readouterr().out.splitlines()
    first = lines.index('  preset = "gatys-code"')
    Path("a.toml").write_text("\n".join(lines[first : first + 3]))
    settings = read_settings("a.toml")
    assert settings.steps == 200 and settings.style_layers == {"conv1_1": 1, "conv2_1": 0.5}
    assert settings.pooling == "max"
