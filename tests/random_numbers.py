"""A generator that a module's tests share."""

import pytest


def begun_anew(rng):
    """An autouse fixture that sets the generator back to its present state before each test, whose
    numbers then do not depend on which tests ran before it in the same process."""
    state = rng.bit_generator.state

    @pytest.fixture(autouse=True)
    def begin():
        rng.bit_generator.state = state

    return begin
