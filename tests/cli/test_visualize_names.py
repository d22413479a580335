"""Layers, units and classes are named in the same ways in every action of `minidl visualize`."""

import argparse
import os

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.lists import class_list, unit_list
from minidl.cli.visualize import dream, features, patches, saliency, unit
from minidl.cli.visualize.naming import channels_of, layers_of, units_of
from minidl.data import read_metadata, write_image
from minidl.errors import ArgumentError
from minidl.layers import Flatten, ReLU, Sequential
from minidl.models import vgg19
from minidl.visualize.network import of_sequential, of_vgg19
from minidl.visualize.units import Unit
from tests.visualize import tiny

VGG19 = of_vgg19(vgg19(pooling="max"))
CLASSIFIER = tiny.classifier(16, ("dim", "bright", "very bright"))


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkdir("photos")
    write_image("photos/a.png", np.random.default_rng(0).uniform(0, 255, (40, 48, 3)))


def visualize(action, *words):
    return main(["visualize", action, *map(str, words), "-o", "out.png"])


@pytest.mark.parametrize("names", [["conv1_2"], ["block1_conv2"], ["relu1_2"]])
@pytest.mark.parametrize("option", ["--layer", "--layers"])
@pytest.mark.parametrize(
    ("action", "words", "recorded"),
    [
        ("features", ["photos/a.png"], lambda record: list(record["layers"])),
        ("dream", ["photos/a.png", "--steps", "1"], lambda record: list(record["strengths"])),
        ("invert", ["photos/a.png", "--steps", "1"], lambda record: record["layers"]),
        (
            "patches",
            ["photos", "--size", "20", "--per-layer", "1"],
            lambda record: [text.partition(":")[0] for text in record["units"]],
        ),
        (
            "saliency",
            ["photos/a.png", "--methods", "grad-cam", "--unit", "conv2_2:3"],
            lambda record: [record["settings"]["layer"]],
        ),
    ],
)
def test_every_action_takes_layers_by_all_their_names(action, words, recorded, option, names):
    assert visualize(action, *words, option, *names) == 0
    found = recorded(read_metadata("out.png"))
    assert [VGG19.canonical(name) for name in found] == ["block1_conv2"]


@pytest.mark.parametrize("action", ["features", "dream", "invert", "patches", "saliency"])
def test_a_layer_with_a_wrong_name_is_refused_with_the_near_one(action, capsys):
    picture = "photos" if action == "patches" else "photos/a.png"
    assert visualize(action, picture, "--layers", "conv1_1,conv4_l") == 2
    error = capsys.readouterr().err
    assert "VGG19 has no layer 'conv4_l'" in error and "did you mean 'conv4_4'?" in error
    assert not os.path.exists("out.png")


FORMS = [
    ["conv1_1:3", "conv1_1:5", "conv2_1:7"],
    ["conv1_1:3,relu1_1:5,block2_conv1:7"],
    ["conv1_1:3,5", "conv2_1:7"],
    ["conv1_1", "3", "5", "conv2_1", "7"],
    ["conv1_1 3, 5, conv2_1:7"],
    ["conv1_1:3,", "5,", "conv2_1:7"],
]
THREE = ["block1_conv1:3", "block1_conv1:5", "block2_conv1:7"]


@pytest.mark.parametrize("words", FORMS)
@pytest.mark.parametrize(
    ("action", "before", "name"),
    [
        ("dream", ["photos/a.png", "--steps", "1", "--units"], "strengths"),
        ("unit", ["--steps", "1", "--size", "16"], "units"),
        ("patches", ["photos", "--size", "20", "--unit"], "units"),
        ("saliency", ["photos/a.png", "--methods", "gradient", "--units"], "unit"),
    ],
)
def test_every_action_takes_units_in_all_forms(action, before, name, words):
    assert visualize(action, *before, *words) == 0
    found = read_metadata("out.png")[name]
    assert (found.split(", ") if isinstance(found, str) else list(found)) == THREE


@pytest.mark.parametrize("words", [["--class", "very bright,dim"], ["--classes", "2", "0"]])
@pytest.mark.parametrize(
    ("command", "before"),
    [
        (dream, ["photos/a.png", "--steps", "1"]),
        (unit, ["--steps", "1"]),
        (patches, ["photos"]),
        (saliency, ["photos/a.png", "--methods", "gradient"]),
    ],
)
def test_every_action_takes_classes_by_name_or_number(monkeypatch, capsys, command, before, words):
    monkeypatch.setattr(command, "open_network", lambda source: CLASSIFIER)
    action = command.__name__.rpartition(".")[2]
    assert visualize(action, *before, *words) == 0
    out = capsys.readouterr().out
    assert out.index("very bright: ") < out.index("dim: ")
    assert "probability" in out or "%)" in out
    assert visualize(action, *before, "--class", "brigth") == 2
    assert "no class 'brigth'; did you mean bright (1)" in capsys.readouterr().err


@pytest.mark.parametrize("command", [dream, patches, saliency])
def test_units_may_be_classes_too(monkeypatch, capsys, command):
    monkeypatch.setattr(command, "open_network", lambda source: CLASSIFIER)
    action = command.__name__.rpartition(".")[2]
    picture = "photos" if command is patches else "photos/a.png"
    assert visualize(action, picture, "--unit", "very bright") == 0
    assert "very bright: " in capsys.readouterr().out
    assert visualize(action, picture, "--unit", "brigth") == 2
    assert "neither a layer nor a class" in capsys.readouterr().err


def test_units_of_a_network_with_classes():
    wanted = [Unit("scores", 2), Unit("scores", 0), Unit("scores", 1), Unit("flatten", 4)]
    assert units_of(CLASSIFIER, ["very bright", "0", "bright", "flatten:4"]) == wanted
    assert units_of(CLASSIFIER, ["flatten 4", "5"]) == [Unit("flatten", 4), Unit("flatten", 5)]
    with pytest.raises(ArgumentError, match=r"did you mean 'scores'\?"):
        units_of(CLASSIFIER, ["score"])
    with pytest.raises(ArgumentError, match="no layer 'dim'"):
        units_of(CLASSIFIER, ["dim:3"])


def test_a_number_is_a_channel_of_the_unit_before_it():
    wanted = [Unit("block4_conv2", 17), Unit("block4_conv2", 40), Unit("block5_conv1")]
    assert units_of(VGG19, ["conv4_2", "17", "40", "relu5_1"]) == wanted
    assert units_of(VGG19, ["conv4_2:17", "40", "conv4_2:17", "conv5_1"]) == wanted
    with pytest.raises(ArgumentError, match="no layer '17'"):
        units_of(VGG19, ["17"])
    with pytest.raises(ArgumentError, match=r"found 'conv4_2 x': .*; wanted a layer and numbers"):
        units_of(VGG19, ["conv4_2", "x"])
    with pytest.raises(ArgumentError, match="conv4_2 is a whole layer; wanted LAYER:CHANNEL, or"):
        channels_of(VGG19, ["conv4_2"])


def test_a_layer_is_named_once():
    assert layers_of(VGG19, ["conv4_2", "relu4_2", "block4_conv2"]) == ["block4_conv2"]


def test_lists_of_units_and_of_classes():
    assert unit_list()("conv4_2 17, 40,tiger cat") == ["conv4_2", "17", "40", "tiger cat"]
    assert class_list()("tiger cat, tabby") == ["tiger cat", "tabby"]
    for kind in (unit_list(), class_list()):
        with pytest.raises(argparse.ArgumentTypeError, match="found 'a,,b'; wanted"):
            kind("a,,b")


def test_units_and_classes_exclude_each_other(capsys):
    with pytest.raises(SystemExit):
        visualize("dream", "photos/a.png", "--unit", "conv1_1:1", "--class", "0")
    assert "not allowed with" in capsys.readouterr().err
    assert visualize("unit", "conv1_1", 1, "--class", "0") == 2
    assert "found both units and --class" in capsys.readouterr().err
    assert visualize("unit") == 2
    assert "found no unit; wanted a layer and numbers of its channels" in capsys.readouterr().err


def test_features_name_the_likeliest_classes(monkeypatch, capsys):
    monkeypatch.setattr(features, "open_network", lambda source: CLASSIFIER)
    assert visualize("features", "photos/a.png", "--layers", "scores") == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert line.startswith("scores (3): very bright ") and line.count("%)") == 3


def test_invert_takes_a_layer_once():
    assert visualize("invert", "photos/a.png", "--layers", "conv1_1,relu1_1", "--steps", 1) == 0
    assert read_metadata("out.png")["layers"] == ["block1_conv1"]


def test_grad_cam_makes_a_map_of_each_layer(capsys):
    words = ["photos/a.png", "--methods", "grad-cam", "--unit", "conv3_1:2"]
    assert visualize("saliency", *words, "--layers", "conv1_1,conv2_2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == ["grad-cam: maps of block1_conv1", "grad-cam: maps of block2_conv2"]


def test_a_network_with_the_layers_of_vgg19_has_their_names_in_papers():
    layers = {"block1_conv1": Flatten(), "block1_conv1_relu": ReLU(), "block1_pool": Flatten()}
    network = of_sequential(Sequential({**layers, "other": Flatten()}), lambda x: x)
    names = ["conv1_1", "relu1_1", "pool1", "other", "block1_conv1"]
    found = [network.canonical(name) for name in names]
    assert found == ["block1_conv1", "block1_conv1_relu", "block1_pool", "other", "block1_conv1"]
    with pytest.raises(ArgumentError, match=r"no layer 'conv1_2'.*did you mean 'conv1_1'"):
        network.canonical("conv1_2")
    assert set(network.aliases) == set(layers)
