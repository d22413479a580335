"""The sanity check itself, and what it says of each method."""

import numpy as np
import pytest

from minidl.backend import current_device, to_device
from minidl.data import read_image, shipped_picture
from minidl.layers import BatchNorm, Convolution, ReLU, Sequential
from minidl.models import vgg19
from minidl.visualize.network import of_sequential, of_vgg19
from minidl.visualize.saliency.methods import Settings, saliency
from minidl.visualize.saliency.sanity import OWN, changes, randomized, rank_correlation
from minidl.visualize.scalars import Scalar, value
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.visualize import tiny

SETTINGS = Settings(samples=4, steps=8)
SIGNED, SIZES, COARSE, GUIDED = 0.12, 0.35, 0.5, (0.25, 0.7)  # what ranks may have in common


@pytest.fixture(scope="module")
def correlations():
    """{method: rank correlation}"""
    picture = read_image(shipped_picture("chelsea"), 80)
    scalar = Scalar(of_vgg19(vgg19(pooling="max")), Unit("block4_conv4", 54))
    maps = list(saliency(scalar, picture, None, SETTINGS))
    return dict(changes(scalar, picture, maps, SETTINGS))


def test_rank_correlation_knows_orders_ties_and_constants():
    a = np.array([[3.0, 1.0], [2.0, 9.0]])
    assert rank_correlation(a, np.exp(a)) == 1 and rank_correlation(a, -a) == -1
    assert rank_correlation(a, np.ones((2, 2))) == 0
    assert rank_correlation(np.array([1.0, 2, 2, 3]), np.array([1.0, 3, 2, 4])) == pytest.approx(
        4.5 / np.sqrt(4.5 * 5)
    )


def test_random_weights_are_new_in_every_layer_and_leave_the_network_as_it_was():
    network = tiny.two_convolutions()
    before = [
        step.layer.kernel.data.tobytes() for step in network.steps if hasattr(step.layer, "kernel")
    ]
    fresh, again, other = (randomized(network, seed) for seed in (1, 1, 2))
    kernels = [
        [step.layer.kernel.data for step in each.steps if hasattr(step.layer, "kernel")]
        for each in (network, fresh, again, other)
    ]
    assert [kernel.tobytes() for kernel in kernels[0]] == before
    for old, new, same, different in zip(*kernels, strict=True):
        assert new.shape == old.shape and new.dtype == old.dtype
        assert (
            new.tobytes() == same.tobytes()
            and not np.any(new == old)
            and not np.any(new == different)
        )
        assert not new.flags.writeable


def test_batch_normalization_begins_anew():
    norm = BatchNorm(2)
    norm.gamma.data, norm.mean, norm.variance = (
        np.full(2, number, np.float32) for number in (5, 6, 7)
    )
    kernel = np.ones((1, 1, 3, 2), np.float32)
    model = Sequential({"conv": Convolution(kernel), "norm": norm, "relu": ReLU()}).train(False)
    fresh = randomized(of_sequential(model, lambda pictures: pictures)).steps[1].layer
    found = [fresh.gamma.data, fresh.beta.data, fresh.mean, fresh.variance]
    assert [array.tolist() for array in found] == [[1, 1], [0, 0], [0, 0], [1, 1]]


def test_random_weights_for_the_check_let_the_unit_fire():
    network, picture = (
        tiny.two_convolutions(),
        np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32),
    )
    scalar, seed = Scalar(network, Unit("far_relu", 6)), 2
    assert value(scalar._replace(network=randomized(network, (OWN, seed, 0))), picture[None]) == 0
    [(_, correlation)] = changes(
        scalar, picture, list(saliency(scalar, picture, ["gradient"])), seed=seed
    )
    assert correlation != 0


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["gradient-x-input", "integrated"])
def test_attributions_of_random_weights_order_the_pixels_anew(method, correlations):
    assert abs(correlations[method]) < SIGNED


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["gradient", "smoothgrad"])
def test_sizes_of_gradients_do_so_nearly(method, correlations):
    """Without signs a little is left that the weights do not matter for: at the border, for one,
    fewer positions see a pixel"""
    assert correlations[method] < SIZES


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_coarse_maps_change_too(method, correlations):
    """Of few places, which chance may order alike"""
    assert correlations[method] < COARSE


@pytest.mark.thorough
def test_guided_gradients_show_in_part_the_picture_whatever_the_weights(correlations):
    """What Adebayo et al. found: where nothing inhibits, little but the picture's edges is left to
    tell pixels apart"""
    least, most = GUIDED
    assert least < correlations["guided"] < most
    assert max(correlations, key=correlations.get) == "guided"


@pytest.mark.parametrize("place", GPUS)
def test_the_check_on_a_gpu_is_that_of_the_cpu(place):
    picture = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)

    def checked():
        scalar, there = (
            Scalar(tiny.two_convolutions(), Unit("far_relu", 1)),
            to_device(picture, current_device()),
        )
        return dict(changes(scalar, there, list(saliency(scalar, there, ["gradient-x-input"]))))

    here = checked()
    with at(place):
        assert checked() == pytest.approx(here, abs=0.01)


def test_the_same_weights_give_the_same_order():
    picture = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)
    scalar = Scalar(tiny.two_convolutions(), Unit("far_relu", 0))
    for one, other in zip(
        *(saliency(scalar, picture, None, SETTINGS) for _ in range(2)), strict=True
    ):
        assert one.values.any() and rank_correlation(one.values, other.values) == 1
