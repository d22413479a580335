"""Fields as `receptive_fields` tells them, and as they show when single pixels are changed."""

import numpy as np
import pytest

from minidl.checkpoints import Preprocessing
from minidl.errors import ArgumentError, ShapeError
from minidl.layers import AvgPool, BatchNorm, Convolution, Dense, Flatten, MaxPool, ReLU, Sequential
from minidl.layers.parametric import SeparableConvolution
from minidl.models.vgg19 import ARCHITECTURE, VGG19
from minidl.visualize.network import of_sequential, of_vgg19
from minidl.visualize.receptive_fields import receptive_fields
from tests.random_numbers import begun_anew


def positive(rng, shape):
    """Numbers that can hide nothing: all greater than 0"""
    return rng.uniform(0.5, 1.5, shape)


def small_vgg19(pooling):
    """VGG19 with one channel in each layer, in float64, fed with pictures as they are"""
    rng, arrays, channels = np.random.default_rng(0), {}, 3
    for name in ARCHITECTURE.layers(rank=4):
        arrays[f"{name}/kernel"] = positive(rng, (3, 3, channels, 1)) / (9 * channels)
        arrays[f"{name}/bias"], channels = np.zeros(1), 1
    model = VGG19(arrays, Preprocessing("RGB", (0.0,) * 3, (1.0,) * 3), pooling)
    for name in ARCHITECTURE.layers(rank=4):
        # Winograd's tiles round their positions together
        model.layers[name].options["algorithm"] = "im2col"
    return of_vgg19(model)


def changed(network, extent, pixels, channels):
    """{name of a step: (pixels, *out) whether a number there changes with each pixel}. A pixel is
    made so large that, all weights being positive, no maximum and no rounding hides it."""
    picture = positive(np.random.default_rng(1), (1, *extent, channels))
    pictures = np.repeat(picture, len(pixels), axis=0)
    for each, pixel in zip(pictures, pixels, strict=True):
        each[pixel] = 1e100
    names = [step.name for step in network.steps]
    before, after = network.activations(picture, names), network.activations(pictures, names)
    return {name: (after[name] > before[name] * (1 + 1e-12)).any(axis=-1) for name in names}


def seen(field, pixels):
    """What `changed` finds, by the Field, whose axes have nothing to do with each other"""
    found = np.ones((len(pixels), *field.out), bool)
    for axis, out in enumerate(field.out):
        at = np.array([pixel[axis] for pixel in pixels])
        positions = [
            [o if other == axis else 0 for other in range(len(field.out))] for o in range(out)
        ]
        slices = [field.seen(position)[axis] for position in positions]
        inside = np.stack([(s.start <= at) & (at < s.stop) for s in slices], axis=1)
        found &= inside.reshape(
            len(pixels), *(out if other == axis else 1 for other in range(len(field.out)))
        )
    return found


@pytest.mark.parametrize("pooling", ["max", "avg"])
@pytest.mark.parametrize("extent", [(32, 293), (293, 32)], ids=["a row", "a column"])
def test_every_layer_of_vgg19_is_changed_by_the_pixels_that_its_field_names(pooling, extent):
    network, long = small_vgg19(pooling), int(extent[1] > extent[0])
    pixels = [(16, i) if long else (i, 16) for i in range(max(extent))]
    fields = receptive_fields(network, extent)
    for name, found in changed(network, extent, pixels, channels=3).items():
        assert np.array_equal(found, seen(fields[name], pixels)), name


def test_the_fields_of_vgg19_are_the_textbooks():
    fields = receptive_fields(small_vgg19("max"), (600, 600))
    sizes = {
        "1_1": 3,
        "1_2": 5,
        "2_1": 10,
        "2_2": 14,
        "3_1": 24,
        "3_2": 32,
        "3_3": 40,
        "3_4": 48,
        "4_1": 68,
        "5_4": 252,
    }
    for layer, size in sizes.items():
        assert fields[f"block{layer.replace('_', '_conv')}"].size == (size, size)
    inside = fields["block3_conv1"]
    assert inside.stride == (4, 4)
    assert inside.seen((20, 30)) == tuple(
        slice(4 * o + inside.offset[0], 4 * o + inside.offset[0] + 24) for o in (20, 30)
    )


def conv(rng, size, inputs, outputs, **options):
    layer = Convolution(
        positive(rng, (*size, inputs // options.get("groups", 1), outputs)),
        np.zeros(outputs),
        **options,
    )
    layer.options["algorithm"] = "im2col"
    return layer


RNG = np.random.default_rng(2)
NETWORKS = {
    "padding, strides, dilation": ((23, 20), [
        conv(RNG, (3, 5), 1, 2, padding=((0, 2), (3, 1)), stride=(1, 2)), ReLU(),
        conv(RNG, (3, 3), 2, 2, padding=1, dilation=2, groups=2), BatchNorm(2, dtype=np.float64),
        conv(RNG, (3, 3), 2, 1, padding="same", stride=2),
    ]),
    "a dilated window at a border": ((9, 9), [
        conv(RNG, (1, 1), 1, 1), conv(RNG, (3, 3), 1, 1, padding=1, dilation=2), MaxPool(2), conv(RNG, (3, 3), 1, 1, padding=1),
    ]),
    "pooling that leaves pixels out, and one that does not": ((17, 13), [
        MaxPool((3, 2)), conv(RNG, (3, 3), 1, 1, padding=1), AvgPool(2, ceil=True), MaxPool(3, stride=1, padding=1),
    ]),
    "each channel by itself": ((12, 12), [
        SeparableConvolution(positive(RNG, (3, 3, 1, 1)), positive(RNG, (1, 1, 1, 2)), np.zeros(2), stride=2, padding=1),
    ]),
    "signals": ((31,), [conv(RNG, (5,), 1, 2, padding=2), MaxPool(4), conv(RNG, (3,), 2, 1, padding="same", dilation=2)]),
    "volumes": ((7, 8, 6), [conv(RNG, (3, 3, 2), 1, 2, padding=1), MaxPool(2), conv(RNG, (2, 2, 2), 2, 1)]),
}  # fmt: skip
begin = begun_anew(RNG)


@pytest.mark.parametrize("name", NETWORKS)
def test_single_pixels_change_what_sees_them(name):
    extent, layers = NETWORKS[name]
    network = of_sequential(Sequential(*layers).train(False), prepare=lambda x: x)
    pixels = list(np.ndindex(*extent))
    fields = receptive_fields(network, extent)
    for step, found in changed(network, extent, pixels, channels=1).items():
        for position in np.ndindex(*fields[step].out):
            places = np.array(pixels)[found[(slice(None), *position)]]
            assert fields[step].seen(position) == tuple(
                slice(i.min(), i.max() + 1) for i in places.T
            ), (step, position)


def test_dense_layers_see_what_their_input_sees():
    layers = [
        MaxPool(2),
        conv(RNG, (3, 3), 1, 1),
        Flatten(),
        Dense(positive(RNG, (6, 2))),
        ReLU(),
        Dense(positive(RNG, (2, 2))),
    ]
    network = of_sequential(Sequential(*layers), prepare=lambda x: x)
    pixels = list(np.ndindex(9, 11))
    fields = receptive_fields(network, (9, 11))
    for step in ("dense1", "relu1", "dense2"):
        assert fields[step].size == fields[step].out == ()
        # pooling leaves out the ninth row and the eleventh column
        assert fields[step].seen() == (slice(0, 8), slice(0, 10))
        found = changed(network, (9, 11), pixels, channels=1)[step]
        assert np.array_equal(found, [row < 8 and column < 10 for row, column in pixels])


def test_shallow_layers_have_fields_in_pictures_too_small_for_deep_ones():
    network = small_vgg19("max")
    assert receptive_fields(network, (5, 7), ["conv2_1"])["conv2_1"].out == (2, 3)
    with pytest.raises(ShapeError, match="does not fit"):
        receptive_fields(network, (5, 7), ["block4_conv1"])
    with pytest.raises(ArgumentError, match="no layer"):
        receptive_fields(network, (5, 7), ["block9_conv1"])
