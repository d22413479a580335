"""Methods of gradients, for functions and small networks whose maps can be computed by hand."""

import numpy as np
import pytest

from minidl import ops
from minidl.backend import current_device
from minidl.errors import ArgumentError, ShapeError
from minidl.layers import Convolution, Flatten, ReLU, Sequential
from minidl.visualize.network import of_sequential
from minidl.visualize.saliency.gradients import (
    grad_cam,
    gradient,
    gradient_times_input,
    guided_gradient,
    integrated_gradients,
    smooth_gradient,
)
from minidl.visualize.scalars import Scalar, value
from minidl.visualize.units import Unit
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)
GREY = np.full_like(PICTURE, 127.5)
FAR = Unit("far_relu", 1)


def network_of(layers):
    """Return a network of these layers that takes pictures as they are."""
    model = Sequential(layers).freeze().to(current_device())
    return of_sequential(model, lambda pictures: pictures)


def convolution(kernel):
    """Return a convolution of single pixels, in float64. kernel: (C, K)"""
    kernel = np.array(kernel, float)
    return Convolution(kernel[None, None], np.zeros(kernel.shape[1]))


def test_the_gradient_of_a_rectified_sum():
    """F = max(2 r - g, 0), the mean over two pixels. The second one is inactive."""
    network = network_of({"sum": convolution([[2.0], [-1.0], [0.0]]), "relu": ReLU()})
    picture = np.array([[[3.0, 1.0, 9.0], [1.0, 4.0, 9.0]]])
    scalar = Scalar(network, Unit("relu", 0))
    assert gradient(scalar, picture).tolist() == [[[1.0, -0.5, 0.0], [0.0, 0.0, 0.0]]]
    products = gradient_times_input(scalar, picture, np.ones_like(picture))
    assert products.sum(axis=-1).tolist() == [[2.0, 0.0]]


def test_the_guided_gradient_drops_negative_contributions():
    """F = max(a - b, 0), a = max(r, 0), b = max(g, 0). The gradients of a and b are 1 and -1, of
    which only the first is kept."""
    layers = {"colours": convolution(np.eye(3, 2)), "relu": ReLU()}
    network = network_of({**layers, "difference": convolution([[1.0], [-1.0]]), "out": ReLU()})
    picture, scalar = np.array([[[3.0, 1.0, 5.0]]]), Scalar(network, Unit("out", 0))
    assert gradient(scalar, picture).tolist() == [[[1.0, -1.0, 0.0]]]
    assert guided_gradient(scalar, picture).tolist() == [[[1.0, 0.0, 0.0]]]


def test_smoothgrad_without_noise_is_the_gradient():
    scalar = Scalar(tiny.two_convolutions(), FAR)
    mean = smooth_gradient(scalar, PICTURE, samples=5, noise=0.0)
    np.testing.assert_allclose(mean, gradient(scalar, PICTURE), rtol=1e-4, atol=1e-9)


def test_smoothgrad_is_the_gradient_of_the_smoothed_function():
    """d/dx E[max(x + ε, 0)] is the probability of x + ε > 0, which is Φ(x / σ): here for x = 0.5
    and x = -0.5 with σ = 0.5."""
    mean = smooth_gradient(
        lambda x: ops.relu(x).sum(axis=1), np.array([0.5, -0.5]), samples=4000, noise=0.5
    )
    np.testing.assert_allclose(mean, [0.8413, 0.1587], atol=0.02)


@pytest.mark.parametrize("options", [{"samples": 0}, {"noise": -0.1}, {"noise": np.nan}])
def test_smoothgrad_without_samples_or_with_invalid_noise_is_refused(options):
    with pytest.raises(ArgumentError, match="wanted at least 1 sample, and noise of at least 0"):
        smooth_gradient(Scalar(tiny.two_convolutions(), FAR), PICTURE, **options)


def test_integrated_gradients_of_a_product():
    """F = x y z from (0, 0, 0): on the line, each ∂F/∂x_i is α² times its value at the end, and
    ∫ α² dα = 1/3."""
    integrated = integrated_gradients(
        lambda v: v[:, 0] * v[:, 1] * v[:, 2], np.array([2.0, 3.0, -4.0]), np.zeros(3), steps=400
    )
    np.testing.assert_allclose(integrated.attributions, [-8, -8, -8], rtol=1e-5)
    assert integrated.difference == -24 and integrated.error < 1e-5


def test_integrated_gradients_of_squares_are_exact():
    """F = Σ x² gives x² - b² for each number. The midpoint rule is exact for linear gradients."""
    x, b = np.random.default_rng(0).standard_normal((2, 4, 5, 3))
    integrated = integrated_gradients(lambda v: (v * v).sum(axis=(1, 2, 3)), x, b, steps=3)
    np.testing.assert_allclose(integrated.attributions, x**2 - b**2, atol=1e-12)
    np.testing.assert_allclose(integrated.total, integrated.difference, atol=1e-12)
    assert integrated.error <= 1e-12


def test_two_networks_of_one_function_have_the_same_attributions():
    """The example of the paper: f and g are one function, computed in two ways."""

    def f(v):
        return ops.relu(ops.relu(v[:, 0]) - 1 - ops.relu(v[:, 1]))

    def g(v):
        return ops.relu(ops.relu(v[:, 0] - 1) - ops.relu(v[:, 1]))

    for function in (f, g):
        integrated = integrated_gradients(function, np.array([3.0, 1.0]), np.zeros(2), steps=1000)
        np.testing.assert_allclose(integrated.attributions, [1.5, -0.5], atol=1e-12)
        assert integrated.difference == 1


def test_integrated_gradients_of_a_network_become_complete():
    scalar = Scalar(tiny.two_convolutions(), FAR)
    few, many = (integrated_gradients(scalar, PICTURE, GREY, steps) for steps in (2, 200))
    assert many.error < 2e-3 < few.error
    difference = np.ptp(value(scalar, np.stack([PICTURE, GREY])))
    np.testing.assert_allclose(many.difference, difference, rtol=1e-3)


def test_baselines_of_another_shape_and_no_steps_are_refused():
    scalar = Scalar(tiny.two_convolutions(), FAR)
    with pytest.raises(ShapeError, match="wanted the same"):
        integrated_gradients(scalar, PICTURE, GREY[1:])
    with pytest.raises(ArgumentError, match="in 0 steps; wanted at least 1"):
        integrated_gradients(scalar, PICTURE, GREY, steps=0)


def test_grad_cam_of_a_weighted_mean_is_the_class_activation_map():
    """F = mean(3 a - 2 b), so that w = (3, -2) / 4 at each of four positions. Negative sums become
    0."""
    maps = {"maps": convolution(np.eye(3, 2)), "relu": ReLU()}
    network = network_of({**maps, "weighted": convolution([[3.0], [-2.0]])})
    picture = np.array([[[4.0, 0, 0], [2.0, 1.0, 0]], [[0, 3.0, 0], [-1.0, -1.0, 0]]])
    cam = grad_cam(Scalar(network, Unit("weighted", 0)), picture, "relu")
    np.testing.assert_allclose(cam, [[3.0, 1.0], [0.0, 0.0]])


def test_grad_cam_weighs_channels_by_their_mean_gradient():
    network, layer = tiny.two_convolutions(), "near_relu"
    [maps] = network.activations(PICTURE[None], [layer]).values()
    tail = network._replace(steps=network.steps[2:], prepare=lambda x: x)
    weights = gradient(Scalar(tail, FAR), maps[0]).mean(axis=(0, 1))
    wanted = np.maximum((maps[0] * weights).sum(axis=-1), 0)
    cam = grad_cam(Scalar(network, FAR), PICTURE, layer)
    np.testing.assert_allclose(cam, wanted, rtol=1e-4, atol=1e-8)
    assert wanted.shape == (13, 17) and wanted.max() > 0


@pytest.mark.parametrize(
    ("layer", "message"), [("far_relu", "not behind it"), ("flat", "has no positions")]
)
def test_grad_cam_of_a_layer_that_is_too_deep_or_has_no_positions_is_refused(layer, message):
    model = Sequential({"flat": Flatten(), "far_relu": ReLU(), "last": ReLU()})
    network = of_sequential(model, lambda pictures: pictures)
    with pytest.raises(ArgumentError, match=message):
        grad_cam(Scalar(network, Unit("far_relu", 0)), PICTURE, layer)
