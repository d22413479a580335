"""The cost of visualizations: numbers that are kept, and forward passes."""

import numpy as np
import pytest

from minidl.models import vgg19
from minidl.visualize.dream import octave_sizes, passes
from minidl.visualize.effort import WITH_GRADIENT, multiply_adds, numbers_kept
from minidl.visualize.network import Network, of_vgg19
from minidl.visualize.saliency.methods import METHODS, Settings, fitted, saliency
from minidl.visualize.saliency.methods import passes as passes_of_method
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit
from tests.visualize import tiny


def test_the_numbers_of_convolutions_and_poolings_are_counted():
    """6 and 8 channels, and a pooling between them. The largest output is held twice more."""
    near, pool, far = 10 * 12 * 6, 5 * 6 * 6, 5 * 6 * 8
    kept = numbers_kept(tiny.two_convolutions(), (10, 12), ["far_relu"])
    assert kept == near + pool + far + 2 * near
    assert numbers_kept(tiny.two_convolutions(), (10, 12), ["near_relu", "near"]) == 3 * near


def test_a_picture_that_is_too_small_for_a_layer_is_counted_as_far_as_it_goes():
    assert numbers_kept(tiny.two_convolutions(), (1, 1), ["far_relu"]) == 3 * 6


def test_the_memory_of_vgg19():
    """1.7 GB for the gradient of a megapixel, as measured: the peak of a process at 1024x1024."""
    network = of_vgg19(vgg19(pooling="max"))
    assert 4 * numbers_kept(network, (1024, 1024), ["conv5_4"]) == pytest.approx(1.7e9, rel=0.15)


def test_multiply_adds_of_a_pass():
    near, far = 10 * 12 * 3 * 3 * 3 * 6, 5 * 6 * 3 * 3 * 6 * 8
    network = tiny.two_convolutions()
    assert multiply_adds(network, (10, 12), ["pool"]) == near
    assert multiply_adds(network, (10, 12), ["near", "far_relu"]) == near + far
    dense = tiny.classifier(6, ("a", "b"))
    assert multiply_adds(dense, (6, 6), ["scores"]) == 6 * 6 * 3 * 2
    assert multiply_adds(dense, (6, 6), ["flatten"]) == 1


def test_a_dream_costs_the_pixels_of_its_octaves():
    assert passes([(50, 100), (100, 200)], 8) == WITH_GRADIENT * 8 * 1.25
    assert passes(octave_sizes((40, 40), 5), 8) == WITH_GRADIENT * 8


@pytest.mark.parametrize("method", METHODS)
def test_a_method_makes_so_many_passes(monkeypatch, method):
    """Passes of single pictures are counted; a backward pass is not one of the network."""
    network, picture = tiny.two_convolutions(), np.ones((20, 24, 3), np.float32)
    scalar, counted = Scalar(network, Unit("far_relu", 1)), []
    compute = Network.activations

    def activations(self, pictures, *arguments):
        if not isinstance(pictures, np.ndarray) and len(self.steps) == len(network.steps):
            counted.append(len(pictures.data))
        return compute(self, pictures, *arguments)

    monkeypatch.setattr(Network, "activations", activations)
    _, settings = fitted(scalar, picture, [method], Settings(samples=5, steps=6, window=8))
    assert list(saliency(scalar, picture, [method], settings))
    backward = {"occlusion": 0, "smoothgrad": 5, "integrated": 6}.get(method, 1)
    passes = sum(counted) + backward
    assert passes_of_method(method, (20, 24), settings) == pytest.approx(passes, abs=1)
