"""The sanity check, and its result for each method."""

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
# Bounds on the rank correlation of maps: with signs, without signs, of few positions, and guided.
SIGNED, SIZES, COARSE, GUIDED = 0.12, 0.35, 0.5, (0.25, 0.7)
PICTURE = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def correlations():
    """The rank correlation of each method with random weights."""
    picture = read_image(shipped_picture("chelsea"), 80)
    scalar = Scalar(of_vgg19(vgg19(pooling="max")), Unit("block4_conv4", 54))
    maps = list(saliency(scalar, picture, None, SETTINGS))
    return dict(changes(scalar, picture, maps, SETTINGS))


def test_rank_correlation_of_orders_ties_and_constants():
    a = np.array([[3.0, 1.0], [2.0, 9.0]])
    assert rank_correlation(a, np.exp(a)) == 1 and rank_correlation(a, -a) == -1
    assert rank_correlation(a, np.ones((2, 2))) == 0
    tied = rank_correlation(np.array([1.0, 2, 2, 3]), np.array([1.0, 3, 2, 4]))
    assert tied == pytest.approx(4.5 / np.sqrt(4.5 * 5))


def kernels_of(network):
    return [step.layer.kernel.data for step in network.steps if hasattr(step.layer, "kernel")]


def test_random_weights_differ_in_every_layer():
    network = tiny.two_convolutions()
    networks = network, *(randomized(network, seed) for seed in (1, 1, 2))
    for old, new, same, different in zip(*map(kernels_of, networks), strict=True):
        assert new.shape == old.shape and new.dtype == old.dtype
        assert new.tobytes() == same.tobytes()
        assert not np.any(new == old) and not np.any(new == different)
        assert not new.flags.writeable


def test_random_weights_do_not_change_the_network():
    network = tiny.two_convolutions()
    before = [kernel.tobytes() for kernel in kernels_of(network)]
    randomized(network, 1)
    assert [kernel.tobytes() for kernel in kernels_of(network)] == before


def test_batch_normalization_gets_its_initial_numbers():
    norm = BatchNorm(2)
    norm.gamma.data = np.full(2, 5, np.float32)
    norm.mean, norm.variance = np.full(2, 6, np.float32), np.full(2, 7, np.float32)
    kernel = np.ones((1, 1, 3, 2), np.float32)
    model = Sequential({"conv": Convolution(kernel), "norm": norm, "relu": ReLU()}).train(False)
    new = randomized(of_sequential(model, lambda pictures: pictures)).steps[1].layer
    arrays = new.gamma.data, new.beta.data, new.mean, new.variance
    assert [array.tolist() for array in arrays] == [[1, 1], [0, 0], [0, 0], [1, 1]]


def test_the_unit_is_active_with_the_random_weights_of_the_check():
    network, seed = tiny.two_convolutions(), 2
    scalar = Scalar(network, Unit("far_relu", 6))
    first_trial = scalar._replace(network=randomized(network, (OWN, seed, 0)))
    assert value(first_trial, PICTURE[None]) == 0
    maps = list(saliency(scalar, PICTURE, ["gradient"]))
    [(_, correlation)] = changes(scalar, PICTURE, maps, seed=seed)
    assert correlation != 0


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["gradient-x-input", "integrated"])
def test_maps_with_signs_change(method, correlations):
    assert abs(correlations[method]) < SIGNED


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["gradient", "smoothgrad"])
def test_maps_without_signs_change(method, correlations):
    """A small correlation remains that does not depend on the weights: for example, fewer positions
    depend on a pixel at the border."""
    assert correlations[method] < SIZES


@pytest.mark.thorough
@pytest.mark.parametrize("method", ["grad-cam", "occlusion"])
def test_coarse_maps_change(method, correlations):
    """Few positions can have a similar order by chance."""
    assert correlations[method] < COARSE


@pytest.mark.thorough
def test_guided_gradients_partly_show_the_picture_whatever_the_weights(correlations):
    """The result of Adebayo et al.: without negative contributions, the pixels differ mainly by the
    edges of the picture."""
    least, most = GUIDED
    assert least < correlations["guided"] < most
    assert max(correlations, key=correlations.get) == "guided"


@pytest.mark.parametrize("place", GPUS)
def test_correlations_on_a_gpu_are_those_of_the_cpu(place):
    def compute():
        scalar = Scalar(tiny.two_convolutions(), Unit("far_relu", 1))
        picture = to_device(PICTURE, current_device())
        maps = list(saliency(scalar, picture, ["gradient-x-input"]))
        return dict(changes(scalar, picture, maps))

    on_cpu = compute()
    with at(place):
        assert compute() == pytest.approx(on_cpu, abs=0.01)


def test_the_same_weights_give_the_same_order():
    scalar = Scalar(tiny.two_convolutions(), Unit("far_relu", 0))
    first, again = (saliency(scalar, PICTURE, None, SETTINGS) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert one.values.any() and rank_correlation(one.values, other.values) == 1
