"""Clipping of gradients: by hand, compared with PyTorch, and gradients that are not finite."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.backend import to_device, to_numpy
from minidl.errors import ArgumentError
from minidl.optim import SGD, clip_gradients
from tests.devices import GPUS, at
from tests.optim.problems import assert_same_path, network, train, train_in_torch
from tests.strict import counts


def with_gradients(*gradients):
    tensors = [Tensor(g, requires_grad=True) for g in gradients]
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = gradient
    return tensors


def test_the_length_is_that_of_all_gradients_as_one_vector():
    x, y = with_gradients(np.array([3.0]), np.array([[0.0, 4.0]]))
    assert clip_gradients([x, y], most=5.0) == 5
    assert x.grad == 3
    before = y.grad
    assert clip_gradients({"x": x, "y": y}, most=0.5) == 5
    np.testing.assert_allclose(x.grad, [0.3], rtol=1e-15)
    np.testing.assert_allclose(y.grad, [[0, 0.4]], rtol=1e-15)
    np.testing.assert_array_equal(before, [[0, 4]])


def test_paths_equal_pytorchs():
    torch = pytest.importorskip("torch")
    parameters = network()
    points = train(parameters, SGD(parameters, 0.5, 0.9), 10, most=0.3)
    wanted = train_in_torch(torch, lambda o, p: o.SGD(p.values(), 0.5, momentum=0.9), 10, most=0.3)
    assert_same_path(points, wanted, rtol=1e-5)  # PyTorch divides by |g| + 1e-6


def test_long_gradients_in_float32_do_not_overflow():
    (x,) = with_gradients(np.full(300_000, 1e30, np.float32))
    assert clip_gradients([x], most=1.0) == pytest.approx(1e30 * 300_000**0.5, rel=1e-6)
    assert x.grad.dtype == np.float32
    assert np.linalg.norm(x.grad.astype(float)) == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_gradients_that_are_not_finite_are_reported_and_not_changed(bad):
    (x,) = with_gradients(np.array([1.0, bad]))
    np.testing.assert_equal(clip_gradients([x], most=1.0), bad)
    np.testing.assert_array_equal(x.grad, [1, bad])


def test_the_length_without_gradients_is_0():
    x = Tensor([1.0], requires_grad=True)
    assert clip_gradients([x], most=1.0) == clip_gradients([], most=1.0) == 0
    for most in (0, -1.0, float("nan")):
        with pytest.raises(ArgumentError, match="wanted a number above 0"):
            clip_gradients([x], most)


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_is_read_once(place):
    with at(place):
        gradients = np.array([3.0]), np.array([[0.0, 4.0]])
        tensors = with_gradients(*(to_device(gradient, "gpu") for gradient in gradients))
        counts.reset()
        assert clip_gradients(tensors, most=2.5) == 5
        assert counts.reads == (place == "strict")
        assert counts.uploads == 0
        np.testing.assert_allclose(to_numpy(tensors[1].grad), [[0, 2]])


def test_a_factor_too_small_for_float16_is_applied():
    """|g| is 6e7, and 1 / |g| would be 0 in float16."""
    (x,) = with_gradients(np.full(1_000_000, 60_000, np.float16))
    assert clip_gradients([x], most=1.0) == pytest.approx(6e7, rel=1e-3)
    np.testing.assert_allclose(x.grad, 1e-3, rtol=1e-3)
    assert x.grad.dtype == np.float16
