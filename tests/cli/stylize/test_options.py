"""`minidl stylize`: each option has an effect, and its invalid values are refused.

The tables name every option. A new option needs an entry in CHANGES or FILES, or a test of its own
that OTHERS names, and if it takes a value, an entry in INVALID.
"""

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from minidl.checkpoints import native, shipped
from minidl.cli.stylize.settings import stylize_parser
from minidl.data import read_image, read_metadata, read_picture, write_image
from tests.cli.stylize import test_grid, test_many, test_preset_files, test_sequence
from tests.cli.stylize.commands import stylize, stylize_line
from tests.data.test_profiles import ADOBE

# of all commands whose pixels are compared: every term of the loss has an effect on them
BASE = (
    "--steps 3 --optimizer adam --learning-rate 5 --start noise --content-weight 1e4 "
    "--tv-weight 1e5"
)
MAPS = "--content-map map.png --style-map style-map.png"

# (the option with its value, the options beside it): the pixels differ from those without it
CHANGES = [
    ("--size 40", ""),
    ("--scales 2", "--size 64 --scales 1 --steps 2"),
    ("--steps 4", ""),
    ("--optimizer lbfgs", ""),
    ("--learning-rate 9", ""),
    ("--late-learning-rate 1", "--late-steps 1"),
    ("--late-steps 1", "--late-learning-rate 1"),
    ("--preset gatys-code", ""),
    ("--start content", ""),
    ("--start style", ""),
    ("--start other.webp", ""),
    ("--noise 0.5", ""),
    ("--seed 1", ""),
    ("--style-objective wasserstein", ""),
    ("--style-objective moments", ""),
    ("--style-objective histogram", ""),
    ("--style-objective nearest", ""),
    ("--style-objective patches", "--style-layers conv3_1"),
    ("--balance 9", "without=--content-weight"),
    ("--content-weight 1", ""),
    ("--style-weight 1e-3", ""),
    ("--tv-weight 1", ""),
    ("--content-layers conv3_1", ""),
    ("--style-layers conv1_1=2,block2_conv1=0.5", ""),
    ("--style-layers moments:conv2_1", "--style-layers conv2_1"),
    ("--style-layers conv3_1+conv4_1", "--style-layers conv3_1,conv4_1"),
    ("--style-layers nearest:conv3_1+conv4_1", "--style-layers conv3_1+conv4_1"),
    ("--style-scale 1.5", ""),
    ("--style-scale 1,1.5", ""),
    ("--style-blend 1,3", "style=other.webp"),
    ("--colours luminance", ""),
    ("--colours symmetric", ""),
    ("--colours cholesky", "--colours symmetric"),
    ("--content-normalization half", ""),
    ("--style-normalization gatys", ""),
    ("--tv-normalization power", ""),
    ("--pooling max", ""),
    ("--content-mask left.png", ""),
    ("--mask left.png", ""),
    ("--mask left.png --mask none", "style=other.webp"),
    ("--style-mask style-left.png", ""),
    ("--content-map mirrored.png", MAPS),
    ("--style-map style-mirrored.png", MAPS),
    ("--feather 4", "--mask left.png"),
    ("--mask-way all", "--mask left.png"),
    ("--weights other.h5", ""),
]

# the option with its value: the file or the files that appear
FILES = {
    "-o painted.tif": ["painted.tif"],
    "--preview preview.png --every 1": ["preview.png"],
    "--frames frames --every 2": ["frames/step-00002.png", "frames/step-00003.png"],
    "--log losses.csv": ["losses.csv"],
    "--plot curves.png": ["curves.png"],
    "--film film.gif": ["film.gif"],
    "--film film.webp": ["film.webp"],
    "--checkpoint run.checkpoint": ["run.checkpoint"],
}

# the option with an invalid value: a part of the message
INVALID = {
    "-o painted.gif": "minidl writes",
    "--preview preview.gif": "minidl writes",
    "--frames photo.png": "photo.png",
    "--every 0": "--every is 0",
    "--log nowhere/losses.csv": "there is no folder",
    "--plot curves.csv": "drawings are written as .png",
    "--film film.avi": "minidl writes films as .gif",
    "--checkpoint nowhere/run.checkpoint": "there is no folder",
    "--resume missing": "there is no such checkpoint",
    "--content-mask missing.png": "there is no such picture",
    "--content-mask style-left.png": "wanted the same proportions",
    "--mask black.png": "black.png is black everywhere",
    "--mask left.png --mask left.png": "and that of the styles is 1; wanted one for each",
    "--style-mask left.png": "wanted the same proportions",
    "--content-map map.png": "--style-map is missing",
    "--style-map style-map.png": "--content-map is missing",
    "--content-map black.png --style-map style-map.png": "covers 100.0% of black.png and 0.0%",
    "--feather -1 --mask left.png": "the radius is -1 pixels",
    "--feather 2": "--feather needs a region",
    "--mask-way outside": "wanted one of simple, all, inside",
    "--device abacus": "wanted one of cpu, gpu, auto",
    "--weights photo.png": "photo.png",
    "--preset monet": "there is no preset 'monet'",
    "--save-preset gatys-code": "is a preset of minidl",
    "--more missing.png": "there is no such photograph",
    "--grid nonsense=1,2 --sheet sheet.png": "name the file of the paintings by --sheet",
    "--sheet sheet.png": "give --grid",
    "--fps 0": "wanted a number above 0",
    "--size 0": "size is 0",
    "--scales 0": "scales is 0",
    "--steps 0": "steps is 0",
    "--optimizer newton": "invalid choice",
    "--learning-rate 0": "learning_rate is 0.0",
    "--late-learning-rate -1": "late_learning_rate is -1.0",
    "--late-steps -1": "late_steps is -1",
    "--start nowhere.png": "there is no such picture",
    "--noise 2": "noise is 2.0; wanted a fraction from 0 to 1",
    "--seed -1": "seed is -1",
    "--style-objective entropy": "invalid choice",
    "--balance 0": "balance is 0.0",
    "--content-weight nan": "content_weight is nan",
    "--style-weight -1": "style_weight is -1.0",
    "--tv-weight inf": "tv_weight is inf",
    "--content-layers conv9_9": "no layer 'conv9_9'",
    "--style-objective patches": "hold no patch of 3x3; take a larger picture",
    "--style-layers entropy:conv3_1": "entropy",
    "--style-layers conv3_1+conv9_9": "conv9_9",
    "--style-scale 0": "a number of style_scale is 0.0",
    "--colours grey": "invalid choice",
    "--style-blend 1,2": "weights of the styles are [1.0, 2.0]",
    "--content-normalization loud": "invalid choice",
    "--style-normalization loud": "invalid choice",
    "--tv-normalization loud": "invalid choice",
    "--pooling min": "invalid choice",
}


@pytest.fixture(autouse=True)
def more_pictures(new_folder):
    """Write masks and maps with the proportions of the photograph and of the style, and a larger
    photograph."""
    for name, (height, width) in {"": (40, 64), "style-": (50, 30)}.items():
        left = np.zeros((height, width, 3))
        left[:, : width // 2] = 255
        write_image(f"{name}left.png", left)
        coloured = np.where(left == 255, (200.0, 30.0, 30.0), (30.0, 30.0, 200.0))
        write_image(f"{name}map.png", coloured)
        write_image(f"{name}mirrored.png", coloured[:, ::-1])
    write_image("black.png", np.zeros((40, 64, 3)))


def painted(words):
    """Return the pixels that a command paints. words: options, and also style=FILE for a second
    style, or without=OPTION to leave out an option of BASE."""
    options, pictures = BASE.split(), ["photo.png", "painting.jpg"]
    for word in words.split():
        _, _, value = word.partition("=")
        if word.startswith("style="):
            pictures.append(value)
        elif word.startswith("without="):
            at = options.index(value)
            options[at : at + 2] = []
        else:
            options.append(word)
    assert stylize(*options, "-o", "painted.png", pictures=pictures) == 0
    return read_image("painted.png")


painted_without = functools.cache(painted)


def option_of(line):
    """Return the long form of the option at the begin of a line."""
    words = [action.option_strings for action in stylize_parser()._actions]
    [names] = [names for names in words if line.split()[0] in names]
    return names[-1]


@pytest.mark.parametrize(("option", "beside"), CHANGES)
def test_the_option_changes_the_pixels(monkeypatch, option, beside):
    if option.startswith("--scales"):  # a small picture then has two
        monkeypatch.setattr("minidl.style_transfer.scales.SMALLEST", 20)
    if option == "--weights other.h5":
        write_other_weights()
    plain = painted_without(beside)
    changed = painted(f"{beside} {option}")
    assert changed.shape != plain.shape or (changed != plain).any()


def write_other_weights():
    weights = native.read_hdf5(shipped("vgg19"))
    weights.arrays["block1_conv1/kernel"] = weights.arrays["block1_conv1/kernel"][::-1].copy()
    native.write("other.h5", weights)


@pytest.mark.parametrize("option", FILES)
def test_the_option_writes_its_files(option):
    if option.startswith("--plot"):
        pytest.importorskip("matplotlib").use("agg")
    before = {path for path in Path().rglob("*") if path.is_file()}
    output = [] if option.startswith("-o") else ["-o", "painted.png"]
    assert stylize(*option.split(), *output, "--steps", 3) == 0
    appeared = {str(path) for path in Path().rglob("*") if path.is_file() and path not in before}
    assert appeared - {"painted.png"} == {*FILES[option]}
    for name in appeared:
        if Path(name).suffix in (".png", ".tif", ".gif", ".webp"):
            assert read_image(name).std() > 5


@pytest.mark.parametrize("option", INVALID)
def test_an_invalid_value_is_refused_in_one_sentence(capsys, option):
    pictures = [] if option.startswith("--resume") else ["photo.png", "painting.jpg"]
    output = [] if option.startswith("-o") else ["-o", "painted.png"]
    before = set(os.listdir())
    try:
        code = stylize(*option.split(), *output, pictures=pictures)
    except SystemExit as stop:  # of the parser, which prints the usage too
        code = stop.code
    error = capsys.readouterr().err
    *usage, message = error.splitlines()
    assert code == 2 and set(os.listdir()) == before
    assert message.startswith("minidl: ") and INVALID[option] in message
    assert not usage or (len(usage) == 1 and usage[0].startswith("usage: "))


def test_every_is_the_number_of_steps_between_files():
    for number, every in enumerate((1, 3)):
        assert stylize("-o", f"{number}.png", "--frames", f"f{number}", "--every", every) == 0
    assert sorted(os.listdir("f0")) == ["step-00001.png", "step-00002.png"]
    assert os.listdir("f1") == ["step-00002.png"]


def test_live_opens_a_page_with_every_step(capsys, monkeypatch):
    opened, states = [], []
    monkeypatch.setattr("minidl.cli.stylize.monitor.open_page", opened.append)
    monkeypatch.setattr(
        "minidl.cli.stylize.monitor.Live.__call__", lambda live, step: states.append(step.number)
    )
    assert stylize("-o", "painted.png", "--live") == 0
    [page] = opened
    assert page.startswith("http://127.0.0.1:") and page in capsys.readouterr().out
    assert states == [1, 2]


def test_quiet_prints_nothing(capsys):
    line = "photo.png painting.jpg --size 32 --steps 2 --seed 1 -o painted.png"
    assert stylize_line(line) == 0
    out, error = capsys.readouterr()
    assert "painting photo.png" in out and "--seed has no effect" in error
    assert stylize_line(f"{line} --quiet") == 0
    assert capsys.readouterr() == ("", "")


def test_the_device_is_chosen(capsys, monkeypatch):
    monkeypatch.setattr("minidl.backend.why_no_gpu", lambda: "there is none")
    assert stylize("-o", "painted.png", "--device", "auto") == 0
    assert read_metadata("painted.png")["device"] == "cpu"
    assert stylize("-o", "painted.png", "--device", "gpu") == 2
    assert "the GPU cannot be used: there is none" in capsys.readouterr().err


def test_a_checkpoint_is_resumed():
    assert stylize("-o", "painted.png", "--checkpoint", "run") == 0
    assert stylize_line("--resume run -o again.png") == 0
    assert Path("again.png").read_bytes() == Path("painted.png").read_bytes()


@pytest.mark.parametrize(("option", "words"), [("--help", "usage: "), ("--list-layers", "conv4_2")])
def test_help_and_the_names_of_layers_are_printed(capsys, option, words):
    with pytest.raises(SystemExit) as stop:
        stylize_line(option)
    assert stop.value.code == 0 and words in capsys.readouterr().out


def test_textbook_computes_by_the_definitions():
    assert stylize("-o", "painted.png", "--textbook") == 0
    assert read_metadata("painted.png")["implementation"] == "textbook"


def test_tf32_is_refused_on_a_cpu(capsys):
    assert stylize("-o", "painted.png", "--tf32") == 2
    assert "TF32" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["painted.png", "painted.webp", "painted.tif"])
def test_the_painting_keeps_alpha_and_profile(name):
    alpha = np.tile(np.linspace(0, 255, 64), (40, 1))
    pixels = read_image("photo.png")
    write_image("clear.png", pixels, alpha=alpha, profile=ADOBE)
    assert stylize("-o", name, pictures=("clear.png", "painting.jpg")) == 0
    found, wanted = read_picture(name), read_picture("clear.png", 32)
    assert found.profile == wanted.profile is not None
    np.testing.assert_allclose(found.alpha, wanted.alpha, atol=0.5)
    assert stylize("-o", "plain.png") == 0
    plain = read_picture("plain.png")
    assert plain.alpha is None and plain.profile is None


def test_transparent_photographs_are_refused_as_jpeg(capsys):
    write_image("clear.png", read_image("photo.png"), alpha=np.full((40, 64), 9.0))
    assert stylize("-o", "painted.jpg", pictures=("clear.png", "painting.jpg")) == 2
    assert "JPEG holds no alpha channel" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "depth"), [("deep.png", 16), ("deep.tif", 16), ("8.webp", 8)])
def test_the_painting_keeps_16_bits(name, depth):
    pytest.importorskip("tifffile")
    pytest.importorskip("imagecodecs")
    write_image("photo16.png", np.random.default_rng(3).uniform(0, 255, (40, 64, 3)), depth=16)
    assert stylize("-o", name, pictures=("photo16.png", "painting.jpg")) == 0
    assert read_picture(name).depth == depth


def test_a_plan_is_printed_and_nothing_painted(capsys):
    before = set(os.listdir())
    assert stylize("--plan") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["memory", "arithmetic", "time"]
    assert set(os.listdir()) == before


# the options that no table names: the test of each
OTHERS = {
    "--help": test_help_and_the_names_of_layers_are_printed,
    "--list-layers": test_help_and_the_names_of_layers_are_printed,
    "--device": test_the_device_is_chosen,
    "--every": test_every_is_the_number_of_steps_between_files,
    "--live": test_live_opens_a_page_with_every_step,
    "--quiet": test_quiet_prints_nothing,
    "--resume": test_a_checkpoint_is_resumed,
    "--textbook": test_textbook_computes_by_the_definitions,
    "--tf32": test_tf32_is_refused_on_a_cpu,
    "--plan": test_a_plan_is_printed_and_nothing_painted,
    "--more": test_many.test_a_list_of_photographs_and_folders,
    "--grid": test_grid.test_the_sheet_has_a_column_for_each_value_and_a_row_for_each_of_the_second,
    "--sheet": test_grid.test_the_record_of_the_sheet_has_the_grid,
    "--sequence": test_sequence.test_each_frame_begins_with_the_painting_of_the_one_before,
    "--fps": test_sequence.test_frames_per_second,
    "--save-preset": test_preset_files.test_settings_are_saved_as_a_preset_and_painted_with,
    "--list-presets": test_preset_files.test_all_presets_are_listed,
}


def test_every_option_has_a_test():
    actions = [action for action in stylize_parser()._actions if action.option_strings]
    tested = {option_of(line) for line, _ in CHANGES} | {*map(option_of, FILES)} | {*OTHERS}
    assert {action.option_strings[-1] for action in actions} == tested
    with_value = {action.option_strings[-1] for action in actions if action.nargs != 0}
    assert with_value == {*map(option_of, INVALID)}
