"""Layers that change the spatial lengths: what they compute, and the shapes and counts of a
summary."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.layers import (
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    Convolution,
    GlobalAvgPool,
    GlobalMaxPool,
    Pad,
    ReLU,
    Sequential,
    TransposedConvolution,
    Upsample,
)

rng = np.random.default_rng(0)


@pytest.mark.parametrize(
    "options",
    [
        {"stride": 2, "padding": "same"},
        {"stride": (2, 1), "padding": 1, "output_padding": (1, 0), "groups": 2},
        {"dilation": 2, "bias": False, "dtype": np.float64},
    ],
)
def test_a_transposed_convolution_hands_its_options_to_the_op(options):
    x = Tensor(rng.standard_normal((2, 3, 4, 4)), requires_grad=True)
    layer = TransposedConvolution.new(rng, (3, 3), 4, 6, **options)
    new = {key: options[key] for key in ("bias", "dtype") if key in options}
    geometry = {key: value for key, value in options.items() if key not in new}
    y = ops.transposed_convolution(x, layer.kernel, layer.bias, **geometry)
    assert np.array_equal(layer(x).data, y.data)
    assert layer.kernel.shape == (3, 3, 6 // options.get("groups", 1), 4)
    assert layer.kernel.dtype == options.get("dtype", np.float32)
    assert (layer.bias is None) == (options.get("bias") is False)
    layer(x).sum().backward()
    assert all(parameter.grad.shape == parameter.shape for parameter in layer.parameters())


def test_the_initial_kernel_keeps_the_size_of_the_gradients():
    layer = TransposedConvolution.new(rng, (4, 4), 16, 32, stride=2, bias=False)
    x = Tensor(rng.standard_normal((2, 16, 16, 16)), requires_grad=True)
    y = layer(x)
    y.backward(rng.standard_normal(y.shape).astype(np.float32))
    assert (x.grad**2).mean() == pytest.approx(2, rel=0.1)  # before a ReLU halves it


def test_the_summary_of_an_enlarging_network():
    layer = TransposedConvolution.new(rng, (2, 2), 3, 5, stride=2)
    [line] = Sequential(layer).summary((4, 4, 3))
    assert (line.shape, line.parameters) == ((8, 8, 5), 2 * 2 * 3 * 5 + 5)
    assert line.multiply_adds == 4 * 4 * 2 * 2 * 3 * 5


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, ((1, 0), (0, 2)), "same"])
def test_a_convolution_pads_in_its_mode_before(mode, padding):
    x, kernel = rng.standard_normal((2, 5, 6, 3)), rng.standard_normal((3, 2, 3, 4))
    zeros = Convolution(kernel, np.ones(4), padding=padding, stride=2)
    layer = Convolution(kernel, np.ones(4), padding=padding, stride=2, padding_mode=mode)
    padded = ops.pad(x, ((0, 0), *layer.windows((5, 6)).padding, (0, 0)), mode=mode)
    wanted = ops.convolution(padded, kernel, np.ones(4), stride=2)
    assert np.array_equal(layer(x).data, wanted)
    assert wanted.shape == zeros(x).shape
    assert not np.array_equal(wanted, zeros(x).data)
    rectified = Sequential(layer, ReLU())(x)
    np.testing.assert_allclose(rectified.data, np.maximum(wanted, 0), atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "width", "options"),
    [
        (Pad(1, value=5.0), ((1, 1), (1, 1)), {"value": 5.0}),
        (Pad((0, 2), "circular"), ((0, 0), (2, 2)), {"mode": "circular"}),
        (Pad(((2, 0), (1, 0)), "reflect"), ((2, 0), (1, 0)), {"mode": "reflect"}),
    ],
)
def test_pad_pads_the_spatial_axes(layer, width, options):
    x = rng.standard_normal((2, 3, 4, 2))
    assert np.array_equal(layer(x), ops.pad(x, ((0, 0), *width, (0, 0)), **options))


def test_the_receptive_field_after_padding():
    lines = Sequential(Pad(1, "reflect"), Convolution(np.ones((3, 3, 2, 1)))).summary((3, 4, 2))
    assert [line.shape for line in lines] == [(5, 6, 2), (3, 4, 1)]
    assert [line.receptive_field for line in lines] == [(1, 1), (3, 3)]


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (GlobalAvgPool(), lambda x: x.mean(axis=(1, 2))),
        (GlobalMaxPool(), lambda x: x.max(axis=(1, 2))),
        (GlobalAvgPool(keepdims=True), lambda x: x.mean(axis=(1, 2), keepdims=True)),
        (GlobalMaxPool(keepdims=True), lambda x: x.max(axis=(1, 2), keepdims=True)),
        (AdaptiveAvgPool((2, None)), lambda x: ops.adaptive_avg_pool(x, (2, 4))),
        (AdaptiveMaxPool(3), lambda x: ops.adaptive_max_pool(x, 3)),
        (Upsample(2), lambda x: ops.upsample(x, 2)),
        (
            Upsample(size=(5, 7), method="linear", align_corners=True),
            lambda x: ops.upsample(x, size=(5, 7), method="linear", align_corners=True),
        ),
    ],
)
def test_pooling_and_upsampling_hand_their_options_to_the_op(layer, op):
    x = rng.standard_normal((2, 3, 4, 2))
    np.testing.assert_allclose(layer(x), op(x), rtol=1e-14)


def test_global_pooling_takes_any_number_of_axes():
    for shape in ((2, 5, 3), (2, 4, 5, 3), (2, 4, 5, 2, 3)):
        assert GlobalAvgPool()(np.ones(shape)).shape == (2, 3)
        assert GlobalMaxPool(keepdims=True)(np.ones(shape)).shape == (2, *[1] * (len(shape) - 2), 3)
