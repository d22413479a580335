"""A random generator that the tests of a module share."""

import pytest


def begun_anew(rng):
    """Return an autouse fixture that resets the generator to its present state before each test.

    The random numbers of a test then do not depend on which tests ran before it in the process.
    """
    state = rng.bit_generator.state

    @pytest.fixture(autouse=True)
    def begin():
        rng.bit_generator.state = state

    return begin
