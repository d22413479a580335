"""Resampling: the sums of its gradient do not overflow, and do not depend on their order or on
other pixels."""

import math

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.backend import current_device, to_device, to_numpy
from minidl.errors import ArgumentError
from tests.devices import GPUS, PLACES, at

rng = np.random.default_rng(0)


def gradient(dy, rows, columns, shape, place="numpy"):
    with at(place):
        arrays = (to_device(array, current_device()) for array in (dy, rows, columns))
        return to_numpy(ops.resample.gradients["dx"](*arrays, shape))


def enlarged(height, width, size):
    """Return the rows and columns that enlarge an image to size x size, from its first pixel to its
    last."""
    places = (np.linspace(0, length - 1, size) for length in (height, width))
    return [np.ascontiguousarray(grid)[None] for grid in np.meshgrid(*places, indexing="ij")]


@pytest.mark.engine
@pytest.mark.parametrize(
    ("place", "size"),
    [("numpy", 1024), *(pytest.param(*p.values, 256, id=p.id, marks=p.marks) for p in GPUS)],
)
def test_the_gradient_of_an_enlarged_2x2_image_is_a_quarter_of_the_sum(place, size):
    dy = np.ones((1, size, size, 1), np.float32)
    dx = gradient(dy, *enlarged(2, 2, size), (1, 2, 2, 1), place)
    np.testing.assert_allclose(dx, size * size / 4, rtol=1e-7)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("dtype", "scales"), [(np.float32, (1e-37, 1e-20, 1e30)), (np.float64, (1e-300, 1e-20, 1e300))]
)
def test_the_gradient_of_a_pixel_that_is_read_often_scales_with_dy(place, dtype, scales):
    rows, columns = enlarged(2, 2, 64)
    dy = rng.standard_normal((1, 64, 64, 3)).astype(dtype)
    wanted = gradient(dy, rows, columns, (1, 2, 2, 3))
    atol = 4096 * np.finfo(dtype).eps * 4
    for scale in map(dtype, scales):
        dx = gradient(dy * scale, rows, columns, (1, 2, 2, 3), place)
        np.testing.assert_allclose(dx / scale, wanted, rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_sum_does_not_overflow(dtype):
    """One pixel is read 2^16 - 1 times, and each dy is the largest number below a power of two."""
    largest = np.nextafter(dtype(2), dtype(0))
    places = np.zeros((1, 255, 257))
    for sign in (1, -1):
        dx = gradient(np.full((1, 255, 257, 1), sign * largest), places, places, (1, 1, 1, 1))
        assert dx.item() == dtype(sign * 65535 * float(largest))


@pytest.mark.parametrize(("dtype", "exponents"), [(np.float32, 15), (np.float64, 140)])
def test_a_small_gradient_beside_large_ones_keeps_its_digits(dtype, exponents):
    """The error of each pixel is relative to the terms of its own sum."""
    rows, columns = (rng.integers(0, 16, (1, 32, 32)).astype(float) for _ in range(2))
    numbers = rng.standard_normal((1, 32, 32, 1))
    dy = (numbers * 10.0 ** rng.integers(-exponents, exponents, numbers.shape)).astype(dtype)
    dx = gradient(dy, rows, columns, (1, 16, 16, 1))
    for i, j in np.ndindex(16, 16):
        terms = dy[0, (rows[0] == i) & (columns[0] == j), 0].tolist()
        size = math.fsum(map(abs, terms))
        assert abs(float(dx[0, i, j, 0]) - math.fsum(terms)) <= np.finfo(dtype).eps * size


@pytest.mark.engine
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_order_of_the_sums_does_not_matter(dtype):
    rows, columns = rng.uniform(-1, 9, (2, 1, 20, 20))
    dy = rng.standard_normal((1, 20, 20, 2)).astype(dtype)
    order = rng.permutation(400)

    def reordered(array):
        return array.reshape(1, 400, *array.shape[3:])[:, order].reshape(array.shape)

    dx = gradient(dy, rows, columns, (1, 8, 8, 2))
    assert dx.dtype == dtype
    assert dx.tobytes() == gradient(*map(reordered, (dy, rows, columns)), (1, 8, 8, 2)).tobytes()


@pytest.mark.engine
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_affects_only_the_pixels_around_its_place(place, bad):
    dy, rows, columns = np.ones((1, 1, 2, 1)), np.array([[[1.5, 3.5]]]), np.array([[[1.5, 3.5]]])
    dy[0, 0, 0, 0] = bad
    dx = gradient(dy, rows, columns, (1, 5, 5, 1), place)[0, ..., 0]
    assert np.isnan(dx[1:3, 1:3]).all()
    assert dx[3:, 3:].tolist() == [[0.25, 0.25], [0.25, 0.25]]
    assert np.isfinite(dx).sum() == 25 - 4


def test_a_place_that_is_nan_gives_nan():
    x = np.arange(9.0).reshape(1, 3, 3, 1)
    y = ops.resample(x, np.array([[[np.nan, 1.0, np.inf]]]), np.ones((1, 1, 3)))
    np.testing.assert_array_equal(y.ravel(), [np.nan, 4.0, 7.0])


def test_half_precision_is_rounded_once():
    x = rng.uniform(1, 2, (1, 5, 7, 3)).astype(np.float16)
    rows, columns = rng.uniform(0, 4, (1, 6, 6)), rng.uniform(0, 6, (1, 6, 6))
    y = ops.resample(x, rows, columns)
    assert y.dtype == np.float16
    # Half a unit in the last place of numbers from 1 to 2, and the rounding errors of float32.
    wanted = ops.resample(x.astype(np.float64), rows, columns)
    np.testing.assert_allclose(y, wanted, rtol=0, atol=np.finfo(np.float16).eps / 2 + 1e-5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool])
def test_integers_raise_an_error(dtype):
    """An average of two of them would be truncated."""
    with pytest.raises(ArgumentError, match="wanted an array of floating-point numbers"):
        ops.resample(np.ones((1, 2, 2, 1), dtype), np.zeros((1, 1, 1)), np.full((1, 1, 1), 0.5))


def test_an_image_without_channels():
    x = Tensor(np.zeros((1, 2, 2, 0)), requires_grad=True)
    y = ops.resample(x, np.zeros((1, 3, 4)), np.zeros((1, 3, 4)))
    y.backward(np.zeros(y.shape))
    assert (y.shape, x.grad.shape) == ((1, 3, 4, 0), x.shape)
