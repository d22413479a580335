"""Renaming, merging and removing the people and pictures of a database."""

import pytest

from minidl.errors import ArgumentError
from minidl.faces.database import LONGEST_VALUE
from tests.faces.fake import change, embedding


@pytest.fixture
def family(database):
    """Ada has two pictures, one of which Bob has too, and Bob has three."""
    for name, look in (("Ada", 0), ("Ada", 1), ("Bob", 1), ("Bob", 2), ("Bob", 3)):
        database.enroll(name, embedding(0, look), digest=f"digest {look}", origin=f"{look}.png")
    return database


def origins(database, name):
    return [picture.origin for picture in database.pictures_of(name)]


def test_a_person_is_renamed(family):
    family.rename("Bob", "  Zoe\u0308 ")
    assert [person[:2] for person in family.people()] == [("Ada", 2), ("Zoë", 3)]
    family.rename("Zoe\u0308", "zoë")  # only the case changes
    assert origins(family, "zoë") == ["1.png", "2.png", "3.png"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Bop", "Eve", r"nobody in .*people.db is called 'Bop'; did you mean 'Bob'\?"),
        ("Bob", "Ada", "Ada is in .*people.db already; .*minidl faces merge"),
        ("Bob", "Bob", "Bob is in .*people.db already"),
        ("Bob", " ", "the name is empty"),
        ("Bob", "Unknown", "nobody can be called"),
    ],
)
def test_names_that_cannot_be_changed(family, old, new, words):
    with pytest.raises(ArgumentError, match=words):
        family.rename(old, new)
    assert [person.name for person in family.people()] == ["Ada", "Bob"]


def test_two_people_become_one(family, path):
    assert family.merge("Ada", "Bob") == 2
    assert [person[:2] for person in family.people()] == [("Ada", 4)]
    assert origins(family, "Ada") == ["0.png", "1.png", "2.png", "3.png"]
    names, embeddings = family.embeddings()
    assert names == ["Ada"] * 4 and embeddings.tolist() == [
        embedding(0, look).tolist() for look in range(4)
    ]


def test_a_merge_keeps_the_stored_picture_of_either(family):
    large = b"x" * (LONGEST_VALUE + 1)
    family.enroll("Bob", embedding(0, 1), digest="digest 1", picture=large)
    family.enroll("Ada", embedding(0, 0), digest="digest 0", picture=b"0")
    family.merge("Ada", "Bob")
    assert list(family.pictures()) == [("Ada", "0.png", b"0"), ("Ada", "1.png", large)]


def test_a_merge_that_fails_changes_nothing(family):
    for pair, words in {
        ("Ada", "Eve"): "nobody in .* is called 'Eve'",
        ("Eve", "Ada"): "nobody in .* is called 'Eve'",
        ("Ada", "Ada"): "Ada is one person already",
    }.items():
        with pytest.raises(ArgumentError, match=words):
            family.merge(*pair)
    assert [person[:2] for person in family.people()] == [("Ada", 2), ("Bob", 3)]


def test_one_picture_is_removed(family, path):
    assert family.remove("Bob", 2) == 1
    assert origins(family, "Bob") == ["1.png", "3.png"]
    assert embedding(0, 2).tobytes() not in path.read_bytes()
    for number in (0, 3, -1):
        with pytest.raises(ArgumentError, match=f"Bob has no picture {number}; wanted .* 1 to 2"):
            family.remove("Bob", number)
    family.remove("Bob", 1)
    family.remove("Bob", 1)
    assert [person.name for person in family.people()] == ["Ada"]
    with pytest.raises(ArgumentError, match=r"nobody in .* is called 'Bob'"):
        family.remove("Bob", 1)


def test_the_pictures_of_a_person(family):
    family.enroll("Ada", embedding(0, 0), digest="digest 0", picture=b"0")
    first, second = family.pictures_of("Ada")
    assert (first.number, first.origin, first.stored) == (1, "0.png", True)
    assert (second.number, second.origin, second.stored) == (2, "1.png", False)
    assert first.enrolled.startswith("20")
    assert family.digests() == {
        *(("Ada", f"digest {n}") for n in (0, 1)),
        *(("Bob", f"digest {n}") for n in (1, 2, 3)),
    }
    with pytest.raises(ArgumentError, match=r"nobody in .* is called 'Eve'"):
        family.pictures_of("Eve")


def test_damaged_rows_are_refused(family, path):
    change(path, "UPDATE embedding SET origin = x'ff' WHERE origin = '0.png'")
    with pytest.raises(OSError, match="unexpected types"):
        family.pictures_of("Ada")
