"""The methods by name: maps of all of them, baselines, and settings."""

import numpy as np
import pytest

from minidl.backend import current_device, to_device
from minidl.visualize.saliency.methods import BASELINES, METHODS, Settings, saliency
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)


def maps_of(picture=PICTURE, **settings):
    """Return the maps of all methods."""
    scalar = Scalar(tiny.two_convolutions(), Unit("far_relu", 1))
    return list(saliency(scalar, picture, None, Settings(samples=2, steps=4, **settings)))


def test_every_method_gives_a_map():
    maps = maps_of()
    assert [saliency_map.method for saliency_map in maps] == list(METHODS)
    for saliency_map in maps:
        assert saliency_map.values.shape == PICTURE.shape[:2]
        assert np.isfinite(saliency_map.values).all() and saliency_map.values.any()


def test_maps_are_reproducible():
    for one, other in zip(maps_of(), maps_of(), strict=True):
        assert one.values.tobytes() == other.values.tobytes() and one.note == other.note


def test_smoothgrad_depends_on_the_seed():
    one, other = (maps_of(seed=seed)[3] for seed in (0, 1))
    assert one.method == "smoothgrad" and one.values.tobytes() != other.values.tobytes()


@pytest.mark.parametrize(
    ("name", "colour"),
    [("grey", 127.5), ("black", 0), ("white", 255), ("mean", PICTURE.mean(axis=(0, 1)))],
)
def test_baselines_have_one_colour(name, colour):
    wanted = np.broadcast_to(colour, PICTURE.shape)
    np.testing.assert_allclose(BASELINES[name](PICTURE), wanted, rtol=1e-6)


def test_all_baselines_are_tested():
    assert list(BASELINES) == ["grey", "black", "white", "mean"]


@pytest.mark.parametrize("place", GPUS)
def test_maps_on_a_gpu_are_those_of_the_cpu(place):
    on_cpu = maps_of()
    with at(place):
        on_gpu = maps_of(to_device(PICTURE, current_device()))
    for one, other in zip(on_cpu, on_gpu, strict=True):
        tolerance = 1e-3 * abs(one.values).max()
        np.testing.assert_allclose(other.values, one.values, rtol=1e-3, atol=tolerance)
