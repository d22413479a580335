"""The figure of the energy loss: its curves and its tangents."""

import numpy as np
import pytest

from minidl.book.figures import energy

DISTANCES = [0.5, 1.0, 2.5, 7.0]


@pytest.mark.parametrize("q", energy.QS)
@pytest.mark.parametrize("distance", DISTANCES)
def test_the_curves_are_those_of_the_paper(q, distance):
    like, unlike = energy.at(distance, True, q), energy.at(distance, False, q)
    np.testing.assert_allclose(like.loss, 2 / q * distance**2)
    np.testing.assert_allclose(unlike.loss, 2 * q * np.exp(-2.77 / q * distance))


@pytest.mark.parametrize("q", energy.QS)
@pytest.mark.parametrize("same", [True, False])
@pytest.mark.parametrize("distance", DISTANCES)
def test_the_tangents_touch_the_curves(q, same, distance):
    h = 1e-4
    after, before = (energy.at(distance + step, same, q).loss for step in (h, -h))
    slope = energy.at(distance, same, q)
    np.testing.assert_allclose(slope.gradient, (after - before) / (2 * h), rtol=1e-6)
    (x, y), (to_x, to_y) = energy._tangent(distance, slope)
    np.testing.assert_allclose(np.hypot(to_x - x, to_y - y), 2 * energy.TANGENT)
    np.testing.assert_allclose(
        np.mean([(x, y), (to_x, to_y)], axis=0), energy._place(distance, slope.loss)
    )
    across, down = np.subtract(energy._place(1, 1), energy._place(0, 0))
    np.testing.assert_allclose((to_y - y) / down, slope.gradient * (to_x - x) / across)


@pytest.mark.parametrize("same", [True, False])
def test_the_gradient_depends_only_on_the_distance_relative_to_q(same):
    gradients = [energy.at(0.3 * q, same, q).gradient for q in energy.QS]
    np.testing.assert_allclose(gradients, gradients[0])


def test_the_curves_meet_near_half_of_q():
    for q in energy.QS:
        like, unlike = (energy.at(q / 2, same, q).loss for same in (True, False))
        np.testing.assert_allclose(like, unlike, rtol=2e-3)


@pytest.mark.parametrize("same", [True, False])
def test_equal_points_have_no_gradient(same):
    assert energy.at(0.0, same, 5.0).gradient == 0


def test_the_sentences_have_the_numbers():
    frames = energy.draw().variants["5"]
    assert "both gradients are 0" in frames[0].words
    assert "With Q = 5 and a distance of 1, a like pair costs 0.4" in frames[2].words
