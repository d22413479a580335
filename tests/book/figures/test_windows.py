"""The numbers of the figure of windows agree with loops and with the gradients of minidl."""

from itertools import pairwise

import numpy as np
import pytest

from minidl import ops, value_and_grad
from minidl.book.figures.windows import CASES, DY, W, X, draw, steps
from tests.book.figures.drawn import numbers, tables


def read(label):
    """Return x, dy, the options and the steps of a variant."""
    n, options = CASES[label]
    x = X[:n, :n]
    out = ops.convolution(x[None, ..., None], W[..., None, None], **options).shape[1:3]
    dy = DY[: out[0], : out[1]]
    return x, dy, options, [*steps(x, W, dy, **options)]


@pytest.mark.parametrize("label", CASES)
def test_each_output_is_the_sum_over_the_touched_inputs(label):
    x, dy, _, found = read(label)
    assert [step.output for step in found] == [*np.ndindex(dy.shape)]
    for count, step in enumerate(found, start=1):
        inside = [0 <= i < len(x) and 0 <= j < len(x) for i, j in step.touched]
        inputs = [x[place] if own else 0 for place, own in zip(step.touched, inside, strict=True)]
        assert step.y[step.output] == inputs @ W.ravel()
        assert np.isfinite(step.y).sum() == count


@pytest.mark.parametrize("label", CASES)
def test_the_last_step_is_the_convolution_and_its_gradient(label):
    x, dy, options, found = read(label)

    def inner(x):
        y = ops.convolution(x[None, ..., None], W[..., None, None], **options)[0, ..., 0]
        return (y * dy).sum()

    value, [dx] = value_and_grad(inner)(x)
    padding = options.get("padding", 0)
    end = padding + len(x)
    assert (found[-1].y * dy).sum() == pytest.approx(value)
    np.testing.assert_allclose(found[-1].dx[padding:end, padding:end], dx, atol=1e-12)


def test_a_step_adds_the_weights_times_dy():
    _, dy, _, found = read("stride 2, padding 1")
    for before, step in pairwise(found):
        added = step.dx - before.dx
        places = [(i + 1, j + 1) for i, j in step.touched]
        np.testing.assert_allclose(
            [added[p] for p in places], dy[step.output] * W.ravel(), atol=1e-12
        )
        assert np.count_nonzero(added) <= W.size


@pytest.mark.parametrize("label", ["stride 1", "stride 2", "dilation 2"])
def test_the_drawing_shows_these_numbers(label):
    x, dy, _, found = read(label)
    frames = draw().variants[label]
    assert len(frames) == len(found)
    for frame, step in zip(frames, found, strict=True):
        drawn_x, drawn_w, products, y, dx, drawn_dy, back = tables(frame.svg)
        assert drawn_x == numbers(x) and drawn_w == numbers(W)
        assert y == numbers(step.y) and dx == numbers(step.dx) and drawn_dy == numbers(dy)
        assert (
            sum(float(a) * float(b.strip("()")) for a, b in (p.split("·") for p in products))
            == (step.y[step.output])
        )
        assert back[1] == f"{dy[step.output]:.0f}·2"
        assert f"Output {step.output} reads" in frame.words
        assert f"becomes y = {step.y[step.output]:.0f}; its gradient dy = " in frame.words


def test_the_sentence_counts_the_padding():
    first, *_ = draw().variants["padding 1"]
    assert "reads rows -1, 0 and 1 and columns -1, 0 and 1 of x (5 of these 9" in first.words
