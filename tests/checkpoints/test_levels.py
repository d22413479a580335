import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.checkpoints.levels import to_levels


def rounded(array):
    indices, levels = to_levels(array)
    return levels[indices]


@given(st.integers(1, 256), st.integers(0, 2**32 - 1))
def test_up_to_256_values_are_stored_exactly(count, seed):
    rng = np.random.default_rng(seed)
    array = rng.choice(rng.normal(size=count).astype(np.float32), size=(3, 3, 5, 7))
    np.testing.assert_array_equal(rounded(array), array)


def test_each_value_has_its_nearest_level_and_each_level_is_a_mean():
    array = np.random.default_rng(1).normal(size=5000).astype(np.float32)
    indices, levels = to_levels(array)
    distances = np.abs(array[:, None] - levels)
    np.testing.assert_allclose(
        distances[np.arange(5000), indices], distances.min(axis=1), rtol=0, atol=1e-6
    )
    for level in np.unique(indices):
        np.testing.assert_allclose(
            levels[level], array[indices == level].mean(dtype=np.float64), rtol=1e-5, atol=1e-7
        )


def test_the_error_is_smaller_than_that_of_equidistant_levels():
    array = np.random.default_rng(2).laplace(size=20000).astype(np.float32)
    steps = np.linspace(array.min(), array.max(), 256)
    at_steps = steps[np.abs(array[:, None] - steps).argmin(axis=1)]
    assert np.square(rounded(array) - array).sum() < 0.3 * np.square(at_steps - array).sum()


@pytest.mark.parametrize("array", [np.zeros(7), np.float32([3]), np.repeat(np.arange(300.0), 9)])
def test_arrays_with_few_values(array):
    indices, levels = to_levels(array)
    assert (indices.dtype, levels.dtype, levels.shape) == (np.uint8, np.float32, (256,))
    assert np.abs(levels[indices] - array).max() <= 1
