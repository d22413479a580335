"""Occlusion: decreases that can be computed by hand."""

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.visualize.saliency.occlusion import occlusion
from minidl.visualize.scalars import Scalar, value
from minidl.visualize.units import Unit
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)
GREY = np.full_like(PICTURE, 127.5)
FAR = Unit("far_relu", 1)


def test_occlusion_of_a_sum_is_the_mean_sum_of_the_squares():
    """Of 3x3 pixels with 2x2 squares: the decrease of each square is its own sum. The middle is in
    all four squares, a corner in one."""
    picture = np.arange(1.0, 10).reshape(3, 3, 1)
    decreases = occlusion(
        lambda x: x.sum(axis=(1, 2, 3)), picture, np.zeros((3, 3, 1)), window=2, stride=1
    )
    a, b, c, d = 12, 16, 24, 28  # 1+2+4+5, ...
    assert decreases.tolist() == [
        [a, (a + b) / 2, b],
        [(a + c) / 2, (a + b + c + d) / 4, (b + d) / 2],
        [c, (c + d) / 2, d],
    ]


def test_a_square_of_the_size_of_the_picture_gives_the_difference_to_the_baseline():
    scalar = Scalar(tiny.two_convolutions(), FAR)
    picture, baseline = PICTURE[:13, :13], GREY[:13, :13]
    decrease = np.subtract(*value(scalar, np.stack([picture, baseline])))
    decreases = occlusion(scalar, picture, baseline, 13, 13)
    np.testing.assert_allclose(decreases, np.full((13, 13), decrease), rtol=1e-4)


def test_occlusion_of_the_baseline_is_0():
    decreases = occlusion(Scalar(tiny.two_convolutions(), FAR), GREY, GREY, 4, 3)
    np.testing.assert_allclose(decreases, np.zeros((13, 17)), atol=1e-8)


@pytest.mark.parametrize(("window", "stride"), [(14, 1), (0, 1), (3, 4), (3, 0)])
def test_squares_that_do_not_fit_or_leave_gaps_are_refused(window, stride):
    with pytest.raises(ArgumentError, match="wanted a side from 1 to 13, and no gaps"):
        occlusion(Scalar(tiny.two_convolutions(), FAR), PICTURE, GREY, window, stride)
