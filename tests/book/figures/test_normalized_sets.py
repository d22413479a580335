"""The figure of normalized sets shows the sets of each definition, and minidl's outputs."""

import numpy as np
import pytest

from minidl.book.figures.normalized_sets import NORMALIZATIONS, X, draw, steps
from tests.book.figures.drawn import tables

N, P, C = X.shape
ALL = slice(None)
SETS = {  # label -> the indices of its sets, by the definitions
    "batch": [(ALL, ALL, c) for c in range(C)],
    "layer": [(n, p, ALL) for n in range(N) for p in range(P)],
    "instance": [(n, ALL, c) for n in range(N) for c in range(C)],
    "group, 2 groups": [(n, ALL, slice(c, c + 2)) for n in range(N) for c in (0, 2)],
}


@pytest.mark.parametrize("label", NORMALIZATIONS)
def test_the_sets_are_those_of_the_definition(label):
    found = [*steps(X, NORMALIZATIONS[label])]
    places = np.arange(X.size).reshape(X.shape)
    for step, index in zip(found, SETS[label], strict=True):
        assert [places[place] for place in step.places] == places[index].ravel().tolist()
        numbers = X[index]
        wanted = (numbers - numbers.mean()) / numbers.std()
        np.testing.assert_allclose(step.y[index], wanted, atol=1e-12)
    assert np.isfinite(found[-1].y).all()


@pytest.mark.parametrize("label", NORMALIZATIONS)
def test_the_drawing_shows_these_numbers(label):
    frames = draw().variants[label]
    for frame, index, step in zip(
        frames, SETS[label], steps(X, NORMALIZATIONS[label]), strict=True
    ):
        drawn = [float(word) for words in tables(frame.svg) for word in words]
        y = step.y[np.isfinite(step.y)].round(2)
        np.testing.assert_allclose(sorted(drawn), sorted([*X.ravel(), *y]), atol=1e-9)
        assert f"The {X[index].size} numbers of" in frame.words
    assert "all pictures, all positions and channel 0" in draw().variants["batch"][0].words
    assert "picture 0, position 1 and all channels" in draw().variants["layer"][1].words
