"""Receptive fields, compared with the effects of changes of single pixels."""

import numpy as np
import pytest

from minidl.checkpoints import Preprocessing
from minidl.engine import using
from minidl.errors import ArgumentError, ShapeError
from minidl.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
    Pad,
    ReLU,
    Sequential,
    TransposedConvolution,
    Upsample,
)
from minidl.layers.parametric import SeparableConvolution
from minidl.models.vgg19 import ARCHITECTURE, VGG19
from minidl.visualize.network import of_sequential, of_vgg19
from minidl.visualize.receptive_fields import receptive_fields
from tests.random_numbers import begun_anew


@pytest.fixture(autouse=True)
def im2col():
    """Winograd's algorithm rounds all positions of a tile together."""
    with using(convolution="im2col"):
        yield


def positive(rng, shape):
    """Return random numbers above 0, whose products and sums cannot cancel out."""
    return rng.uniform(0.5, 1.5, shape)


def small_vgg19(pooling):
    """Return a VGG19 with one channel in each layer, in float64, without preprocessing."""
    rng, arrays, channels = np.random.default_rng(0), {}, 3
    for name in ARCHITECTURE.layers(rank=4):
        arrays[f"{name}/kernel"] = positive(rng, (3, 3, channels, 1)) / (9 * channels)
        arrays[f"{name}/bias"], channels = np.zeros(1), 1
    model = VGG19(arrays, Preprocessing("RGB", (0.0,) * 3, (1.0,) * 3), pooling)
    return of_vgg19(model)


def changed(network, extent, pixels, channels):
    """Return for each step an array (pixels, *out): whether the number at a position changes with a
    pixel.

    All weights are positive, and a pixel is made so large that no maximum and no rounding hides it.
    """
    picture = positive(np.random.default_rng(1), (1, *extent, channels))
    pictures = np.repeat(picture, len(pixels), axis=0)
    for changed_picture, pixel in zip(pictures, pixels, strict=True):
        changed_picture[pixel] = 1e100
    names = [step.name for step in network.steps]
    before, after = network.activations(picture, names), network.activations(pictures, names)
    return {name: (after[name] > before[name] * (1 + 1e-12)).any(axis=-1) for name in names}


def seen(field, pixels):
    """Return what `changed` returns, computed from the Field axis by axis."""
    is_seen, rank = np.ones((len(pixels), *field.out), bool), len(field.out)
    for axis, out in enumerate(field.out):
        coordinates = np.array([pixel[axis] for pixel in pixels])
        positions = np.zeros((out, rank), int)
        positions[:, axis] = range(out)
        slices = [field.seen(position)[axis] for position in positions.tolist()]
        starts, stops = (np.array([getattr(s, end) for s in slices]) for end in ("start", "stop"))
        inside = (starts <= coordinates[:, None]) & (coordinates[:, None] < stops)
        is_seen &= inside.reshape(len(pixels), *[1] * axis, out, *[1] * (rank - axis - 1))
    return is_seen


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("extent", [(32, 293), (293, 32)], ids=["a row", "a column"])
def test_every_layer_of_vgg19_changes_with_the_pixels_of_its_field(pooling, extent):
    network, is_wide = small_vgg19(pooling), extent[1] > extent[0]
    pixels = [(16, i) if is_wide else (i, 16) for i in range(max(extent))]
    fields = receptive_fields(network, extent)
    for name, is_changed in changed(network, extent, pixels, channels=3).items():
        assert np.array_equal(is_changed, seen(fields[name], pixels)), name


SIZES = {
    "1_1": 3, "1_2": 5, "2_1": 10, "2_2": 14, "3_1": 24, "3_2": 32, "3_3": 40, "3_4": 48,
    "4_1": 68, "5_4": 252,
}  # fmt: skip


def test_the_fields_of_vgg19_are_those_of_the_literature():
    fields = receptive_fields(small_vgg19("max"), (600, 600))
    for layer, size in SIZES.items():
        assert fields[f"block{layer.replace('_', '_conv')}"].size == (size, size)
    field = fields["block3_conv1"]
    assert field.stride == (4, 4)
    firsts = [4 * o + field.offset[0] for o in (20, 30)]
    assert field.seen((20, 30)) == tuple(slice(first, first + 24) for first in firsts)


def conv(rng, size, inputs, outputs, **options):
    kernel = positive(rng, (*size, inputs // options.get("groups", 1), outputs))
    return Convolution(kernel, np.zeros(outputs), **options)


RNG = np.random.default_rng(2)
NETWORKS = {
    "padding, strides, dilation": ((23, 20), [
        conv(RNG, (3, 5), 1, 2, padding=((0, 2), (3, 1)), stride=(1, 2)), ReLU(),
        conv(RNG, (3, 3), 2, 2, padding=1, dilation=2, groups=2), BatchNorm(2, dtype=np.float64),
        conv(RNG, (3, 3), 2, 1, padding="same", stride=2),
    ]),
    "a dilated window at a border": ((9, 9), [
        conv(RNG, (1, 1), 1, 1), conv(RNG, (3, 3), 1, 1, padding=1, dilation=2), MaxPool(2),
        conv(RNG, (3, 3), 1, 1, padding=1),
    ]),
    "pooling that leaves pixels out, and one that does not": ((17, 13), [
        MaxPool((3, 2)), conv(RNG, (3, 3), 1, 1, padding=1), AvgPool(2, ceil=True),
        MaxPool(3, stride=1, padding=1),
    ]),
    "a separable convolution": ((12, 12), [
        SeparableConvolution(
            positive(RNG, (3, 3, 1, 1)), positive(RNG, (1, 1, 1, 2)), np.zeros(2),
            stride=2, padding=1,
        ),
    ]),
    "transposed convolutions": ((9, 8), [
        conv(RNG, (3, 3), 1, 2, stride=2, padding=1),
        TransposedConvolution(positive(RNG, (4, 3, 2, 2)), stride=2, padding=((1, 1), (2, 0))),
        conv(RNG, (3, 3), 2, 1, padding=1),
        TransposedConvolution(positive(RNG, (2, 2, 1, 1)), stride=3, output_padding=1, dilation=2),
    ]),
    "upsampling by factors": ((9, 6), [
        MaxPool((2, 3)), Upsample(2), conv(RNG, (3, 3), 1, 1, padding=1, stride=(1, 3)),
        Upsample((1.5, 3), method="linear"), conv(RNG, (2, 2), 1, 1),
    ]),
    "upsampling to sizes": ((5, 7), [
        Upsample(size=(8, 3), method="linear"), Upsample(size=(5, 4), method="nearest-exact"),
        conv(RNG, (2, 2), 1, 1), Upsample(size=(7, 2), method="linear", align_corners=True),
    ]),
    "adaptive pooling": ((11, 9), [
        conv(RNG, (3, 3), 1, 1, padding=1), AdaptiveAvgPool((7, None)), AdaptiveMaxPool((3, 4)),
        conv(RNG, (2, 2), 1, 1),
    ]),
    "global pooling that keeps the axes": ((5, 6), [
        conv(RNG, (3, 3), 1, 1), GlobalAvgPool(keepdims=True), conv(RNG, (1, 1), 1, 1),
    ]),
    "padding with copies": ((7, 8), [
        Pad(((2, 1), (0, 3)), "reflect"), conv(RNG, (3, 3), 1, 1, stride=2),
        Pad(2, "replicate"), conv(RNG, (3, 2), 1, 1, padding=((0, 0), (1, 0)),
                                  padding_mode="reflect"),
    ]),
    "circular padding": ((8, 5), [
        conv(RNG, (3, 3), 1, 1, padding=1, padding_mode="circular"), MaxPool((2, 1)),
    ]),
    "signals": ((31,), [
        conv(RNG, (5,), 1, 2, padding=2), MaxPool(4),
        conv(RNG, (3,), 2, 1, padding="same", dilation=2),
    ]),
    "volumes": ((7, 8, 6), [
        conv(RNG, (3, 3, 2), 1, 2, padding=1), MaxPool(2), conv(RNG, (2, 2, 2), 2, 1),
    ]),
}  # fmt: skip
begin = begun_anew(RNG)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_position_changes_with_the_pixels_of_its_field(name):
    extent, layers = NETWORKS[name]
    network = of_sequential(Sequential(*layers).train(False), prepare=lambda x: x)
    pixels = list(np.ndindex(*extent))
    fields = receptive_fields(network, extent)
    for step, is_changed in changed(network, extent, pixels, channels=1).items():
        for position in np.ndindex(*fields[step].out):
            effective = np.array(pixels)[is_changed[(slice(None), *position)]]
            seen = fields[step].seen(position)
            if len(effective):
                wanted = tuple(slice(i.min(), i.max() + 1) for i in effective.T)
                assert seen == wanted, (step, position)
            else:
                assert any(part.start == part.stop for part in seen), (step, position)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_part_around_a_field_gives_the_number_of_the_whole_picture(name):
    extent, layers = NETWORKS[name]
    network = of_sequential(Sequential(*layers).train(False), prepare=lambda x: x)
    picture = positive(np.random.default_rng(3), (1, *extent, 1))
    fields = receptive_fields(network, extent)
    whole = network.activations(picture, fields)
    for step, field in fields.items():
        for position in list(np.ndindex(*field.out))[::3]:
            part, at = field.around(position)
            y = network.activations(picture[(slice(None), *part)], [step])[step]
            np.testing.assert_allclose(y[(0, *at)], whole[step][(0, *position)], rtol=1e-12)


def test_the_part_around_a_field_is_no_larger_than_needed():
    layers = [Upsample(2), conv(RNG, (3, 3), 1, 1, padding=1), MaxPool(2), MaxPool(2)]
    network = of_sequential(Sequential(*layers), prepare=lambda x: x)
    field = receptive_fields(network, (20, 20))["maxpool2"]
    assert (field.size, field.stride, field.offset) == ((4, 4), (2, 2), (-1, -1))
    assert field.around((4, 5)) == ((slice(6, 12), slice(8, 14)), (1, 1))


def test_the_field_of_a_layer_that_enlarges_its_input():
    network = of_sequential(Sequential(Upsample(2), conv(RNG, (3, 3), 1, 1)), prepare=lambda x: x)
    fields = receptive_fields(network, (6, 6))
    assert fields["upsample1"].stride == (0.5, 0.5)
    assert fields["upsample1"].size == (1, 1)
    assert fields["convolution1"].size == (2, 2)
    [upsample, convolution] = Sequential(Upsample(2), conv(RNG, (3, 3), 1, 1)).summary((6, 6, 1))
    assert (upsample.receptive_field, convolution.receptive_field) == ((1, 1), (2, 2))


@pytest.mark.parametrize("pool", [GlobalAvgPool, GlobalMaxPool])
def test_global_pooling_depends_on_all_pixels_that_its_input_depends_on(pool):
    dense = Dense(positive(RNG, (1, 2))), ReLU()
    model = Sequential(MaxPool(2), conv(RNG, (3, 3), 1, 1), pool(), *dense)
    fields = receptive_fields(of_sequential(model, prepare=lambda x: x), (9, 11))
    for step in (pool.__name__.lower() + "1", "dense1", "relu1"):
        assert fields[step].size == fields[step].out == ()
        assert fields[step].seen() == (slice(0, 8), slice(0, 10))
        assert fields[step].around() == ((slice(0, 9), slice(0, 11)), ())


def test_dense_layers_depend_on_all_pixels_of_their_input():
    dense = Dense(positive(RNG, (6, 2))), ReLU(), Dense(positive(RNG, (2, 2)))
    model = Sequential(MaxPool(2), conv(RNG, (3, 3), 1, 1), Flatten(), *dense)
    network = of_sequential(model, prepare=lambda x: x)
    pixels = list(np.ndindex(9, 11))
    fields = receptive_fields(network, (9, 11))
    for step in ("dense1", "relu1", "dense2"):
        assert fields[step].size == fields[step].out == ()
        # pooling leaves out the ninth row and the eleventh column
        assert fields[step].seen() == (slice(0, 8), slice(0, 10))
        is_changed = changed(network, (9, 11), pixels, channels=1)[step]
        assert np.array_equal(is_changed, [row < 8 and column < 10 for row, column in pixels])


def test_shallow_layers_have_fields_in_pictures_that_are_too_small_for_deep_ones():
    network = small_vgg19("max")
    assert receptive_fields(network, (5, 7), ["conv2_1"])["conv2_1"].out == (2, 3)
    with pytest.raises(ShapeError, match="does not fit"):
        receptive_fields(network, (5, 7), ["block4_conv1"])
    with pytest.raises(ArgumentError, match="no layer"):
        receptive_fields(network, (5, 7), ["block9_conv1"])
