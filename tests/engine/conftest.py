"""Fixtures of the engine's tests."""

import pytest

from minidl.engine.threads import get_threads
from tests.running import using_threads


@pytest.fixture(autouse=True)
def restored_threads():
    """Restore the number of threads after each test."""
    with using_threads(get_threads()):
        yield
