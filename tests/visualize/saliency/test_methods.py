"""The seven methods on functions and small networks whose maps can be worked out by hand."""

import numpy as np
import pytest

from minidl import ops
from minidl.backend import array_module, current_device, to_device, to_numpy
from minidl.errors import ArgumentError, ShapeError
from minidl.layers import Convolution, Flatten, ReLU, Sequential
from minidl.visualize.choosing import deepest_layer, likeliest_class, most_distinctive
from minidl.visualize.network import of_sequential
from minidl.visualize.saliency.gradients import grad_cam
from minidl.visualize.saliency.gradients import (
    gradient,
    gradient_times_input,
    guided_gradient,
    smooth_gradient,
)
from minidl.visualize.saliency.gradients import integrated_gradients
from minidl.visualize.saliency.methods import BASELINES, METHODS, Settings, saliency
from minidl.visualize.saliency.occlusion import occlusion
from minidl.visualize.scalars import Scalar, batches, value, value_and_gradient
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)
GREY = np.full_like(PICTURE, 127.5)
FAR = Unit("far_relu", 1)


def plain(layers):
    """The network of these layers, in float64, fed with numbers as they are"""
    return of_sequential(
        Sequential(layers).freeze().to(current_device()), lambda pictures: pictures
    )


def convolution(kernel, bias=0.0):
    """Of one pixel; kernel: (C, K)"""
    kernel = np.array(kernel, float)
    return Convolution(kernel[None, None], np.full(kernel.shape[1], float(bias)))


# ---- scalars
# --------------------------------------------------------------------------------------------------------


def test_a_scalar_is_the_mean_or_the_largest_of_a_unit():
    network = tiny.two_convolutions()
    [y] = network.activations(PICTURE[None], ["far_relu"]).values()
    for over, reduced in (("mean", np.mean), ("max", np.max)):
        np.testing.assert_allclose(
            value(Scalar(network, FAR, over), PICTURE[None]), reduced(y[..., 1]), rtol=1e-5
        )
        np.testing.assert_allclose(
            value(Scalar(network, Unit("far_relu"), over), PICTURE[None]), reduced(y), rtol=1e-5
        )
    assert str(Scalar(network, FAR, "max")) == "the max of far_relu:1"


def test_a_class_is_its_score_and_goes_by_its_name():
    network = tiny.classifier(2, ("cat", "dog"))
    scalar = Scalar(network, Unit("scores", 1))
    assert value(scalar, np.full((3, 2, 2, 3), 255.0, np.float32)).tolist() == [6.0, 6.0, 6.0]
    assert str(scalar) == "dog"


def test_each_picture_of_a_batch_has_its_own_number_and_gradient():
    scalar, pictures = (
        Scalar(tiny.two_convolutions(), FAR),
        np.stack([PICTURE, PICTURE[::-1], GREY]),
    )
    values, gradients = value_and_gradient(scalar, pictures)
    for picture, one, its in zip(pictures, values, gradients, strict=True):
        np.testing.assert_allclose(value(scalar, picture[None]), one, rtol=1e-5)
        np.testing.assert_allclose(gradient(scalar, picture), its, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(("unit", "over"), [(Unit("far_relu", 8), "mean"), (FAR, "sum")])
def test_a_channel_that_is_not_there_and_an_unknown_word_are_refused(unit, over):
    with pytest.raises(
        ArgumentError, match=r"found far_relu:8, wanted one from 0 to 7|over is 'sum'"
    ):
        value(Scalar(tiny.two_convolutions(), unit, over), PICTURE[None])


def test_batches_hold_everything_once_and_never_too_much():
    assert [part.stop - part.start for part in batches(5, 1 << 18)] == [2, 2, 1]
    assert [part.stop - part.start for part in batches(2, 1 << 30)] == [1, 1]


# ---- gradients
# ------------------------------------------------------------------------------------------------------


def test_the_gradient_of_a_rectified_sum():
    """F = max(2 r - g, 0), the mean over two pixels, of which the second does not fire"""
    network = plain({"sum": convolution([[2.0], [-1.0], [0.0]]), "relu": ReLU()})
    picture, scalar = (
        np.array([[[3.0, 1.0, 9.0], [1.0, 4.0, 9.0]]]),
        Scalar(network, Unit("relu", 0)),
    )
    assert gradient(scalar, picture).tolist() == [[[1.0, -0.5, 0.0], [0.0, 0.0, 0.0]]]
    assert gradient_times_input(scalar, picture, np.ones_like(picture)).sum(axis=-1).tolist() == [
        [2.0, 0.0]
    ]


def test_the_guided_gradient_leaves_out_what_inhibits():
    """F = max(a - b, 0), a = max(r, 0), b = max(g, 0): of 1 and -1 that come to a and b only the
    first goes on"""
    network = plain({
        "colours": convolution(np.eye(3, 2)), "relu": ReLU(), "difference": convolution([[1.0], [-1.0]]), "out": ReLU(),
    })  # fmt: skip
    picture, scalar = np.array([[[3.0, 1.0, 5.0]]]), Scalar(network, Unit("out", 0))
    assert gradient(scalar, picture).tolist() == [[[1.0, -1.0, 0.0]]]
    assert guided_gradient(scalar, picture).tolist() == [[[1.0, 0.0, 0.0]]]


def test_smoothgrad_without_noise_is_the_gradient():
    scalar = Scalar(tiny.two_convolutions(), FAR)
    found = smooth_gradient(scalar, PICTURE, samples=5, noise=0.0)
    np.testing.assert_allclose(found, gradient(scalar, PICTURE), rtol=1e-4, atol=1e-9)


def test_smoothgrad_is_the_slope_of_the_smoothed_function():
    """E[max(x + ε, 0)]' is the probability that x + ε > 0: Φ(x / σ), here of x = 0.5, -0.5 with σ =
    0.5"""
    found = smooth_gradient(
        lambda x: ops.relu(x).sum(axis=1), np.array([0.5, -0.5]), samples=4000, noise=0.5
    )
    np.testing.assert_allclose(found, [0.8413, 0.1587], atol=0.02)


# ---- integrated gradients
# -------------------------------------------------------------------------------------------


def test_integrated_gradients_of_a_product():
    """F = x y z from (0, 0, 0): each ∂F/∂x_i on the way is α² times the one at its end, and ∫ α² =
    1/3"""
    found = integrated_gradients(
        lambda v: v[:, 0] * v[:, 1] * v[:, 2], np.array([2.0, 3.0, -4.0]), np.zeros(3), steps=400
    )
    np.testing.assert_allclose(found.attributions, [-8, -8, -8], rtol=1e-5)
    assert found.difference == -24 and found.error < 1e-5


def test_integrated_gradients_of_squares_are_exact():
    """F = Σ x² gives x² - b² each; the middles of parts integrate straight lines exactly"""
    x, b = np.random.default_rng(0).standard_normal((2, 4, 5, 3))
    found = integrated_gradients(lambda v: (v * v).sum(axis=(1, 2, 3)), x, b, steps=3)
    np.testing.assert_allclose(found.attributions, x**2 - b**2, atol=1e-12)
    np.testing.assert_allclose([found.total, found.error], [found.difference, 0], atol=1e-12)


def test_two_networks_of_one_function_have_the_same_attributions():
    """The paper's own example: f and g are the same function, made of other parts"""

    def f(v):
        return ops.relu(ops.relu(v[:, 0]) - 1 - ops.relu(v[:, 1]))

    def g(v):
        return ops.relu(ops.relu(v[:, 0] - 1) - ops.relu(v[:, 1]))

    for function in (f, g):
        found = integrated_gradients(function, np.array([3.0, 1.0]), np.zeros(2), steps=1000)
        np.testing.assert_allclose(found.attributions, [1.5, -0.5], atol=1e-12)
        assert found.difference == 1


def test_integrated_gradients_of_a_network_become_complete():
    scalar = Scalar(tiny.two_convolutions(), FAR)
    few, many = (integrated_gradients(scalar, PICTURE, GREY, steps) for steps in (2, 200))
    assert many.error < 2e-3 < few.error
    np.testing.assert_allclose(
        many.difference, np.ptp(value(scalar, np.stack([PICTURE, GREY]))), rtol=1e-3
    )


def test_a_baseline_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match="wanted the same"):
        integrated_gradients(Scalar(tiny.two_convolutions(), FAR), PICTURE, GREY[1:])


# ---- Grad-CAM
# -------------------------------------------------------------------------------------------------------


def test_grad_cam_of_a_weighted_mean_is_the_class_activation_map():
    """F = mean(3 a - 2 b): w = (3, -2) / 4 of four positions, and what is negative does not show"""
    network = plain({
        "maps": convolution(np.eye(3, 2)), "relu": ReLU(), "weighted": convolution([[3.0], [-2.0]]),
    })  # fmt: skip
    picture = np.array([[[4.0, 0, 0], [2.0, 1.0, 0]], [[0, 3.0, 0], [-1.0, -1.0, 0]]])
    found = grad_cam(Scalar(network, Unit("weighted", 0)), picture, "relu")
    np.testing.assert_allclose(found, [[3.0, 1.0], [0.0, 0.0]])


def test_grad_cam_weighs_by_the_mean_gradient():
    network, layer = tiny.two_convolutions(), "near_relu"
    [maps] = network.activations(PICTURE[None], [layer]).values()
    rest = network._replace(steps=network.steps[2:], prepare=lambda x: x)
    weights = gradient(Scalar(rest, FAR), maps[0]).mean(axis=(0, 1))
    wanted = np.maximum((maps[0] * weights).sum(axis=-1), 0)
    np.testing.assert_allclose(
        grad_cam(Scalar(network, FAR), PICTURE, layer), wanted, rtol=1e-4, atol=1e-8
    )
    assert wanted.shape == (13, 17) and wanted.max() > 0


@pytest.mark.parametrize("layer", ["far_relu", "flat"])
def test_grad_cam_of_what_is_not_before_the_unit_or_has_no_positions_is_refused(layer):
    model = Sequential({"flat": Flatten(), "far_relu": ReLU(), "last": ReLU()})
    network = of_sequential(model, lambda pictures: pictures)
    with pytest.raises(ArgumentError, match=r"not behind it|at no positions"):
        grad_cam(Scalar(network, Unit("far_relu", 0)), PICTURE, layer)


# ---- occlusion
# ------------------------------------------------------------------------------------------------------


def test_occlusion_of_a_sum_is_the_mean_of_what_the_squares_cover():
    """Of 3x3 pixels with 2x2 squares: each square's loss is its own sum; the middle is in all four,
    a corner in one"""
    picture = np.arange(1.0, 10).reshape(3, 3, 1)
    found = occlusion(
        lambda x: x.sum(axis=(1, 2, 3)), picture, np.zeros((3, 3, 1)), window=2, stride=1
    )
    a, b, c, d = 12, 16, 24, 28  # 1+2+4+5, ...
    assert found.tolist() == [
        [a, (a + b) / 2, b],
        [(a + c) / 2, (a + b + c + d) / 4, (b + d) / 2],
        [c, (c + d) / 2, d],
    ]


def test_occlusion_by_the_whole_picture_and_of_what_is_as_the_baseline():
    scalar, whole = Scalar(tiny.two_convolutions(), FAR), PICTURE[:13, :13]
    drop = np.subtract(*value(scalar, np.stack([whole, GREY[:13, :13]])))
    np.testing.assert_allclose(
        occlusion(scalar, whole, GREY[:13, :13], 13, 13), np.full((13, 13), drop), rtol=1e-4
    )
    np.testing.assert_allclose(occlusion(scalar, GREY, GREY, 4, 3), np.zeros((13, 17)), atol=1e-8)


@pytest.mark.parametrize(("window", "stride"), [(14, 1), (0, 1), (3, 4), (3, 0)])
def test_squares_that_do_not_fit_or_leave_gaps_are_refused(window, stride):
    with pytest.raises(ArgumentError, match="wanted a side from 1 to 13, and no gaps"):
        occlusion(Scalar(tiny.two_convolutions(), FAR), PICTURE, GREY, window, stride)


# ---- all together
# ---------------------------------------------------------------------------------------------------


def made(picture=PICTURE, **settings):
    return list(
        saliency(
            Scalar(tiny.two_convolutions(), FAR),
            picture,
            None,
            Settings(samples=2, steps=4, **settings),
        )
    )


def test_every_method_gives_a_map_and_the_same_bytes_twice():
    first, again = made(), made()
    assert [each.method for each in first] == list(METHODS)
    for one, other in zip(first, again, strict=True):
        assert (
            one.values.shape == PICTURE.shape[:2]
            and np.isfinite(one.values).all()
            and one.values.any()
        )
        assert one.values.tobytes() == other.values.tobytes() and one.note == other.note
    assert first[3].values.tobytes() != made(seed=1)[3].values.tobytes()


@pytest.mark.parametrize("baseline", BASELINES)
def test_baselines_are_pictures_of_one_colour(baseline):
    found = BASELINES[baseline](PICTURE)
    wanted = {
        "grey": [127.5] * 3,
        "black": [0] * 3,
        "white": [255] * 3,
        "mean": PICTURE.mean(axis=(0, 1)),
    }[baseline]
    np.testing.assert_allclose(found, np.broadcast_to(wanted, PICTURE.shape), rtol=1e-6)


@pytest.mark.parametrize("place", GPUS)
def test_maps_on_a_gpu_are_those_of_the_cpu(place):
    here = made()
    with at(place):
        there = made(to_device(PICTURE, current_device()))
    for one, other in zip(here, there, strict=True):
        np.testing.assert_allclose(
            other.values, one.values, rtol=1e-3, atol=1e-3 * abs(one.values).max()
        )


# ---- what to ask about
# ----------------------------------------------------------------------------------------------


def test_the_deepest_layer_has_positions_and_a_relu():
    network = tiny.two_convolutions()
    assert deepest_layer(network, PICTURE) == "far_relu"
    assert deepest_layer(network, PICTURE, before="far_relu") == "near_relu"
    with pytest.raises(ArgumentError, match="before near_relu"):
        deepest_layer(network, PICTURE, before="near_relu")


@pytest.mark.parametrize("place", GPUS)
def test_the_most_distinctive_channel_is_not_the_strongest_one(place):
    """Red is the brightest in all pictures, and green unusually bright in this one"""
    with at(place):
        network = tiny.colours()
        pictures = [
            np.full((4, 5, 3), colour, np.float32)
            for colour in ((200, 90, 0), (210, 20, 0), (190, 10, 0))
        ]
        picture, *others = (to_device(each, current_device()) for each in pictures)
        assert array_module(picture) is not np
        assert most_distinctive(network, "relu", picture, others) == Unit("relu", 1)
        assert likeliest_class(tiny.classifier(2, ("cat", "dog")), picture[:2, :2]) == Unit(
            "scores", 1
        )
        assert to_numpy(picture).tobytes() == pictures[0].tobytes()
