"""A run that is learned as a whole command leaves its result, its table and its pictures."""

import json
import subprocess

import pytest

from benchmarks import readme, recording
from benchmarks.__main__ import main
from minidl.training.folder import CURVES, PICTURE, RESULT, TABLE

TOLD = {
    "test": {"accuracy": 0.5},
    "baselines": {"guessing": 2.5},
    "seconds": 90.0,
    "settings": {"preset": "fast"},
}


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """A folder in the place of benchmarks/results."""
    folder = tmp_path / "results"
    folder.mkdir()
    for module in (recording, readme):
        monkeypatch.setattr(module, "RESULTS", folder)
    return folder


@pytest.fixture
def commands(monkeypatch):
    """The commands that would be run; each leaves what a run does."""
    seen = []

    def run(command, **options):
        if "train" not in command:  # git, for the commit
            return subprocess.CompletedProcess(command, 0, stdout="")
        seen.append(command[command.index("train") :])
        folder = recording.Path(command[command.index("--folder") + 1])
        folder.mkdir(exist_ok=True)
        (folder / RESULT).write_text(json.dumps(TOLD))
        (folder / TABLE).write_text("epoch,loss\n1,2.5\n2,1.5\n")
        (folder / CURVES).write_bytes(b"curves")
        if "siamese" in command:
            (folder / PICTURE).write_bytes(b"plane")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_what_is_kept_of_a_run(results, commands):
    assert main(["learn", "siamese"]) == 0
    kept = recording.kept("siamese")
    assert {name: kept[name] for name in TOLD} == TOLD
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


def test_a_run_to_go_on_from_has_no_time_of_the_whole(tmp_path, commands):
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
    kept = [recording.kept(f"faces_{head}") for _, head in chosen]
    assert all(
        found["test"] == TOLD["test"] and found["cpu_seconds"] >= 0 and "others" in found
        for found in kept
    )
    assert main(["learn", "faces", "--folder", "run"]) == 2
    assert "leave --folder out" in capsys.readouterr().err and len(commands) == 3


def test_a_command_that_fails_is_said(results, monkeypatch, capsys):
    monkeypatch.setattr(
        subprocess, "run", lambda command, **options: subprocess.CompletedProcess(command, 2)
    )
    assert main(["learn", "siamese"]) == 2
    assert (
        "benchmarks: `minidl train siamese --preset fast" in (error := capsys.readouterr().err)
        and error.count("\n") == 1
    )
    assert not list(results.iterdir())


def test_the_readme_tells_of_it(results, commands, tmp_path, monkeypatch):
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text("<!-- results: here -->\n<!-- end of results -->\n")
    recording.keep("siamese", {**TOLD, "epochs": [1, 2, 3]})
    recording.keep(
        "siamese_original", {**TOLD, "command_seconds": 120.0, "cpu_seconds": 180.0, "epochs": [1]}
    )
    assert main(["readme"]) == 0
    text = readme.README.read_text()
    name = "`minidl train siamese --preset fast`: MNIST in the plane"
    assert f"| {name} | 3 | 1.5 min | – | – | accuracy 0.5 | guessing: 2.5 |" in text
    assert "| 1 | 1.5 min | 2.0 min | 3.0 min | accuracy 0.5 | guessing: 2.5 |" in text
    assert text.count("<img") == 2 and "siamese_original_learned.png" in text
