"""Lists in every command: separated by spaces or commas, up to the next option or a word that
cannot be an item."""

import argparse
import shlex

import numpy as np
import pytest

from minidl import cli
from minidl.cli.lists import layer_list, name_list, number_list, weighted_layer_list, word_list
from minidl.cli.visualize import unit
from minidl.data import read_metadata
from tests.visualize import tiny

PROGRAM = cli.program_parser()
SEPARATIONS = (
    "{0},{1},{2}",
    "{0} {1} {2}",
    "{0}, {1}, {2}",
    "{0} ,{1} ,{2}",
    "{0},{1} {2}",
    "'{0} {1},{2}'",
)


def parse(line):
    return vars(PROGRAM.parse_args(line.split()))


@pytest.mark.parametrize("separation", SEPARATIONS)
@pytest.mark.parametrize(
    ("option", "items", "name", "wanted"),
    [
        (
            "--style-layers",
            "conv1_1 conv2_1=2 relu3_1",
            "style_layers",
            {"conv1_1": 1, "conv2_1": 2, "relu3_1": 1},
        ),
        (
            "--content-layers",
            "conv1_1 block2_conv1=.5 pool3",
            "content_layers",
            {"conv1_1": 1, "block2_conv1": 0.5, "pool3": 1},
        ),
        ("--style-blend", "2 1e-1 0", "style_blend", [2, 0.1, 0]),
    ],
)
def test_lists_of_stylize(separation, option, items, name, wanted):
    list_words = shlex.split(separation.format(*items.split()))
    pictures = ["c.png", "s.png"]
    for words in orders(option, list_words, pictures):
        settings = vars(PROGRAM.parse_args(["stylize", *words]))
        assert settings[name] == wanted and settings["pictures"] == pictures


@pytest.mark.parametrize("separation", SEPARATIONS)
@pytest.mark.parametrize(
    ("action", "option", "items", "name"),
    [
        ("features", "--layers", "conv1_1.pre pool1 fc1", "layers"),
        ("patches", "--layers", "conv1_1 conv2_1 conv3_1", "layers"),
        ("patches", "--units", "conv1_1:3 conv2_1:4 conv3_1:5", "units"),
        ("dream", "--layers", "conv1_1 conv2_1 conv3_1", "layers"),
        ("invert", "--layer", "conv1_1 conv2_1 conv3_1", "layers"),
        ("invert", "--layers", "conv1_1 conv2_1 conv3_1", "layers"),
        ("invert", "--match", "content style content", "match"),
        ("saliency", "--methods", "guided occlusion gradient", "methods"),
    ],
)
def test_lists_of_visualize(separation, action, option, items, name):
    list_words = shlex.split(separation.format(*items.split()))
    for words in orders(option, list_words, ["./photos"]):
        settings = vars(PROGRAM.parse_args(["visualize", action, *words]))
        assert settings[name] == items.split()
        assert str(settings.get("picture") or settings["folder"]) == "photos"


def orders(option, list_words, arguments):
    """Yield words with the list before the arguments, after them, and before another option."""
    yield [option, *list_words, *arguments]
    yield [*arguments, option, *list_words]
    yield [option, *list_words, "--device", "cpu", *arguments]


def test_a_list_leaves_a_word_that_is_needed_as_an_argument():
    assert parse("visualize patches --layers conv1_1 photos")["folder"].name == "photos"
    settings = parse("visualize features --model run.h5 --layers near far photo")
    assert settings["layers"] == ["near", "far"] and settings["picture"].name == "photo"
    assert parse("visualize features photo --layers near far")["layers"] == ["near", "far"]
    assert parse("visualize features --example 3 --layers near far")["layers"] == ["near", "far"]


def test_a_list_with_commas_ends_at_a_word_without_a_comma():
    assert parse("visualize features --layers near,far photo")["picture"].name == "photo"
    assert parse("stylize --style-blend 2,1 photo painting")["pictures"] == ["photo", "painting"]


def test_names_of_layers_stay_in_the_list(capsys):
    with pytest.raises(SystemExit):
        parse("visualize features --layers conv1_1 conv2_1")
    assert "one of the arguments PICTURE --example is required" in capsys.readouterr().err


def test_names_without_a_suffix_are_not_layers_of_vgg19():
    settings = parse("stylize --style-layers conv1_1 conv9_9 photo painting")
    assert list(settings["style_layers"]) == ["conv1_1", "conv9_9"]
    assert settings["pictures"] == ["photo", "painting"]


@pytest.mark.parametrize("names", ["Ann,Bob Lee", "Ann, Bob Lee", "Ann|Bob Lee", "Ann,|Bob Lee"])
def test_names_may_contain_spaces(names):
    """Each | separates two words of the command line."""
    option = ["--hold-out", *names.split("|")]
    for words in ([*option, "photos"], ["photos", *option]):
        settings = vars(PROGRAM.parse_args(["train", "faces", *words]))
        assert settings["hold_out"] == "Ann,Bob Lee" and settings["data"].name == "photos"


@pytest.mark.parametrize("words", ["all,0.2:semi-hard", "all, 0.2:semi-hard", "all 0.2:semi-hard"])
def test_choices_of_triplets(words):
    settings = parse(f"train faces --triplets {words} photos")
    assert settings["triplets"] == "all,0.2:semi-hard"


@pytest.mark.parametrize(
    ("kind", "text", "message"),
    [
        (name_list(), "Ann,,Bob", "found 'Ann,,Bob'; wanted names, separated by commas"),
        (layer_list(), "", "found an empty list; separate the items by spaces or commas"),
        (layer_list(), " ", "an empty list"),
        (
            layer_list(),
            "conv1_1,,conv2_1",
            "a list with nothing between two commas, 'conv1_1,,conv2_1'",
        ),
        (layer_list(), "conv1_1,", "nothing between two commas"),
        (number_list(), "1 x", "found '1 x'; wanted numbers, separated by spaces or commas"),
        (number_list(), "1;2", "found '1;2'"),
        (
            weighted_layer_list(),
            "conv1_1=x",
            "found 'conv1_1=x'; wanted LAYER or LAYER=WEIGHT, separated by spaces or commas",
        ),
        (weighted_layer_list(), "=2", "found '=2'"),
        (
            word_list(["content", "style"]),
            "style stile",
            "found 'stile'; wanted content, style; did you mean 'style'?",
        ),
    ],
)
def test_invalid_lists_are_refused(kind, text, message):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind(text)
    assert message in str(caught.value)


def test_ops_are_separated_by_spaces_or_commas(capsys):
    for words in (["relu,exp"], ["relu", "exp"], ["relu,", "exp"]):
        assert cli.main(["gradcheck", *words, "--cases", "1"]) == 0
        out = capsys.readouterr().out
        assert out.count("proven  ") + out.count("proven\n") == 2 and "exp" in out
    assert cli.main(["gradcheck", "convolutoin"]) == 2
    message = "there is no op 'convolutoin' to prove; did you mean 'convolution'?"
    assert message in capsys.readouterr().err


def test_channels_are_separated_by_spaces_or_commas(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(unit, "open_network", lambda source: tiny.colours())
    for words in (["colours", "0,1"], ["colours", "0", "1"], ["colours,", "0,", "1"]):
        assert cli.main(["visualize", "unit", *words, "--steps", "1", "--size", "16"]) == 0
        assert list(read_metadata("unit.png")["units"]) == ["colours:0", "colours:1"]
    assert np.isfinite(list(read_metadata("unit.png")["units"].values())).all()
