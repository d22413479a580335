"""`minidl faces identify`."""

import io
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from minidl.data import read_image, write_image
from minidl.faces.database import Database
from minidl.faces.identification import THRESHOLD, between
from tests.cli.faces.commands import ANN, BOB, EVE, faces, printed, records, refused, table
from tests.faces.fake import FakeReader, embedding


def test_a_known_face_gets_a_name(capsys, enrolled):
    distance = between(embedding(ANN, 0), embedding(ANN, 1))
    [line], errors = printed(capsys, "identify", "people.db", "ann1.png")
    assert line == f"ann1.png: Ann, distance {distance:.3f}" and not errors


def test_an_unknown_face_gets_the_nearest_person(capsys, enrolled):
    known = [("Ann", embedding(ANN, 0)), ("Bob", embedding(BOB, 0)), ("Bob", embedding(BOB, 1))]
    distance, name = min((between(embedding(EVE, 0), other), name) for name, other in known)
    lines, _ = printed(capsys, "identify", "people.db", "eve0.png", "nobody.png", code=1)
    assert lines == [
        f"eve0.png: unknown, distance {distance:.3f} to the nearest, {name}",
        "nobody.png: no face was found",
    ]


def test_several_faces_get_their_places(capsys, enrolled):
    lines, _ = printed(capsys, "identify", "people.db", "two.png")
    assert [line.split(",")[0] for line in lines] == ["two.png: Bob", "two.png: Ann"]
    assert lines[0].endswith(", at 5,6 (10x10)") and lines[1].endswith(", at 25,6 (20x20)")


@pytest.mark.parametrize(
    ("pictures", "code"),
    [
        (["ann1.png"], 0),
        (["ann1.png", "two.png"], 0),
        (["eve0.png"], 1),
        (["ann1.png", "nobody.png"], 1),
        (["ann1.png", "words.png"], 2),
        (["eve0.png", "missing.png"], 2),
    ],
)
def test_exit_codes(enrolled, pictures, code):
    assert faces("identify", "people.db", *pictures) == code


def test_names_in_json(capsys, enrolled):
    near, stranger = records(capsys, "identify", "people.db", "two.png", "eve0.png", code=1)
    assert near["picture"] == "two.png" and near["threshold"] == THRESHOLD
    assert [face["name"] for face in near["faces"]] == ["Bob", "Ann"]
    assert near["faces"][1]["box"] == [25, 6, 20, 20]
    assert near["faces"][0]["score"] == pytest.approx(0.9)
    [face] = stranger["faces"]
    assert face["name"] is None and face["nearest"] in ("Ann", "Bob")
    assert face["distance"] > THRESHOLD


def test_names_in_a_table(capsys, enrolled):
    assert faces("enroll", "people.db", 'Eve, "the" third', "eve1.png") == 0
    pictures = ["two.png", "nobody.png", "eve0.png"]
    rows = table(capsys, "identify", "people.db", *pictures, code=1)
    assert [(row["picture"], row["face"], row["name"]) for row in rows] == [
        ("two.png", "1", "Bob"),
        ("two.png", "2", "Ann"),
        ("nobody.png", "0", ""),
        ("eve0.png", "1", 'Eve, "the" third'),
    ]
    box = [rows[1][column] for column in ("x", "y", "width", "height")]
    assert box == ["25.0", "6.0", "20.0", "20.0"]


def test_the_faces_of_a_folder_get_names(capsys, enrolled):
    os.makedirs("album/2019/.hidden")
    for name in ("album/ann2.png", "album/2019/bob2.png", "album/2019/.hidden/eve0.png"):
        os.rename(Path(name).name, name)
    Path("album/party.mov").write_text("a film")
    lines, errors = printed(capsys, "identify", "people.db", "album", "ann0.png")
    assert [line.split(",")[0] for line in lines] == [
        "album/2019/bob2.png: Bob",
        "album/ann2.png: Ann",
        "ann0.png: Ann",
    ]
    assert errors == [
        "minidl: 1 file in album left out, because the names do not end like those of pictures "
        "that minidl reads: party.mov"
    ]


def test_a_second_person_who_is_nearly_as_near_is_said(capsys, enrolled):
    near = between(embedding(ANN, 1), embedding(ANN, 0))
    assert faces("enroll", "people.db", "Twin", "ann2.png") == 0
    other = between(embedding(ANN, 1), embedding(ANN, 2))
    first, second = sorted([(near, "Ann"), (other, "Twin")])
    [line], _ = printed(capsys, "identify", "people.db", "ann1.png")
    assert line == (
        f"ann1.png: {first[1]}, distance {first[0]:.3f} "
        f"({second[1]} is nearly as near: {second[0]:.3f})"
    )
    [result] = records(capsys, "identify", "people.db", "ann1.png")
    [face] = result["faces"]
    assert face["close"] and face["second"] == second[1]
    assert face["second_distance"] == pytest.approx(second[0])
    [row] = table(capsys, "identify", "people.db", "bob2.png")
    assert row["close"] == "False" and row["second"] in ("Ann", "Twin")


def test_a_sideways_picture_is_identified_unless_it_is_looked_at_once(capsys, enrolled):
    write_image("turned.png", np.rot90(read_image("ann1.png"), 3))
    [line], _ = printed(capsys, "identify", "people.db", "turned.png")
    assert line.startswith("turned.png: Ann") and line.endswith(", the picture turned by 270°")
    [result] = records(capsys, "identify", "people.db", "turned.png")
    assert result["faces"][0]["turned"] == 270 and not result["faces"][0]["stretched"]
    [row] = table(capsys, "identify", "people.db", "turned.png")
    assert (row["turned"], row["stretched"]) == ("270", "False")
    lines, _ = printed(capsys, "identify", "people.db", "turned.png", "--once", code=1)
    assert lines == ["turned.png: no face was found"]


def test_pictures_that_cannot_be_read_do_not_stop_the_others(capsys, enrolled):
    os.mkdir("folder")
    pictures = ["words.png", "ann1.png", "missing.png", "folder", "bob2.png"]
    lines, errors = printed(capsys, "identify", "people.db", *pictures, code=2)
    assert [line.split(",")[0] for line in lines] == ["ann1.png: Ann", "bob2.png: Bob"]
    messages = ["words.png is no", "missing.png: there", "'folder' is not"]
    for error, message in zip(errors, messages, strict=True):
        assert message in error


def test_the_threshold_of_the_option_and_of_the_database(enrolled):
    assert faces("identify", "people.db", "ann1.png", "--threshold", "0") == 1
    Database("people.db", "fake").calibrate(0.0, {"rule": "by hand"})
    assert faces("identify", "people.db", "ann1.png") == 1
    assert faces("identify", "people.db", "ann0.png") == 0
    assert faces("identify", "people.db", "ann1.png", "--threshold", "0.6") == 0


def test_every_face_is_unknown_to_an_empty_database(capsys):
    Database("people.db", "fake", create=True)
    lines, errors = printed(capsys, "identify", "people.db", "ann0.png", code=1)
    assert lines == ["ann0.png: unknown"]
    assert errors == ["minidl: nobody is enrolled in people.db, so every face is unknown"]
    [row] = table(capsys, "identify", "people.db", "ann0.png", code=1)
    assert (row["name"], row["nearest"], row["distance"]) == ("unknown", "", "")


@pytest.mark.parametrize("action", ["identify", "list", "remove", "calibrate"])
def test_a_missing_database_and_a_file_that_is_none(capsys, action):
    more = {"identify": ["ann0.png"], "remove": ["Ann"]}.get(action, [])
    assert "missing.db: there is no such database" in refused(capsys, action, "missing.db", *more)
    assert "words.png is no database of faces" in refused(capsys, action, "words.png", *more)


def test_a_database_of_another_model_can_only_be_listed_and_edited(capsys, monkeypatch, enrolled):
    monkeypatch.setattr(FakeReader, "identity", "newer")
    for words in (
        "identify people.db ann0.png",
        "enroll people.db Eve eve0.png",
        "calibrate people.db",
    ):
        assert "another model (fake; this one is newer)" in refused(capsys, *words.split())
    assert len(printed(capsys, "list", "people.db")[0]) == 3
    assert faces("remove", "people.db", "Ann") == 0


def test_a_missing_gpu_is_reported(capsys, monkeypatch, enrolled):
    monkeypatch.setattr("minidl.backend.why_no_gpu", lambda: "CuPy is not installed; install it")
    error = refused(capsys, "identify", "people.db", "ann0.png", "--device", "gpu")
    assert "the GPU cannot be used: CuPy is not installed" in error
    assert faces("identify", "people.db", "ann0.png", "--device", "auto") == 0


def test_names_in_letters_that_the_terminal_lacks(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert faces("enroll", "people.db", "李小龍", "ann0.png") == 0
    monkeypatch.setattr("sys.stdout", terminal)
    assert faces("enroll", "people.db", "李小龍", "ann1.png") == 0
    assert faces("identify", "people.db", "ann0.png") == 0
    terminal.flush()
    assert rb"ann0.png: \u674e\u5c0f\u9f8d, distance 0.000" in terminal.buffer.getvalue()


def test_the_number_of_calls_per_enrolled_person_is_small():
    """The rows are read, and one matrix product compares them. (The benchmarks measure seconds.)"""

    def calls_among(count):
        database = Database(f"{count}.db", FakeReader.identity, create=True)
        with database._transaction("IMMEDIATE") as run:  # single transactions take a while
            for person in range(count):
                run("INSERT INTO person VALUES (?, ?)", [person, f"person {person}"])
                run(
                    "INSERT INTO embedding (person, numbers, origin, digest) VALUES (?, ?, '', ?)",
                    [person, embedding(person, 0).tobytes(), str(person)],
                )
        calls = []
        sys.setprofile(lambda frame, event, argument: calls.append(event))
        try:
            assert faces("identify", f"{count}.db", f"ann{ANN}.png") == 0
        finally:
            sys.setprofile(None)
        return sum(event in ("call", "c_call") for event in calls)

    calls_among(10)  # imports modules and fills caches
    few, many = calls_among(1000), calls_among(2000)
    assert (many - few) / 1000 <= 20  # about 13 calls, most of them to check the types in each row


@pytest.mark.parametrize(
    "line",
    [
        "",
        "compare a.png",
        "enroll people.db",
        "identify people.db",
        "identify people.db a.png --json --csv",
        "compare a.png b.png --threshold -1",
        "compare a.png b.png --threshold x",
        "compare a.png b.png --threshold nan",
        "compare a.png b.png --threshold inf",
        "calibrate people --false-accept 2",
        "calibrate people --false-accept 0.1 --threshold 1",
    ],
)
def test_words_that_cannot_be_parsed_give_exit_code_2(line):
    with pytest.raises(SystemExit) as stop:
        faces(*line.split())
    assert stop.value.code == 2
