"""Guides: each way gives the mean, maximum or minimum of the mask that it documents."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minidl.backend import current_module, to_numpy
from minidl.errors import ArgumentError, ShapeError
from minidl.models.vgg19 import ALIASES, VGG19
from minidl.style_transfer.guides import WAYS, carried, guides
from minidl.visualize.network import of_vgg19
from minidl.visualize.receptive_fields import receptive_fields
from tests.devices import GPUS, at

LAYERS = ["conv1_1", "conv2_1", "conv3_1", "conv4_2"]
GREYS = st.floats(0, 1, width=32)
MASKS = st.tuples(st.integers(8, 21), st.integers(8, 21)).flatmap(
    lambda size: arrays(np.float32, size, elements=GREYS)
)


def test_simple_guides_are_the_means_of_cells(small_model):
    mask = np.zeros((5, 9))
    mask[:2, :3], mask[:, 8] = 1, 1
    found = guides(small_model, mask, ["conv1_2", "relu2_1", "block2_pool"])
    assert list(found) == ["conv1_2", "relu2_1", "block2_pool"]
    np.testing.assert_array_equal(found["conv1_2"], mask)
    # The poolings drop the last row, and the last column.
    np.testing.assert_array_equal(found["relu2_1"], [[1, 0.5, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(found["block2_pool"], [[0.375, 0]])


def test_all_guides_grow_and_inside_guides_shrink(small_model):
    mask = np.zeros((8, 8))
    mask[:, :4] = 1
    for way, columns in (("all", [1, 1, 1, 1, 1, 1, 0, 0]), ("inside", [1, 1, 0, 0, 0, 0, 0, 0])):
        found = guides(small_model, mask, ["conv1_2", "pool1"], way)
        np.testing.assert_array_equal(found["conv1_2"], [columns] * 8)
        np.testing.assert_array_equal(found["pool1"], [columns[::2]] * 4)


@pytest.mark.parametrize(
    ("way", "extremum", "layers"),
    [("all", np.max, ["conv1_2", "pool1", "conv3_1", "conv4_2", "conv5_1"]),
     ("inside", np.min, ["conv1_2", "pool1", "conv2_2", "conv3_1"])],
)  # fmt: skip
def test_guides_are_the_extrema_of_receptive_fields(small_model, way, extremum, layers):
    mask = 1 - np.random.default_rng(0).uniform(0.1, 1, (37, 50)) ** 8
    found = guides(small_model, mask, layers, way)
    fields = receptive_fields(of_vgg19(small_model), mask.shape, layers)
    for layer, guide in found.items():
        assert guide.shape == fields[layer].out
        for position in np.ndindex(guide.shape):
            assert guide[position] == extremum(mask[fields[layer].seen(position)])


def test_a_pixel_reaches_as_far_as_the_receptive_fields_of_vgg19():
    """The sizes of the receptive fields are 3, 10, 24, 68, 84 and 156 pixels."""
    sizes = {"conv1_1": 3, "conv2_1": 10, "conv3_1": 24, "conv4_1": 68, "conv4_2": 84}
    counts = dict.fromkeys([*sizes, "conv5_1"], 0)
    for pixel in range(256, 272):  # each place in a cell of block 5
        mask = np.zeros((16, 512), np.float32)
        mask[:, pixel] = 1
        for name, guide in islice(carried(mask, "all"), list(ALIASES).index("block5_conv2")):
            layer = ALIASES[name][0]
            if layer in counts:
                counts[layer] += int(guide[0].sum())
    # Positions at a distance of S pixels, with fields of n pixels: n/S fields contain a pixel.
    for layer, size in (*sizes.items(), ("conv5_1", 156)):
        assert counts[layer] == 16 * size / 2 ** (int(layer[4]) - 1)


@given(MASKS)
def test_inside_is_at_most_simple_and_simple_at_most_all(mask):
    ways = {way: dict(zip(LAYERS, layered(mask, way), strict=True)) for way in WAYS}
    for layer in LAYERS:
        inside, simple, every = (ways[way][layer] for way in ("inside", "simple", "all"))
        assert (inside <= simple + 1e-6).all() and (simple <= every + 1e-6).all()
        assert inside.min() >= 0 and every.max() <= 1


@given(MASKS)
def test_inside_is_the_complement_of_all_of_the_complement(mask):
    inside, every = layered(mask, "inside"), layered(1 - mask, "all")
    for a, b in zip(inside, every, strict=True):
        np.testing.assert_allclose(a, 1 - b, atol=1e-6)


def layered(mask, way):
    """Return the guides at LAYERS of any mask."""
    found = dict(islice(carried(mask, way), list(ALIASES).index("block4_conv3")))
    return [found[f"block{layer[4]}_conv{layer[6]}"] for layer in LAYERS]


@pytest.mark.parametrize("way", WAYS)
def test_a_mask_of_the_whole_picture_remains(small_model, way):
    for guide in guides(small_model, np.ones((23, 17), np.float32), LAYERS, way).values():
        np.testing.assert_array_equal(guide, np.ones_like(guide))
        assert guide.dtype == np.float32


def test_guides_have_the_sizes_of_the_features(small_model, content):
    names = [*list(ALIASES)[:-1], "conv3_4.pre"]  # the picture is too small for the last pooling
    found = guides(small_model, np.ones(content.shape[:2]), names, "all")
    for name, features in small_model.features(content, found).items():
        assert found[name].shape == features.shape[1:3]


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("way", WAYS)
def test_guides_are_the_same_on_a_gpu(small_model, place, way):
    mask = np.random.default_rng(1).uniform(0.1, 1, (20, 19)).astype(np.float32)
    expected = guides(small_model, mask, LAYERS, way)
    with at(place):
        found = guides(small_model, current_module().asarray(mask), LAYERS, way)
        for layer, guide in found.items():
            np.testing.assert_allclose(to_numpy(guide), expected[layer], rtol=1e-6)


def test_a_guide_of_zeros_is_refused_with_advice(small_model):
    mask = np.zeros((40, 40))
    with pytest.raises(ArgumentError, match="a mask is 0 everywhere; wanted numbers above 0"):
        guides(small_model, mask, LAYERS)
    mask[:, :16] = 1
    guides(small_model, mask, LAYERS, "simple")
    with pytest.raises(
        ArgumentError,
        match="by the way 'inside', no position of conv4_2 belongs to the region; take the way "
        "'simple', a larger region, fewer scales or a shallower layer",
    ):
        guides(small_model, mask, LAYERS, "inside")
    last = np.zeros((9, 9))
    last[8] = 1
    with pytest.raises(ArgumentError, match=r"no position of pool1 .*; take a larger region"):
        guides(small_model, last, ["pool1"], "simple")


def test_other_arguments_are_refused(small_model):
    mask = np.ones((20, 20))
    with pytest.raises(ArgumentError, match="way is 'outside'; wanted one of 'simple'"):
        guides(small_model, mask, LAYERS, "outside")
    with pytest.raises(ArgumentError, match="VGG19 has no layer 'conv9_1'"):
        guides(small_model, mask, ["conv9_1"])
    with pytest.raises(ShapeError, match=r"a mask has shape \(20, 20, 3\); wanted \(H, W\)"):
        guides(small_model, np.ones((20, 20, 3)), LAYERS)
    with pytest.raises(ShapeError, match="20x5 is too small for block4_conv2"):
        guides(small_model, mask[:5], LAYERS)
    arrays = {name: p.data for name, p in small_model.named_parameters().items()}
    for name, shape in (("fc1", (7 * 7 * 4, 2)), ("fc2", (2, 2)), ("predictions", (2, 2))):
        arrays |= {f"{name}/kernel": np.zeros(shape), f"{name}/bias": np.zeros(shape[1])}
    model = VGG19(arrays, small_model.preprocessing, top=True)
    with pytest.raises(ArgumentError, match="fc1 has no positions; wanted a convolution or a pool"):
        guides(model, np.ones((224, 224)), ["conv1_1", "fc1"])
