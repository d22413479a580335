"""`minidl faces cluster`."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from minidl.data import read_image, shipped_picture, write_image
from tests.cli.faces.commands import ANN, BOB, EVE, faces, printed, records, refused, table
from tests.faces.fake import FakeReader, write_portrait


@pytest.fixture
def album(new_folder):
    """Create the folder `album`: three pictures of Ann, two of Bob, one of Eve, one of Ann with
    Bob, one without a face, and a text."""
    os.makedirs("album/2019")
    for name in ("ann0", "ann1", "bob0", "eve0", "nobody", "two"):
        os.rename(f"{name}.png", f"album/{name}.png")
    for name in ("ann2", "bob1"):
        os.rename(f"{name}.png", f"album/2019/{name}.png")
    Path("album/notes.txt").write_text("words")


def test_faces_are_grouped_by_person(capsys, album):
    lines, errors = printed(capsys, "cluster", "album")
    assert lines == [
        "person-01: 4 faces, in ann2.png, ann0.png, ann1.png and 1 more",
        "person-02: 3 faces, in bob1.png, bob0.png, two.png",
        "1 face in no group",
    ]
    assert errors == [
        "minidl: 1 file in album left out, because the names do not end like those of pictures "
        "that minidl reads: notes.txt"
    ]
    [result] = records(capsys, "cluster", "album")
    first, second = result["groups"]
    assert (first["name"], len(first["faces"])) == ("person-01", 4)
    assert [face["picture"] for face in second["faces"]] == [
        "album/2019/bob1.png",
        "album/bob0.png",
        "album/two.png",
    ]
    assert second["faces"][2]["face"] == 1 and second["faces"][2]["box"] == [5, 6, 10, 10]
    assert [face["picture"] for face in result["single"]] == ["album/eve0.png"]
    rows = table(capsys, "cluster", "album")
    assert [row["group"] for row in rows] == ["person-01"] * 4 + ["person-02"] * 3 + [""]
    assert rows[-1]["picture"] == "album/eve0.png"


def test_the_threshold_decides(capsys, album):
    [result] = records(capsys, "cluster", "album", "--threshold", "0")
    assert result["groups"] == [] and len(result["single"]) == 8 and result["threshold"] == 0
    [result] = records(capsys, "cluster", "album", "--network", "run")
    assert result["threshold"] == 0.9


def test_two_faces_of_one_picture_are_two_people(capsys):
    write_portrait("twins.png", (ANN, 0, 20), (ANN, 1, 20))
    [result] = records(capsys, "cluster", "twins.png", "ann2.png", "--threshold", "9")
    assert len(result["groups"]) == 1 and len(result["groups"][0]["faces"]) == 2
    assert len(result["single"]) == 1


def test_faces_of_low_score_are_left_out(capsys):
    write_portrait("group.png", (BOB, 0, 10), (EVE, 0, 10), (EVE, 1, 10), (ANN, 0, 40))
    lines, _ = printed(capsys, "cluster", "group.png", "ann1.png")
    assert lines == ["4 faces in no group", "1 face of low score left out"]


def test_a_folder_of_faces_can_be_enrolled_after_renaming(capsys, real_reader):
    """Two people, each of them twice, in three pictures."""
    astronaut = read_image(shipped_picture("astronaut"))[20:260, 110:340]
    painting = read_image(shipped_picture("van-gogh-pere-tanguy"))[:240, 60:290]
    write_image("one.png", astronaut)
    write_image("both.png", np.concatenate([astronaut[:, ::-1], painting], axis=1))
    write_image("turned.png", np.rot90(painting))
    before = {path: Path(path).read_bytes() for path in ("one.png", "both.png", "turned.png")}
    lines, _ = printed(capsys, "cluster", *before, "-o", "out")
    assert lines[-1] == (
        "rename the folders in out/people to the names of the people; then "
        "`minidl faces enroll people.db out/people` enrolls them"
    )
    assert sorted(str(path) for path in Path("out").rglob("*.*")) == [
        "out/groups.json",
        "out/people/person-01/both-1.jpg",
        "out/people/person-01/one-1.jpg",
        "out/people/person-02/both-2.jpg",
        "out/people/person-02/turned-1.jpg",
        "out/sheet-1.jpg",
    ]
    assert len(json.loads(Path("out/groups.json").read_text())["groups"]) == 2
    assert read_image("out/sheet-1.jpg").std() > 10
    if os.name == "posix":
        assert all(os.stat(path).st_mode & 0o077 == 0 for path in ("out", "out/people"))
        assert os.stat("out/groups.json").st_mode & 0o777 == 0o600
    os.rename("out/people/person-01", "out/people/Eileen")
    os.rename("out/people/person-02", "out/people/Julien")
    lines, errors = printed(capsys, "enroll", "people.db", "out/people")
    assert lines[:2] == ["Eileen: 2 pictures enrolled", "Julien: 2 pictures enrolled"]
    assert not errors
    [result] = records(capsys, "identify", "people.db", "both.png")
    assert sorted(face["name"] for face in result["faces"]) == ["Eileen", "Julien"]
    assert before == {path: Path(path).read_bytes() for path in before}


def test_single_faces_and_equal_names(capsys, album):
    os.makedirs("album/2020")
    write_portrait("album/2020/ann2.png", (ANN, 7, 20))
    assert faces("cluster", "album", "-o", "out") == 0
    assert os.listdir("out/single") == ["eve0-1.jpg"]
    names = sorted(os.listdir("out/people/person-01"))
    assert names == ["ann0-1.jpg", "ann1-1.jpg", "ann2-1-2.jpg", "ann2-1.jpg", "two-2.jpg"]


def test_nothing_is_overwritten(capsys, album):
    os.makedirs("out")
    Path("out/mine.txt").write_text("mine")
    assert "out exists already; name a new folder" in refused(
        capsys, "cluster", "album", "-o", "out"
    )
    assert os.listdir("out") == ["mine.txt"]


def test_pictures_without_faces(capsys):
    write_portrait("empty.png")
    error = refused(capsys, "cluster", "empty.png", "nobody.png", "-o", "out")
    assert "no face was found in any of the pictures" in error


def stopping(monkeypatch, at):
    """Let the reader be interrupted at its picture number `at`, and count its pictures."""
    seen, real = [], FakeReader.faces

    def read(self, picture, embed=True):
        seen.append(picture)
        if len(seen) == at:
            raise KeyboardInterrupt
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", read)
    return seen


PICTURES = ["ann0.png", "ann1.png", "bob0.png", "bob1.png"]


@pytest.mark.parametrize("options", [[], ["--cache", "deep/faces.jsonl"]])
def test_a_stopped_run_continues(capsys, monkeypatch, options):
    seen = stopping(monkeypatch, 3)
    lines, errors = printed(capsys, "cluster", *PICTURES, *options, code=130)
    assert not lines
    assert errors == [
        "minidl: stopped after 2 of 4 pictures; the same command continues from there"
    ]
    assert len(records(capsys, "cluster", *PICTURES, *options)[0]["groups"]) == 2
    assert len(seen) == 5  # the third one was begun twice
    cache = (
        Path(options[1]) if options else Path(os.environ["XDG_CACHE_HOME"], "minidl/faces.jsonl")
    )
    assert len(cache.read_text().splitlines()) == 4
    printed(capsys, "cluster", *PICTURES, *options, "--once")
    assert len(seen) == 9  # faces that are looked for in another way are others


def test_a_run_without_a_cache_begins_again(capsys, monkeypatch):
    seen = stopping(monkeypatch, 3)
    _, errors = printed(capsys, "cluster", *PICTURES, "--no-cache", code=130)
    assert errors == ["minidl: stopped after 2 of 4 pictures"]
    assert faces("cluster", *PICTURES, "--no-cache") == 0
    assert len(seen) == 7 and not os.listdir(os.environ["XDG_CACHE_HOME"])
