"""`minidl train NETWORK --find-rate` suggests a learning rate and leaves no run behind."""

import re
import sys

import pytest

from minidl.cli import main

WORDS = ["train", "signals", "--examples", "160", "--batch", "16", "--find-rate"]


def test_a_rate_is_suggested_and_no_run_is_left_behind(tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    assert main(WORDS) == 0
    out = capsys.readouterr().out
    suggestion = float(re.search(r"--learning-rate (\S+)\n", out)[1])
    assert 1e-4 < suggestion < 1
    assert "the losses are drawn in rates.png" in out
    assert [path.name for path in tmp_path.iterdir()] == ["rates.png"]
    assert main(WORDS) == 0  # the same machine suggests the same rate
    assert f"--learning-rate {suggestion:.2g}\n" in capsys.readouterr().out


def test_without_matplotlib_the_rate_is_printed(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.chdir(tmp_path)
    assert main([*WORDS, "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "no picture will be drawn: " in out and "--learning-rate" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--resume"],
        ["--folder", "x"],
        ["--patience", "3"],
        ["--tensorboard"],
        ["--epochs", "3"],
        ["--learning-rate", "0.1"],
        ["--schedule", "constant"],
    ],
)
def test_options_of_a_run_are_refused(words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([*WORDS, *words]) == 2
    message = f"minidl: {words[0]} would change nothing with --find-rate, which makes no run; leave"
    assert capsys.readouterr().err.startswith(message)
    assert list(tmp_path.iterdir()) == []
