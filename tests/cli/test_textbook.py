"""Commands that compute by the definitions of the textbook."""

import json

import numpy as np
import pytest

from minidl import dispatch
from minidl.cli import main
from minidl.data import read_image, read_metadata
from minidl.training import load


@pytest.fixture
def without_the_engine(monkeypatch):
    """Remove all fast implementations, so that a call of one fails."""
    monkeypatch.setattr(dispatch, "_replacements", None)


def test_a_painting_is_made_by_the_definitions(tmp_path, capsys, request):
    words = ["stylize", "--size", "40", "--steps", "3", "-q", "-o"]
    assert main([*words, str(tmp_path / "engine.png")]) == 0
    request.getfixturevalue("without_the_engine")
    assert main([*words, str(tmp_path / "textbook.png"), "--textbook"]) == 0
    engine, textbook = (read_image(tmp_path / f"{name}.png") for name in ("engine", "textbook"))
    assert np.abs(engine - textbook).max() <= 2  # of 255
    assert read_metadata(tmp_path / "engine.png")["implementation"] == "engine"
    assert read_metadata(tmp_path / "textbook.png")["implementation"] == "textbook"


def test_a_network_is_trained_by_the_definitions(tmp_path, without_the_engine, monkeypatch):
    monkeypatch.setattr("minidl.recipes.signals.RECIPE.for_baselines", 160)
    monkeypatch.setattr("minidl.recipes.signals.RECIPE.for_test", 96)
    words = ["train", "signals", "--preset", "fast", "--examples", "320", "--epochs", "1", "-q"]
    assert main([*words, "--folder", str(tmp_path / "run"), "--textbook"]) == 0
    assert json.loads((tmp_path / "run" / "result.json").read_text())["test"]
    machine = load(tmp_path / "run" / "checkpoint.h5")["machine"]
    assert machine["implementation"] == "textbook"


def test_gradients_are_proven_of_the_definitions(without_the_engine, capsys):
    assert main(["gradcheck", "max_pool", "convolution", "--cases", "2", "--textbook"]) == 0
    assert "proven" in capsys.readouterr().out
