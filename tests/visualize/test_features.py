"""Activation maps: the order of channels, the scale of colours, and networks of any rank."""

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


def network_of_rank(rank):
    def conv(*channels):
        kernel = RNG.standard_normal((3,) * rank + channels).astype(np.float32)
        return Convolution(kernel, padding=1)

    layers = conv(1, 4), ReLU(), MaxPool(2), conv(4, 5), ReLU()
    return of_sequential(Sequential(*layers), prepare=lambda x: x)


def test_the_strongest_channels_come_first():
    network = tiny.two_convolutions()
    layers, numbers = features(network, PICTURE, ["near", "far_relu"], channels=5)
    assert [maps.layer for maps in layers] == ["near", "far_relu"]
    for maps in layers:
        activations = network.activations(PICTURE[None], [maps.layer])[maps.layer][0]
        np.testing.assert_array_equal(numbers[maps.layer], activations)
        means = abs(activations.astype(np.float64)).mean(axis=(0, 1))
        assert maps.channels.tolist() == sorted(range(len(means)), key=lambda c: -means[c])[:5]
        for channel, values in zip(maps.channels, maps.maps, strict=True):
            np.testing.assert_array_equal(values, activations[..., channel])
        assert maps.shape == activations.shape
    assert layers[1].field.size == (8, 8)


def test_equal_channels_stay_in_their_order():
    grey = np.repeat(PICTURE[..., :1], 3, axis=-1)
    [maps], _ = features(tiny.colours(), grey, ["relu"], channels=4)
    assert maps.channels.tolist() == [0, 1, 2, 3]


def test_maps_are_scaled_separately_or_with_their_layer():
    [alone], numbers = features(tiny.two_convolutions(), PICTURE, ["near"], channels=3)
    [together], _ = features(tiny.two_convolutions(), PICTURE, ["near"], channels=3, scale="layer")
    assert alone.top.tolist() == [abs(values).max() for values in alone.maps]
    assert together.top.tolist() == [abs(numbers["near"]).max()] * 3


def test_the_map_of_a_layer_without_positions_contains_all_its_numbers():
    kernel = RNG.standard_normal((12 * 16 * 3, 50)).astype(np.float32)
    network = of_sequential(Sequential(Flatten(), Dense(kernel)), prepare=lambda x: x)
    [dense], numbers = features(network, PICTURE, ["dense1"])
    assert dense.maps.shape == (1, 2, 32)
    np.testing.assert_array_equal(dense.maps.ravel(), [*numbers["dense1"], *[0] * 14])


@pytest.mark.parametrize(
    "extent", [(19,), (9, 10), (6, 7, 8)], ids=["a signal", "a picture", "a volume"]
)
def test_networks_of_any_rank(extent):
    network = network_of_rank(len(extent))
    example = RNG.standard_normal((*extent, 1)).astype(np.float32)
    assert default_layers(network, extent) == ["relu1", "relu2"]
    layers, _ = features(network, example)
    assert [maps.maps.shape for maps in layers] == [(4, *extent), (5, *(n // 2 for n in extent))]
    for scale in ("map", "layer"):
        drawn = figure(example, "example", layers, scale)
        assert drawn.ndim == 3 and np.isfinite(drawn).all()


def test_default_layers_fit_the_picture():
    assert default_layers(tiny.two_convolutions(), (12, 16)) == ["near_relu", "far_relu"]
    assert default_layers(tiny.two_convolutions(), (1, 1)) == ["near_relu"]


def test_the_figure_explains_the_scale_and_is_reproducible():
    layers, _ = features(tiny.two_convolutions(), PICTURE)
    first, again = (figure(PICTURE, "a picture", layers, "map") for _ in range(2))
    assert first.tobytes() == again.tobytes()
    assert not np.array_equal(first, figure(PICTURE, "a picture", layers, "layer"))


def test_colours_of_numbers_grow_lighter():
    values = np.array([0.0, 2.0, 5.0, -2.0, -9.0])
    wanted = [POSITIVE[0], POSITIVE[-1], POSITIVE[-1], NEGATIVE[-1], NEGATIVE[-1]]
    np.testing.assert_array_equal(heat(values, 2.0), wanted)
    np.testing.assert_array_equal(heat(np.zeros(2), 0.0), [POSITIVE[0]] * 2)
    lightness = heat(np.linspace(0, 1, 50), 1.0).sum(axis=-1)
    assert (np.diff(lightness) > 0).all()


def test_volumes_are_drawn_as_slices_and_signals_as_curves():
    volume = RNG.uniform(0, 1, (5, 4, 6))
    np.testing.assert_array_equal(as_picture(volume, 1.0), heat(volume[2], 1.0))
    assert as_picture(volume, 1.0, 60).shape == (40, 60, 3)
    curve = as_picture(np.array([0.0, 1.0, 0.5, 0.0]), 1.0)
    filled = (curve != POSITIVE[0]).any(axis=-1).sum(axis=0)
    assert filled.tolist() == [0, CURVE - 1, (CURVE - 1) // 2, 0]
    signal = np.zeros(1000)
    signal[517] = 1  # a peak that is narrower than a pixel
    assert (as_picture(signal, 1.0, 100) == POSITIVE[-1]).all(axis=-1).any()


@pytest.mark.parametrize("options", [{"scale": "all"}, {"channels": 0}, {"layers": ["nowhere"]}])
def test_unknown_scales_and_layers_and_no_channels_are_refused(options):
    with pytest.raises(ArgumentError):
        features(tiny.two_convolutions(), PICTURE, **options)


@pytest.mark.parametrize("place", GPUS)
def test_maps_on_a_gpu_are_those_of_the_cpu(place):
    [on_cpu], _ = features(tiny.two_convolutions(), PICTURE, ["far_relu"])
    with at(place):
        [on_gpu], _ = features(tiny.two_convolutions(), PICTURE, ["far_relu"])
    assert on_gpu.channels.tolist() == on_cpu.channels.tolist()
    np.testing.assert_allclose(on_gpu.maps, on_cpu.maps, rtol=1e-4, atol=1e-6)
