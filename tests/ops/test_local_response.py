"""Local response normalization by hand, with the numbers of the paper, and refusals."""

import numpy as np
import pytest

from minidl import ops
from minidl.errors import ArgumentError, ShapeError


def test_an_even_window_has_one_more_channel_before_than_after():
    x = np.array([0.0, 0.0, 2.0, 0.0, 0.0])
    y = ops.local_response_norm(x + 1e-9, 4, alpha=4.0, beta=1.0)
    # channels 1 to 4 have channel 2 in their windows: 1/(1 + 4)
    np.testing.assert_allclose(y / 1e-9, [1, 0.2, 4e8, 0.2, 0.2], rtol=1e-6)


def test_a_window_of_all_channels_has_the_same_sum_everywhere():
    x = np.array([1.0, -2.0, 3.0])
    y = ops.local_response_norm(x, 5, alpha=5.0, beta=0.5, k=2.0)
    np.testing.assert_allclose(y, x / 4)
    wider = ops.local_response_norm(x, 10**12, alpha=1e12, beta=0.5, k=2.0)
    np.testing.assert_allclose(wider, y)


def test_the_formula_of_the_paper():
    """b = a / (k + α Σ a²)^β with k = 2, n = 5, α = 1e-4, β = 0.75"""
    a = 100 * np.random.default_rng(0).standard_normal((2, 3, 3, 8))
    y = ops.local_response_norm(a, 5, alpha=5e-4, beta=0.75, k=2.0)
    for c in range(8):
        near = a[..., max(0, c - 2) : c + 3]
        wanted = a[..., c] / (2 + 1e-4 * (near**2).sum(axis=-1)) ** 0.75
        np.testing.assert_allclose(y[..., c], wanted, rtol=1e-13)


@pytest.mark.parametrize(
    ("x", "size", "error", "words"),
    [
        (np.ones(3), 0, ArgumentError, "with size 0; wanted the number of channels"),
        (np.ones(3), 2.5, ArgumentError, "with size 2.5; wanted"),
        (np.ones(3, int), 2, ArgumentError, "floating-point"),
        (np.ones(()), 2, ShapeError, r"wanted x \(\.\.\., C\)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(x, size, error, words):
    with pytest.raises(error, match=words):
        ops.local_response_norm(x, size)
