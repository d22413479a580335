"""Patches: their places, the gradients of one activation, and the figure."""

import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.errors import ArgumentError
from minidl.layers import AvgPool, BatchNorm, Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.visualize import patches as module
from minidl.visualize.albums import DataSet
from minidl.visualize.network import of_sequential
from minidl.visualize.patches import activation_gradient, choose_units, figure, patches
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.strongest import strongest
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.random_numbers import begun_anew
from tests.visualize import tiny

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (12, 16, 12, 3)).astype(np.uint8)


def conv(size, inputs, outputs, **options):
    return Convolution(
        RNG.standard_normal((*size, inputs, outputs)), RNG.standard_normal(outputs), **options
    )


NETWORKS = {
    "padding and pooling": [
        conv((3, 3), 3, 4, padding=1), ReLU(), MaxPool(2),
        conv((3, 3), 4, 4, padding=1), ReLU(),
    ],
    "pooling that leaves pixels out": [
        MaxPool(3), conv((3, 3), 3, 4, padding=1), ReLU(), AvgPool(2, ceil=True),
    ],
    "same, strides, dilation": [
        conv((4, 3), 3, 4, padding="same", stride=(2, 1)), BatchNorm(4, dtype=np.float64), ReLU(),
        conv((3, 3), 4, 4, padding=((2, 0), (1, 2)), dilation=2), ReLU(),
        conv((3, 2), 4, 4, padding="same", stride=3),
    ],
    "dense": [
        conv((3, 3), 3, 4), ReLU(),
        Flatten(), Dense(RNG.standard_normal((21 * 17 * 4, 4))), ReLU(),
    ],
}  # fmt: skip
begin = begun_anew(RNG)


@pytest.mark.thorough
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backward", RECTIFIERS)
def test_the_gradient_in_a_part_is_that_in_the_whole_picture(name, backward):
    network = of_sequential(Sequential(*NETWORKS[name]).train(False).freeze(), prepare=lambda x: x)
    picture = RNG.standard_normal((23, 19, 3))
    for step in network.steps:
        field = receptive_fields(network, (23, 19), [step.name])[step.name]
        for position in list(np.ndindex(*field.out))[::3]:
            x = Tensor(picture[None], requires_grad=True)
            y = network.activations(x, [step.name], RECTIFIERS[backward])[step.name]
            channel = int(y.data[(0, *position)].argmax())
            dy = np.zeros_like(y.data)
            dy[(0, *position, channel)] = 1
            y.backward(dy)
            unit, around = Unit(step.name, channel), field.around(position)
            gradient = activation_gradient(network, unit, picture, around, backward)
            np.testing.assert_allclose(gradient, x.grad[0], rtol=1e-9, atol=1e-9)
            x.grad[0][field.seen(position)] = 0
            assert not x.grad.any()  # the gradient outside the field is 0


@pytest.mark.parametrize(
    "backward, wanted",
    [("gradient", (2.0, -1.0)), ("deconvnet", (2.0, -4.0)), ("guided", (2.0, 0.0))],
)
def test_gradients_by_hand(backward, wanted):
    """x = 1/2,  z = (x, -x),  h = max(z, 0) = (1/2, 0),  y = (2 h0 - 3 h1, -h0 + 4 h1)

    ∂y0/∂h = (2, -3). All rules keep only 2: h0 is active and 2 is positive. dx = 2.
    ∂y1/∂h = (-1, 4). The gradient keeps -1, because h0 is active: dx = -1. "deconvnet" keeps 4,
    because it is positive: dx = -4. "guided" keeps neither.
    """
    hidden, above = np.array([[[[1.0, -1.0]]]]), np.array([[[[2.0, -1.0], [-3.0, 4.0]]]])
    model = Sequential(Convolution(hidden), ReLU(), Convolution(above))
    network = of_sequential(model, prepare=lambda x: x)
    picture, around = np.array([[[0.5]]]), ((slice(0, 1), slice(0, 1)), (0, 0))
    gradients = [
        activation_gradient(
            network, Unit("convolution2", channel), picture, around, backward
        ).item()
        for channel in range(2)
    ]
    assert gradients == list(wanted)


def patches_of_a_unit(backward="deconvnet"):
    """Return the network, the Hits of a unit, and its Patches."""
    network, album = tiny.two_convolutions(), DataSet(PICTURES)
    hits = strongest(network, album, ["far_relu"])["far_relu"].hits(2)
    return network, hits, patches(network, album, Unit("far_relu", 2), hits, backward)


def test_patches_are_cropped_by_the_receptive_field():
    network, hits, result = patches_of_a_unit()
    field = receptive_fields(network, (16, 12), ["far_relu"])["far_relu"]
    assert [patch.hit for patch in result] == hits and len(result) == 9
    for patch in result:
        assert patch.place == field.seen(patch.hit.position)
        np.testing.assert_array_equal(patch.picture, PICTURES[patch.hit.picture[0]][patch.place])
        assert patch.gradient.shape == patch.picture.shape and patch.gradient.any()
    assert any(patch.picture.shape != (8, 8, 3) for patch in result)  # some end at the border


def test_the_figure_is_reproducible_and_leaves_out_units_without_patches():
    network, _, own = patches_of_a_unit()
    fields = receptive_fields(network, (16, 12), ["far_relu"])
    units = {Unit("far_relu", 2): own, Unit("far_relu", 3): own[:2], Unit("far_relu", 4): []}
    first, again = (figure(network, units, fields, "title", "guided") for _ in range(2))
    assert first.tobytes() == again.tobytes()
    del units[Unit("far_relu", 4)]
    assert np.array_equal(figure(network, units, fields, "title", "guided"), first)


def test_the_fourth_unit_of_a_layer_begins_a_new_row():
    network, _, own = patches_of_a_unit()
    fields = receptive_fields(network, (16, 12), ["far_relu"])

    def size(count):
        units = {Unit("far_relu", n): own for n in range(count)}
        return figure(network, units, fields, "title", "guided").shape

    assert size(3)[1] == size(4)[1] and size(3)[0] < size(4)[0]


def test_units_are_chosen_in_each_layer():
    network, album = tiny.two_convolutions(), DataSet(PICTURES)
    by_layer = strongest(network, album, ["near", "far_relu"])
    units = choose_units(by_layer, 2)
    assert [unit.layer for unit in units] == ["near"] * 2 + ["far_relu"] * 2
    assert [unit.channel for unit in units[:2]] == by_layer["near"].most_selective(2)


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("backward", RECTIFIERS)
def test_patches_on_a_gpu_are_those_of_the_cpu(place, backward):
    _, _, on_cpu = patches_of_a_unit(backward)
    with at(place):
        _, _, on_gpu = patches_of_a_unit(backward)
    for one, other in zip(on_cpu, on_gpu, strict=True):
        assert one.place == other.place
        np.testing.assert_allclose(other.gradient, one.gradient, rtol=1e-4, atol=1e-7)


def test_an_unknown_rule_for_relus_is_refused():
    with pytest.raises(ArgumentError, match="gradient"):
        patches(tiny.colours(), DataSet(PICTURES), Unit("relu", 0), [], "backwards")


def test_the_title_says_what_is_hatched_if_a_patch_is_cut(monkeypatch):
    network, _, own = patches_of_a_unit()
    fields, titles = receptive_fields(network, (16, 12), ["far_relu"]), []
    monkeypatch.setattr(module, "grid", lambda *cells, title, side: titles.append(title))
    whole = [patch for patch in own if patch.picture.shape == (8, 8, 3)]
    assert len(whole) < len(own)
    for patches_of_unit in (own, whole):
        figure(network, {Unit("far_relu", 2): patches_of_unit}, fields, "title", "guided")
    assert titles == ["title; hatched: outside the picture", "title"]
