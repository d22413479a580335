"""Rename, merge and remove the people and pictures of a database, within an open transaction.

Each function takes `run`, the function of `minidl.faces.sqlite_file.transaction` that runs SQL, and
the path of the file for messages. A change that raises an error is undone as a whole.
"""

from pathlib import Path

from minidl.errors import ArgumentError
from minidl.faces.names import nobody_called, normal_form, proper_name
from minidl.faces.sqlite_file import Run, checked


def person_of(run: Run, path: Path, name: str) -> int:
    """Return the id of a person. Raise ArgumentError for an unknown name."""
    row = run("SELECT id FROM person WHERE name = ?", [normal_form(name)]).fetchone()
    if not row:
        rows = checked(path, run, run("SELECT name FROM person"), str)
        raise nobody_called(name, [known for (known,) in rows], path)
    return row[0]


def rename(run: Run, path: Path, old: str, new: str) -> None:
    """Give a person a new name. Raise ArgumentError for an unknown old name, and for a new name
    that `proper_name` refuses or that another person has."""
    person, name = person_of(run, path, old), proper_name(new)
    if run("SELECT 1 FROM person WHERE name = ?", [name]).fetchone():
        raise ArgumentError(
            f"{name} is in {path} already; take another name, or make one person of both with "
            "`minidl faces merge`"
        )
    run("UPDATE person SET name = ? WHERE id = ?", [name, person])


def merge(run: Run, path: Path, name: str, other: str) -> int:
    """Make all pictures of another person those of a person, remove the other one, and return the
    number of pictures that were added.

    A picture that both have is kept once. Raise ArgumentError for an unknown name, and if both
    names are of one person.
    """
    person, second = person_of(run, path, name), person_of(run, path, other)
    if person == second:
        raise ArgumentError(f"{name} is one person already; name two people to merge")
    run(
        "UPDATE embedding SET picture = (SELECT twin.picture FROM embedding AS twin "
        "WHERE twin.person = ? AND twin.digest = embedding.digest) "
        "WHERE person = ? AND picture IS NULL",
        [second, person],
    )
    added = run("UPDATE OR IGNORE embedding SET person = ? WHERE person = ?", [person, second])
    _remove_person(run, second)
    return added.rowcount


def remove(run: Run, path: Path, name: str, picture: int | None = None) -> int:
    """Delete a person, or one of their pictures, and return the number of pictures deleted.

    picture: the number of the picture, 1 for the first one in the order of enrolment. A person
    without pictures is deleted too. Raise ArgumentError for an unknown name or number.
    """
    person = person_of(run, path, name)
    if picture is None:
        return _remove_person(run, person)
    query = "SELECT id FROM embedding WHERE person = ? ORDER BY id"
    ids = [number for (number,) in checked(path, run, run(query, [person]), int)]
    if not 1 <= picture <= len(ids):
        raise ArgumentError(
            f"{name} has no picture {picture}; wanted a number from 1 to {len(ids)}: "
            "`minidl faces list DB NAME` shows them"
        )
    run("DELETE FROM embedding WHERE id = ?", [ids[picture - 1]])
    if len(ids) == 1:
        _remove_person(run, person)
    return 1


def _remove_person(run, person):
    """Delete a person with all pictures, and return the number of these."""
    count = run("DELETE FROM embedding WHERE person = ?", [person]).rowcount
    run("DELETE FROM person WHERE id = ?", [person])
    return count
