"""The numbers of the figure of ties agree with loops over the windows."""

import numpy as np
import pytest

from minidl.book.figures.max_pool_tie import DY, STRIDES, X, draw, steps
from tests.book.figures.drawn import numbers, tables


@pytest.mark.parametrize("stride", STRIDES.values())
def test_the_whole_gradient_goes_to_the_first_maximum(stride):
    n = 2 if stride == 2 else 3
    dy, dx = DY[:n, :n], np.zeros_like(X)
    found = [*steps(X, dy, stride)]
    assert len(found) == n * n
    for step, (i, j) in zip(found, np.ndindex(n, n), strict=True):
        window = X[i * stride : i * stride + 2, j * stride : j * stride + 2]
        row, column = divmod(int(window.argmax()), 2)  # argmax is the first of equal ones
        assert step.receiver == (i * stride + row, j * stride + column)
        assert step.y[i, j] == window.max() and np.isfinite(step.y).sum() == i * n + j + 1
        assert len(step.maxima) == (window == window.max()).sum() and step.receiver in step.maxima
        dx[step.receiver] += dy[i, j]
        np.testing.assert_array_equal(step.dx, dx)


def test_the_drawing_shows_these_numbers():
    for frames, (stride, n) in zip(draw().variants.values(), ((2, 2), (1, 3)), strict=True):
        for frame, step in zip(frames, steps(X, DY[:n, :n], stride), strict=True):
            x, y, dx, dy = tables(frame.svg)
            assert x == numbers(X) and y == numbers(step.y)
            assert dx == numbers(step.dx) and dy == numbers(DY[:n, :n])


def test_the_sentences_count_the_maxima():
    words = [frame.words for frame in next(iter(draw().variants.values()))]
    assert "maximum y = 5 at 2 places, and the whole gradient dy = 3 goes" in words[0]
    assert "has one maximum, y = 4, and its gradient dy = 1 goes to row 1, column 2" in words[1]
    assert "maximum y = 7 at 3 places" in words[3] and "row 2, column 2" in words[3]
