"""`minidl faces rename`, `merge`, `remove --picture` and `list DB NAME`."""

from pathlib import Path

from minidl.faces.database import Database
from tests.cli.faces.commands import faces, printed, records, refused, table


def people():
    return {person.name: person.pictures for person in Database("people.db", "fake").people()}


def test_a_person_gets_another_name(capsys, enrolled):
    lines, errors = printed(capsys, "rename", "people.db", "Bob", " Robert ")
    assert lines == ["Bob is now called Robert"] and not errors
    assert people() == {"Ann": 1, "Robert": 2}
    [line], _ = printed(capsys, "identify", "people.db", "bob2.png")
    assert line.startswith("bob2.png: Robert")
    error = refused(capsys, "rename", "people.db", "Robbert", "Bob")
    assert "nobody in people.db is called 'Robbert'; did you mean 'Robert'?" in error
    assert "Ann is in people.db already" in refused(capsys, "rename", "people.db", "Robert", "Ann")


def test_two_people_become_one(capsys, enrolled):
    assert faces("enroll", "people.db", "Bobby", "bob2.png", "bob1.png") == 0
    lines, _ = printed(capsys, "merge", "people.db", "Bob", "Bobby")
    assert lines == ["Bobby is now Bob, who has 1 more picture"]
    assert people() == {"Ann": 1, "Bob": 3}
    assert "nobody in people.db is called 'Bobby'" in refused(
        capsys, "merge", "people.db", "Bob", "Bobby"
    )


def test_a_picture_is_removed(capsys, enrolled):
    lines, _ = printed(capsys, "remove", "people.db", "Bob", "--picture", "1")
    assert lines == ["picture 1 of Bob is removed; 1 picture left"]
    [row] = table(capsys, "list", "people.db", "Bob")
    assert row["origin"] == "bob1.png"
    error = refused(capsys, "remove", "people.db", "Bob", "--picture", "2")
    assert "Bob has no picture 2; wanted a number from 1 to 1" in error
    lines, _ = printed(capsys, "remove", "people.db", "Bob", "--picture", "1")
    assert lines == ["Bob is removed, with the only picture"] and people() == {"Ann": 1}


def test_the_pictures_of_a_person_are_listed(capsys, enrolled):
    assert faces("enroll", "people.db", "Bob", "bob2.png", "--keep-pictures") == 0
    lines, errors = printed(capsys, "list", "people.db", "Bob")
    assert [line.split(", since 20")[0] for line in lines] == [
        "1: bob0.png",
        "2: bob1.png",
        "3: bob2.png",
    ]
    assert lines[2].endswith(", stored") and not lines[1].endswith(", stored") and not errors
    found = records(capsys, "list", "people.db", "Bob")
    assert [(row["name"], row["number"], row["stored"]) for row in found] == [
        ("Bob", 1, False),
        ("Bob", 2, False),
        ("Bob", 3, True),
    ]
    assert "nobody in people.db is called 'Bo'; did you mean 'Bob'?" in refused(
        capsys, "list", "people.db", "Bo"
    )


def test_the_stored_pictures_of_one_person_are_written(capsys, enrolled):
    for name, picture in (("Ann", "ann1.png"), ("Bob", "bob2.png")):
        assert faces("enroll", "people.db", name, picture, "--keep-pictures") == 0
    printed(capsys, "list", "people.db", "Bob", "--pictures", "out")
    assert [str(path) for path in Path("out").rglob("*.png")] == ["out/Bob/bob2.png"]
    assert faces("enroll", "people.db", "Eve", "eve0.png") == 0
    _, [error] = printed(capsys, "list", "people.db", "Eve", "--pictures", "other")
    assert error == "minidl: people.db stores no pictures of Eve"
