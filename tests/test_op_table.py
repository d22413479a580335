"""Every op passes every check, on geometries that hypothesis draws."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl import losses, ops
from minidl.backend import to_device
from minidl.engine.kernels import plain_arrays
from minidl.proofs import ROWS, RandomChooser, Shape
from tests.checks import checks_of, cotangent, differentiate, record, sizes, transformed, worst
from tests.devices import GPUS, at
from tests.op_table import KEEPS, cases, of_row, public_op
from tests.oracles import ORACLES
from tests.strict import counts

PAIRS = [
    pytest.param(row, check, id=f"{row.name}-{check.__name__}")
    for row in ROWS
    for check in checks_of(row)
]


@pytest.mark.parametrize(("row", "check"), PAIRS)
@given(data=st.data())
def test_op(row, check, data):
    check(data.draw(cases(row)))


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize(("row", "check"), PAIRS)
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_op_on_a_gpu(row, check, place, data):
    case = data.draw(cases(row))
    with at(place):
        check(transformed(case, lambda array: to_device(array, "gpu")))


SENDS = {"dropout": "its mask, drawn on the host", "index": "a list of indices"}


@pytest.mark.engine
@pytest.mark.strict
@pytest.mark.parametrize(
    "row", [row for row in ROWS if row.name not in SENDS], ids=lambda row: row.name
)
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_nothing_is_copied_between_the_devices(row, data):
    case = data.draw(cases(row))
    with at("strict"):
        _, y = record(case := transformed(case, lambda array: to_device(array, "gpu")))
        dy = cotangent(case, y)
        y.backward(dy)  # an op may copy once what it then keeps
        counts.reset()
        _, y = record(case)
        y.backward(dy)
        assert (counts.reads, counts.uploads, counts.syncs) == (0, 0, 0)


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if "pool" in row.name or "winograd" in row.name],
    ids=lambda row: row.name,
)
@settings(max_examples=settings().max_examples // 4)
@given(data=st.data())
def test_kernels_and_plain_arrays_give_the_same(row, place, data):
    case = data.draw(cases(row))
    with at(place):
        case = transformed(case, lambda array: to_device(array, "gpu"))
        y, dy, gradients = differentiate(case)
        with plain_arrays():
            plain_y, _, plain = differentiate(case, dy)
        y_size, gradient_sizes = sizes(case)
    assert worst(y - plain_y) <= 1e-13 * y_size
    for name, gradient in gradients.items():
        assert worst(gradient - plain[name]) <= 1e-13 * gradient_sizes[name]


WITHOUT_GRADIENT = {ops.argmax, ops.argmin}


def test_every_public_op_has_a_row():
    public = {getattr(package, name) for package in (ops, losses) for name in package.__all__}
    missing = public - WITHOUT_GRADIENT - {public_op(row) for row in ROWS}
    assert not missing, f"add a Row to minidl/proofs/table.py for {missing}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_has_an_oracle_and_a_list_of_kept_arrays(row):
    assert callable(of_row(ORACLES, row))
    assert of_row(KEEPS, row).keys() == row.kinds.keys()


def test_every_array_of_a_row_is_proven():
    for row in ROWS:
        drawn = row.draw(RandomChooser(0))
        gradients = getattr(public_op(row), "gradients", ())
        arrays = {name for name, value in drawn.items() if isinstance(value, Shape)}
        assert {name[1:] for name in gradients} & arrays <= row.kinds.keys()
