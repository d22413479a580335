"""NaN and infinity in an input of every op: no output that depends on it becomes a finite, wrong
number."""

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
HUGE = 1e120  # whose square is finite


@functools.cache
def probes(name):
    """[(arguments, an array's name, one of its places, the outputs that depend on it)]: those that
    are another number when it is larger or smaller, for some of the numbers that the other places
    may hold."""
    found, row = [], BY_NAME[name]
    for case in range(CASES):
        geometry, rng = row.draw(RandomChooser([case])), np.random.default_rng(case)
        arguments = fill(row, geometry, [case, 0])
        for array in (
            key
            for key, value in arguments.items()
            if is_array(value) and value.dtype.kind == "f" and value.size
        ):
            place, depends = tuple(rng.integers(0, n) for n in arguments[array].shape), False
            for redraw in range(REDRAWS):
                other = fill(row, geometry, [case, redraw])
                y = outputs(row, other)
                # which takes no numbers below 0
                for step in (1e3,) if "chi_square" in name else (1e3, -1e3):
                    moved = changed(other[array], place, other[array][place] + step)
                    depends |= outputs(row, {**other, array: moved}) != y
            found.append((arguments, array, place, np.asarray(depends)))
    return found


def changed(array, place, number):
    array = array.copy()
    array[place] = number
    return array


def outputs(row, arguments):
    with np.errstate(all="ignore"):
        return np.asarray(row.op(**arguments))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_nan_is_in_all_outputs_that_depend_on_it(row):
    for arguments, array, place, depends in probes(row.name):
        y = outputs(row, {**arguments, array: changed(arguments[array], place, np.nan)})
        assert np.isnan(y[depends]).all()


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_nan_is_in_all_outputs_that_depend_on_it_on_a_gpu(row, place):
    for arguments, array, where, depends in probes(row.name):
        wrong = {**arguments, array: changed(arguments[array], where, np.nan)}
        with at(place):
            y = to_numpy(
                row.op(
                    **{name: to_device(v, "gpu") if is_array(v) else v for name, v in wrong.items()}
                )
            )
        assert np.isnan(y[depends]).all()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_an_infinity_gives_the_limit_or_no_number(row, sign):
    """A finite output equals the limit of the op for huge numbers."""
    for arguments, array, place, _ in probes(row.name):
        if "chi_square" in row.name and sign < 0:
            continue  # which takes no numbers below 0
        y = outputs(row, {**arguments, array: changed(arguments[array], place, sign * np.inf)})
        limit = outputs(row, {**arguments, array: changed(arguments[array], place, sign * HUGE)})
        finite = np.isfinite(y)
        np.testing.assert_allclose(y[finite], limit[finite], rtol=1e-9, atol=1e-9)


def test_chi_square_takes_a_nan_for_no_number_below_0():
    with pytest.raises(ArgumentError, match="numbers below 0"):
        ops.chi_square(np.array([np.nan, -1.0]), np.ones(2))


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("label", [-1, 3])
def test_a_label_that_is_no_class_gives_nan_on_a_gpu(place, label):
    """NumPy's labels are checked and refused; checking labels on a GPU would stall it."""
    with at(place):
        logits, labels = to_device(np.zeros((2, 3)), "gpu"), to_device(np.array([0, label]), "gpu")
        assert np.isnan(to_numpy(losses.softmax_cross_entropy(logits, labels)))


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("loss", [losses.contrastive_loss, losses.siamese_energy_loss])
@pytest.mark.parametrize("wrong", [np.nan, 2.0])
def test_a_pair_neither_same_nor_different_gives_nan_on_a_gpu(place, loss, wrong):
    with at(place):
        a, b, same = (
            to_device(array, "gpu")
            for array in (np.ones((2, 3)), np.zeros((2, 3)), np.array([1.0, wrong]))
        )
        assert np.isnan(to_numpy(loss(a, b, same)))


@pytest.mark.parametrize("loss", [losses.contrastive_loss, losses.siamese_energy_loss])
def test_a_pair_that_is_nan_is_refused(loss):
    with pytest.raises(ArgumentError, match="other numbers than 0 and 1"):
        loss(np.ones((2, 3)), np.zeros((2, 3)), np.array([1.0, np.nan]))
