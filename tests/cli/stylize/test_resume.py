"""`minidl stylize --resume`: what may be typed with it, moved folders, other machines, damage."""

import os
import random
from pathlib import Path

import pytest
from PIL import Image

from minidl.checkpoints import tree
from minidl.cli.stylize.monitor import Monitor
from minidl.engine import threads
from minidl.style_transfer.checkpoint import FORMAT
from tests.cli.stylize.commands import stylize, stylize_line
from tests.cli.stylize.test_files import steps_in_log


@pytest.fixture(autouse=True)
def checkpoint(new_folder):
    """Paint a picture with the checkpoint `run`, into the folder `out`."""
    os.mkdir("out")
    files = "-o out/painted.png --log out/losses.csv --frames out/frames --every 1"
    assert stylize(*files.split(), "--checkpoint", "run", "--steps", 3) == 0


def test_the_files_of_the_first_run_are_written_again(capsys):
    painting = Path("out/painted.png").read_bytes()
    Path("out/painted.png").unlink()
    assert stylize_line("--resume run") == 0
    out = capsys.readouterr().out
    assert "continuing run after 3 steps" in out and "the painting is in out/painted.png" in out
    assert Path("out/painted.png").read_bytes() == painting
    assert steps_in_log("out/losses.csv") == [1, 2, 3]


def test_what_is_typed_replaces_the_files_of_the_first_run():
    line = "--resume run -q -o again.png --log again.csv --frames frames --preview p.png"
    painting = Path("out/painted.png").read_bytes()
    assert stylize_line(line) == 0
    assert Path("again.png").read_bytes() == painting
    assert steps_in_log("again.csv") == [1, 2, 3]
    assert os.listdir("frames") == ["step-00003.png"] and os.path.exists("p.png")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("-o again.gif", "minidl writes .png"),
        ("--preview again.gif", "minidl writes .png"),
        ("--film again.avi", "minidl writes films as"),
        ("--plot again.xyz", "again.xyz"),
    ],
)
def test_files_that_cannot_be_written_are_refused_at_once(capsys, option, message):
    before = set(os.listdir())
    assert stylize_line(f"--resume run {option}") == 2
    error = capsys.readouterr().err
    assert message in error and "after 3 steps" not in error
    assert set(os.listdir()) == before


def test_a_transparent_painting_is_not_continued_as_a_jpeg(capsys):
    with Image.open("photo.png") as photo:
        photo.putalpha(100)
        photo.save("transparent.png")
    line = "transparent.png painting.jpg --size 32 --steps 3 -q"
    assert stylize_line(f"{line} --checkpoint alpha -o alpha.png") == 0
    assert stylize_line("--resume alpha -o alpha.jpg") == 2
    assert "JPEG holds no alpha channel" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    [
        "--steps 4",
        "--size full",
        "--preset gatys-code",
        "--style-blend 1",
        "--mask photo.png",
        "--mask-way all",
        "--feather 2",
        "--checkpoint other",
        "photo.png painting.jpg",
    ],
)
def test_what_the_checkpoint_holds_is_refused(capsys, option):
    before = set(os.listdir())
    assert stylize_line(f"--resume run {option}") == 2
    assert set(os.listdir()) == before
    error = capsys.readouterr().err
    assert f"found {option.split()[0]} with --resume" in error and error.count("\n") == 1


def test_an_output_folder_that_was_moved_is_named(capsys):
    os.rename("out", "moved")
    assert stylize_line("--resume run") == 2
    assert (
        "there is no folder out; make it first or choose another place" in capsys.readouterr().err
    )
    assert stylize_line("--resume run -o moved/painted.png --log moved/losses.csv") == 0


def test_other_weights_and_files_are_refused(capsys):
    for options, message in {
        "--resume run --weights photo.png": "photo.png is another file",
        "--resume photo.png": "photo.png is not a complete checkpoint",
        "--resume missing": "there is no such checkpoint",
        "--resume out": "is not a file but a folder",
    }.items():
        assert stylize_line(options) == 2
        assert message in capsys.readouterr().err


def test_another_machine_is_named_in_a_warning(capsys, monkeypatch):
    state = tree.load("run", FORMAT)
    [record] = state["record"]
    changed = {"device": "gpu", "processor": "abacus", "implementation": "textbook"}
    tree.save("foreign", state | {"record": [record | changed]}, FORMAT)
    assert stylize_line("--resume run -o again.png") == 0
    assert capsys.readouterr().err.count("minidl:") == 0
    assert stylize_line("--resume foreign -o again.png") == 0
    error = capsys.readouterr().err
    assert "device cpu instead of gpu" in error and "instead of abacus" in error
    assert "implementation engine instead of textbook" in error and "may differ" in error
    monkeypatch.setattr(threads._pool, "size", record["threads"] + 1)
    assert stylize_line("--resume run -o again.png") == 0
    assert f"threads {record['threads'] + 1} instead of" in capsys.readouterr().err


def test_the_implementation_of_the_first_run_is_used_again(capsys):
    options = ("--textbook", "-o", "painted.png", "--checkpoint", "by-definition")
    assert stylize(*options) == 0
    painting = Path("painted.png").read_bytes()
    assert stylize_line("--resume by-definition") == 0
    assert not [line for line in capsys.readouterr().err.splitlines() if "differ" in line]
    assert Path("painted.png").read_bytes() == painting


def test_a_checkpoint_of_python_is_resumed():
    state = tree.load("run", FORMAT)
    [record] = state["record"]
    del record["command"]
    tree.save("run", state | {"record": [record]}, FORMAT)
    assert stylize_line("--resume run") == 0
    assert os.path.exists("photo-as-painting.png")


def test_damaged_checkpoints_are_refused_in_one_sentence(capsys):
    whole = Path("run").read_bytes()
    rng = random.Random(0)
    damaged = [whole[: len(whole) * share // 100] for share in range(100)]
    for _ in range(100):
        file = bytearray(whole)
        for _ in range(rng.choice([1, 1, 50])):
            file[rng.randrange(len(file))] ^= rng.randrange(1, 256)
        damaged.append(bytes(file))
    for file in damaged:
        Path("damaged").write_bytes(file)
        assert stylize_line("--resume damaged -o again.png") == 2
        out, error = capsys.readouterr()
        assert error.startswith("minidl: damaged") and error.count("\n") == 1 and not out
    assert not os.path.exists("again.png")


def test_an_interrupted_run_says_how_it_continues(capsys, monkeypatch):
    call = Monitor.__call__

    def interrupt(self, step):
        call(self, step)
        raise KeyboardInterrupt

    monkeypatch.setattr(Monitor, "__call__", interrupt)
    line = "photo.png painting.jpg --size 32 --steps 3 --checkpoint other -o other.png"
    assert stylize_line(line) == 130
    out = capsys.readouterr().out
    assert "in other.png; continue with `minidl stylize --resume other`\n" in out
