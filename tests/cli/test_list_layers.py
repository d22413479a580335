"""`--list-layers` prints the names of layers, and needs no picture."""

import pytest

from minidl import cli
from minidl.cli import options
from minidl.models import vgg19
from minidl.models.vgg19 import ALIASES
from tests.visualize import tiny

ACTIONS = ("features", "patches", "dream", "unit", "saliency", "invert", "report")
COMMANDS = (["stylize"], *(["visualize", action] for action in ACTIONS))


def listed(capsys, *words):
    with pytest.raises(SystemExit) as stop:
        cli.main([*words, "--list-layers"])
    assert stop.value.code == 0
    printed = capsys.readouterr()
    assert not printed.err
    return printed.out


@pytest.mark.parametrize("command", COMMANDS)
def test_both_names_of_vgg19_layers_are_printed(command, capsys):
    lines = [line.split() for line in listed(capsys, *command).splitlines()]
    assert lines[:3] == [
        ["block1_conv1", "conv1_1", "relu1_1"],
        ["block1_conv2", "conv1_2", "relu1_2"],
        ["block1_pool", "pool1"],
    ]
    assert lines[-2] == ["block5_pool", "pool5"] and len(lines) == 16 + 5 + 1
    assert "block4_conv2.pre" in lines[-1]


def test_the_network_accepts_the_names():
    model = vgg19()
    assert list(ALIASES) == list(model.layers)
    for name, aliases in ALIASES.items():
        names = (name, *aliases)
        assert {model.canonical(alias) for alias in names} == {name}
        if "conv" in name:
            assert {model.canonical(f"{alias}.pre") for alias in names} == {f"{name}.pre"}


def test_the_layers_of_another_network(capsys, monkeypatch):
    """--model may come before or after --list-layers."""
    networks = {"run.h5": tiny.two_convolutions()}
    monkeypatch.setattr(options, "open_network", networks.get)
    for words in (["--model", "run.h5", "--list-layers"], ["--list-layers", "--model", "run.h5"]):
        names = listed(capsys, "visualize", "features", *words).split()
        assert names == ["near", "near_relu", "pool", "far", "far_relu"]


def test_a_missing_network_is_an_error(capsys, tmp_path):
    words = ["visualize", "dream", "--list-layers", "--model", str(tmp_path / "none.h5")]
    assert cli.main(words) == 2
    assert "there is no such network" in capsys.readouterr().err
