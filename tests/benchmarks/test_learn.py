"""`python -m benchmarks learn` keeps the result, the log and the pictures of a training run."""

import json
import subprocess

import pytest

from benchmarks import recording
from benchmarks.__main__ import main
from minidl.training.folder import CURVES, PICTURE, RESULT, TABLE

OUTCOME = {
    "test": {"accuracy": 0.5},
    "baselines": {"guessing": 2.5},
    "seconds": 90.0,
    "settings": {"preset": "fast"},
}


@pytest.fixture
def commands(monkeypatch):
    """The `minidl train` commands, in place of which only the files of a run are written."""
    commands = []

    def run(command, **options):
        if "train" not in command:  # git, for the commit
            return subprocess.CompletedProcess(command, 0, stdout="")
        commands.append(command[command.index("train") :])
        folder = recording.Path(command[command.index("--folder") + 1])
        folder.mkdir(exist_ok=True)
        (folder / RESULT).write_text(json.dumps(OUTCOME))
        (folder / TABLE).write_text("epoch,loss\n1,2.5\n2,1.5\n")
        (folder / CURVES).write_bytes(b"curves")
        if "siamese" in command:
            (folder / PICTURE).write_bytes(b"plane")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_the_files_of_a_run_are_kept(results, commands):
    assert main(["learn", "siamese"]) == 0
    kept = recording.kept("siamese")
    assert {name: kept[name] for name in OUTCOME} == OUTCOME
    assert [row["loss"] for row in kept["epochs"]] == ["2.5", "1.5"]
    assert kept["command_seconds"] > 0
    folder = results / recording.kind()
    assert (folder / "siamese_curves.png").read_bytes() == b"curves"
    assert (folder / "siamese_learned.png").read_bytes() == b"plane"
    [[_, network, _, preset, *more]] = commands
    assert (network, preset) == ("siamese", "fast") and "--resume" not in more


def test_the_original_settings_have_files_of_their_own(results, commands):
    assert main(["learn", "cifar10", "--preset", "original"]) == 0
    assert {path.name for path in results.glob("*/*")} == {
        "cifar10_original.json",
        "cifar10_original_curves.png",
    }
    assert commands[0][3] == "original"


def test_a_resumed_run_has_no_time_of_the_whole_command(tmp_path, commands):
    assert main(["learn", "siamese", "--folder", str(tmp_path / "run")]) == 0
    kept = recording.kept("siamese")
    assert kept["command_seconds"] is kept["cpu_seconds"] is None
    assert commands[0][-1] == "--resume"


def test_faces_are_three_runs_on_the_people_of_orl(tmp_path, commands, monkeypatch, capsys):
    people = tmp_path / "orl" / "orl_faces"
    people.mkdir(parents=True)
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path))
    assert main(["learn", "faces"]) == 0
    chosen = [("fast", "triplet"), ("pairs", "absolute"), ("pairs", "chi-square")]
    assert [command[:7] for command in commands] == [
        ["train", "faces", str(people), "--preset", preset, "--head", head]
        for preset, head in chosen
    ]
    for _, head in chosen:
        kept = recording.kept(f"faces_{head}")
        assert kept["test"] == OUTCOME["test"] and kept["cpu_seconds"] >= 0 and "others" in kept
    assert main(["learn", "faces", "--folder", "run"]) == 2
    assert "omit --folder" in capsys.readouterr().err and len(commands) == 3


def test_a_failed_command_is_named(results, monkeypatch, capsys):
    def run(command, **options):
        return subprocess.CompletedProcess(command, 2)

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["learn", "siamese"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("benchmarks: `minidl train siamese --preset fast")
    assert "ended with exit code 2" in error and error.count("\n") == 1
    assert not list(results.iterdir())


def test_the_page_of_results_shows_the_runs(results, commands):
    recording.keep("siamese", {**OUTCOME, "epochs": [1, 2, 3]})
    times = {"command_seconds": 120.0, "cpu_seconds": 180.0}
    recording.keep("siamese_original", {**OUTCOME, **times, "epochs": [1]})
    assert main(["results"]) == 0
    page = (results.parent / "RESULTS.md").read_text()
    name = "`minidl train siamese --preset fast`: MNIST in the plane"
    assert f"| {name} | 3 | 1.5 min | – | – | accuracy 0.5 | guessing: 2.5 |" in page
    assert "| 1 | 1.5 min | 2.0 min | 3.0 min | accuracy 0.5 | guessing: 2.5 |" in page
    assert page.count("<img") == 2 and "siamese_original_learned.png" in page
