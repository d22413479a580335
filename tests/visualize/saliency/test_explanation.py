"""Explanations of a unit: their tasks, titles and maps, of pictures, signals and volumes."""

import numpy as np
import pytest

from minidl.backend import current_device
from minidl.errors import ArgumentError
from minidl.layers import Convolution, Dense, Flatten, ReLU, Sequential
from minidl.visualize.network import of_sequential
from minidl.visualize.saliency.explanation import Explanation
from minidl.visualize.saliency.methods import METHODS, Settings
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)
FEW = Settings(samples=2, steps=16)


def of(unit, methods=None, layers=(), settings=FEW):
    scalar = Scalar(tiny.two_convolutions(), unit)
    return Explanation.of(scalar, PICTURE, methods, settings, layers)


def test_a_task_for_each_method():
    found = of(Unit("far_relu", 1))
    assert [method for method, _ in found.tasks] == list(METHODS)
    assert {settings.layer for _, settings in found.tasks} == {"near_relu"}
    assert [one.method for one in found.compute()] == list(METHODS) and len(found.maps) == 7


def test_a_map_of_grad_cam_for_each_layer():
    found = of(Unit("far_relu", 1), ["gradient", "grad-cam"], ["near", "pool"])
    assert [(method, own.layer) for method, own in found.tasks] == [
        ("gradient", "near"), ("grad-cam", "near"), ("grad-cam", "pool")
    ]  # fmt: skip
    maps = list(found.compute())
    assert [one.layer for one in maps] == [None, "near", "pool"]
    assert maps[1].values.shape == (13, 17) and maps[2].values.shape == (6, 8)
    assert [correlation for _, correlation in found.changes()] != [1, 1, 1]


def test_grad_cam_is_left_out_without_a_layer_before_the_unit():
    assert "grad-cam" not in dict(of(Unit("near", 1)).tasks)
    with pytest.raises(ArgumentError, match="no layer behind a ReLU"):
        of(Unit("near", 1), ["grad-cam"])


def test_titles_have_the_value_and_the_probability_of_a_class():
    assert of(Unit("far_relu", 1)).title().startswith("the mean of far_relu:1: 0.")
    network, picture = tiny.classifier(2, ("cat", "dog")), np.full((2, 2, 3), 85, np.float32)
    found = Explanation.of(Scalar(network, Unit("scores", 1)), picture)
    assert found.title() == "dog: 2, probability 73.1%"


def test_the_passes_are_those_of_all_tasks():
    one, both = (of(Unit("far", 1), names).passes for names in (["guided"], ["guided", "gradient"]))
    assert both == 2 * one > 0


def test_activations_of_channels_with_positions():
    assert of(Unit("far", 1)).activations().shape == (6, 8)
    assert of(Unit("far")).activations() is None
    network = tiny.classifier(2, ("cat", "dog"))
    found = Explanation.of(Scalar(network, Unit("scores", 1)), np.ones((2, 2, 3), np.float32))
    assert found.activations() is None


def network_of(axes, length=8, part=slice(2, 4)):
    """A network whose only class is the sum of one part of its input, after a ReLU"""
    kernel = np.ones((1,) * axes + (1, 1), np.float32)
    weights = np.zeros((length,) * axes, np.float32)
    weights[(part,) * axes] = 1
    layers = {"same": Convolution(kernel), "relu": ReLU(), "flatten": Flatten(),
              "sum": Dense(weights.reshape(-1, 1))}  # fmt: skip
    model = Sequential(layers).freeze().to(current_device())
    return of_sequential(model, lambda x: x, size=(length,) * axes, classes=("part",)), weights


@pytest.mark.parametrize("axes", [1, 3])
def test_signals_and_volumes_are_explained_by_every_method(axes):
    """Only the numbers in the part matter: all maps are 0 elsewhere."""
    network, weights = network_of(axes)
    example = np.random.default_rng(0).uniform(1, 2, (8,) * axes + (1,)).astype(np.float32)
    scalar = Scalar(network, Unit("sum", 0))
    found = Explanation.of(scalar, example, None, Settings(samples=2, steps=4, window=1, stride=1))
    for made in found.compute():
        if made.method == "grad-cam":  # the mean gradient is the same at all positions
            np.testing.assert_allclose(made.values, example[..., 0] * weights.mean(), rtol=1e-5)
            continue
        assert made.values.shape == (8,) * axes
        np.testing.assert_array_equal(abs(made.values) > 1e-6, weights > 0)
    contributions = {made.method: made for made in found.maps}
    for method in ("gradient-x-input", "integrated", "occlusion"):
        values = contributions[method].values
        np.testing.assert_allclose(values, example[..., 0] * weights, atol=1e-5)
    stretches = {1: "stretches", 3: "cubes"}[axes]
    assert contributions["occlusion"].note == f"zero {stretches} of 1, every 1"
    assert contributions["integrated"].note.startswith("from zero")


def test_the_defaults_of_a_signal():
    network, _ = network_of(1, length=64)
    example = np.ones((64, 1), np.float32)
    found = Explanation.of(Scalar(network, Unit("sum", 0)), example, ["occlusion"])
    [(_, settings)] = found.tasks
    assert (settings.baseline, settings.window, settings.stride) == ("black", 4, 2)
    [(_, settings)] = of(Unit("far", 1), ["occlusion"], settings=Settings()).tasks
    assert (settings.baseline, settings.window, settings.stride) == ("grey", 3, 1)


@pytest.mark.parametrize("baseline", ["grey", "white"])
def test_a_signal_has_no_colours(baseline):
    network, _ = network_of(1)
    with pytest.raises(ArgumentError, match=f"the baseline is {baseline}, a colour, and the"):
        Explanation.of(
            Scalar(network, Unit("sum", 0)), np.ones((8, 1), np.float32), None,
            Settings(baseline=baseline),
        )  # fmt: skip
