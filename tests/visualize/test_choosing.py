"""Default units and layers: they fit long and small pictures."""

import numpy as np
import pytest

from minidl.backend import array_module, current_device, to_device, to_numpy
from minidl.data import read_image, write_image
from minidl.errors import ArgumentError, NonFiniteError
from minidl.layers import MaxPool, ReLU
from minidl.visualize.choosing import (
    deepest_layer,
    likeliest_class,
    most_distinctive,
    preferred_layers,
    shipped_examples,
    small_example,
    unit_for,
)
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.random_numbers import begun_anew
from tests.visualize import tiny

RNG = np.random.default_rng(0)
begin = begun_anew(RNG)


def deep():
    """A network of five ReLUs, each followed by a pooling, as deep as VGG19"""
    layers = {}
    for n in range(5):
        layers |= {f"relu{n}": ReLU(), f"pool{n}": MaxPool(2)}
    return tiny.network(layers)


@pytest.mark.parametrize(
    ("extent", "layer"),
    [((16, 16), "relu4"), ((15, 90), "relu3"), ((2, 300), "relu1"), ((1, 1), "relu0")],
)
def test_the_deepest_layer_fits_the_picture(extent, layer):
    assert deepest_layer(deep(), np.zeros((*extent, 3), np.float32)) == layer


def test_preferred_layers_fit_the_picture():
    for side, wanted in ((16, ["relu4", "relu2"]), (4, ["relu2"]), (1, ["relu0"])):
        picture = np.zeros((side, side, 3), np.float32)
        assert preferred_layers(deep(), picture, ("relu4", "relu2", "elsewhere")) == wanted


@pytest.mark.parametrize("width, height", [(2200, 220), (4000, 80), (80, 4000), (300, 12)])
@pytest.mark.parametrize("longest", [224, None])
def test_the_unit_of_a_long_picture_is_in_the_deepest_layer(tmp_path, width, height, longest):
    write_image(tmp_path / "a.png", RNG.uniform(0, 255, (height, width, 3)))
    picture = read_image(tmp_path / "a.png", longest)
    assert unit_for(deep(), tmp_path / "a.png", picture).layer == deepest_layer(deep(), picture)


@pytest.mark.parametrize(
    ("extent", "small"),
    [((300, 600), (56, 112)), ((80, 60), (80, 60)), ((220, 2200), (32, 320)), ((12, 300),) * 2],
)
def test_sizes_of_small_examples(tmp_path, extent, small):
    write_image(tmp_path / "a.png", np.zeros((*extent, 3)))
    assert small_example(deep(), tmp_path / "a.png").shape[:2] == small


def test_arrays_are_not_resized(tmp_path):
    np.save(tmp_path / "a.npy", RNG.uniform(0, 255, (2, 300, 3)))
    picture = small_example(deep(), tmp_path / "a.npy")
    assert picture.shape == (2, 300, 3)
    assert unit_for(deep(), tmp_path / "a.npy", picture).layer == "relu1"


def test_shipped_examples_have_the_small_size():
    shapes = [picture.shape for picture in shipped_examples(deep())]
    assert len(shapes) > 4 and {max(shape) for shape in shapes} == {112}


def test_scores_that_are_nan_are_refused():
    with pytest.raises(NonFiniteError, match="scores"):
        likeliest_class(tiny.classifier(2, ("cat", "dog")), np.full((2, 2, 3), np.nan, np.float32))


def test_the_deepest_layer_is_a_relu_with_positions():
    network, picture = tiny.two_convolutions(), np.zeros((13, 17, 3), np.float32)
    assert deepest_layer(network, picture) == "far_relu"
    assert deepest_layer(network, picture, before="far_relu") == "near_relu"
    with pytest.raises(ArgumentError, match="before near_relu"):
        deepest_layer(network, picture, before="near_relu")


@pytest.mark.parametrize("place", GPUS)
def test_the_most_distinctive_channel_is_not_the_strongest(place):
    """Red is the brightest colour of all pictures. Green is unusually bright in the first one."""
    colours = (200, 90, 0), (210, 20, 0), (190, 10, 0)
    arrays = [np.full((4, 5, 3), colour, np.float32) for colour in colours]
    with at(place):
        picture, *others = (to_device(array, current_device()) for array in arrays)
        assert array_module(picture) is not np
        assert most_distinctive(tiny.colours(), ["relu"], picture, others) == [Unit("relu", 1)]
        assert to_numpy(picture).tobytes() == arrays[0].tobytes()  # nothing wrote to it


@pytest.mark.parametrize("place", GPUS)
def test_the_likeliest_class(place):
    with at(place):
        picture = to_device(np.full((2, 2, 3), 200, np.float32), current_device())
        network = tiny.classifier(2, ("cat", "dog"))
        assert likeliest_class(network, picture) == Unit("scores", 1)
