"""Masks: read at the size of the painting, feathered, and made of semantic maps."""

from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from minidl.backend import current_device, current_module, to_numpy
from minidl.data.images import write_image
from minidl.errors import ArgumentError, FileError, ShapeError
from minidl.style_transfer import Run, Settings
from minidl.style_transfer.masks import MOST_REGIONS, feathered, read_mask, regions
from minidl.style_transfer.objective import Masks
from tests.devices import GPUS, at

RED, GREEN, BLUE = (255, 0, 0), (0, 128, 0), (0, 0, 200)


def written(path, image):
    write_image(path, np.asarray(image, np.float32))
    return path


def striped(*stripes, height=40):
    """Return a picture of vertical stripes: (colour, width), ..."""
    row = np.concatenate([np.tile(colour, (width, 1)) for colour, width in stripes])
    return np.tile(row, (height, 1, 1))


def test_a_mask_is_read_from_0_to_1(tmp_path):
    grey = Image.fromarray(np.array([[0, 51, 255], [255, 102, 0]], np.uint8))
    grey.save(tmp_path / "mask.png")
    mask = read_mask(tmp_path / "mask.png", (2, 3))
    np.testing.assert_allclose(mask, [[0, 0.2, 1], [1, 0.4, 0]], rtol=1e-6)
    assert mask.dtype == np.float32 and mask.max() == 1
    coloured = written(tmp_path / "coloured.png", [[[255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    np.testing.assert_allclose(read_mask(coloured, (1, 3)), [[0.299, 0.587, 0.114]], rtol=1e-6)


def test_a_mask_gets_the_size_of_its_picture(tmp_path):
    left = written(tmp_path / "left.png", striped(((255,) * 3, 40), ((0,) * 3, 40)))
    mask = read_mask(left, (10, 20))
    assert mask.shape == (10, 20)
    assert (mask[:, :8] > 0.95).all() and (mask[:, 12:] < 0.05).all()


@pytest.mark.parametrize(
    ("size", "fits"),
    [((40, 80), True), ((20, 40), True), ((41, 80), True), ((20, 41), True), ((80, 161), True),
     ((42, 80), False), ((20, 43), False), ((80, 165), False), ((80, 40), False)],
)  # fmt: skip
def test_a_mask_has_the_proportions_of_its_picture_up_to_one_pixel(tmp_path, size, fits):
    path = written(tmp_path / "mask.png", np.full((40, 80, 3), 255))
    if fits:
        np.testing.assert_array_equal(read_mask(path, size), np.ones(size))
        return
    with pytest.raises(
        ShapeError, match=rf"mask\.png is 80x40 and its picture {size[1]}x{size[0]}; wanted the"
    ):
        read_mask(path, size)


def test_feathering_is_a_filter_with_the_documented_deviation():
    mask = np.zeros((61, 81))
    mask[30, 40] = 1
    soft = feathered(mask, 4)
    assert soft.sum() == pytest.approx(1)
    np.testing.assert_allclose(soft, soft[::-1, ::-1], atol=1e-15)
    for axis, centre in ((0, 30), (1, 40)):
        weights = soft.sum(1 - axis)
        assert weights @ (np.arange(len(weights)) - centre) ** 2 == pytest.approx(4 * 5)
        assert np.count_nonzero(weights > 1e-12) == 3 * 2 * 4 + 1


def test_a_radius_of_0_leaves_the_mask():
    mask = np.random.default_rng(0).random((4, 5))
    np.testing.assert_array_equal(feathered(mask, 0), mask)


@given(st.integers(0, 9), st.integers(1, 7), st.integers(1, 7))
def test_feathering_leaves_the_whole_picture_and_stays_between_0_and_1(radius, height, width):
    whole = np.ones((height, width), np.float32)
    np.testing.assert_allclose(feathered(whole, radius), whole, rtol=1e-6)
    mask = np.random.default_rng(radius).random((height, width))
    soft = feathered(mask, radius)
    assert mask.min() - 1e-12 <= soft.min() and soft.max() <= mask.max() + 1e-12


@pytest.mark.parametrize("place", GPUS)
def test_feathering_is_the_same_on_a_gpu(place):
    mask = np.random.default_rng(0).random((6, 7)).astype(np.float32)
    with at(place):
        soft = to_numpy(feathered(current_module().asarray(mask), 2))
    np.testing.assert_allclose(soft, feathered(mask, 2), rtol=1e-5)


@pytest.mark.parametrize("radius", [-1, 1.5, True, None])
def test_other_radii_are_refused(radius):
    with pytest.raises(ArgumentError, match=r"the radius is .* pixels; wanted a whole number"):
        feathered(np.ones((3, 3)), radius)


def test_each_colour_of_two_maps_is_a_region(tmp_path):
    content = written(tmp_path / "content.png", striped((RED, 50), (BLUE, 30)))
    style = written(tmp_path / "style.png", striped((BLUE, 20), (RED, 20), (BLUE, 20)))
    pairs = regions(content, style, (40, 80), (40, 60))
    assert len(pairs) == 2
    red, blue = sorted(pairs, key=lambda pair: -pair[0][0, 0])
    np.testing.assert_array_equal(red[0], striped(((1,), 50), ((0,), 30))[..., 0])
    np.testing.assert_array_equal(red[1], striped(((0,), 20), ((1,), 20), ((0,), 20))[..., 0])
    for of_red, of_blue in zip(red, blue, strict=True):
        np.testing.assert_array_equal(of_blue, 1 - of_red)
        assert of_red.dtype == np.float32


def test_masks_of_maps_have_the_sizes_of_the_pictures(tmp_path):
    paths = [written(tmp_path / f"{name}.png", striped((RED, 50), (BLUE, 30))) for name in "cs"]
    for masks in regions(*paths, (20, 40), (60, 120)):
        assert [mask.shape for mask in masks] == [(20, 40), (60, 120)]
    (first, _), (second, _) = regions(*paths, (20, 40), (40, 80))
    np.testing.assert_allclose(first + second, 1, atol=1 / 255)


def test_rare_colours_belong_to_the_nearest_colour(tmp_path):
    image = striped((RED, 50), (BLUE, 30), height=100)
    image[0, 0], image[0, 1] = (200, 0, 40), (50, 0, 160)  # mixtures, as at an edge
    image[1, :4] = (250, 3, 3)  # as after JPEG
    content = written(tmp_path / "content.png", image)
    style = written(tmp_path / "style.png", striped((RED, 30), (BLUE, 30)))
    pairs = regions(content, style, (100, 80), (40, 60))
    red, blue = sorted(pairs, key=lambda pair: -pair[0][50, 0])
    assert len(pairs) == 2
    np.testing.assert_array_equal(red[0][0, :3], [1, 0, 1])
    np.testing.assert_array_equal(blue[0][0, :3], [0, 1, 0])
    assert red[0][1, 0] == 1


def test_maps_after_jpeg_have_the_same_regions(tmp_path):
    image = striped((RED, 200), (GREEN, 150), (BLUE, 150), height=24)
    png, jpeg = (written(tmp_path / f"map.{ending}", image) for ending in ("png", "jpg"))
    pairs = regions(png, jpeg, (24, 500), (24, 500))
    assert len(pairs) == 3
    for exact, lossy in pairs:
        assert abs(exact - lossy).mean() < 0.02


def test_a_colour_in_only_one_map_is_refused_by_name(tmp_path):
    both = striped((RED, 40), (BLUE, 40))
    more = striped((RED, 40), (GREEN, 10), (BLUE, 30))
    both, more = written(tmp_path / "both.png", both), written(tmp_path / "more.png", more)
    for maps, shares in (
        ((more, both), r"12\.5% of .*more\.png and 0\.0% of .*both\.png"),
        ((both, more), r"0\.0% of .*both\.png and 12\.5% of .*more\.png"),
    ):
        with pytest.raises(FileError, match=f"the colour #008000 covers {shares}; wanted at least"):
            regions(*maps, (40, 80), (40, 80))


def test_the_number_of_colours_is_limited(tmp_path):
    def maps_of(count):
        colours = [(60 * (k % 4), 60 * (k // 4 % 4), 100 * (k // 16)) for k in range(count)]
        path = tmp_path / f"{count}.png"
        return written(path, striped(*((colour, 4) for colour in colours))), path

    size = (40, 4 * MOST_REGIONS)
    assert len(regions(*maps_of(MOST_REGIONS), size, size)) == MOST_REGIONS
    for count in (1, MOST_REGIONS + 1):
        with pytest.raises(FileError, match=rf"is {count}; wanted 2 to 16: paint each region in"):
            regions(*maps_of(count), (40, 4 * count), (40, 4 * count))
    noise = np.random.default_rng(0).uniform(0, 255, (40, 40, 3))
    photograph = written(tmp_path / "photograph.png", noise)
    with pytest.raises(FileError, match=r"photograph\.png is 0; wanted 2 to 16"):
        regions(photograph, photograph, (40, 40), (40, 40))


def test_a_map_has_the_proportions_of_its_picture(tmp_path):
    path = written(tmp_path / "map.png", striped((RED, 40), (BLUE, 40)))
    for sizes in (((40, 40), (40, 80)), ((40, 80), (40, 40))):
        with pytest.raises(ShapeError, match=r"map\.png is 80x40 and its picture 40x40"):
            regions(path, path, *sizes)


@pytest.mark.parametrize("place", GPUS)
def test_masks_of_files_are_used_on_the_device_of_the_painting(small_model, content, style, place):
    left = np.zeros(content.shape[:2], np.float32)
    left[:, :14] = 1
    masks = Masks(left, [left], [np.ones(style.shape[:2], np.float32)])

    def losses(model):
        [step] = Run(model, content, [style], Settings(steps=1), masks=masks)
        return step.losses

    expected = losses(small_model)
    with at(place):
        found = losses(deepcopy(small_model).to(current_device()))
    assert found.total == pytest.approx(expected.total, rel=1e-4)
    [whole] = Run(small_model, content, [style], Settings(steps=1))
    assert whole.losses.style != pytest.approx(expected.style, rel=1e-3)
