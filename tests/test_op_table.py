"""Every op passes every check, on geometries that hypothesis looks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import losses, ops
from minidl.proofs import ROWS
from tests.checks import checks_of
from tests.op_table import KEEPS, ORACLES, cases, of_row, public_op

PAIRS = [pytest.param(row, check, id=f"{row.name}-{check.__name__}") for row in ROWS for check in checks_of(row)]


@pytest.mark.parametrize(("row", "check"), PAIRS)
@given(data=st.data())
def test_op(row, check, data):
    check(data.draw(cases(row)))


def test_every_public_op_has_a_row():
    assert {public_op(row) for row in ROWS} >= {getattr(room, name) for room in (ops, losses) for name in room.__all__}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_has_an_oracle_and_says_what_is_kept(row):
    assert callable(of_row(ORACLES, row))
    assert of_row(KEEPS, row).keys() == row.kinds.keys()


def test_every_array_of_a_row_is_proven():
    for row in ROWS:
        assert {name[1:] for name in public_op(row).gradients} - {"arrays"} <= row.kinds.keys()
