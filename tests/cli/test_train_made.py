"""`minidl train signals` and `minidl train volumes`: no data set, one command."""

import json

import pytest

from minidl.cli import main
from minidl.recipes import signals, volumes

RECIPES = {"signals": signals, "volumes": volumes}


@pytest.fixture(params=RECIPES)
def network(request, monkeypatch):
    monkeypatch.setattr(RECIPES[request.param], "KNOWN", 160)
    monkeypatch.setattr(RECIPES[request.param], "TESTED", 96)
    return request.param


def test_one_command_does_everything(network, tmp_path, capsys):
    folder = tmp_path / "run"
    few = ["--examples", "160", "--epochs", "1", "--batch", "16"]
    assert main(["train", network, "--folder", str(folder), *few]) == 0
    told = capsys.readouterr().out
    assert (
        "on the test set: loss" in told and "nearest mean" in told and "logistic regression" in told and "guessing, ln" in told
    )
    result = json.loads((folder / "result.json").read_text())
    assert set(result["test"]) == {"loss", "accuracy", "nearest_mean", "logistic_regression"}
    assert result["settings"]["examples"] == 160 and "limit" not in result["settings"]
    assert {"checkpoint.h5", "log.csv", "result.json"} <= {path.name for path in folder.iterdir()}
    assert main(["train", network, "--folder", str(folder), "--resume", "--quiet"]) == 0
    assert json.loads((folder / "result.json").read_text()) == result
    capsys.readouterr()
    assert main(["train", network, "--folder", str(folder), "--resume", "--examples", "170"]) == 2
    assert "was begun with --examples 160" in capsys.readouterr().err


def test_too_few_examples_are_refused(network, tmp_path, capsys):
    assert main(["train", network, "--folder", str(tmp_path / "run"), "--examples", "9"]) == 2
    error = capsys.readouterr().err
    assert "of 9 examples too few can be held out" in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [["--data", "x"], ["--limit", "9"]])
def test_there_is_no_data_set_to_name(network, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", network, *words])
    assert ended.value.code == 2 and "unrecognized arguments" in capsys.readouterr().err
