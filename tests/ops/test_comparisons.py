"""Comparisons of Tensors are NumPy's, element by element."""

import operator

import numpy as np
import pytest

from minidl import Tensor
from minidl.errors import ArgumentError, ShapeError
from tests.devices import GPUS, at

COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda compare: compare.__name__)
@pytest.mark.parametrize(
    "other",
    [
        2,
        2.0,
        True,
        np.float32(2),
        np.array(2),
        np.array([3.0, 2.0, np.nan]),
        np.array([[1], [2]]),
        [1, 2, 4],
        (2, 2, 2),
    ],
    ids=repr,
)
def test_comparisons_are_numpys(compare, other):
    x = np.array([1.0, 2.0, 3.0])
    tensor, wanted = Tensor(x, requires_grad=True), compare(x, other)
    pairs = [(compare(tensor, other), wanted), (compare(other, tensor), compare(other, x))]
    if isinstance(other, np.ndarray):
        pairs.append((compare(tensor, Tensor(other)), wanted))
    for found, expected in pairs:
        assert isinstance(found, Tensor) and found.dtype == bool and not found.requires_grad
        np.testing.assert_array_equal(found.data, expected)


def test_a_comparison_selects_and_masks():
    x = Tensor(np.array([1.0, 5.0, 3.0]), requires_grad=True)
    (x[(x > 1) & ~(x == 3)] * 2.0 + (x * (x > 2)).sum()).backward()
    assert x.grad.tolist() == [0.0, 3.0, 1.0]
    assert ((x < 2) | (x >= 5)).data.tolist() == [True, True, False]
    assert (x == x).all() and not (x != x).any()
    assert ((x == x) ^ True).data.tolist() == [False] * 3
    assert 3.0 in x and 4.0 not in x


def test_what_is_no_array_is_different_and_has_no_order():
    x = Tensor([1.0, 2.0])
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "1") is False
    with pytest.raises(TypeError, match="not supported between"):
        x < "1"  # noqa: B015


def test_shapes_that_do_not_broadcast_are_refused():
    for compare in COMPARISONS:
        with pytest.raises(ShapeError, match="do not broadcast"):
            compare(Tensor([1.0, 2.0]), Tensor([1.0, 2.0, 3.0]))


def test_a_tensor_is_a_key_by_its_identity():
    x, same = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    assert {x: "x", same: "same"}[x] == "x"
    assert len({x, same, x}) == 2
    assert x in [x] and [x, same].index(x) == 0


@pytest.mark.parametrize("place", GPUS)
def test_comparisons_on_a_gpu(place):
    with at(place):
        x = Tensor(np.array([1.0, 2.0])).to("gpu")
        for found in (x == x, x >= 1, x < 3, x.data == x):
            assert found.device == "gpu" and found.numpy().tolist() == [True, True]


@pytest.mark.parametrize("shape", [(3,), (0,), (1, 2)])
def test_several_truth_values_are_not_one(shape):
    """As in NumPy, so also `in`, `remove` and `index` of lists and `if x == y`."""
    x, y = Tensor(np.ones(shape)), Tensor(np.ones(shape))
    for ask in (
        lambda: bool(x),
        lambda: x in [y],
        lambda: [y, x].remove(x),
        lambda: [y, x].index(x),
        lambda: sorted([x, y]),
    ):
        with pytest.raises(
            ArgumentError, match=r"neither true nor false; use \.any\(\) or \.all\(\)"
        ):
            ask()
    assert x in [x]
    assert {x: 1, y: 2}[y] == 2
