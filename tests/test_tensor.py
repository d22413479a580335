"""Tensor: its data, its conversions, and its operators beside arrays and numbers."""

import numpy as np
import pytest

from minidl import Tensor, no_grad
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
