"""`minidl faces list` and `minidl faces remove`."""

import re
import sqlite3

from minidl.faces.database import Database
from minidl.faces.identification import THRESHOLD
from tests.cli.faces.commands import faces, printed, records, refused, table


def test_the_people_of_a_database(capsys, enrolled):
    lines, _ = printed(capsys, "list", "people.db")
    assert lines[0].startswith("Ann: 1 picture, since 20")
    assert lines[1].startswith("Bob: 2 pictures, since 20")
    assert lines[2] == f"2 people, threshold {THRESHOLD:.3f}: the one that minidl ships"
    rows = table(capsys, "list", "people.db")
    assert [(row["name"], row["pictures"]) for row in rows] == [("Ann", "1"), ("Bob", "2")]
    assert [person["name"] for person in records(capsys, "list", "people.db")] == ["Ann", "Bob"]
    Database("people.db", "fake").calibrate(0.5, {"rule": "by hand"})
    assert [person["threshold"] for person in records(capsys, "list", "people.db")] == [0.5, 0.5]
    assert [row["threshold"] for row in table(capsys, "list", "people.db")] == ["0.5", "0.5"]


def test_a_removed_person_is_unknown(capsys, enrolled):
    lines, errors = printed(capsys, "remove", "people.db", "Bob")
    assert lines == ["Bob is removed, with 2 pictures"] and not errors
    assert faces("identify", "people.db", "bob0.png") == 1
    assert "nobody in people.db is called 'Bob'" in refused(capsys, "remove", "people.db", "Bob")


def test_names_are_printed_without_control_characters(capsys, enrolled):
    connection = sqlite3.connect("people.db")
    connection.execute("UPDATE person SET name = 'A\x1b[31m\nn' WHERE name = 'Ann'")
    connection.commit()
    connection.close()
    for words in ("list people.db", "identify people.db ann0.png"):
        lines, _ = printed(capsys, *words.split())
        assert "A?[31m?n" in lines[0] and "\x1b" not in "".join(lines)


def test_an_outdated_calibration_is_reported(capsys, enrolled):
    records(capsys, "calibrate", "people.db")
    last_line = printed(capsys, "list", "people.db")[0][-1]
    assert "calibrate again" not in last_line and not re.search(r"\d\.\d{5}", last_line)
    assert faces("remove", "people.db", "Ann") == 0
    last_line = printed(capsys, "list", "people.db")[0][-1]
    assert last_line.endswith(
        "; people or pictures have been added or removed since: calibrate again"
    )
