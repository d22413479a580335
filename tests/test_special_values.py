"""NaN and infinity in an input of every op: no dependent output becomes a finite, wrong number."""

import functools

import numpy as np
import pytest

from minidl import losses, ops
from minidl.backend import is_array, to_device, to_numpy
from minidl.errors import ArgumentError
from minidl.proofs import ROWS, RandomChooser, fill
from tests.devices import GPUS, at
from tests.op_table import BY_NAME

CASES, REDRAWS = 4, 6
HUGE = 1e120  # its square is finite


@functools.cache
def probes(name):
    """Return [(arguments, name of an array, index of an element, mask of dependent outputs)].

    An output depends on an element if it changes when the element becomes larger or smaller, for
    some values of the other elements.
    """
    probes, row = [], BY_NAME[name]
    steps = (1e3,) if "chi_square" in name else (1e3, -1e3)  # chi_square refuses numbers below 0
    for case in range(CASES):
        geometry, rng = row.draw(RandomChooser([case])), np.random.default_rng(case)
        arguments = fill(row, geometry, [case, 0])
        for key, value in arguments.items():
            if not (is_array(value) and value.dtype.kind == "f" and value.size):
                continue
            index, depends = tuple(rng.integers(0, n) for n in value.shape), False
            for redraw in range(REDRAWS):
                redrawn = fill(row, geometry, [case, redraw])
                y = outputs(row, redrawn)
                for step in steps:
                    moved = with_element(redrawn, key, index, redrawn[key][index] + step)
                    depends |= outputs(row, moved) != y
            probes.append((arguments, key, index, np.asarray(depends)))
    return probes


def with_element(arguments, key, index, number):
    """Return the arguments with one element of one array replaced."""
    array = arguments[key].copy()
    array[index] = number
    return {**arguments, key: array}


def outputs(row, arguments):
    with np.errstate(all="ignore"):
        return np.asarray(row.op(**arguments))


def test_the_probes_find_dependent_outputs():
    """Without dependent outputs, the tests below would check nothing."""
    for row in ROWS:
        assert any(depends.any() for _, _, _, depends in probes(row.name)), row.name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_nan_is_in_all_outputs_that_depend_on_it(row):
    for arguments, key, index, depends in probes(row.name):
        y = outputs(row, with_element(arguments, key, index, np.nan))
        assert np.isnan(y[depends]).all()


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_nan_is_in_all_outputs_that_depend_on_it_on_a_gpu(row, place):
    for arguments, key, index, depends in probes(row.name):
        with_nan = with_element(arguments, key, index, np.nan)
        with at(place):
            on_gpu = {
                name: to_device(value, "gpu") if is_array(value) else value
                for name, value in with_nan.items()
            }
            y = to_numpy(row.op(**on_gpu))
        assert np.isnan(y[depends]).all()


NO_LIMIT = {
    "chi_square": "chi_square refuses numbers below 0",
    "power": "IEEE 754: (-∞)^-0.5 is 0, and a finite negative number to this power is NaN",
}


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_infinity_gives_the_limit_or_no_finite_number(row, sign):
    """A finite output equals the limit of the op for huge numbers."""
    if sign < 0 and (reason := NO_LIMIT.get(row.name.partition("[")[0])):
        pytest.skip(reason)
    for arguments, key, index, _ in probes(row.name):
        y = outputs(row, with_element(arguments, key, index, sign * np.inf))
        limit = outputs(row, with_element(arguments, key, index, sign * HUGE))
        finite = np.isfinite(y)
        np.testing.assert_allclose(y[finite], limit[finite], rtol=1e-9, atol=1e-9)


def test_chi_square_refuses_a_number_below_0_beside_a_nan():
    with pytest.raises(ArgumentError, match="numbers below 0"):
        ops.chi_square(np.array([np.nan, -1.0]), np.ones(2))


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("label", [-1, 3])
def test_an_invalid_label_gives_nan_on_a_gpu(place, label):
    """Labels in NumPy are checked and refused; checking labels on a GPU would stall it."""
    with at(place):
        logits, labels = to_device(np.zeros((2, 3)), "gpu"), to_device(np.array([0, label]), "gpu")
        assert np.isnan(to_numpy(losses.softmax_cross_entropy(logits, labels)))


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("loss", [losses.contrastive_loss, losses.siamese_energy_loss])
@pytest.mark.parametrize("wrong", [np.nan, 2.0])
def test_a_pair_neither_same_nor_different_gives_nan_on_a_gpu(place, loss, wrong):
    with at(place):
        arrays = np.ones((2, 3)), np.zeros((2, 3)), np.array([1.0, wrong])
        a, b, same = (to_device(array, "gpu") for array in arrays)
        assert np.isnan(to_numpy(loss(a, b, same)))


@pytest.mark.parametrize("loss", [losses.contrastive_loss, losses.siamese_energy_loss])
def test_a_pair_that_is_nan_is_refused(loss):
    with pytest.raises(ArgumentError, match="other numbers than 0 and 1"):
        loss(np.ones((2, 3)), np.zeros((2, 3)), np.array([1.0, np.nan]))
