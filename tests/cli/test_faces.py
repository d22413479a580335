"""`minidl faces`, run as its users run it, on pictures that tell their faces themselves."""

import csv
import io
import json
import os
import re
import shutil
import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minidl.cli import main
from minidl.cli.faces import calibrate, compare, enroll, evaluate, find, identify
from minidl.data import read_image, resize, shipped_picture, write_image
from minidl.data.images import ORIENTATION
from minidl.errors import FileError
from minidl.faces import FaceReader, evaluation
from minidl.faces.database import Database
from minidl.faces.drawing import BOX
from minidl.faces.identification import THRESHOLD, between
from tests.devices import GPUS, at
from tests.faces.fake import FakeReader, embedding, write_people, write_portrait

ANN, BOB, EVE = 0, 1, 2
READING = calibrate, compare, enroll, evaluate, find, identify  # actions that read faces


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for module in READING:
        monkeypatch.setattr(module, "FaceReader", FakeReader)
    for name, person in {"ann": ANN, "bob": BOB, "eve": EVE}.items():
        for look in range(3):
            write_portrait(f"{name}{look}.png", (person, look, 20))
    write_portrait("nobody.png")
    write_portrait("two.png", (BOB, 5, 10), (ANN, 5, 20))
    Path("words.png").write_text("no picture")


@pytest.fixture
def enrolled(in_an_empty_folder):
    assert (
        faces("enroll", "people.db", "Ann", "ann0.png")
        == faces("enroll", "people.db", "Bob", "bob0.png", "bob1.png")
        == 0
    )


def faces(*arguments):
    return main(["faces", *map(str, arguments)])


def said(capsys, *arguments, code=0):
    """(lines of the output, of the standard error)"""
    capsys.readouterr()  # of what went before
    assert faces(*arguments) == code
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return out.splitlines(), [line for line in err.splitlines() if line.startswith("minidl: ")]


def told(capsys, *arguments, code=0):
    """The objects of --json"""
    return [json.loads(line) for line in said(capsys, *arguments, "--json", code=code)[0]]


def table(capsys, *arguments, code=0):
    return list(
        csv.DictReader(io.StringIO("\n".join(said(capsys, *arguments, "--csv", code=code)[0])))
    )


def refused(capsys, *arguments):
    """The sentence with which a call ends that does nothing"""
    before = set(os.listdir())
    out, [error] = said(capsys, *arguments, code=2)
    assert not out and set(os.listdir()) == before
    return error


# ---- compare
# --------------------------------------------------------------------------------------------------------


def test_the_same_and_different_people(capsys):
    near, far = (
        between(embedding(ANN, 0), other) for other in (embedding(ANN, 1), embedding(BOB, 0))
    )
    assert near < THRESHOLD < far
    [line], errors = said(capsys, "compare", "ann0.png", "ann1.png")
    assert (
        line
        == f"the same person: distance {near:.3f}, {THRESHOLD - near:.3f} within the threshold of {THRESHOLD:.3f}"
    )
    [line], errors = said(capsys, "compare", "ann0.png", "bob0.png", code=1)
    assert (
        line
        == f"different people: distance {far:.3f}, {far - THRESHOLD:.3f} beyond the threshold of {THRESHOLD:.3f}"
    )
    assert not errors


def test_what_is_compared_in_numbers(capsys):
    [found] = told(capsys, "compare", "ann0.png", "two.png", "--threshold", "0.5")
    distance = between(embedding(ANN, 0), embedding(ANN, 5))  # Ann's is the nearer of two
    assert found == {
        "same": True, "distance": pytest.approx(distance), "threshold": 0.5, "margin": pytest.approx(0.5 - distance),
        "pictures": ["ann0.png", "two.png"], "faces_found": [1, 2], "scores": pytest.approx([0.9, 0.8]),
        "boxes": [[5, 6, 20, 20], [25, 6, 20, 20]],
    }  # fmt: skip
    lines, _ = said(capsys, "compare", "two.png", "ann0.png")
    assert (
        lines[0]
        == "two.png shows 2 faces; the nearest pair is compared, here the face at 25,6 (20x20)"
        and len(lines) == 2
    )


def test_of_two_groups_the_nearest_pair_is_compared(capsys):
    """The nearest pair is neither that of the largest faces nor that of the highest scores."""
    write_portrait("one.png", (EVE, 0, 40), (7, 0, 10), (ANN, 1, 10))
    write_portrait("other.png", (8, 0, 40), (ANN, 2, 10), (9, 0, 30))
    [found] = told(capsys, "compare", "one.png", "other.png")
    assert found["same"] and found["distance"] == pytest.approx(
        between(embedding(ANN, 1), embedding(ANN, 2))
    )
    assert found["boxes"] == [[45, 6, 10, 10], [25, 6, 10, 10]] and found["faces_found"] == [3, 3]


def test_a_box_of_low_score_does_not_win(capsys):
    """A box of low score is not compared, although it is the largest and the nearest."""
    # the last one with 0.6
    write_portrait("group.png", (BOB, 0, 10), (EVE, 0, 10), (EVE, 1, 10), (ANN, 0, 40))
    lines, errors = said(capsys, "compare", "ann1.png", "group.png", code=1)
    assert lines[0].startswith(
        "group.png shows 4 faces; the nearest pair without 1 of low score is compared, here the face at"
    )
    assert lines[1].startswith("different people") and not errors
    assert faces("enroll", "people.db", "Bob", "group.png", "--largest") == 0
    np.testing.assert_array_equal(
        Database("people.db", "fake").embeddings()[1], [embedding(BOB, 0)]
    )


def test_at_a_threshold_of_zero_a_picture_is_itself_and_nothing_else(capsys):
    assert faces("compare", "ann0.png", "ann0.png", "--threshold", 0) == 0
    assert faces("compare", "ann0.png", "ann1.png", "--threshold", 0) == 1


def test_where_there_is_nothing_to_compare(capsys):
    assert "no face was found in nobody.png and in nobody.png; take a" in refused(
        capsys, "compare", "nobody.png", "nobody.png"
    )
    assert "words.png is no picture" in refused(capsys, "compare", "ann0.png", "words.png")
    assert "missing.png: there is no such picture" in refused(
        capsys, "compare", "missing.png", "ann0.png"
    )


def test_a_doubtful_face_is_reported(capsys, monkeypatch):
    """A doubtful face that is the only one is used with a warning."""
    for module in ("minidl.faces.portraits", "minidl.cli.faces.pictures"):
        monkeypatch.setattr(f"{module}.DOUBTFUL", 0.85)
    # with 0.8, if of two
    monkeypatch.setattr(
        FakeReader, "faces", lambda *a, real=FakeReader.faces, **o: real(*a, **o)[-1:]
    )
    doubt = "minidl: two.png: what is at 25,6 (20x20) may be no face, with a score of 0.80; look at it with `minidl faces find"
    for arguments in (
        ["compare", "ann1.png", "two.png"],
        ["enroll", "people.db", "Ann", "two.png", "ann0.png", "--largest"],
    ):
        [error] = said(capsys, *arguments)[1]
        assert error.startswith(doubt)


# ---- enroll
# ---------------------------------------------------------------------------------------------------------


def test_one_picture_is_enough_and_more_may_come_later(capsys):
    assert said(capsys, "enroll", "people.db", "Ann Lee", "ann0.png") == (
        ["Ann Lee is enrolled with ann0.png"],
        [],
    )
    lines, _ = said(capsys, "enroll", "people.db", "Ann Lee", "ann1.png", "ann0.png")
    assert lines == [
        "Ann Lee is enrolled with ann1.png",
        "Ann Lee is enrolled already with ann0.png",
    ]
    assert [person[:2] for person in Database("people.db", "fake").people()] == [("Ann Lee", 2)]


def test_a_picture_under_two_names_is_said(capsys):
    assert faces("enroll", "people.db", "Ann", "ann0.png") == 0
    Path("copy.png").write_bytes(Path("ann0.png").read_bytes())
    lines, _ = said(capsys, "enroll", "people.db", "Bob", "copy.png")
    assert (
        lines[-1] == "Bob is enrolled with copy.png, which is a picture of Ann too: is that right?"
    )


def test_a_name_in_other_letters_is_said(capsys):
    assert faces("enroll", "people.db", "Ann", "ann0.png") == 0
    _, [error] = said(capsys, "enroll", "people.db", "ANN", "ann1.png")
    assert (
        error
        == "minidl: Ann is enrolled already, and ANN is another name: remove one of them if that is one person"
    )
    assert (
        said(capsys, "enroll", "people.db", "ANN", "ann2.png")[1] == [error]
        and not said(capsys, "enroll", "people.db", "Bob", "bob0.png")[1]
    )


def test_what_cannot_be_enrolled_is_said_and_the_others_are_enrolled(capsys):
    pictures = ["nobody.png", "ann0.png", "words.png", "two.png", "missing.png", "ann1.png"]
    lines, errors = said(capsys, "enroll", "people.db", "Ann", *pictures, code=2)
    assert lines == ["Ann is enrolled with ann0.png", "Ann is enrolled with ann1.png"]
    for error, words in zip(errors, ["nobody.png: no face was found", "words.png is no picture",
                                     "two.png shows 2 faces; cut out the one that is meant, or say --largest",
                                     "missing.png: there is no such"], strict=True):  # fmt: skip
        assert words in error


def test_what_is_stored_is_of_the_picture_that_was_seen(capsys, monkeypatch):
    """Though its file is another when the face is found"""
    first, real = Path("ann0.png").read_bytes(), FakeReader.faces

    def overwritten(self, picture, embed=True):
        Path("ann0.png").write_bytes(Path("bob0.png").read_bytes())
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", overwritten)
    assert faces("enroll", "people.db", "Ann", "ann0.png", "--keep-pictures") == 0
    database = Database("people.db", "fake")
    np.testing.assert_array_equal(database.embeddings()[1], [embedding(ANN, 0)])
    assert list(database.pictures()) == [("Ann", "ann0.png", first)]
    Path("again.png").write_bytes(first)
    assert said(capsys, "enroll", "people.db", "Ann", "again.png")[0] == [
        "Ann is enrolled already with again.png"
    ]


def test_the_largest_of_several_faces(capsys):
    assert faces("enroll", "people.db", "Ann", "two.png", "--largest") == 0
    np.testing.assert_array_equal(
        Database("people.db", "fake").embeddings()[1], [embedding(ANN, 5)]
    )


def test_where_nothing_can_be_enrolled_no_database_is_made(capsys):
    assert "no face was found" in refused(capsys, "enroll", "people.db", "Ann", "nobody.png")
    assert "the name is empty" in refused(capsys, "enroll", "people.db", "  ", "ann0.png")
    assert "wanted at most 200" in refused(capsys, "enroll", "people.db", "a" * 300, "ann0.png")
    assert "nobody can be called 'unknown'" in refused(
        capsys, "enroll", "people.db", "unknown", "ann0.png"
    )
    assert "there is no folder nowhere" in refused(
        capsys, "enroll", "nowhere/people.db", "Ann", "ann0.png"
    )
    assert "is a folder" in refused(capsys, "enroll", ".", "Ann", "ann0.png")
    assert "is no database of faces" in refused(capsys, "enroll", "words.png", "Ann", "ann0.png")


def test_pictures_are_kept_for_those_who_ask_and_come_out_again(capsys):
    assert faces("enroll", "people.db", "Ann/Lee", "ann0.png") == 0
    _, [error] = said(capsys, "list", "people.db", "--pictures", "out")
    assert error == "minidl: no pictures are kept in people.db" and not Path("out").exists()
    assert faces("enroll", "people.db", "Ann/Lee", "ann1.png", "ann2.png", "--keep-pictures") == 0
    os.rename("bob1.png", "ann1.png")
    # another one of the same name
    assert faces("enroll", "people.db", "Ann/Lee", "ann1.png", "--keep-pictures") == 0
    assert faces("enroll", "people.db", "Ann_Lee", "eve0.png", "--keep-pictures") == 0
    assert faces("enroll", "people.db", "...", "eve1.png", "--keep-pictures") == 0
    said(capsys, "list", "people.db", "--pictures", "out")
    files = {str(path.relative_to("out")): path.read_bytes() for path in Path("out").rglob("*.png")}
    assert set(files) == {
        "Ann_Lee/ann1.png",
        "Ann_Lee/ann2.png",
        "Ann_Lee/ann1-2.png",
        "Ann_Lee-2/eve0.png",
        "_/eve1.png",
    }
    assert files["Ann_Lee/ann1-2.png"] == Path("ann1.png").read_bytes()
    assert files["_/eve1.png"] == Path("eve1.png").read_bytes()
    assert said(capsys, "list", "people.db", "--pictures", "out", code=2)[1] == [
        "minidl: out is there already; name a new folder, so that nothing in it is overwritten"
    ]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_files_that_show_people_are_private(capsys):
    """With any umask. Existing files keep their permissions, and a warning names a database that
    every user may read."""

    def mode(path):
        return os.stat(path).st_mode & 0o777

    before = os.umask(0)
    try:
        assert faces("enroll", "people.db", "Ann", "ann0.png", "--keep-pictures") == 0
        assert (
            faces("list", "people.db", "--pictures", "deep/out")
            == faces("find", "ann0.png", "--output", "drawn")
            == 0
        )
    finally:
        os.umask(before)
    assert (mode("people.db"), mode("deep/out"), mode("deep/out/Ann"), mode("drawn")) == (
        0o600,
        0o700,
        0o700,
        0o700,
    )
    assert mode("deep/out/Ann/ann0.png") == 0o600
    assert not said(capsys, "enroll", "people.db", "Ann", "ann1.png")[1]
    os.chmod("people.db", 0o644)
    [error] = said(capsys, "enroll", "people.db", "Ann", "ann2.png")[1]
    assert (
        error.startswith("minidl: every user of this machine may read people.db")
        and mode("people.db") == 0o644
    )
    os.mkdir("open", 0o755)
    assert faces("find", "ann0.png", "--output", "open") == 0 and mode("open") == 0o755


# ---- identify
# -------------------------------------------------------------------------------------------------------


def test_every_face_gets_a_name_or_none(capsys, enrolled):
    near, other = between(embedding(ANN, 0), embedding(ANN, 1)), embedding(EVE, 0)
    [line], errors = said(capsys, "identify", "people.db", "ann1.png")
    assert line == f"ann1.png: Ann, distance {near:.3f}" and not errors
    nearest = min((between(other, known), name) for name, known in
                  {"Ann": embedding(ANN, 0), "Bob": embedding(BOB, 0), "Bob ": embedding(BOB, 1)}.items())  # fmt: skip
    lines, _ = said(capsys, "identify", "people.db", "eve0.png", "nobody.png", code=1)
    assert lines == [
        f"eve0.png: unknown, distance {nearest[0]:.3f} to the nearest, {nearest[1].strip()}",
        "nobody.png: no face was found",
    ]
    lines, _ = said(capsys, "identify", "people.db", "two.png")
    assert [line.split(",")[0] for line in lines] == ["two.png: Bob", "two.png: Ann"]
    assert lines[0].endswith(", at 5,6 (10x10)") and lines[1].endswith(", at 25,6 (20x20)")


def test_the_exit_code_says_whether_every_picture_shows_somebody_known(enrolled):
    for pictures, code in ((["ann1.png"], 0), (["ann1.png", "two.png"], 0), (["eve0.png"], 1), (["ann1.png", "nobody.png"], 1),
                           (["ann1.png", "words.png"], 2), (["eve0.png", "missing.png"], 2)):  # fmt: skip
        assert faces("identify", "people.db", *pictures) == code, pictures


def test_names_in_json(capsys, enrolled):
    near, stranger = told(capsys, "identify", "people.db", "two.png", "eve0.png", code=1)
    assert near["picture"] == "two.png" and near["threshold"] == THRESHOLD
    assert [face["name"] for face in near["faces"]] == ["Bob", "Ann"] and near["faces"][1][
        "box"
    ] == [25, 6, 20, 20]
    assert near["faces"][0]["score"] == pytest.approx(0.9)
    [face] = stranger["faces"]
    assert (
        face["name"] is None and face["nearest"] in ("Ann", "Bob") and face["distance"] > THRESHOLD
    )


def test_names_in_a_table(capsys, enrolled):
    assert faces("enroll", "people.db", 'Eve, "the" third', "eve1.png") == 0
    found = table(capsys, "identify", "people.db", "two.png", "nobody.png", "eve0.png", code=1)
    assert [(row["picture"], row["face"], row["name"]) for row in found] == [
        ("two.png", "1", "Bob"), ("two.png", "2", "Ann"), ("nobody.png", "0", ""), ("eve0.png", "1", 'Eve, "the" third'),
    ]  # fmt: skip
    assert [found[1][column] for column in ("x", "y", "width", "height")] == [
        "25.0",
        "6.0",
        "20.0",
        "20.0",
    ]


def test_pictures_that_cannot_be_read_do_not_stop_the_others(capsys, enrolled):
    os.mkdir("folder")
    lines, errors = said(
        capsys,
        "identify",
        "people.db",
        "words.png",
        "ann1.png",
        "missing.png",
        "folder",
        "bob2.png",
        code=2,
    )
    assert [line.split(",")[0] for line in lines] == ["ann1.png: Ann", "bob2.png: Bob"]
    assert [
        words in error
        for words, error in zip(
            ["words.png is no", "missing.png: there", "'folder' is not"], errors, strict=True
        )
    ]
    assert len(errors) == 3


def test_a_threshold_for_once_and_one_of_the_database(capsys, enrolled):
    assert faces("identify", "people.db", "ann1.png", "--threshold", "0") == 1
    Database("people.db", "fake").calibrate(0.0, {"rule": "by hand"})
    assert (
        faces("identify", "people.db", "ann1.png") == 1
        and faces("identify", "people.db", "ann0.png") == 0
    )
    assert faces("identify", "people.db", "ann1.png", "--threshold", "0.6") == 0


def test_everybody_is_unknown_to_an_empty_database(capsys):
    Database("people.db", "fake", create=True)
    lines, errors = said(capsys, "identify", "people.db", "ann0.png", code=1)
    assert lines == ["ann0.png: unknown"] and errors == [
        "minidl: nobody is enrolled in people.db, so everybody is unknown"
    ]
    [row] = table(capsys, "identify", "people.db", "ann0.png", code=1)
    assert (row["name"], row["nearest"], row["distance"]) == ("unknown", "", "")


@pytest.mark.parametrize("action", ["identify", "list", "remove", "calibrate"])
def test_a_database_that_is_not_there_or_none(capsys, action):
    more = {"identify": ["ann0.png"], "remove": ["Ann"]}.get(action, [])
    assert "missing.db: there is no such database" in refused(capsys, action, "missing.db", *more)
    assert "words.png is no database of faces" in refused(capsys, action, "words.png", *more)


def test_a_database_of_another_model_is_refused_but_for_looking_at_and_leaving_it(
    capsys, monkeypatch, enrolled
):
    monkeypatch.setattr(FakeReader, "identity", "newer")
    for arguments in (
        ["identify", "people.db", "ann0.png"],
        ["enroll", "people.db", "Eve", "eve0.png"],
        ["calibrate", "people.db"],
    ):
        assert "another model (fake; this one is newer)" in refused(capsys, *arguments)
    assert (
        len(said(capsys, "list", "people.db")[0]) == 3 and faces("remove", "people.db", "Ann") == 0
    )


# ---- list, remove
# ---------------------------------------------------------------------------------------------------


def test_who_is_there(capsys, enrolled):
    lines, _ = said(capsys, "list", "people.db")
    assert lines[0].startswith("Ann: 1 picture, since 20") and lines[1].startswith(
        "Bob: 2 pictures, since 20"
    )
    assert lines[2] == f"2 people, threshold {THRESHOLD:.3f}: the one that minidl comes with"
    assert [(row["name"], row["pictures"]) for row in table(capsys, "list", "people.db")] == [
        ("Ann", "1"),
        ("Bob", "2"),
    ]
    assert [person["name"] for person in told(capsys, "list", "people.db")] == ["Ann", "Bob"]
    Database("people.db", "fake").calibrate(0.5, {"rule": "by hand"})
    assert [person["threshold"] for person in told(capsys, "list", "people.db")] == [0.5, 0.5]
    assert [row["threshold"] for row in table(capsys, "list", "people.db")] == ["0.5", "0.5"]


def test_who_is_removed_is_unknown_from_then_on(capsys, enrolled):
    assert said(capsys, "remove", "people.db", "Bob") == (["Bob is removed, with 2 pictures"], [])
    assert faces("identify", "people.db", "bob0.png") == 1
    assert "nobody in people.db is called 'Bob'" in refused(capsys, "remove", "people.db", "Bob")


def test_names_of_strangers_files_do_not_reach_the_terminal_as_they_are(capsys, enrolled):
    connection = sqlite3.connect("people.db")
    connection.execute("UPDATE person SET name = 'A\x1b[31m\nn' WHERE name = 'Ann'")
    connection.commit()
    connection.close()
    for arguments in (["list", "people.db"], ["identify", "people.db", "ann0.png"]):
        lines, _ = said(capsys, *arguments)
        assert "A?[31m?n" in lines[0] and "\x1b" not in "".join(lines)


# ---- find
# -----------------------------------------------------------------------------------------------------------


def test_where_the_faces_are(capsys):
    lines, errors = said(capsys, "find", "two.png", "nobody.png", "words.png", code=2)
    assert lines == ["two.png: a face at 5,6 (10x10), score 0.90", "two.png: a face at 25,6 (20x20), score 0.80",
                     "nobody.png: no face was found"] and len(errors) == 1  # fmt: skip
    [found, none] = told(capsys, "find", "two.png", "nobody.png")
    assert found["picture"] == "two.png" and none["faces"] == [] and "drawn" not in found
    assert found["faces"][1]["box"] == [25, 6, 20, 20] and np.shape(
        found["faces"][1]["landmarks"]
    ) == (68, 2)
    rows = table(capsys, "find", "two.png", "nobody.png")
    assert [(row["picture"], row["face"], row["x"]) for row in rows] == [("two.png", "1", "5.0"), ("two.png", "2", "25.0"),
                                                                         ("nobody.png", "0", "")]  # fmt: skip


def test_faces_are_drawn_into_copies(capsys):
    os.mkdir("other")
    write_portrait("other/two.png", (EVE, 0, 30))
    # whatever it is called, it is written in a form that minidl writes
    os.rename("ann0.png", "ann0.bmp")
    before = {path: path.read_bytes() for path in Path().rglob("*.*")}
    lines, _ = said(
        capsys,
        "find",
        "two.png",
        "other/two.png",
        "nobody.png",
        "ann0.bmp",
        "two.png",
        "--output",
        "deep/drawn",
    )
    assert sorted(os.listdir("deep/drawn")) == [
        "ann0-faces.png",
        "nobody-faces.png",
        "two-faces-2.png",
        "two-faces.png",
    ]
    assert tuple(read_image("deep/drawn/two-faces.png")[6, 10]) == BOX
    np.testing.assert_array_equal(
        read_image("deep/drawn/nobody-faces.png"), read_image("nobody.png")
    )
    assert lines[2] == "drawn in deep/drawn/two-faces.png"
    assert before == {path: path.read_bytes() for path in before}
    [found] = told(capsys, "find", "two.png", "--output", "deep/drawn")
    assert found["drawn"] == "deep/drawn/two-faces.png" and len(os.listdir("deep/drawn")) == 4


def test_a_copy_is_never_written_over_a_picture_to_read(capsys):
    write_portrait("ann0-faces.png", (ANN, 0, 20))
    before = Path("ann0-faces.png").read_bytes()
    assert "which would overwrite it" in refused(
        capsys, "find", "ann0.png", "ann0-faces.png", "--output", "."
    )
    assert before == Path("ann0-faces.png").read_bytes()
    assert "cannot make the folder words.png" in refused(
        capsys, "find", "ann0.png", "--output", "words.png"
    )


def test_a_copy_is_written_over_what_minidl_drew_alone(capsys):
    write_portrait("ann0-faces.png", (EVE, 0, 20))
    # of minidl's, but no copy
    write_image("bob0-faces.png", np.zeros((9, 9, 3)), {"preset": "fast"})
    for name in ("ann0", "bob0"):
        before = Path(f"{name}-faces.png").read_bytes()
        assert f"{name}-faces.png is there already and was not drawn by" in refused(
            capsys, "find", f"{name}.png", "--output", "."
        )
        assert before == Path(f"{name}-faces.png").read_bytes()
    assert (
        faces("find", "ann1.png", "--output", ".")
        == faces("find", "ann1.png", "--output", ".")
        == 0
    )


def test_a_copy_that_cannot_be_drawn_does_not_stop_the_others(capsys, monkeypatch):
    long = f"{'a' * 240}.png"
    os.rename("ann0.png", long)
    lines, errors = said(capsys, "find", long, "--output", "drawn")
    assert lines[-1] == f"drawn in drawn/{'a' * 150}-faces.png" and not errors

    def draw(picture, faces, real=find.draw_faces, left=[2]):  # noqa: B006
        left[0] -= 1
        if not left[0]:
            raise MemoryError
        return real(picture, faces)

    monkeypatch.setattr(find, "draw_faces", draw)
    found = told(capsys, "find", "ann1.png", "two.png", "bob0.png", "--output", "drawn", code=2)
    assert [len(picture["faces"]) for picture in found] == [1, 2, 1]
    assert [picture.get("drawn") for picture in found] == [
        "drawn/ann1-faces.png",
        None,
        "drawn/bob0-faces.png",
    ]


def test_where_the_memory_ends_the_others_are_done(capsys, monkeypatch):
    def few(self, picture, embed=True, real=FakeReader.faces):
        if len(picture) and picture[0, 0, 0] == 2:
            raise MemoryError
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", few)
    lines, [error] = said(capsys, "find", "two.png", "ann0.png", code=2)
    assert len(lines) == 1 and "two.png: there is not enough memory for this picture" in error


# ---- calibrate, evaluate
# --------------------------------------------------------------------------------------------


@pytest.fixture
def people(in_an_empty_folder):
    write_people(Path("people"), 6, 3)


def test_a_threshold_from_a_folder_is_told_and_stored_where_it_is_wanted(capsys, people, enrolled):
    lines, errors = said(capsys, "calibrate", "people")
    assert (
        lines[0]
        == f"threshold {THRESHOLD:.3f}: the shipped one, which these people do not contradict"
    )
    assert len(lines) == 4 and not errors
    assert lines[3].startswith(
        "each person as a stranger to the 5 others: 0.0% of the pictures are accepted as one of them; 6 people prove only"
    )
    assert "the share of all strangers is at most 39% (with 95% confidence)" in lines[3]
    assert (
        "0.000% of 135 pairs of different people are accepted, 0.000% of 18 pairs of one person rejected"
        in lines[1]
    )
    assert Database("people.db", "fake").calibration() is None
    [found] = told(capsys, "calibrate", "people", "--store", "people.db")
    threshold, evidence = Database("people.db", "fake").calibration()
    assert threshold == found["threshold"] == THRESHOLD and found["stored"] == "people.db"
    assert (
        evidence["different_pairs"] == 135
        and evidence["source"] == "people"
        and evidence["equal_error_rate"] == 0
    )
    last = said(capsys, "list", "people.db")[0][-1]
    assert (
        f"threshold {threshold:.3f}: {evidence['rule']}; false accept 0.0; " in last
        and "source people; stored 20" in last
    )
    assert told(capsys, "identify", "people.db", "ann1.png")[0]["threshold"] == threshold


def test_a_threshold_from_the_database_itself(capsys, enrolled):
    assert faces("enroll", "people.db", "Ann", "ann1.png", "ann2.png") == 0
    [found] = told(capsys, "calibrate", "people.db")
    assert (found["same_pairs"], found["different_pairs"], found["stored"]) == (4, 6, "people.db")
    assert Database("people.db", "fake").calibration()[0] == found["threshold"]


def test_a_calibration_of_other_people_is_said_to_be_old(capsys, enrolled):
    told(capsys, "calibrate", "people.db")
    last = said(capsys, "list", "people.db")[0][-1]
    assert "calibrate again" not in last and not re.search(r"\d\.\d{5}", last)
    assert faces("remove", "people.db", "Ann") == 0
    last = said(capsys, "list", "people.db")[0][-1]
    assert last.endswith("; people or pictures have been added or removed since: calibrate again")


def test_a_picture_of_another_person_is_doubted(capsys, enrolled):
    _, [doubt] = said(capsys, "enroll", "people.db", "Ann", "bob0.png")
    far = between(embedding(ANN, 0), embedding(BOB, 0))
    assert doubt.startswith(
        f"minidl: bob0.png: the face is {far:.3f} from the nearest of Ann, beyond the threshold of 0.480;"
    )
    _, errors = said(capsys, "enroll", "people.db", "Ann", "ann1.png", "ann2.png")
    assert not errors
    _, [doubt] = said(capsys, "enroll", "new.db", "Ann", "ann0.png", "bob0.png", "ann1.png")
    assert "bob0.png: the face is" in doubt


def test_rules_of_one_s_own(capsys, people, enrolled):
    [found] = told(capsys, "calibrate", "people", "--false-accept", "0.01")
    assert (
        found["false_accept"] == pytest.approx(1 / 135)
        and found["rule"] == "at most 0.01 of different pairs accepted"
    )
    lines, _ = said(capsys, "calibrate", "people", "--false-accept", "0.001")
    assert lines[-1] == "so few pairs tell nothing about shares below 0.0074: take more people"
    [found] = told(capsys, "calibrate", "people", "--threshold", "0", "--store", "people.db")
    assert (found["threshold"], found["false_accept"], found["false_reject"]) == (0, 0, 1)
    assert (
        Database("people.db", "fake").calibration()[0] == 0
        and faces("identify", "people.db", "ann1.png") == 1
    )


def test_what_cannot_be_calibrated(capsys, enrolled):
    write_people(Path("alone"), 1, 3)
    assert "wanted at least two people, one of them with two pictures" in refused(
        capsys, "calibrate", "alone"
    )
    assert "leave --store out" in refused(capsys, "calibrate", "people.db", "--store", "other.db")
    assert "there is no such database" in refused(
        capsys, "calibrate", "alone", "--store", "missing.db"
    )
    assert "there is no such database or folder" in refused(capsys, "calibrate", "missing")
    os.mkdir("empty")
    assert "has no subfolders" in refused(capsys, "calibrate", "empty")
    assert Database("people.db", "fake").calibration() is None


def test_a_folder_is_evaluated_with_what_went_wrong_in_it(capsys, people):
    write_portrait("people/person-00/0.png")
    write_portrait("people/person-01/0.png", (BOB, 0, 20), (EVE, 0, 10))
    Path("people/person-02/words.png").write_text("no picture")
    os.mkdir("people/nobody")
    [found] = told(capsys, "evaluate", "people", "--threshold", "0.5", code=2)
    assert (found["people"], found["pictures"], found["faces_found"], found["threshold"]) == (
        6,
        18,
        17,
        0.5,
    )
    assert found["faceless"] == ["people/person-00/0.png"] and found["several_faces"] == [
        "people/person-01/0.png"
    ]
    assert found["equal_error_rate"] == 0 and 0 <= found["strangers_accepted"] < 0.05
    lines, errors = said(capsys, "evaluate", "people", code=2)
    assert (
        lines[0] == "6 people, 18 pictures, a face found in 17"
        and "pixels alone" in lines[1]
        and len(lines) == 5
    )
    told_of = ["people has no pictures in nobody", "words.png is no picture", "in 1 picture no face was found: person-00/0.png",
               "in 1 picture the largest of several faces is taken: person-01/0.png"]  # fmt: skip
    assert [words in error for words, error in zip(told_of, errors, strict=True)] == [True] * 4


def test_the_rates_are_drawn(capsys, people):
    pytest.importorskip("matplotlib")
    lines, _ = said(capsys, "evaluate", "people", "--plot", "rates.png")
    assert (
        lines[-1] == "drawn in rates.png" and len(lines) == 6 and read_image("rates.png").std() > 10
    )
    assert len(told(capsys, "evaluate", "people", "--plot", "rates.png")) == 1
    assert "drawings are written as" in refused(capsys, "evaluate", "people", "--plot", "rates.txt")


def test_numbers_outlive_a_drawing_that_fails(capsys, people, monkeypatch):
    def fail(*arguments):
        raise FileError("the disk is full; make room")

    pytest.importorskip("matplotlib")
    monkeypatch.setattr(evaluate.faces, "plot_evaluation", fail)
    lines, errors = said(capsys, "evaluate", "people", "--plot", "rates.png", code=2)
    assert lines[0].startswith("6 people") and errors == ["minidl: the disk is full; make room"]


def test_too_many_pictures_are_refused_before_one_is_read(capsys, people, monkeypatch):
    monkeypatch.setattr(evaluation, "MOST", 17)
    monkeypatch.setattr(evaluate, "FaceReader", None)
    assert "people has 18 pictures; wanted at most 17" in refused(capsys, "evaluate", "people")


def test_a_calibration_that_is_worth_nothing_is_said(capsys, enrolled):
    database = Database("people.db", "fake")
    for look in range(4):
        database.enroll("Ann", embedding(look, 0), digest=str(look))
        database.enroll("Bob", embedding(look, 1), digest=str(look))
    [error] = said(capsys, "calibrate", "people.db")[1]
    assert (
        "people.db hardly tells people apart, with an equal error rate of" in error
        and "show that person" in error
    )


# ---- the command line
# -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["compare", "a.png"], ["enroll", "people.db", "Ann"], ["identify", "people.db"],
        ["identify", "people.db", "a.png", "--json", "--csv"],
        ["compare", "a.png", "b.png", "--threshold", "-1"], ["compare", "a.png", "b.png", "--threshold", "x"],
        ["compare", "a.png", "b.png", "--threshold", "nan"], ["compare", "a.png", "b.png", "--threshold", "inf"],
        ["calibrate", "people", "--false-accept", "2"], ["calibrate", "people", "--false-accept", "0.1", "--threshold", "1"],
    ],
)  # fmt: skip
def test_words_that_cannot_be_parsed_are_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        faces(*arguments)
    assert stop.value.code == 2


def test_a_gpu_that_is_not_there_is_said_to_be_missing(capsys, monkeypatch, enrolled):
    monkeypatch.setattr("minidl.backend.why_no_gpu", lambda: "CuPy is not installed; install it")
    assert "the GPU cannot be used: CuPy is not installed" in refused(
        capsys, "identify", "people.db", "ann0.png", "--device", "gpu"
    )
    assert faces("identify", "people.db", "ann0.png", "--device", "auto") == 0


def test_ctrl_c_keeps_who_is_enrolled(capsys, monkeypatch):
    def stop_at_the_third(self, picture, embed=True, seen=[]):  # noqa: B006
        seen.append(picture)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(self, picture, embed)

    real = FakeReader.faces
    monkeypatch.setattr(FakeReader, "faces", stop_at_the_third)
    _, errors = said(
        capsys, "enroll", "people.db", "Ann", "ann0.png", "ann1.png", "ann2.png", code=130
    )
    assert errors == ["minidl: stopped"]
    assert [person.pictures for person in Database("people.db", "fake").people()] == [2]


def test_names_that_the_terminal_has_no_letters_for(capsys, monkeypatch):
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert faces("enroll", "people.db", "李小龍", "ann0.png") == 0
    monkeypatch.setattr("sys.stdout", ascii_only)
    assert (
        faces("enroll", "people.db", "李小龍", "ann1.png")
        == faces("identify", "people.db", "ann0.png")
        == 0
    )
    ascii_only.flush()
    assert rb"ann0.png: \u674e\u5c0f\u9f8d, distance 0.000" in ascii_only.buffer.getvalue()


# ---- with the networks themselves
# -----------------------------------------------------------------------------------


@pytest.fixture
def real(monkeypatch):
    for module in READING:
        monkeypatch.setattr(module, "FaceReader", FaceReader)


def test_an_astronaut_is_known_again_from_one_picture(capsys, real):
    """Smaller, mirrored, on her side as EXIF has it, and as one of two."""
    astronaut = read_image(shipped_picture("astronaut"))
    write_image("small.png", resize(astronaut, 300, 300))
    write_image("mirrored.jpg", astronaut[:, ::-1])
    with Image.open(shipped_picture("astronaut")) as picture:
        exif = Image.Exif()
        exif[ORIENTATION] = 8
        picture.convert("RGB").rotate(-90, expand=True).save("turned.jpg", exif=exif)
    write_image("twice.png", np.concatenate([astronaut, astronaut[:, ::-1]], axis=1))
    assert faces("enroll", "space.db", "Eileen Collins", shipped_picture("astronaut")) == 0
    found = told(
        capsys,
        "identify",
        "space.db",
        "small.png",
        "mirrored.jpg",
        "turned.jpg",
        "twice.png",
        shipped_picture("astronaut"),
    )
    assert [[face["name"] for face in picture["faces"]] for picture in found] == [["Eileen Collins"]] * 3 + [
        ["Eileen Collins"] * 2, ["Eileen Collins"]
    ]  # fmt: skip
    assert found[-1]["faces"][0]["distance"] < 1e-3
    assert said(capsys, "identify", "space.db", shipped_picture("chelsea"), code=1)[0][0].endswith(
        "no face was found"
    )
    lines, _ = said(capsys, "find", "twice.png", "--output", "drawn")
    assert len(lines) == 3 and (read_image("drawn/twice-faces.png") == BOX).all(axis=2).sum() > 500


@pytest.mark.parametrize("place", GPUS)
def test_on_a_gpu_the_distance_is_the_same(capsys, real, place):
    astronaut = read_image(shipped_picture("astronaut"))[50:220, 130:320]
    write_image("near.png", astronaut)
    write_image("mirrored.png", resize(astronaut[:, ::-1], 120, 140))
    [on_cpu] = told(capsys, "compare", "near.png", "mirrored.png")
    with at(place):
        [on_gpu] = told(capsys, "compare", "near.png", "mirrored.png", "--device", "gpu")
    assert on_cpu["same"] and on_gpu["distance"] == pytest.approx(on_cpu["distance"], abs=1e-3)


@pytest.mark.thorough
def test_real_people(capsys, real, minidl_data):
    """Eight people of ORL, four pictures each: what is asked of all forty by far more pictures is
    measured by `evaluate`."""
    for person in range(1, 9):
        os.makedirs(f"orl/s{person}")
        for number in range(1, 5):
            shutil.copy(minidl_data / f"orl/orl_faces/s{person}/{number}.pgm", f"orl/s{person}")
    [found] = told(capsys, "evaluate", "orl")
    assert found["pictures"] == 32 and found["faces_found"] >= 31
    assert (
        found["equal_error_rate"] <= 0.02
        and found["one_shot"] >= 0.95
        and found["strangers_accepted"] <= 0.02
    )
    assert (
        found["pixel_equal_error_rate"] > 2 * found["equal_error_rate"]
        and found["pixel_one_shot"] < found["one_shot"]
    )


def test_a_name_among_many_people_takes_a_few_calls_for_each_of_them():
    """Their rows are read; one matrix product compares. (The benchmarks tell the seconds.)"""

    def calls_among(count):
        database = Database(f"{count}.db", FakeReader.identity, create=True)
        with database._transaction("IMMEDIATE") as run:  # one by one they would take a while
            for person in range(count):
                run("INSERT INTO person VALUES (?, ?)", [person, f"person {person}"])
                row = [person, embedding(person, 0).tobytes(), str(person)]
                run(
                    "INSERT INTO embedding (person, numbers, origin, digest) VALUES (?, ?, '', ?)",
                    row,
                )
        calls = []
        sys.setprofile(lambda frame, event, argument: calls.append(event))
        try:
            assert faces("identify", f"{count}.db", f"ann{ANN}.png") == 0
        finally:
            sys.setprofile(None)
        return sum(event in ("call", "c_call") for event in calls)

    calls_among(10)  # what is imported and made once
    few, many = calls_among(1000), calls_among(2000)
    assert (many - few) / 1000 <= 20  # about 13 calls, most of them to check the types in each row
