"""Activation maximisation: all objectives rise, and the pictures show the reason."""

import numpy as np
import pytest

from minidl.errors import ArgumentError, NonFiniteError
from minidl.layers import Convolution, ReLU
from minidl.visualize import maximization
from minidl.visualize.maximization import Maximization, Maximizations
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.visualize import tiny


def maximized(network, layer, channels, steps=30, size=(24, 20), **options):
    """Return the pictures, and the objectives before and after the steps."""
    units = [Unit(layer, channel) for channel in channels]
    maximization = Maximization(network, units, size, **options)
    before = maximization.objectives()
    for _ in range(steps):
        maximization.step()
    return maximization.pictures(), before, maximization.objectives()


@pytest.mark.parametrize(
    ("layer", "channels"), [("near_relu", range(6)), ("far_relu", range(8)), ("far", [2, 2])]
)
def test_the_objective_of_every_unit_rises(layer, channels):
    pictures, before, after = maximized(tiny.two_convolutions(), layer, channels)
    assert pictures.shape == (len(channels), 24, 20, 3)
    assert pictures.min() >= 0 and pictures.max() <= 255
    assert (after > before + 0.01).all()


def test_the_unit_of_a_colour_gets_a_picture_of_this_colour():
    pictures, before, after = maximized(
        tiny.colours(), "relu", [0, 1, 2, 3], steps=120, size=(12, 12)
    )
    means = pictures[:3].mean(axis=(1, 2))  # (picture, colour)
    for channel in range(3):
        others = np.delete(means[:, channel], channel)
        assert means[channel, channel] > max(200, others.max() + 3, means[channel].min() + 20)
    np.testing.assert_allclose(after[:3], np.diag(means) / 255, rtol=1e-5)
    assert before[3] == after[3] == 0  # this unit does not depend on the picture


def test_the_objective_of_an_inactive_unit_rises():
    _, before, after = maximized(tiny.colours(bias=-3.0), "relu", [1])
    assert before[0] < -2 and before[0] + 0.05 < after[0] < 0


def test_the_scores_of_classes_rise():
    _, before, after = maximized(
        tiny.classifier(8, ("dim", "bright")), "scores", [0, 1], size=(8, 8)
    )
    assert (after > before + 0.1).all()


def test_pictures_are_reproducible_and_depend_on_the_seed():
    def pixels(seed):
        pictures, _, _ = maximized(tiny.two_convolutions(), "far", [1, 5], seed=seed)
        return pictures.tobytes()

    assert pixels(1) == pixels(1) != pixels(2)


def test_many_units_are_computed_in_batches(monkeypatch):
    network, lengths = tiny.two_convolutions(), []

    def prepare(pictures):
        lengths.append(len(pictures))
        return network.prepare(pictures)

    monkeypatch.setattr(maximization, "PIXELS_AT_ONCE", 2 * 24 * 20)
    watched = network._replace(prepare=prepare)
    pictures, before, after = maximized(watched, "far_relu", range(5), steps=20)
    assert len(pictures) == 5 and max(lengths) == 2
    assert (after > before + 0.01).all()


@pytest.mark.parametrize("channels", [[0, 3], [0, 1, 2]])
def test_a_picture_does_not_depend_on_the_other_units(monkeypatch, channels):
    for name in ("DEGREES", "ZOOM", "SHIFT"):  # the random views differ
        monkeypatch.setattr(maximization, name, 0)
    (alone,), _, _ = maximized(tiny.colours(), "relu", [0])
    (first, *_), _, _ = maximized(tiny.colours(), "relu", channels)
    np.testing.assert_allclose(first, alone, atol=0.02)


def test_smoothness_has_an_effect_on_edges():
    """The activations of edges for a grey picture are 0. They cannot be the unit of measurement of
    the objective."""

    def squared_changes(smoothness):
        edges = np.array([1, -1], np.float32).reshape(1, 2, 1, 1).repeat(3, axis=2)
        network = tiny.network({"edges": Convolution(edges), "relu": ReLU()})
        [picture], _, _ = maximized(network, "relu", [0], steps=60, smoothness=smoothness)
        return (np.diff(picture, axis=0) ** 2).mean() + (np.diff(picture, axis=1) ** 2).mean()

    assert squared_changes(60.0) < 0.5 * squared_changes(0.0)


def test_smoothness_makes_pictures_smooth():
    def squared_changes(smoothness):
        network = tiny.two_convolutions()
        [picture], _, _ = maximized(network, "near", [3], steps=40, smoothness=smoothness)
        return (np.diff(picture, axis=0) ** 2).mean()

    assert squared_changes(200.0) < 0.7 * squared_changes(0.0)


def test_unknown_channels_and_damaged_weights_are_refused():
    with pytest.raises(ArgumentError, match="far_relu has 8 channels; found far_relu:8"):
        Maximization(tiny.two_convolutions(), [Unit("far_relu", 8)], (16, 16))
    with pytest.raises(NonFiniteError, match="the activation of a unit of colours is nan"):
        Maximization(tiny.colours(bias=np.nan), [Unit("relu", 0)], (16, 16)).objectives()


@pytest.mark.parametrize("place", GPUS)
def test_pictures_on_a_gpu_are_those_of_the_cpu(place):
    on_cpu, _, wanted = maximized(tiny.two_convolutions(), "far_relu", [0, 4], steps=3)
    with at(place):
        on_gpu, _, objectives = maximized(tiny.two_convolutions(), "far_relu", [0, 4], steps=3)
    np.testing.assert_allclose(on_gpu.get(), on_cpu, atol=0.5)
    np.testing.assert_allclose(objectives, wanted, rtol=1e-2)


def test_units_of_several_layers_have_the_pictures_of_their_own_maximizations():
    network, size = tiny.two_convolutions(), (24, 20)
    units = [Unit("far", 1), Unit("near", 2), Unit("far", 5)]
    together = Maximizations(network, units, size, seed=3)
    assert list(together.steps(4)) == [1, 2, 3, 4]
    alone = {"far": Maximization(network, [units[0], units[2]], size, seed=3)}
    alone["near"] = Maximization(network, [units[1]], size, seed=3)
    for ascent in alone.values():
        for _ in range(4):
            ascent.step()
    far, near = (ascent.pictures() for ascent in alone.values())
    for picture, wanted in zip(together.pictures(), (far[0], near[0], far[1]), strict=True):
        np.testing.assert_array_equal(picture, wanted)
    objectives = alone["far"].objectives()
    wanted = [objectives[0], *alone["near"].objectives(), objectives[1]]
    np.testing.assert_array_equal(together.objectives(), wanted)
