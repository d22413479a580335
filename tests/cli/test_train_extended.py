"""`minidl train --resume` with other --epochs and --patience, and the network that is then used."""

import csv
import json

import numpy as np
import pytest

from minidl.cli import main
from minidl.recipes import signals
from minidl.training import load, save
from tests.training.small import bytes_of

OPTIONS = ["--examples", "160", "--batch", "40", "--schedule", "constant", "--quiet"]


@pytest.fixture(autouse=True)
def small_test_set(monkeypatch):
    monkeypatch.setattr(signals.RECIPE, "for_baselines", 160)
    monkeypatch.setattr(signals.RECIPE, "for_test", 96)


def train(folder, *words, code=0):
    assert main(["train", "signals", "--folder", str(folder), *map(str, words)]) == code


def rows(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def state(folder, name="checkpoint.h5"):
    return bytes_of(load(folder / name)["model"])


def test_a_run_with_a_constant_rate_is_extended_to_the_same_bytes(tmp_path, capsys):
    train(tmp_path / "whole", *OPTIONS, "--epochs", 3)
    train(tmp_path / "run", *OPTIONS, "--epochs", 1)
    train(tmp_path / "run", "--resume", "--epochs", 2, "--quiet")
    assert len(rows(tmp_path / "run")) == 2
    train(tmp_path / "run", "--resume", "--epochs", 3, "--quiet")
    assert state(tmp_path / "run") == state(tmp_path / "whole")
    train(tmp_path / "run", "--resume")  # without --epochs, as far as the last time
    assert len(rows(tmp_path / "run")) == 3
    capsys.readouterr()
    train(tmp_path / "run", "--resume", "--epochs", 2, code=2)
    assert "--epochs is 2, but the run in" in capsys.readouterr().err


def test_an_extended_run_that_is_stopped_continues_to_its_new_end(tmp_path):
    train(tmp_path, *OPTIONS, "--epochs", 1)
    tree = load(tmp_path / "checkpoint.h5")
    assert tree["end"] == {"epochs": 1, "patience": None}
    save(tmp_path / "checkpoint.h5", tree | {"end": {"epochs": 2, "patience": None}})
    train(tmp_path, "--resume", "--quiet")
    assert len(rows(tmp_path)) == 2


def test_a_schedule_that_has_ended_is_not_extended(tmp_path, capsys):
    options = [word if word != "constant" else "one-cycle" for word in OPTIONS]
    train(tmp_path, *options, "--epochs", 1)
    capsys.readouterr()
    train(tmp_path, "--resume", "--epochs", 2, code=2)
    error = capsys.readouterr().err
    assert "falls to 0 within its 1 epoch (--schedule one-cycle); leave --epochs out" in error
    assert error.count("\n") == 1 and len(rows(tmp_path)) == 1
    train(tmp_path, "--resume", "--epochs", 1)


def test_patience_ends_a_run_and_more_patience_continues_it(tmp_path, capsys, monkeypatch):
    losses = iter([0.5, 0.6, 0.7, 0.8, 0.9])
    monkeypatch.setattr(
        "minidl.recipes.classifiers.validate", lambda *_: {"loss": next(losses), "accuracy": 0.5}
    )
    monkeypatch.setattr(signals, "report", lambda *_, **answers: {"accuracy": 1.0})
    train(tmp_path, *OPTIONS[:-1], "--epochs", 5, "--patience", 2)
    out = capsys.readouterr().out
    assert "the run ends here: the validation loss has not fallen below 0.5, that of epoch 1" in out
    assert "the network after epoch 1 has the lowest validation loss\n" in out
    assert len(rows(tmp_path)) == 3
    result = json.loads((tmp_path / "result.json").read_text())
    assert (result["epochs"], result["best_epoch"]) == (3, 1)
    train(tmp_path, "--resume", "--quiet")  # with the same patience
    assert len(rows(tmp_path)) == 3
    train(tmp_path, "--resume", "--patience", 3, "--quiet")
    assert len(rows(tmp_path)) == 4


def test_the_best_network_is_measured(tmp_path, monkeypatch):
    losses, measured = iter([0.5, 0.6]), []
    monkeypatch.setattr(
        "minidl.recipes.classifiers.validate", lambda *_: {"loss": next(losses), "accuracy": 0.5}
    )
    monkeypatch.setattr(
        signals, "report", lambda m, *_, answers: measured.append(bytes_of(m.state())) or {}
    )
    train(tmp_path, *OPTIONS, "--epochs", 2)
    assert measured == [state(tmp_path, "best.h5")]
    assert measured != [state(tmp_path)]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "x", ""])
def test_an_invalid_patience_is_refused(value, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        train(tmp_path / "run", "--patience", value)
    assert ended.value.code == 2
    assert f"found {value!r}; wanted a whole number of at least 1" in capsys.readouterr().err


@pytest.mark.parametrize(
    "end", [3, {"epochs": "x"}, {"epochs": 10**400}, {"epochs": 0}, {"patience": np.ones(3)}]
)
def test_an_invalid_end_in_a_checkpoint_is_refused(end, tmp_path, capsys):
    train(tmp_path, *OPTIONS, "--epochs", 1)
    save(tmp_path / "checkpoint.h5", load(tmp_path / "checkpoint.h5") | {"end": end})
    capsys.readouterr()
    train(tmp_path, "--resume", code=2)
    error = capsys.readouterr().err
    assert "holds an invalid end of its run" in error and error.count("\n") == 1


def test_a_resumed_run_keeps_its_number_of_batches_per_step(tmp_path, capsys):
    train(tmp_path, *OPTIONS, "--epochs", 1, "--accumulate", 2)
    assert rows(tmp_path)[0]["step"] == "2"  # 144 examples in 3 batches
    train(tmp_path, "--resume", "--epochs", 2, "--quiet")
    train(tmp_path, "--resume", "--epochs", 3, "--accumulate", 2, "--quiet")
    assert [row["step"] for row in rows(tmp_path)] == ["2", "4", "6"]
    capsys.readouterr()
    train(tmp_path, "--resume", "--accumulate", 1, code=2)
    assert "is of a run with --accumulate 2; leave these options out" in capsys.readouterr().err
