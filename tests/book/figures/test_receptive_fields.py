"""The figure of receptive fields: the formula against the gradient."""

import numpy as np
import pytest

from minidl import data
from minidl.book.figures import receptive_fields as figure

FIRST = ["block1_conv1", "block1_conv2", "block1_pool", "block2_conv1", "block3_conv1"]


@pytest.fixture(scope="module")
def network():
    return figure.narrow_vgg19()


@pytest.fixture(scope="module")
def image():
    return data.read_image(data.shipped_picture(figure.PICTURE))


def test_the_gradient_is_not_0_exactly_in_the_field(network, image):
    part = image[100:164, 140:204]
    own = figure.fields(network, part.shape[:2])
    units = {name: own[name].unit((32, 30)) for name in FIRST}
    for name, gradient in figure.gradients(network, part, units).items():
        seen = own[name].seen(units[name])
        assert figure.extent_of(gradient) == seen
        assert (gradient[seen] > 0).all()


def test_the_fields_agree_with_the_reach_of_the_model(network, image):
    for name, field in figure.fields(network, image.shape[:2]).items():
        stride, halo = network.reach([name])
        assert (field.stride, field.size, field.offset) == (stride, stride + 2 * halo, -halo)


def test_a_unit_depends_only_on_its_field(network, image):
    part = image[:48, :48].astype(np.float64)
    field = figure.fields(network, part.shape[:2])["block2_conv2"]
    unit = field.unit((24, 24))
    rows, columns = field.seen(unit)

    def unit_of(picture):
        [y] = network.features(picture, ["block2_conv2"]).values()
        return y[(0, *unit, 0)]

    for row, column, is_seen in (
        (rows.start, columns.start, True),
        (rows.stop - 1, columns.stop - 1, True),
        (rows.start - 1, columns.start, False),
        (rows.start, columns.stop, False),
    ):
        changed = part.copy()
        changed[row, column] += 1000
        relative = abs(unit_of(changed) - unit_of(part)) / unit_of(part)
        assert (relative > 1e-9) == is_seen


def test_the_unit_is_the_nearest_to_the_pixel(network, image):
    for field in figure.fields(network, image.shape[:2]).values():
        for seen, pixel in zip(field.seen(field.unit(figure.PIXEL)), figure.PIXEL, strict=True):
            assert abs((seen.start + seen.stop - 1) / 2 - pixel) <= field.stride / 2


def test_each_field_of_the_figure_is_inside_the_picture(network, image):
    for field in figure.fields(network, image.shape[:2]).values():
        for seen, length in zip(field.seen(field.unit(figure.PIXEL)), image.shape, strict=False):
            assert 0 <= seen.start < seen.stop <= length


def test_the_frames_show_what_the_gradient_found():
    frames = figure.draw().variants[""]
    assert len(frames) == 21
    assert "3 + (3 - 1)·1 = 5 pixels" in frames[1].words
    assert "r = 3 + (3 - 1)·1 = 5" in frames[1].svg and "j = 1·1 = 1" in frames[1].svg
    assert "not 0 in 268 x 268 pixels, from row 10 to 277" in frames[20].words
