"""The figure of the valleys: contours, paths and learning rates."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.book.figures import valley

FUNCTIONS = {
    "straight": lambda x, y: x**2 + 25 * y**2,
    "curved": lambda x, y: (1 - x) ** 2 + 25 * (y - x**2) ** 2,
}


@pytest.fixture(params=valley.VALLEYS)
def name(request):
    return request.param


def test_the_function_is_that_of_the_formula(name):
    for x, y in np.random.default_rng(0).normal(size=(5, 2)):
        value = float(valley.VALLEYS[name].value(Tensor(np.array([x, y]))))
        np.testing.assert_allclose(value, FUNCTIONS[name](x, y))


def test_a_contour_has_its_level(name):
    for level in valley.VALLEYS[name].levels:
        points = np.array([*valley.VALLEYS[name].contour(level, count=24)])
        np.testing.assert_allclose(FUNCTIONS[name](*points.T), level)
        np.testing.assert_allclose(points[0], points[-1], atol=1e-9)  # it is closed


def test_sgd_on_the_straight_valley_is_a_geometric_series():
    place = valley.VALLEYS["straight"]
    path = valley.walk(place, valley.OPTIMISERS["SGD"], 0.02)
    steps = np.arange(valley.STEPS + 1)
    expected = np.stack([(1 - 2 * 0.02) ** steps, (1 - 50 * 0.02) ** steps], axis=1)
    np.testing.assert_allclose(path.points, expected * place.start, atol=1e-12)


@pytest.mark.parametrize("own", valley.OPTIMISERS)
def test_the_values_are_those_of_the_points(name, own):
    path = valley.walk(valley.VALLEYS[name], valley.OPTIMISERS[own], 0.005)
    np.testing.assert_allclose(path.values, FUNCTIONS[name](*path.points.T))
    np.testing.assert_allclose(path.points[0], valley.VALLEYS[name].start)


def test_a_walk_ends_where_the_value_exceeds_the_start():
    path = valley.walk(valley.VALLEYS["straight"], valley.OPTIMISERS["SGD"], 0.1)
    assert len(path.values) == 2
    assert path.values[1] > path.values[0]


def test_the_rate_is_the_best_of_those_that_stay_below_the_start():
    place, make = valley.VALLEYS["straight"], valley.OPTIMISERS["momentum"]
    best = valley.best_path(place, make)
    assert len(best.values) == valley.STEPS + 1
    for rate in valley.RATES:
        path = valley.walk(place, make, rate)
        assert path.values.max() > path.values[0] or path.values[-1] >= best.values[-1]


def test_l_bfgs_comes_nearest_to_the_minimum(name):
    last = {
        own: valley.best_path(valley.VALLEYS[name], make).values[-1]
        for own, make in valley.OPTIMISERS.items()
    }
    assert min(last, key=last.__getitem__) == "L-BFGS"
    assert last["momentum"] < last["SGD"]


def test_the_sentences_have_the_values():
    frames = valley.draw().variants["straight"]
    assert "After 1 step in the straight valley, the value is 14.7 by SGD" in frames[1].words
    assert frames[-1].words.endswith("and below 1e-15 by L-BFGS.")


def test_lines_are_cut_at_the_map():
    inside, outside = (100.0, 100.0), (100.0, -1.0)
    assert [*valley._within([outside, inside, inside, outside, inside])] == [
        [inside, inside], [inside],
    ]  # fmt: skip


def test_a_thinned_line_keeps_its_ends():
    line = [(float(x), 0.0) for x in range(100)]
    thinned = valley._thinned(line)
    assert thinned[0] == line[0]
    assert thinned[-1] == line[-1]
    assert min(np.diff([x for x, _ in thinned[:-1]])) >= valley.SPACING
