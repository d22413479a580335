"""einsum: the results of NumPy for every kind of formula, and formulas that are refused."""

import numpy as np
import pytest

from minidl import Tensor, gradcheck, ops
from minidl.errors import ArgumentError, ShapeError
from tests.running import leaf

FORMULAS = [
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("i,i,i->", (3,), (3,), (3,)),
    ("ba,cb", (2, 3), (4, 2)),
    ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)),
    ("...->...", (2, 3)),
    ("...i,i...->...", (3, 2, 4), (4, 2)),
    ("ij...,jk...", (2, 3, 5), (3, 4, 1)),
    ("ii,jj->ij", (2, 2), (3, 3)),
    ("iij,ij->i", (2, 2, 3), (2, 3)),
    (",ij->ij", (), (2, 3)),
    (" i j , j -> i ", (2, 3), (3,)),
    ("aA,A->a", (2, 3), (3,)),
    ("ij,ij->ij", (1, 3), (2, 3)),
    ("ij,kj->ik", (2, 1), (4, 3)),
    ("ij->", (0, 3)),
    ("ij,jk->ik", (2, 0), (0, 3)),
]


@pytest.mark.parametrize("formula", FORMULAS, ids=lambda formula: formula[0])
def test_values_are_those_of_numpy_and_gradients_are_proven(formula):
    subscripts, *shapes = formula
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    np.testing.assert_allclose(
        ops.einsum(subscripts, *arrays), np.einsum(subscripts, *arrays), rtol=1e-12, atol=1e-14
    )
    named = {f"x{number}": array for number, array in enumerate(arrays)}
    proofs = gradcheck.prove(
        lambda **operands: ops.einsum(subscripts, *operands.values()),
        named,
        dict.fromkeys(named, "linear"),
    )
    assert all(proof.passed for proof in proofs), proofs


def test_axes_of_an_ellipsis_that_the_result_lacks_are_summed_over():
    assert ops.einsum("...i->i", np.ones((4, 5, 2))).tolist() == [20, 20]


def test_a_diagonal_gets_the_gradient_and_the_rest_0():
    x = leaf([1.0, 2.0], [3.0, 4.0])
    y = ops.einsum("ii->i", x)
    y.backward([5.0, 6.0])
    assert (y.data.tolist(), x.grad.tolist()) == ([1, 4], [[5, 0], [0, 6]])


def test_a_tensor_that_occurs_twice_gets_both_gradients():
    x = leaf(2.0, 3.0)
    ops.einsum("i,i->", x, x).backward()
    assert x.grad.tolist() == [4, 6]


def test_the_dtype_is_kept_and_float16_is_summed_in_float32():
    row = Tensor([1.0, 1.0, 1.0])
    assert ops.einsum("ij,j->i", Tensor(np.ones((2, 3), np.float32)), row).dtype == np.float32
    ones = np.ones(5000, np.float16)
    total = ops.einsum("i,i->", ones, ones)
    assert (total, total.dtype) == (5000, np.float16)
    with pytest.raises(ArgumentError, match="takes an array"):
        ops.einsum("i->i", [1.0, 2.0])


@pytest.mark.parametrize(
    "subscripts",
    [
        "ij",
        "ij,jk,kl->il",
        "ij,jk->iz",
        "ij,jk->ii",
        "i1,jk->i",
        "i..j,jk->i",
        "ij,jk->i->j",
        None,
        5,
        "",
    ],
    ids=repr,
)
def test_what_is_no_formula_of_two_arrays_is_refused(subscripts):
    with pytest.raises(ArgumentError, match="wanted the letters of each array"):
        ops.einsum(subscripts, np.ones((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize("subscripts", ["i,jk->i", "ijk,jk->i", "i...jk,jk->i"])
def test_letters_that_do_not_fit_the_axes_are_refused(subscripts):
    with pytest.raises(ShapeError, match="found an array with 2 axes for"):
        ops.einsum(subscripts, np.ones((2, 2)), np.ones((2, 2)))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [
        ("ij,jk->ik", ((2, 3), (4, 2))),
        ("ii->i", ((2, 3),)),
        ("ii->i", ((1, 3),)),
        ("...,...", ((2,), (3,))),
    ],
)
def test_lengths_that_differ_are_refused(subscripts, shapes):
    with pytest.raises(ShapeError, match="for the same letter; wanted equal lengths"):
        ops.einsum(subscripts, *map(np.ones, shapes))
