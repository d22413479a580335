"""Tests of the tests: the checks find each planted error, and no error in the right ops."""

from dataclasses import replace

import pytest

from minidl.engine.convolution import ALGORITHMS
from tests.checks import checks_of
from tests.op_table import BY_NAME, drawn
from tests.planted_errors import PLANTS

CASES = 40


def fails(check, row):
    """Return whether the check fails for one of the cases.

    NumPy raises ValueError where a read-only input is written to. This counts as a failure too.
    """
    for number in range(CASES):
        try:
            check(drawn(row, number))
        except AssertionError:
            return True
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            return True
    return False


def parameter(plant):
    """Return the parameter of a test. An error in an algorithm of convolution is in the engine."""
    is_of_engine = any(plant.row.endswith(f"[{name}]") for name in ALGORITHMS)
    marks = [pytest.mark.engine] * is_of_engine
    return pytest.param(plant, id=f"{plant.row}: {plant.error}", marks=marks)


@pytest.mark.parametrize("plant", map(parameter, PLANTS))
def test_planted_error_is_caught(plant):
    assert fails(plant.caught_by, replace(BY_NAME[plant.row], op=plant.op))


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted({plant.row for plant in PLANTS}))
def test_no_check_fails_without_a_planted_error(name):
    row = BY_NAME[name]
    assert [check.__name__ for check in checks_of(row) if fails(check, row)] == []


def test_every_check_finds_a_planted_error():
    """Two checks are about the tape and not about the op; test_autograd.py plants errors into the
    tape for them."""
    about_the_tape = {"plain_arrays_leave_no_tape", "only_wanted_gradients_are_computed"}
    all_checks = {check.__name__ for row in BY_NAME.values() for check in checks_of(row)}
    assert {plant.caught_by.__name__ for plant in PLANTS} == all_checks - about_the_tape
