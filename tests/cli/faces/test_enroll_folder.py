"""`minidl faces enroll DB FOLDER`."""

import os
from pathlib import Path

import pytest

from minidl.cli.faces import watching
from minidl.faces.database import Database
from minidl.faces.identification import between
from tests.cli.faces.commands import ANN, BOB, EVE, faces, printed, refused
from tests.faces.fake import FakeReader, embedding, write_people, write_portrait


@pytest.fixture
def family(new_folder):
    """Create the folder `family`, with pictures of Ada, Bob and Eve."""
    for number, name in enumerate(("Ada", "Bob", "Eve")):
        os.makedirs(f"family/{name}")
        for look in range(3):
            write_portrait(f"family/{name}/{look}.png", (number, look, 20))


def people():
    return {person.name: person.pictures for person in Database("people.db", "fake").people()}


def test_everybody_in_a_folder_is_enrolled(capsys, family):
    os.makedirs("family/Bob/2019/spring")
    os.rename("family/Bob/2.png", "family/Bob/2019/spring/2.png")
    lines, errors = printed(capsys, "enroll", "people.db", "family")
    assert lines == [
        "Ada: 3 pictures enrolled",
        "Bob: 3 pictures enrolled",
        "Eve: 3 pictures enrolled",
        "3 people of the folder are in people.db: 9 pictures enrolled",
    ]
    assert not errors and people() == {"Ada": 3, "Bob": 3, "Eve": 3}
    assert faces("identify", "people.db", "ann0.png", "bob1.png", "eve2.png") == 0


def test_a_second_time_changes_nothing_and_reads_no_picture(capsys, family, monkeypatch):
    assert faces("enroll", "people.db", "family") == 0
    before = Database("people.db", "fake").embeddings()
    write_portrait("family/Eve/3.png", (EVE, 3, 20))
    seen, real = [], FakeReader.faces
    monkeypatch.setattr(
        FakeReader, "faces", lambda self, *arguments: seen.append(1) or real(self, *arguments)
    )
    lines, _ = printed(capsys, "enroll", "people.db", "family")
    assert lines == [
        "Ada: 0 pictures enrolled, 3 enrolled before",
        "Bob: 0 pictures enrolled, 3 enrolled before",
        "Eve: 1 picture enrolled, 3 enrolled before",
        "3 people of the folder are in people.db: 1 picture enrolled, 9 enrolled before",
    ]
    names, embeddings = Database("people.db", "fake").embeddings()
    assert names == [*before[0], "Eve"] and (embeddings[:-1] == before[1]).all()
    assert len(seen) == 1


def test_pictures_that_cannot_be_used_are_named_and_left_out(capsys, family):
    write_portrait("family/Ada/0.png")
    write_portrait("family/Ada/1.png", (ANN, 1, 10), (EVE, 5, 20))
    write_portrait("family/outside.png", (BOB, 7, 20))
    Path("family/Bob/0.png").write_text("no picture")
    Path("family/Bob/film.heic").write_text("another format")
    for name in ("Nobody", "unknown"):
        os.makedirs(f"family/{name}")
    write_portrait("family/unknown/0.png", (9, 0, 20))
    lines, errors = printed(capsys, "enroll", "people.db", "family", code=2)
    assert lines == [
        "Ada: 1 picture enrolled, 2 left out",
        "Bob: 2 pictures enrolled, 1 left out",
        "Eve: 3 pictures enrolled",
        "3 people of the folder are in people.db: 6 pictures enrolled, 3 left out",
    ]
    messages = [
        "1 file in family left out, because the names do not end like those of pictures",
        "family/outside.png is left out, because it is in no subfolder of a person",
        "family/unknown/0.png is left out: nobody can be called 'unknown'",
        "family/Nobody has no pictures",
        "family/Ada/0.png: no face was found",
        "family/Ada/1.png shows 2 faces",
        "family/Bob/0.png is no picture",
    ]
    for error, message in zip(errors, messages, strict=True):
        assert message in error
    lines, _ = printed(capsys, "enroll", "people.db", "family", "--largest", code=2)
    assert lines[0] == "Ada: 1 picture enrolled, 1 enrolled before, 1 left out"


def test_people_who_look_alike_are_named_once(capsys, family):
    for look in (4, 5):
        write_portrait(f"family/Eve/{look}.png", (BOB, look, 20))
    _, errors = printed(capsys, "enroll", "people.db", "family")
    nearest, look = min(
        (between(embedding(BOB, known), embedding(BOB, look)), look)
        for known in range(3)
        for look in (4, 5)
    )
    alike = [error for error in errors if "is nearer to" in error]
    assert len(alike) == 1 and alike[0].startswith(
        f"minidl: Eve is nearer to Bob ({nearest:.3f} in family/Eve/{look}.png) than the threshold "
        "of 0.480"
    )
    assert "minidl faces merge" in alike[0]


def test_a_picture_in_two_subfolders_is_reported(capsys, family):
    os.replace("ann0.png", "family/Eve/3.png")
    _, errors = printed(capsys, "enroll", "people.db", "family")
    line = "Eve is enrolled with family/Eve/3.png, which is also a picture of Ada: is that right?"
    assert f"minidl: {line}" in errors


def test_a_database_with_another_threshold_decides_who_looks_alike(capsys, family):
    assert faces("enroll", "people.db", "Ada", "ann0.png") == 0
    Database("people.db", "fake").calibrate(2.0, {})
    _, errors = printed(capsys, "enroll", "people.db", "family")
    pairs = [error.split(" (")[0] for error in errors if "is nearer to" in error]
    assert sorted(pairs) == [
        "minidl: Bob is nearer to Ada",
        "minidl: Eve is nearer to Bob",
    ]


def test_ctrl_c_keeps_what_is_enrolled_and_says_so(capsys, family, monkeypatch):
    seen, real = [], FakeReader.faces

    def stop_at_the_fifth(self, picture, embed=True):
        seen.append(picture)
        if len(seen) == 5:
            raise KeyboardInterrupt
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", stop_at_the_fifth)
    lines, errors = printed(capsys, "enroll", "people.db", "family", code=130)
    assert lines[-1] == (
        "2 people of the folder are in people.db: 4 pictures enrolled, 5 not reached or left out"
    )
    assert errors == ["minidl: stopped"] and people() == {"Ada": 3, "Bob": 1}
    assert faces("enroll", "people.db", "family") == 0
    assert people() == {"Ada": 3, "Bob": 3, "Eve": 3}


def test_pictures_are_stored_later_on_request(capsys, family):
    assert faces("enroll", "people.db", "family") == 0
    assert faces("enroll", "people.db", "family", "--keep-pictures") == 0
    stored = list(Database("people.db", "fake").pictures())
    assert len(stored) == 9 and people() == {"Ada": 3, "Bob": 3, "Eve": 3}


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("Ada", "Ada is no folder of people; name one .* `minidl faces enroll DB Ada PICTURE`"),
        ("flat/ann0.png", "ann0.png is no folder of people .* `minidl faces enroll DB NAME flat/"),
        ("flat", "flat has no pictures in subfolders .* `minidl faces enroll DB NAME flat`"),
        ("empty", "empty has no pictures in subfolders"),
    ],
)
def test_folders_that_hold_no_people(capsys, folder, words):
    os.makedirs("empty")
    os.makedirs("flat")
    os.rename("ann0.png", "flat/ann0.png")
    error = refused(capsys, "enroll", "people.db", folder)
    for part in words.split(" .* "):
        assert part in error


def test_a_folder_stands_for_the_pictures_of_one_person(capsys, family):
    lines, _ = printed(capsys, "enroll", "people.db", "Ada", "family/Ada")
    assert [line.split("with ")[1] for line in lines] == [f"family/Ada/{n}.png" for n in range(3)]


def test_the_pace_and_the_time_left_are_said(capsys, monkeypatch):
    clock = iter(range(0, 10**6, 20))
    monkeypatch.setattr(watching.time, "monotonic", lambda: next(clock))
    write_people(Path("many"), 1, 5)
    _, errors = printed(capsys, "enroll", "people.db", "many")
    assert errors == [
        "minidl: 1 of 5 pictures, 0.025 a second, about 3 min left",
        "minidl: 3 of 5 pictures, 0.037 a second, about 53 s left",
    ]


def test_only_what_is_missing_is_asked_for(capsys):
    with pytest.raises(SystemExit):
        faces("enroll", "people.db")
    assert "the following arguments are required: NAME|FOLDER\n" in capsys.readouterr().err
