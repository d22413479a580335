"""The tests are tested: each planted error is caught, and without it nothing complains."""

from dataclasses import replace

import pytest

from minidl.proofs import RandomChooser, fill
from tests.checks import checks_of
from tests.op_table import BY_NAME, Case
from tests.planted_errors import PLANTS

CASES = 40


def cases_of(row):
    for number in range(CASES):
        geometry = row.draw(RandomChooser([number]))
        yield Case(row, fill(row, geometry, [number]), number)


def complains(check, row):
    """Whether the check finds fault with one of the cases; NumPy itself finds it where an input is
    written to."""
    for case in cases_of(row):
        try:
            check(case)
        except AssertionError:
            return True
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            return True
    return False


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.row}: {plant.error}")
def test_planted_error_is_caught(plant):
    assert complains(plant.caught_by, replace(BY_NAME[plant.row], op=plant.op))


@pytest.mark.thorough
@pytest.mark.parametrize("name", sorted({plant.row for plant in PLANTS}))
def test_without_the_plant_nothing_complains(name):
    assert [
        check.__name__ for check in checks_of(BY_NAME[name]) if complains(check, BY_NAME[name])
    ] == []


def test_every_check_catches_a_plant():
    """Two checks look at the tape, not at the op: test_autograd.py plants into the tape for
    them."""
    about_the_tape = {"plain_arrays_leave_no_tape", "only_wanted_gradients_are_computed"}
    every = {check.__name__ for row in BY_NAME.values() for check in checks_of(row)}
    assert {plant.caught_by.__name__ for plant in PLANTS} == every - about_the_tape
