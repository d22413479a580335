"""Tensor: its data, its conversions, and its operators beside arrays and numbers."""

import inspect

import numpy as np
import pytest

from minidl import Tensor, no_grad, ops
from minidl.errors import ArgumentError
from tests.running import leaf


@pytest.mark.parametrize("left", [np.array([1.0, 2.0]), np.float64(2.0), 2.0])
def test_an_array_or_number_on_the_left_gives_a_tensor(left):
    x = leaf(3.0, 4.0)
    results = [(left + x, 1.0), (left - x, -1.0), (left * x, left), (left / x, -left / x.data**2)]
    for y, wanted in results:
        assert isinstance(y, Tensor)
        y.backward(np.ones(2))
        assert np.allclose(x.grad, wanted, rtol=1e-15)


def test_a_matrix_on_the_left_gives_a_tensor():
    x = leaf(3.0, 4.0)
    y = np.array([[1.0, 2.0]]) @ x
    y.backward()
    assert (y.data.tolist(), x.grad.tolist()) == ([11.0], [1.0, 2.0])


def test_a_tensor_of_one_number_converts_to_float_and_bool():
    assert float(Tensor([[2.5]])) == 2.5
    assert Tensor(1.0) and not Tensor(0.0)
    with pytest.raises(ValueError, match="size 1"):
        float(Tensor([1.0, 2.0]))


def test_item_and_size_are_those_of_numpy():
    assert (Tensor([[2.5]]).item(), Tensor(np.array(3)).item()) == (2.5, 3)
    assert (Tensor([[1.0, 2.0]]).size, Tensor(1.0).size, Tensor([]).size) == (2, 1, 0)
    with pytest.raises(ValueError, match="size 1"):
        Tensor([1.0, 2.0]).item()


METHODS = {
    "clip": (0.5, 2.0),
    "min": (1, True),
    "max": (1, True),
    "prod": (1, True),
    "argmax": (1, True),
    "argmin": (1, True),
    "sum": (1, True),
    "mean": (1, True),
    "var": (1, True),
    "std": (1, True),
    "cumsum": (1,),
    "repeat": (2, 1),
    "flatten": (0, 1),
    "squeeze": (2,),
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_the_op_of_its_name(name):
    x = Tensor(np.random.default_rng(0).standard_normal((2, 3, 1)), requires_grad=True)
    options = {"correction": 1} if name in ("var", "std") else {}
    y = getattr(x, name)(*METHODS[name], **options)
    wanted = getattr(ops, name)(x.data, *METHODS[name], **options)
    assert isinstance(y, Tensor)
    np.testing.assert_array_equal(y.data, wanted)
    assert y.requires_grad == (not name.startswith("arg"))
    own, of_op = (
        [(p.name, p.default, p.kind) for p in inspect.signature(f).parameters.values()][1:]
        for f in (getattr(Tensor, name), getattr(ops, name))
    )
    assert own == of_op


def test_another_dtype_keeps_the_place_on_the_tape():
    x = leaf(1.0, 2.0)
    y = x.astype(np.float32)
    (y * y).sum().backward()
    assert (y.dtype, x.grad.dtype, x.grad.tolist()) == (np.float32, np.float64, [2, 4])
    same = x.astype("float64") * 3.0
    same.sum().backward()
    assert x.grad.tolist() == [3, 3]
    whole = x.astype(int)
    assert (whole.dtype, whole.requires_grad) == (np.int64, False)
    with no_grad():
        assert not x.astype("float32").requires_grad
    with pytest.raises(ArgumentError, match="'words' is no dtype of numbers"):
        x.astype("words")


def test_a_tensor_does_not_become_an_array_implicitly():
    with pytest.raises(ArgumentError, match=r"use its \.data or \.numpy\(\)"):
        np.asarray(Tensor([1.0, 2.0]))


def test_iterating_a_tensor_ends():
    x = leaf(1.0, 2.0)
    a, b = x
    (a * b).backward()
    assert x.grad.tolist() == [2.0, 1.0]


def test_lists_and_numbers_become_float32():
    assert [Tensor(data).dtype for data in ([1, 2], 3, True)] == [np.float32] * 3
    assert Tensor(np.array([1, 2])).dtype == np.int64


@pytest.mark.parametrize("data", ["text", None, {}, [[1], [1, 2]], object()])
def test_data_that_are_not_numbers_are_refused(data):
    message = f"cannot make an array of numbers from (a|this) {type(data).__name__}"
    with pytest.raises(ArgumentError, match=message):
        Tensor(data)


def test_data_are_not_copied():
    data = np.ones(2)
    assert Tensor(data).data is data
    assert Tensor(Tensor(data)).data is data


def test_to_the_same_device_keeps_the_gradient():
    x = leaf(2.0)
    (x.to("cpu") * 3.0).backward()
    assert x.grad.tolist() == [3.0]


def test_integers_and_complex_numbers_have_no_gradient():
    """An integer gradient would be truncated, and a complex one lose its imaginary part."""
    integers, real = Tensor(np.array([1, 2])), leaf(1.0, 2.0)
    integers.requires_grad = True
    message = "a of multiply is an array of int64 and has no gradient"
    with pytest.raises(ArgumentError, match=message):
        integers * 0.5
    message = "the result is an array of complex128, which has no gradient"
    with pytest.raises(ArgumentError, match=message):
        real * np.array([1j, 2j])
    with no_grad():
        assert (real * np.array([1j, 2j])).data.tolist() == [1j, 4j]
