"""Fixtures for the tests of `minidl faces`: pictures that encode their faces, which a FakeReader
decodes."""

from pathlib import Path

import pytest

from minidl.cli.faces import find, options
from minidl.faces import FaceReader
from tests.cli.faces.commands import ANN, BOB, EVE, faces
from tests.faces.fake import FakeReader, write_people, write_portrait

ACTIONS = options, find  # modules that make a FaceReader


@pytest.fixture(autouse=True)
def new_folder(tmp_path, tmp_path_factory, monkeypatch):
    """Change to a new folder with pictures of Ann, Bob and Eve, and replace the FaceReader and the
    user's cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    for module in ACTIONS:
        monkeypatch.setattr(module, "FaceReader", FakeReader)
    for name, person in {"ann": ANN, "bob": BOB, "eve": EVE}.items():
        for look in range(3):
            write_portrait(f"{name}{look}.png", (person, look, 20))
    write_portrait("nobody.png")
    write_portrait("two.png", (BOB, 5, 10), (ANN, 5, 20))
    Path("words.png").write_text("no picture")


@pytest.fixture
def enrolled(new_folder):
    """Create people.db with one picture of Ann and two of Bob."""
    assert faces("enroll", "people.db", "Ann", "ann0.png") == 0
    assert faces("enroll", "people.db", "Bob", "bob0.png", "bob1.png") == 0


@pytest.fixture
def people(new_folder):
    """Create the folder `people`, with three pictures of each of six people."""
    write_people(Path("people"), 6, 3)


@pytest.fixture
def real_reader(new_folder, monkeypatch):
    """Use the shipped networks."""
    for module in ACTIONS:
        monkeypatch.setattr(module, "FaceReader", FaceReader)
