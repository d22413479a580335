import numpy as np
import pytest

from minidl.autograd import Tensor
from minidl.errors import ArgumentError
from minidl.layers import AvgPool, BatchNorm, Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.visualize.albums import DataSet
from minidl.visualize.network import of_sequential
from minidl.visualize.patches import choose_units, figure, patches, way_back
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
    "padding and pooling": [conv((3, 3), 3, 4, padding=1), ReLU(), MaxPool(2), conv((3, 3), 4, 4, padding=1), ReLU()],
    "pooling that leaves pixels out": [MaxPool(3), conv((3, 3), 3, 4, padding=1), ReLU(), AvgPool(2, ceil=True)],
    "same, strides, dilation": [
        conv((4, 3), 3, 4, padding="same", stride=(2, 1)), BatchNorm(4, dtype=np.float64), ReLU(),
        conv((3, 3), 4, 4, padding=((2, 0), (1, 2)), dilation=2), ReLU(), conv((3, 2), 4, 4, padding="same", stride=3),
    ],
    "dense": [conv((3, 3), 3, 4), ReLU(), Flatten(), Dense(RNG.standard_normal((21 * 17 * 4, 4))), ReLU()],
}  # fmt: skip
begin = begun_anew(RNG)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backward", RECTIFIERS)
def test_the_way_back_through_a_part_is_that_through_the_whole_picture(name, backward):
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
            found = way_back(
                network, Unit(step.name, channel), picture, field.around(position), backward
            )
            np.testing.assert_allclose(found, x.grad[0], rtol=1e-9, atol=1e-9)
            x.grad[0][field.seen(position)] = 0
            assert not x.grad.any()  # nothing outside of the field has a share


@pytest.mark.parametrize(
    "backward, wanted",
    [("gradient", (2.0, -1.0)), ("deconvnet", (2.0, -4.0)), ("guided", (2.0, 0.0))],
)
def test_ways_back_by_hand(backward, wanted):
    """x = 1/2; hidden = ReLU(x, -x) = (1/2, 0); y = (2, -3; -1, 4) hidden, the rows of the kernel
    being the hidden ones' shares

    From y[0] hidden gets (2, -3): by its gradient and in guided only the first counts, which fired;
    in deconvnet only the first, which is positive. From y[1] it gets (-1, 4): the gradient takes
    -1, which fired, and gives x -1; deconvnet takes 4, which is positive, and gives x -4; guided
    takes neither.
    """
    hidden, above = np.array([[[[1.0, -1.0]]]]), np.array([[[[2.0, -1.0], [-3.0, 4.0]]]])
    network = of_sequential(
        Sequential(Convolution(hidden), ReLU(), Convolution(above)), prepare=lambda x: x
    )
    around = (slice(0, 1), slice(0, 1)), (0, 0)
    for channel in range(2):
        back = way_back(
            network, Unit("convolution2", channel), np.array([[[0.5]]]), around, backward
        )
        assert back.item() == wanted[channel]


def found_patches(backward="deconvnet"):
    network, album = tiny.two_convolutions(), DataSet(PICTURES)
    hits = strongest(network, album, ["far_relu"])["far_relu"].hits(2)
    return network, hits, patches(network, album, Unit("far_relu", 2), hits, backward)


def test_patches_are_cropped_by_the_receptive_field():
    network, hits, found = found_patches()
    field = receptive_fields(network, (16, 12), ["far_relu"])["far_relu"]
    assert [patch.hit for patch in found] == hits and len(found) == 9
    for patch in found:
        assert patch.place == field.seen(patch.hit.position)
        np.testing.assert_array_equal(patch.picture, PICTURES[patch.hit.picture[0]][patch.place])
        assert patch.back.shape == patch.picture.shape and patch.back.any()
    # some are cut off by the border
    assert any(patch.picture.shape != (8, 8, 3) for patch in found)


def test_the_figure_is_the_same_twice_and_leaves_silent_units_out():
    network, _, found = found_patches()
    fields = receptive_fields(network, (16, 12), ["far_relu"])
    units = {Unit("far_relu", 2): found, Unit("far_relu", 3): found[:2], Unit("far_relu", 4): []}
    first, again = (figure(network, units, fields, "title", "guided") for _ in range(2))
    assert first.tobytes() == again.tobytes()
    without = {unit: some for unit, some in units.items() if some}
    assert np.array_equal(figure(network, without, fields, "title", "guided"), first)


def test_more_units_than_stand_beside_each_other_go_on_below():
    network, _, found = found_patches()
    fields = receptive_fields(network, (16, 12), ["far_relu"])
    three, four = (
        figure(
            network, {Unit("far_relu", n): found for n in range(count)}, fields, "title", "guided"
        )
        for count in (3, 4)
    )
    assert three.shape[1] == four.shape[1] and three.shape[0] < four.shape[0]


def test_units_are_chosen_of_each_layer():
    network, album = tiny.two_convolutions(), DataSet(PICTURES)
    found = strongest(network, album, ["near", "far_relu"])
    units = choose_units(found, 2)
    assert [unit.layer for unit in units] == ["near"] * 2 + ["far_relu"] * 2
    assert [unit.channel for unit in units[:2]] == found["near"].most_selective(2)


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("backward", RECTIFIERS)
def test_the_same_on_a_gpu(place, backward):
    _, _, here = found_patches(backward)
    with at(place):
        _, _, there = found_patches(backward)
    for one, other in zip(here, there, strict=True):
        assert one.place == other.place
        np.testing.assert_allclose(other.back, one.back, rtol=1e-4, atol=1e-7)


def test_an_unknown_way_back_is_refused():
    with pytest.raises(ArgumentError, match="gradient"):
        patches(tiny.colours(), DataSet(PICTURES), Unit("relu", 0), [], "backwards")
