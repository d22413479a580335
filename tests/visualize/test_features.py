import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.layers import Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.visualize.drawing.heat import CURVE, NEGATIVE, POSITIVE, as_picture, heat
from minidl.visualize.features import default_layers, features, figure
from minidl.visualize.network import of_sequential
from tests.devices import GPUS, at
from tests.random_numbers import begun_anew
from tests.visualize import tiny

RNG = np.random.default_rng(0)
PICTURE = RNG.uniform(0, 255, (12, 16, 3)).astype(np.float32)
begin = begun_anew(RNG)


def small(rank):
    kernels = [
        RNG.standard_normal((3,) * rank + shape).astype(np.float32) for shape in ((1, 4), (4, 5))
    ]
    layers = [
        Convolution(kernels[0], padding=1),
        ReLU(),
        MaxPool(2),
        Convolution(kernels[1], padding=1),
        ReLU(),
    ]
    return of_sequential(Sequential(*layers), prepare=lambda x: x)


def test_the_strongest_channels_come_first():
    network = tiny.two_convolutions()
    [near, far], whole = features(network, PICTURE, ["near", "far_relu"], channels=5)
    for found, name in ((near, "near"), (far, "far_relu")):
        activations = network.activations(PICTURE[None], [name])[name][0]
        np.testing.assert_array_equal(whole[name], activations)
        means = [
            abs(activations[..., channel].astype(np.float64)).mean()
            for channel in range(activations.shape[-1])
        ]
        assert found.channels.tolist() == sorted(range(len(means)), key=lambda c: -means[c])[:5]
        for channel, values in zip(found.channels, found.maps, strict=True):
            np.testing.assert_array_equal(values, activations[..., channel])
        assert found.shape == activations.shape
    assert far.field.size == (8, 8)


def test_of_equal_channels_the_earlier_comes_first():
    grey = np.repeat(PICTURE[..., :1], 3, axis=-1)
    [found], _ = features(tiny.colours(), grey, ["relu"], channels=4)
    assert found.channels.tolist() == [0, 1, 2, 3]


def test_maps_are_scaled_alone_or_with_their_layer():
    [alone], whole = features(tiny.two_convolutions(), PICTURE, ["near"], channels=3)
    [together], _ = features(tiny.two_convolutions(), PICTURE, ["near"], channels=3, scale="layer")
    assert alone.top.tolist() == [abs(values).max() for values in alone.maps]
    assert together.top.tolist() == [abs(whole["near"]).max()] * 3


def test_layers_without_positions_are_one_map_of_all_their_numbers():
    kernel = RNG.standard_normal((12 * 16 * 3, 50)).astype(np.float32)
    network = of_sequential(Sequential(Flatten(), Dense(kernel)), prepare=lambda x: x)
    [found], whole = features(network, PICTURE, ["dense1"])
    assert found.maps.shape == (1, 2, 32)
    np.testing.assert_array_equal(found.maps.ravel(), [*whole["dense1"], *[0] * 14])


@pytest.mark.parametrize(
    "extent", [(19,), (9, 10), (6, 7, 8)], ids=["a signal", "a picture", "a volume"]
)
def test_networks_of_any_rank(extent):
    network, example = small(len(extent)), RNG.standard_normal((*extent, 1)).astype(np.float32)
    assert default_layers(network, extent) == ["relu1", "relu2"]
    found, _ = features(network, example)
    assert [each.maps.shape for each in found] == [(4, *extent), (5, *(n // 2 for n in extent))]
    for scale in ("map", "layer"):
        drawn = figure(example, "example", found, scale)
        assert drawn.ndim == 3 and np.isfinite(drawn).all()


def test_default_layers_are_those_that_have_room():
    assert default_layers(tiny.two_convolutions(), (12, 16)) == ["near_relu", "far_relu"]
    assert default_layers(tiny.two_convolutions(), (1, 1)) == ["near_relu"]


def test_the_figure_says_how_maps_are_scaled_and_is_the_same_twice():
    found, _ = features(tiny.two_convolutions(), PICTURE)
    first, again = (figure(PICTURE, "a picture", found, "map") for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, figure(PICTURE, "a picture", found, "layer"))


def test_colours_of_numbers():
    values = np.array([0.0, 2.0, 5.0, -2.0, -9.0])
    wanted = [POSITIVE[0], POSITIVE[-1], POSITIVE[-1], NEGATIVE[-1], NEGATIVE[-1]]
    np.testing.assert_array_equal(heat(values, 2.0), wanted)
    np.testing.assert_array_equal(heat(np.zeros(2), 0.0), [POSITIVE[0]] * 2)
    lightness = heat(np.linspace(0, 1, 50), 1.0).sum(axis=-1)
    assert (np.diff(lightness) > 0).all()


def test_pictures_of_maps():
    volume = RNG.uniform(0, 1, (5, 4, 6))
    np.testing.assert_array_equal(as_picture(volume, 1.0), heat(volume[2], 1.0))
    assert as_picture(volume, 1.0, 60).shape == (40, 60, 3)
    curve = as_picture(np.array([0.0, 1.0, 0.5, 0.0]), 1.0)
    filled = (curve != POSITIVE[0]).any(axis=-1).sum(axis=0)
    assert filled.tolist() == [0, CURVE - 1, (CURVE - 1) // 2, 0]
    peak = np.zeros(1000)
    peak[517] = 1
    # no peak is lost between two pixels
    assert (as_picture(peak, 1.0, 100) == POSITIVE[-1]).all(axis=-1).any()


def test_bad_wishes_are_refused():
    network = tiny.two_convolutions()
    for options in ({"scale": "all"}, {"channels": 0}, {"layers": ["nowhere"]}):
        with pytest.raises(ArgumentError):
            features(network, PICTURE, **options)


@pytest.mark.parametrize("place", GPUS)
def test_the_same_on_a_gpu(place):
    [here], _ = features(tiny.two_convolutions(), PICTURE, ["far_relu"])
    with at(place):
        [there], _ = features(tiny.two_convolutions(), PICTURE, ["far_relu"])
    assert there.channels.tolist() == here.channels.tolist()
    np.testing.assert_allclose(there.maps, here.maps, rtol=1e-4, atol=1e-6)
