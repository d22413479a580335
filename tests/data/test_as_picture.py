"""as_picture: the accepted dtypes and shapes, and the value of white."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.data import as_picture
from minidl.errors import ArgumentError, NonFiniteError, ShapeError

LEVELS = np.array([0, 1, 128, 255]).reshape(2, 2, 1) * np.ones(3, int)


@pytest.mark.parametrize(
    "dtype", ["u1", "i2", "i4", "u4", "i8", "u8", ">i4", "f2", "f4", "f8", "g"]
)
def test_white_is_255_in_every_dtype_except_uint16(dtype):
    picture = as_picture(LEVELS.astype(dtype))
    assert picture.dtype == np.float32
    np.testing.assert_array_equal(picture, LEVELS)


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_white_is_65535_in_uint16(dtype):
    picture = as_picture((257 * LEVELS).astype(dtype))
    assert picture.dtype == np.float32
    np.testing.assert_array_equal(picture, LEVELS)


def test_a_float32_picture_is_not_copied():
    picture = LEVELS.astype(np.float32)
    picture.flags.writeable = False
    assert as_picture(picture) is picture
    np.testing.assert_array_equal(as_picture(LEVELS.tolist()), LEVELS)


@pytest.mark.parametrize("dtype", ["u1", "u2", "i8", "f4"])
def test_a_black_picture_is_black_in_every_dtype(dtype):
    np.testing.assert_array_equal(as_picture(np.zeros((2, 2, 3), dtype)), np.zeros((2, 2, 3)))


def test_a_uint8_picture_may_be_almost_black():
    np.testing.assert_array_equal(as_picture(np.ones((2, 2, 3), np.uint8)), np.ones((2, 2, 3)))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (1, 1), (-1, 1), (-0.04, 1.06), (0, 1e-3), (-1, 0)]
)
def test_floats_from_0_to_1_are_refused(dtype, low, high):
    picture = np.linspace(low, high, 12, dtype=dtype).reshape(2, 2, 3)
    with pytest.raises(ArgumentError, match=r"wanted 0 to 255: if 1 is white, multiply it by 255"):
        as_picture(picture)


@pytest.mark.parametrize(
    ("numbers", "dtype"),
    [
        ((0, 65535), "i4"),
        ((0, 256), "i8"),
        ((-1, 255), "i2"),
        ((0, 65535), "f4"),
        ((-124, 151), "f4"),
        ((0, 256), "f8"),
    ],
)
def test_numbers_outside_0_to_255_are_refused(numbers, dtype):
    picture = np.resize(np.array(numbers, dtype), (2, 2, 3))
    with pytest.raises(
        ArgumentError, match=f"from {numbers[0]} to {numbers[1]}; wanted 0 to 255: scale it"
    ):
        as_picture(picture)


def test_half_a_level_outside_is_accepted():
    picture = np.resize(np.array([-0.4, 255.4]), (2, 2, 3))
    np.testing.assert_array_equal(as_picture(picture), picture.astype(np.float32))


def test_8_bits_in_uint16_are_refused():
    with pytest.raises(
        ArgumentError,
        match="wanted 0 to 65535: if 255 is white, make it uint8, else multiply it by 257",
    ):
        as_picture(LEVELS.astype(np.uint16))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(number):
    picture = LEVELS.astype(float)
    picture[1, 0, 2] = number
    with pytest.raises(NonFiniteError, match="the style holds NaN or infinite pixels"):
        as_picture(picture, "the style")


@pytest.mark.parametrize(
    "shape", [(), (3,), (10, 10), (10, 10, 1), (10, 10, 4), (0, 10, 3), (3, 0, 3), (1, 10, 10, 3)]
)
def test_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match=r"the picture has shape .*; wanted \(H, W, 3\), RGB"):
        as_picture(np.zeros(shape))


def test_arrays_of_other_types_are_refused():
    for array in (
        np.ones((2, 2, 3), bool),
        np.ones((2, 2, 3), complex),
        np.full((2, 2, 3), "255"),
        np.full((2, 2, 3), None),
    ):
        with pytest.raises(ArgumentError, match="wanted uint8, uint16 or floats from 0 to 255"):
            as_picture(array)
    with pytest.raises(ShapeError, match="rows of different lengths"):
        as_picture([[[1, 2, 3]], [[1, 2]]])
    with pytest.raises(ShapeError, match=r"wanted \(H, W, 3\), RGB"):
        as_picture("photo.jpg")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (Tensor(LEVELS.astype(np.float32)), "a Tensor; wanted (H, W, 3), RGB: take its .data"),
        (None, "None; wanted (H, W, 3), RGB"),
        (b"photo.jpg", "b'photo.jpg'; wanted (H, W, 3), RGB"),
        ("photo.jpg", "'photo.jpg'; wanted (H, W, 3), RGB"),
    ],
)
def test_the_error_shows_a_value_that_is_no_array(given, sentence):
    with pytest.raises((ArgumentError, ShapeError)) as refusal:
        as_picture(given)
    assert str(refusal.value) == f"the picture is {sentence}"
