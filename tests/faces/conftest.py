"""A new database of faces."""

import pytest

from minidl.faces.database import Database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "people.db"


@pytest.fixture
def database(path):
    return Database(path, "model", create=True)
