"""`minidl faces evaluate --pairs`, on folders in the form of LFW."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from minidl.faces.identification import between
from tests.cli.faces.commands import ANN, BOB, printed, records, refused
from tests.cli.faces.test_cluster import stopping
from tests.faces.fake import embedding, write_portrait


def write_list(people, folds, count, seed=0):
    """Write lfw/pairs.txt. people: {name: number of pictures}, of whom each fold has an own part"""
    rng, names = np.random.default_rng(seed), np.array(sorted(people))
    lines = [f"{folds}\t{count}"]
    for part in np.array_split(names, folds):
        for _ in range(count):
            name = rng.choice(part)
            one, other = 1 + rng.choice(people[name], 2, replace=False)
            lines.append(f"{name}\t{one}\t{other}")
        for _ in range(count):
            first, second = rng.choice(part, 2, replace=False)
            one, other = 1 + rng.integers(people[first]), 1 + rng.integers(people[second])
            lines.append(f"{first}\t{one}\t{second}\t{other}")
    Path("lfw/pairs.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def lfw(new_folder):
    """Create the folder `lfw` with four pictures of each of nine people, and pairs in 3 folds."""
    for person in range(9):
        os.makedirs(f"lfw/Person_{person}")
        for look in range(4):
            place = f"lfw/Person_{person}/Person_{person}_{look + 1:04}.png"
            write_portrait(place, (person, look, 20))
    write_list({f"Person_{person}": 4 for person in range(9)}, 3, 8)


RUN = ("evaluate", "lfw", "--pairs", "lfw/pairs.txt")


def test_the_accuracy_of_the_folds(capsys, lfw):
    lines, errors = printed(capsys, *RUN)
    assert lines[0].startswith("48 pairs of ") and lines[0].endswith(
        "in 3 folds, 24 of them of one person"
    )
    assert lines[1].startswith("accuracy 100.00%, with a standard error of 0.00% (thresholds 0.")
    assert lines[2].startswith(
        "at the threshold 0.480: accuracy 100.00%, 0.00% of the pairs of diff"
    )
    assert lines[3] == "equal error rate 0.00%" and len(lines) == 4
    assert errors == [
        f"minidl: the faces are kept in {os.environ['XDG_CACHE_HOME']}/minidl/faces.jsonl, "
        "so that a stopped run continues"
    ]
    [result] = records(capsys, *RUN)
    assert result["accuracy"] == 1 and result["accuracies"] == [1, 1, 1]
    assert len(result["thresholds"]) == 3 and result["faceless"] == []
    [result] = records(capsys, *RUN, "--threshold", "0")
    assert result["threshold"] == 0 and result["accuracy_at_threshold"] == 0.5
    assert result["accuracy"] == 1
    [result] = records(capsys, *RUN, "--network", "run")
    assert result["threshold"] == 0.9


def test_pictures_without_a_face_and_files_that_are_none(capsys, lfw):
    first, second = (Path("lfw/pairs.txt").read_text().splitlines()[1]).split("\t")[:2]
    place = Path(f"lfw/{first}/{first}_{int(second):04}.png")
    write_portrait(place)
    lines, _ = printed(capsys, *RUN)
    assert lines[1].startswith(f"no face was found in 1 picture: {place.name}; ")
    assert lines[1].endswith("with them count as pairs of two people")
    [result] = records(capsys, *RUN)
    assert result["faceless"] == [str(place)] and result["accuracy"] < 1
    assert result["pairs_without_face"] >= 1
    place.write_text("no picture")
    _, errors = printed(capsys, *RUN, code=2)
    assert any("is no picture" in error for error in errors)


def test_the_face_in_the_middle_is_compared(capsys, new_folder):
    """Of several faces, LFW names the person in the middle of the picture."""
    os.makedirs("lfw")
    # The boxes begin at x = 5 and x = 25; the picture is 64 wide.
    write_portrait("lfw/a.png", (BOB, 0, 20), (ANN, 0, 18))
    write_portrait("lfw/b.png", (ANN, 1, 20))
    write_portrait("lfw/c.png", (BOB, 1, 20))
    rows = ["fold,a,b,same", *(f"{n},a.png,b.png,1\n{n},a.png,c.png,0" for n in range(2))]
    Path("pairs.csv").write_text("\n".join(rows))
    [result] = records(capsys, "evaluate", "lfw", "--pairs", "pairs.csv")
    near, far = (between(embedding(ANN, 0), embedding(who, 1)) for who in (ANN, BOB))
    assert result["accuracy"] == 1
    assert result["thresholds"] == pytest.approx([(near + far) / 2] * 2)


def test_a_stopped_evaluation_continues(capsys, lfw, monkeypatch):
    [expected] = records(capsys, *RUN, "--no-cache")
    seen = stopping(monkeypatch, 6)
    lines, errors = printed(capsys, *RUN, "--cache", "cache.jsonl", code=130)
    assert not lines and errors[-1] == (
        f"minidl: stopped after 5 faces in {expected['pictures']} pictures; "
        "the same command continues from there"
    )
    assert records(capsys, *RUN, "--cache", "cache.jsonl") == [expected]
    assert len(seen) == expected["pictures"] + 1
    assert records(capsys, *RUN, "--cache", "cache.jsonl") == [expected]
    assert len(seen) == expected["pictures"] + 1
    _, errors = printed(capsys, *RUN, "--no-cache")
    assert not errors and len(seen) == 2 * expected["pictures"] + 1


def test_the_pairs_are_plotted(capsys, lfw):
    pytest.importorskip("matplotlib")
    write_portrait("lfw/Person_0/Person_0_0001.png")
    lines, _ = printed(capsys, *RUN, "--plot", "pairs.png")
    assert lines[-1] == "the plot is in pairs.png" and Path("pairs.png").stat().st_size > 10_000


def test_words_that_do_not_fit(capsys, lfw):
    for option in (["--cache", "file"], ["--no-cache"]):
        error = refused(capsys, "evaluate", "lfw", *option)
        assert "--cache and --no-cache change nothing without --pairs" in error
    os.remove("lfw/Person_0/Person_0_0001.png")
    assert "that lfw lacks: Person_0/Person_0_0001.jpg" in refused(capsys, *RUN)
    assert "there is no such list" in refused(capsys, "evaluate", "lfw", "--pairs", "no.txt")
    for path in Path("lfw").rglob("*.png"):
        write_portrait(path)
    write_portrait("lfw/Person_0/Person_0_0001.png")
    error = printed(capsys, *RUN, "--once", code=2)[1][-1]
    assert "no face was found in the pictures of lfw" in error


@pytest.mark.thorough
def test_real_people(capsys, real_reader, minidl_data):
    """ORL in the form of LFW: twelve people with five pictures each."""
    for person in range(1, 13):
        os.makedirs(f"lfw/Person_{person:02}")
        for number in range(1, 6):
            target = f"lfw/Person_{person:02}/Person_{person:02}_{number:04}.pgm"
            shutil.copy(minidl_data / f"orl/orl_faces/s{person}/{number}.pgm", target)
    write_list({f"Person_{person:02}": 5 for person in range(1, 13)}, 4, 20)
    [result] = records(capsys, *RUN)
    assert result["accuracy"] >= 0.97 and min(result["thresholds"]) > 0.4
    assert result["faces_found"] == result["pictures"]
