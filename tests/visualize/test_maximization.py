"""Activation maximisation: every unit rises, what they like shows, and the seed decides all."""

import numpy as np
import pytest

from minidl.errors import ArgumentError, NonFiniteError
from minidl.layers import Convolution, ReLU
from minidl.visualize import maximization
from minidl.visualize.maximization import Maximization
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.visualize import tiny


def maximized(network, layer, channels, steps=30, size=(24, 20), **options):
    """(pictures, objectives before, objectives after), in NumPy"""
    uphill = Maximization(network, [Unit(layer, channel) for channel in channels], size, **options)
    before = uphill.objectives()
    for _ in range(steps):
        uphill.step()
    return uphill.pictures(), before, uphill.objectives()


@pytest.mark.parametrize(
    ("layer", "channels"), [("near_relu", range(6)), ("far_relu", range(8)), ("far", [2, 2])]
)
def test_the_objective_of_every_unit_rises(layer, channels):
    pictures, before, after = maximized(tiny.two_convolutions(), layer, channels)
    assert pictures.shape == (len(channels), 24, 20, 3)
    assert pictures.min() >= 0 and pictures.max() <= 255
    assert (after > before + 0.01).all()


def test_what_says_red_is_shown_red_and_what_says_nothing_stays_as_it_is():
    pictures, before, after = maximized(
        tiny.colours(), "relu", [0, 1, 2, 3], steps=120, size=(12, 12)
    )
    means = pictures[:3].mean(axis=(1, 2))  # of each picture and colour
    for channel in range(3):
        others = np.delete(means[:, channel], channel)
        assert means[channel, channel] > max(200, others.max() + 3, means[channel].min() + 20)
    np.testing.assert_allclose(
        after[:3], [pictures[c][..., c].mean() / 255 for c in range(3)], rtol=1e-5
    )
    assert before[3] == after[3] == 0


def test_a_unit_that_does_not_fire_rises_too():
    _, before, after = maximized(tiny.colours(bias=-3.0), "relu", [1])
    assert before[0] < -2 and before[0] + 0.05 < after[0] < 0


def test_classes_are_units():
    _, before, after = maximized(
        tiny.classifier(8, ("dim", "bright")), "scores", [0, 1], size=(8, 8)
    )
    assert (after > before + 0.1).all()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    first, again, other = (
        maximized(tiny.two_convolutions(), "far", [1, 5], seed=seed)[0] for seed in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_many_units_are_worked_on_in_parts(monkeypatch):
    seen = []

    def watched(network):
        return network._replace(
            prepare=lambda pictures: seen.append(len(pictures)) or network.prepare(pictures)
        )

    monkeypatch.setattr(maximization, "PIXELS_AT_ONCE", 2 * 24 * 20)
    pictures, before, after = maximized(
        watched(tiny.two_convolutions()), "far_relu", range(5), steps=20
    )
    assert len(pictures) == 5 and max(seen) == 2
    assert (after > before + 0.01).all()


def test_no_picture_feels_the_others(monkeypatch):
    """Without random views the first picture is the same alone, beside a unit that says nothing,
    and beside two that do"""
    for name in ("DEGREES", "ZOOM", "SHIFT"):
        monkeypatch.setattr(maximization, name, 0)
    alone, *others = (
        maximized(tiny.colours(), "relu", some)[0][0] for some in ([0], [0, 3], [0, 1, 2])
    )
    for beside_others in others:
        np.testing.assert_allclose(beside_others, alone, atol=0.02)


def test_smoothness_counts_for_a_layer_that_says_little_to_grey_pictures():
    """As layers of edges do: what they like would be worth any price if it were counted in that"""

    def changes(smoothness):
        edges = np.array([1, -1], np.float32).reshape(1, 2, 1, 1) * np.ones(
            (1, 1, 3, 1), np.float32
        )
        network = tiny.network({"edges": Convolution(edges), "relu": ReLU()})
        [picture], _, _ = maximized(network, "relu", [0], steps=60, smoothness=smoothness)
        return (np.diff(picture, axis=0) ** 2).mean() + (np.diff(picture, axis=1) ** 2).mean()

    assert changes(60.0) < 0.5 * changes(0.0)


def test_smoothness_smooths():
    def changes(smoothness):
        [picture], _, _ = maximized(
            tiny.two_convolutions(), "near", [3], steps=40, smoothness=smoothness
        )
        return (np.diff(picture, axis=0) ** 2).mean()

    assert changes(200.0) < 0.7 * changes(0.0)


def test_a_channel_that_is_not_there_and_weights_that_are_no_numbers_are_refused():
    with pytest.raises(ArgumentError, match="far_relu has 8 channels; found far_relu:8"):
        Maximization(tiny.two_convolutions(), [Unit("far_relu", 8)], (16, 16))
    with pytest.raises(NonFiniteError, match="a unit of colours says nan"):
        Maximization(tiny.colours(bias=np.nan), [Unit("relu", 0)], (16, 16)).objectives()


@pytest.mark.parametrize("place", GPUS)
def test_on_a_gpu_the_same_pictures(place):
    wanted, _, said = maximized(tiny.two_convolutions(), "far_relu", [0, 4], steps=3)
    with at(place):
        network = tiny.two_convolutions()
        pictures, _, found = maximized(network, "far_relu", [0, 4], steps=3)
    np.testing.assert_allclose(pictures.get(), wanted, atol=0.5)
    np.testing.assert_allclose(found, said, rtol=1e-2)
