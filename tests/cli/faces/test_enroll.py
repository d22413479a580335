"""`minidl faces enroll`."""

import os
from pathlib import Path

import numpy as np
import pytest

from minidl.faces.database import Database
from minidl.faces.identification import between
from tests.cli.faces.commands import ANN, BOB, EVE, faces, printed, refused
from tests.faces.fake import FakeReader, embedding, write_portrait


def stored_embeddings():
    return Database("people.db", "fake").embeddings()[1]


def test_one_picture_is_enough_and_more_can_be_added(capsys):
    lines, errors = printed(capsys, "enroll", "people.db", "Ann Lee", "ann0.png")
    assert lines == ["Ann Lee is enrolled with ann0.png"] and not errors
    lines, _ = printed(capsys, "enroll", "people.db", "Ann Lee", "ann1.png", "ann0.png")
    assert lines == [
        "Ann Lee is enrolled with ann1.png",
        "Ann Lee is enrolled already with ann0.png",
    ]
    assert [person[:2] for person in Database("people.db", "fake").people()] == [("Ann Lee", 2)]


def test_the_same_picture_under_two_names_is_reported(capsys):
    assert faces("enroll", "people.db", "Ann", "ann0.png") == 0
    Path("copy.png").write_bytes(Path("ann0.png").read_bytes())
    lines, _ = printed(capsys, "enroll", "people.db", "Bob", "copy.png")
    assert lines[-1] == (
        "Bob is enrolled with copy.png, which is also a picture of Ann: is that right?"
    )


def test_names_that_differ_only_in_case_are_reported(capsys):
    assert faces("enroll", "people.db", "Ann", "ann0.png") == 0
    for picture in ("ann1.png", "ann2.png"):
        _, [error, alike] = printed(capsys, "enroll", "people.db", "ANN", picture)
        assert error == (
            "minidl: Ann is enrolled already, and ANN is another name: "
            "remove one of them if they are the same person"
        )
        assert alike.startswith("minidl: ANN is nearer to Ann (0.")
    assert not printed(capsys, "enroll", "people.db", "Bob", "bob0.png")[1]


def test_pictures_that_cannot_be_used_are_reported_and_the_others_are_enrolled(capsys):
    pictures = ["nobody.png", "ann0.png", "words.png", "two.png", "missing.png", "ann1.png"]
    lines, errors = printed(capsys, "enroll", "people.db", "Ann", *pictures, code=2)
    assert lines == ["Ann is enrolled with ann0.png", "Ann is enrolled with ann1.png"]
    messages = [
        "nobody.png: no face was found",
        "words.png is no picture",
        "two.png shows 2 faces; crop it to the one to enroll, or use --largest",
        "missing.png: there is no such",
    ]
    for error, message in zip(errors, messages, strict=True):
        assert message in error


def test_embedding_and_stored_file_belong_to_the_same_picture(capsys, monkeypatch):
    """The file is overwritten while the face is detected."""
    original, real = Path("ann0.png").read_bytes(), FakeReader.faces

    def overwriting(self, picture, embed=True):
        Path("ann0.png").write_bytes(Path("bob0.png").read_bytes())
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", overwriting)
    assert faces("enroll", "people.db", "Ann", "ann0.png", "--keep-pictures") == 0
    np.testing.assert_array_equal(stored_embeddings(), [embedding(ANN, 0)])
    pictures = Database("people.db", "fake").pictures()
    assert list(pictures) == [("Ann", "ann0.png", original)]
    Path("again.png").write_bytes(original)
    lines, _ = printed(capsys, "enroll", "people.db", "Ann", "again.png")
    assert lines == ["Ann is enrolled already with again.png"]


def test_the_largest_of_several_faces(capsys):
    assert faces("enroll", "people.db", "Ann", "two.png", "--largest") == 0
    np.testing.assert_array_equal(stored_embeddings(), [embedding(ANN, 5)])


def test_the_largest_face_is_not_one_of_low_score():
    # the last one has the score 0.6
    write_portrait("group.png", (BOB, 0, 10), (EVE, 0, 10), (EVE, 1, 10), (ANN, 0, 40))
    assert faces("enroll", "people.db", "Bob", "group.png", "--largest") == 0
    np.testing.assert_array_equal(stored_embeddings(), [embedding(BOB, 0)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("people.db", "Ann", "nobody.png"), "no face was found"),
        (("people.db", "  ", "ann0.png"), "the name is empty"),
        (("people.db", "a" * 300, "ann0.png"), "wanted at most 200"),
        (("people.db", "unknown", "ann0.png"), "nobody can be called 'unknown'"),
        (("nowhere/people.db", "Ann", "ann0.png"), "there is no folder nowhere"),
        ((".", "Ann", "ann0.png"), "is a folder"),
        (("words.png", "Ann", "ann0.png"), "is no database of faces"),
    ],
)
def test_no_database_is_created_if_nothing_can_be_enrolled(capsys, arguments, message):
    assert message in refused(capsys, "enroll", *arguments)


def test_pictures_are_stored_on_request_and_written_to_a_folder(capsys):
    assert faces("enroll", "people.db", "Ann/Lee", "ann0.png") == 0
    _, [error] = printed(capsys, "list", "people.db", "--pictures", "out")
    assert error == "minidl: people.db stores no pictures" and not Path("out").exists()
    assert faces("enroll", "people.db", "Ann/Lee", "ann1.png", "ann2.png", "--keep-pictures") == 0
    os.rename("bob1.png", "ann1.png")  # another picture with the same name
    assert faces("enroll", "people.db", "Ann/Lee", "ann1.png", "--keep-pictures") == 0
    assert faces("enroll", "people.db", "Ann_Lee", "eve0.png", "--keep-pictures") == 0
    assert faces("enroll", "people.db", "...", "eve1.png", "--keep-pictures") == 0
    printed(capsys, "list", "people.db", "--pictures", "out")
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
    _, errors = printed(capsys, "list", "people.db", "--pictures", "out", code=2)
    assert errors == [
        "minidl: out exists already; name a new folder, so that nothing is overwritten"
    ]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_files_that_show_people_are_private(capsys):
    """Files are private with any umask. Existing files keep their permissions, and a warning names
    a database that every user may read."""

    def mode(path):
        return os.stat(path).st_mode & 0o777

    umask = os.umask(0)
    try:
        assert faces("enroll", "people.db", "Ann", "ann0.png", "--keep-pictures") == 0
        assert faces("list", "people.db", "--pictures", "deep/out") == 0
        assert faces("find", "ann0.png", "--output", "drawn") == 0
    finally:
        os.umask(umask)
    assert mode("people.db") == mode("deep/out/Ann/ann0.png") == 0o600
    assert mode("deep/out") == mode("deep/out/Ann") == mode("drawn") == 0o700
    assert not printed(capsys, "enroll", "people.db", "Ann", "ann1.png")[1]
    os.chmod("people.db", 0o644)
    [error] = printed(capsys, "enroll", "people.db", "Ann", "ann2.png")[1]
    assert error.startswith("minidl: every user of this machine may read people.db")
    assert mode("people.db") == 0o644
    os.mkdir("open", 0o755)
    assert faces("find", "ann0.png", "--output", "open") == 0
    assert mode("open") == 0o755


def test_a_picture_of_another_person_is_reported(capsys, enrolled):
    _, [doubt, alike] = printed(capsys, "enroll", "people.db", "Ann", "bob0.png")
    assert alike.startswith("minidl: Ann is nearer to Bob (0.000 in bob0.png) than the threshold")
    distance = between(embedding(ANN, 0), embedding(BOB, 0))
    assert doubt.startswith(
        "minidl: bob0.png: the distance of the face to the nearest face of Ann is "
        f"{distance:.3f}, beyond the threshold of 0.480;"
    )
    _, errors = printed(capsys, "enroll", "people.db", "Ann", "ann1.png", "ann2.png")
    assert not errors
    _, [doubt] = printed(capsys, "enroll", "new.db", "Ann", "ann0.png", "bob0.png", "ann1.png")
    assert "bob0.png: the distance of the face" in doubt


def test_ctrl_c_keeps_the_people_enrolled_so_far(capsys, monkeypatch):
    seen, real = [], FakeReader.faces

    def stop_at_the_third(self, picture, embed=True):
        seen.append(picture)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", stop_at_the_third)
    pictures = ["ann0.png", "ann1.png", "ann2.png"]
    _, errors = printed(capsys, "enroll", "people.db", "Ann", *pictures, code=130)
    assert errors == ["minidl: stopped"]
    assert [person.pictures for person in Database("people.db", "fake").people()] == [2]
