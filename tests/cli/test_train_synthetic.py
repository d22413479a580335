"""`minidl train signals` and `minidl train volumes`, which need no data set."""

import json

import numpy as np
import pytest

from minidl.cli import main
from minidl.recipes import signals, volumes
from minidl.training import load, save

RECIPES = {"signals": signals, "volumes": volumes}
ROW = {"epoch": 1, "step": 3, "learning_rate": 0.1, "loss": 1.0, "seconds": 1}  # of the log


@pytest.fixture(params=RECIPES)
def network(request, monkeypatch):
    monkeypatch.setattr(RECIPES[request.param].RECIPE, "for_baselines", 160)
    monkeypatch.setattr(RECIPES[request.param].RECIPE, "for_test", 96)
    return request.param


def test_a_run_and_its_files(network, tmp_path, capsys):
    folder = tmp_path / "run"
    options = ["--examples", "160", "--epochs", "1", "--batch", "16"]
    assert main(["train", network, "--folder", str(folder), *options]) == 0
    out = capsys.readouterr().out
    for words in ("on the test set: loss", "nearest mean", "logistic regression", "guessing, ln"):
        assert words in out
    result = json.loads((folder / "result.json").read_text())
    assert set(result["test"]) == {"loss", "accuracy", "nearest_mean", "logistic_regression"}
    assert result["settings"]["examples"] == 160 and "limit" not in result["settings"]
    classes = result["classes"]
    assert len(classes["classes"]) == len(classes["accuracies"]) == len(classes["confusion"])
    assert np.sum(classes["confusion"]) == np.sum(classes["examples"]) == 96
    correct = np.trace(classes["confusion"])
    assert result["test"]["accuracy"] == pytest.approx(correct / 96)
    worst = min(zip(classes["accuracies"], range(99), classes["classes"], strict=False))
    table = out[out.index("most often taken for") :].splitlines()
    assert table[1].startswith(worst[-1])
    pytest.importorskip("matplotlib")
    files = {"checkpoint.h5", "best.h5", "log.csv", "result.json", "confusion.png", "curves.png"}
    assert files <= {path.name for path in folder.iterdir()}
    assert main(["train", network, "--folder", str(folder), "--resume", "--quiet"]) == 0
    assert json.loads((folder / "result.json").read_text()) == result
    capsys.readouterr()
    assert main(["train", network, "--folder", str(folder), "--resume", "--examples", "170"]) == 2
    assert "is of a run with --examples 160" in capsys.readouterr().err


def test_too_few_examples_are_refused(network, tmp_path, capsys):
    assert main(["train", network, "--folder", str(tmp_path / "run"), "--examples", "9"]) == 2
    error = capsys.readouterr().err
    assert "9 examples are too few to hold some out" in error and error.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [["--data", "x"], ["--limit", "9"]])
def test_options_about_a_data_set_are_refused(network, words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", network, *words])
    assert ended.value.code == 2 and "unrecognized arguments" in capsys.readouterr().err


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """Run a short training, and return its folder."""
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signals.RECIPE, "for_baselines", 160)
        patch.setattr(signals.RECIPE, "for_test", 96)
        options = ["--examples", "160", "--epochs", "1", "--batch", "40", "--quiet"]
        assert main(["train", "signals", "--folder", str(folder), *options]) == 0
    return folder


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("settings", "epochs", "\x1b[31m"),
        ("settings", "epochs", [1]),
        ("settings", "epochs", 10**30),
        ("settings", "examples", 10**12),
        ("settings", "examples", None),
        ("settings", "learning_rate", float("nan")),
        ("settings", "learning_rate", -0.003),
        ("settings", "schedule", {"one-cycle": 1}),
        ("settings", "preset", ["original"]),
        ("settings", "seed", -1),
        ("settings", "seed", 1.5),
        ("settings", "batch", 0),
        ("settings", "clip", "1"),
        ("settings", "clip", -1.0),
        ("optimizer", "steps", -1),
        ("optimizer", "steps", 10**400),
        ("optimizer", "steps", 2.5),
        ("optimizer", "learning_rate", float("nan")),
        ("progress", "step", 10**400),
        ("progress", "seconds", float("nan")),
        ("progress", "sums", {"$\\frac": 1.0}),
        ("progress", "rows", [{"epoch": 1, "step": 3, "learning_rate": 0.1, "loss": 1.0}]),
        ("progress", "rows", [ROW | {"$\\frac": 1}]),
        ("progress", "rows", [ROW | {"loss": 10**400}]),
        ("progress", "rows", [ROW | {"epoch": 9}]),
        ("progress", "rows", [ROW | {"remark": 7}]),
        ("batches", "epoch", 10**400),
        ("rules", "clip", [[[]]]),
        ("rules", "x" * 3000, 1),
    ],
)
def test_invalid_values_in_a_checkpoint_are_refused(
    part, name, value, run_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(signals.RECIPE, "for_baselines", 160)
    monkeypatch.setattr(signals.RECIPE, "for_test", 96)
    state = load(run_folder / "checkpoint.h5")
    state[part][name] = value
    save(tmp_path / "checkpoint.h5", state)
    assert main(["train", "signals", "--folder", str(tmp_path), "--resume"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minidl: ") and error.count("\n") == 1
    assert len(error) < 700 and "\x1b" not in error
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.h5"]


def test_long_machine_facts_of_a_checkpoint_are_shortened(
    run_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(signals.RECIPE, "for_baselines", 160)
    monkeypatch.setattr(signals.RECIPE, "for_test", 96)
    state = load(run_folder / "checkpoint.h5")
    state["machine"] = {"threads": [1] * 10_000, "device": "\x1b[31m" + "x" * 10_000}
    save(tmp_path / "checkpoint.h5", state)
    assert main(["train", "signals", "--folder", str(tmp_path), "--resume"]) == 0
    out = capsys.readouterr().out
    assert "the run was begun elsewhere (threads list of length " in out
    assert len(out) < 3000 and "\x1b" not in out
