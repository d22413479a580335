"""Each augmented picture is one of those that its source allows, and all of them occur."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.data import flip, normalize, shift
from minidl.errors import ArgumentError

SHAPES = st.one_of(
    st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(1, 6)),
    st.tuples(st.integers(0, 4), st.integers(1, 6), st.integers(1, 6), st.integers(1, 3)),
)
MODES = {"zeros": "constant", "edge": "edge", "reflect": "reflect"}


def noise(shape, dtype=np.uint8):
    return np.random.default_rng(0).integers(1, 256, shape).astype(dtype)


def shifts(picture, most, fill):
    """Return all shifts of a picture, by the definition."""
    height, width = picture.shape[:2]
    padding = [(most, most), (most, most), *[(0, 0)] * (picture.ndim - 2)]
    padded = np.pad(picture, padding, MODES[fill])
    return [
        padded[down : down + height, right : right + width]
        for down in range(2 * most + 1)
        for right in range(2 * most + 1)
    ]


@given(
    SHAPES,
    st.integers(0, 5),
    st.sampled_from(list(MODES)),
    st.integers(0, 99),
    st.sampled_from([np.uint8, np.float32]),
)
def test_each_picture_is_a_shift_of_its_source(shape, most, fill, seed, dtype):
    pictures = noise(shape, dtype)
    shifted = shift(np.random.default_rng(seed), pictures, most, fill)
    assert shifted.shape == pictures.shape and shifted.dtype == pictures.dtype
    for picture, source in zip(shifted, pictures, strict=True):
        assert any(np.array_equal(picture, candidate) for candidate in shifts(source, most, fill))


def test_all_shifts_are_equally_likely():
    picture = noise((5, 5, 1))
    shifted = shift(np.random.default_rng(0), np.repeat(picture[None], 9000, axis=0), most=1)
    found, counts = np.unique(shifted.reshape(9000, -1), axis=0, return_counts=True)
    assert len(found) == 9 and abs(counts - 1000).max() < 150


def test_a_shift_of_0_and_invalid_arguments():
    pictures = noise((3, 4, 4, 3))
    np.testing.assert_array_equal(shift(np.random.default_rng(0), pictures, 0), pictures)
    for most in -1, 1.5, None:
        with pytest.raises(ArgumentError, match="largest shift"):
            shift(np.random.default_rng(0), pictures, most)
    with pytest.raises(ArgumentError, match="fill is 'wrap'"):
        shift(np.random.default_rng(0), pictures, 1, "wrap")


@given(SHAPES, st.integers(0, 99))
def test_each_picture_is_its_source_or_mirrored(shape, seed):
    pictures = noise(shape)
    before = pictures.copy()
    flipped = flip(np.random.default_rng(seed), pictures)
    assert flipped.dtype == np.uint8
    np.testing.assert_array_equal(pictures, before)
    for picture, source in zip(flipped, pictures, strict=True):
        assert np.array_equal(picture, source) or np.array_equal(picture, source[:, ::-1])


def test_half_of_the_pictures_are_mirrored():
    pictures = np.repeat(noise((1, 2, 3, 3)), 4000, axis=0)
    same = (flip(np.random.default_rng(0), pictures) == pictures).all((1, 2, 3))
    assert abs(same.sum() - 2000) < 150


def test_normalized_pictures_have_mean_0_and_variance_1():
    pictures = noise((50, 8, 8, 3))
    normal = normalize(pictures, pictures.mean((0, 1, 2)), pictures.std((0, 1, 2)))
    assert normal.dtype == np.float32 and normal.shape == pictures.shape
    np.testing.assert_allclose(normal.mean((0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(normal.std((0, 1, 2)), 1, atol=1e-5)
    assert normalize(noise((2, 28, 28)), 33.3, 78.6).dtype == np.float32
    assert normalize(noise((2, 28, 28), np.float64), 33.3, 78.6).dtype == np.float64
