"""Default units and layers: they fit long and small pictures."""

import numpy as np
import pytest

from minidl.data import read_image, write_image
from minidl.errors import NonFiniteError
from minidl.layers import MaxPool, ReLU
from minidl.visualize.choosing import (
    deepest_layer,
    likeliest_class,
    preferred_layers,
    shipped_examples,
    small_example,
    unit_for,
)
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
