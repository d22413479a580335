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

PROGRAM = cli._parser()
WAYS = (
    "{0},{1},{2}",
    "{0} {1} {2}",
    "{0}, {1}, {2}",
    "{0} ,{1} ,{2}",
    "{0},{1} {2}",
    "'{0} {1},{2}'",
)


def parse(line):
    return vars(PROGRAM.parse_args(line.split()))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("before", "option", "items", "dest", "wanted"), [
    ("stylize", "--style-layers", "conv1_1 conv2_1=2 relu3_1", "style_layers", {"conv1_1": 1, "conv2_1": 2, "relu3_1": 1}),
    ("stylize", "--content-layers", "conv1_1 block2_conv1=.5 pool3", "content_layers",
     {"conv1_1": 1, "block2_conv1": 0.5, "pool3": 1}),
    ("stylize", "--style-blend", "2 1e-1 0", "style_blend", [2, 0.1, 0]),
    ("visualize features", "--layers", "conv1_1.pre pool1 fc1", "layers", ["conv1_1.pre", "pool1", "fc1"]),
    ("visualize patches", "--layers", "conv1_1 conv2_1 conv3_1", "layers", ["conv1_1", "conv2_1", "conv3_1"]),
    ("visualize patches", "--units", "conv1_1:3 conv2_1:4 conv3_1:5", "units", ["conv1_1:3", "conv2_1:4", "conv3_1:5"]),
    ("visualize dream", "--layers", "conv1_1 conv2_1 conv3_1", "layers", ["conv1_1", "conv2_1", "conv3_1"]),
    ("visualize invert", "--layer", "conv1_1 conv2_1 conv3_1", "layers", ["conv1_1", "conv2_1", "conv3_1"]),
    ("visualize invert", "--layers", "conv1_1 conv2_1 conv3_1", "layers", ["conv1_1", "conv2_1", "conv3_1"]),
    ("visualize invert", "--match", "content style content", "match", ["content", "style", "content"]),
    ("visualize saliency", "--methods", "guided occlusion gradient", "methods", ["guided", "occlusion", "gradient"]),
])  # fmt: skip
def test_every_list_is_separated_by_spaces_or_commas(way, before, option, items, dest, wanted):
    """A list may come before the arguments, after them, or before another option."""
    words = shlex.split(way.format(*items.split()))
    files = ["c.png", "s.png"] if before == "stylize" else ["./photos"]
    for line in (
        [option, *words, *files],
        [*files, option, *words],
        [option, *words, "--device", "cpu", *files],
    ):
        found = vars(PROGRAM.parse_args([*before.split(), *line]))
        assert found[dest] == wanted
        assert list(map(str, found["pictures"] if before == "stylize" else [found.get("picture") or found["folder"]])) in (
            files, ["photos"])  # fmt: skip


def test_a_word_that_is_needed_as_an_argument_is_not_of_the_list():
    assert parse("visualize patches --layers conv1_1 photos")["folder"].name == "photos"
    found = parse("visualize features --model run.h5 --layers near far photo")
    assert found["layers"] == ["near", "far"] and found["picture"].name == "photo"
    assert parse("visualize features photo --layers near far")["layers"] == ["near", "far"]
    assert parse("visualize features --example 3 --layers near far")["layers"] == ["near", "far"]


def test_a_list_with_commas_ends_where_no_comma_follows():
    assert parse("visualize features --layers near,far photo")["picture"].name == "photo"
    assert parse("stylize --style-blend 2,1 photo painting")["pictures"] == ["photo", "painting"]


def test_words_that_are_surely_layers_stay_in_the_list(capsys):
    with pytest.raises(SystemExit):
        parse("visualize features --layers conv1_1 conv2_1")
    assert "one of the arguments PICTURE --example is required" in capsys.readouterr().err


def test_pictures_without_an_ending_are_no_layers_of_vgg19():
    found = parse("stylize --style-layers conv1_1 conv9_9 photo painting")
    assert list(found["style_layers"]) == ["conv1_1", "conv9_9"] and found["pictures"] == [
        "photo",
        "painting",
    ]


@pytest.mark.parametrize("names", ["Ann,Bob Lee", "Ann, Bob Lee", "Ann|Bob Lee", "Ann,|Bob Lee"])
def test_names_may_have_spaces_in_them(names):
    """Each | is between two words of the command line."""
    for words in (
        ["--hold-out", *names.split("|"), "photos"],
        ["photos", "--hold-out", *names.split("|")],
    ):
        found = vars(PROGRAM.parse_args(["train", "faces", *words]))
        assert found["hold_out"] == "Ann,Bob Lee" and found["data"].name == "photos"


def test_choices_of_triplets_one_after_the_other():
    for words in (["all,0.2:semi-hard"], ["all,", "0.2:semi-hard"], ["all", "0.2:semi-hard"]):
        assert (
            vars(PROGRAM.parse_args(["train", "faces", "--triplets", *words, "photos"]))["triplets"]
            == "all,0.2:semi-hard"
        )


@pytest.mark.parametrize(("kind", "text", "sentence"), [
    (name_list, "Ann,,Bob", "found 'Ann,,Bob'; wanted names, separated by commas"),
    (layer_list, "", "found an empty list; separate the items by spaces or commas"),
    (layer_list, " ", "an empty list"),
    (layer_list, "conv1_1,,conv2_1", "a list with nothing between two commas, 'conv1_1,,conv2_1'"),
    (layer_list, "conv1_1,", "nothing between two commas"),
    (number_list, "1 x", "found '1 x'; wanted numbers, separated by spaces or commas"),
    (number_list, "1;2", "found '1;2'"),
    (weighted_layer_list, "conv1_1=x", "found 'conv1_1=x'; wanted LAYER or LAYER=WEIGHT, separated by spaces or commas"),
    (weighted_layer_list, "=2", "found '=2'"),
    (lambda: word_list(["content", "style"]), "style stile", "found 'stile'; wanted content, style; did you mean 'style'?"),
])  # fmt: skip
def test_what_is_no_list_is_refused(kind, text, sentence):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        kind()(text)
    assert sentence in str(caught.value)


def test_arguments_that_are_lists_take_commas_too(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    for words in (["relu,exp"], ["relu", "exp"], ["relu,", "exp"]):
        assert cli.main(["gradcheck", *words, "--cases", "1"]) == 0
        out = capsys.readouterr().out
        assert out.count("proven  ") + out.count("proven\n") == 2 and "exp" in out
    assert cli.main(["gradcheck", "convolutoin"]) == 2
    assert (
        "there is no op 'convolutoin' to prove; did you mean 'convolution'?"
        in capsys.readouterr().err
    )


def test_channels_are_separated_by_spaces_or_commas(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(unit, "open_network", lambda source: tiny.colours())
    for words in (["colours", "0,1"], ["colours", "0", "1"], ["colours,", "0,", "1"]):
        assert cli.main(["visualize", "unit", *words, "--steps", "1", "--size", "16"]) == 0
        assert list(read_metadata("unit.png")["units"]) == ["colours:0", "colours:1"]
    assert np.isfinite(list(read_metadata("unit.png")["units"].values())).all()
