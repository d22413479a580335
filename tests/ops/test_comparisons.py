"""Comparisons of Tensors give the results of NumPy, element by element."""

import operator

import numpy as np
import pytest

from minidl import Tensor
from minidl.errors import ArgumentError, ShapeError
from tests.devices import GPUS, at

COMPARISONS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


OTHERS = [
    *(2, 2.0, True, [1, 2, 4], (2, 2, 2)),
    *(np.float32(2), np.array(2), np.array([3.0, 2.0, np.nan]), np.array([[1], [2]])),
]


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda compare: compare.__name__)
@pytest.mark.parametrize("other", OTHERS, ids=repr)
def test_comparisons_are_those_of_numpy(compare, other):
    x = np.array([1.0, 2.0, 3.0])
    tensor, wanted = Tensor(x, requires_grad=True), compare(x, other)
    pairs = [(compare(tensor, other), wanted), (compare(other, tensor), compare(other, x))]
    if isinstance(other, np.ndarray):
        pairs.append((compare(tensor, Tensor(other)), wanted))
    for result, expected in pairs:
        assert isinstance(result, Tensor) and result.dtype == bool and not result.requires_grad
        np.testing.assert_array_equal(result.data, expected)


def test_comparisons_are_indices_and_masks():
    x = Tensor(np.array([1.0, 5.0, 3.0]), requires_grad=True)
    (x[(x > 1) & ~(x == 3)] * 2.0 + (x * (x > 2)).sum()).backward()
    assert x.grad.tolist() == [0.0, 3.0, 1.0]
    assert ((x < 2) | (x >= 5)).data.tolist() == [True, True, False]
    assert (x == x).all() and not (x != x).any()
    assert ((x == x) ^ True).data.tolist() == [False] * 3
    assert 3.0 in x and 4.0 not in x


def test_a_tensor_differs_from_what_is_no_array_and_is_not_ordered_with_it():
    x = Tensor([1.0, 2.0])
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "1") is False
    with pytest.raises(TypeError, match="not supported between"):
        x < "1"  # noqa: B015


def test_shapes_that_do_not_broadcast_raise_an_error():
    for compare in COMPARISONS:
        with pytest.raises(ShapeError, match="do not broadcast"):
            compare(Tensor([1.0, 2.0]), Tensor([1.0, 2.0, 3.0]))


def test_tensors_are_keys_by_identity():
    x, same = Tensor([1.0, 2.0]), Tensor([1.0, 2.0])
    assert {x: "x", same: "same"}[x] == "x"
    assert len({x, same, x}) == 2
    assert x in [x] and [x, same].index(x) == 0


@pytest.mark.parametrize("place", GPUS)
def test_comparisons_on_a_gpu(place):
    with at(place):
        x = Tensor(np.array([1.0, 2.0])).to("gpu")
        for result in (x == x, x >= 1, x < 3, x.data == x):
            assert result.device == "gpu" and result.numpy().tolist() == [True, True]


@pytest.mark.parametrize("shape", [(3,), (0,), (1, 2)])
def test_a_tensor_of_several_numbers_has_no_truth_value(shape):
    """As in NumPy, this includes `in`, `remove` and `index` of lists."""
    x, y = Tensor(np.ones(shape)), Tensor(np.ones(shape))
    words = r"neither true nor false; use \.any\(\) or \.all\(\)"
    for evaluate in (
        lambda: bool(x),
        lambda: x in [y],
        lambda: [y, x].remove(x),
        lambda: [y, x].index(x),
        lambda: sorted([x, y]),
    ):
        with pytest.raises(ArgumentError, match=words):
            evaluate()
    assert x in [x]
    assert {x: 1, y: 2}[y] == 2
