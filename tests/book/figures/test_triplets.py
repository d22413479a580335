"""The figure of triplets: their kinds, losses and gradients."""

import numpy as np
import pytest

from minidl.book.figures import triplets
from minidl.recipes.triplets import choose

NEGATIVES = np.array([*triplets.NEGATIVES.values()])


@pytest.fixture(params=triplets.POSITIVES.values(), ids=triplets.POSITIVES)
def positive(request):
    return request.param


@pytest.mark.parametrize("margin", triplets.MARGINS)
def test_the_losses_are_those_of_the_formula(positive, margin):
    found = triplets.sort(positive, margin)
    near, far = np.sum(np.square(positive)), np.square(NEGATIVES).sum(axis=1)
    np.testing.assert_allclose(found.near, near)
    np.testing.assert_allclose(found.far, far)
    np.testing.assert_allclose(found.z, near - far + margin)
    np.testing.assert_allclose(found.losses, np.maximum(near - far + margin, 0), atol=1e-12)


@pytest.mark.parametrize("margin", [0.0, 0.5, 1.0])
def test_a_negative_is_semi_hard_if_mining_takes_it(positive, margin):
    found = triplets.sort(positive, margin)
    for far, kind, loss in zip(found.far, found.kinds, found.losses, strict=True):
        distances = np.array([[0, found.near, far], [found.near, 0, 99], [far, 99, 0]])
        rng = np.random.default_rng(0)
        mined = choose("semi-hard", distances, np.array([0, 0, 1]), margin, rng)
        assert (kind == "semi-hard") == (0 in mined.anchors)
        assert (kind == "easy") == (loss == 0)
        assert (kind == "hard") == (far <= found.near)


@pytest.mark.parametrize("margin", [0.3, 1.0])
def test_the_chosen_negative_is_the_nearest_semi_hard_one(positive, margin):
    found = triplets.sort(positive, margin)
    semi_hard = [i for i, kind in enumerate(found.kinds) if kind == "semi-hard"]
    assert found.chosen == min(semi_hard, key=lambda i: found.far[i])


def test_without_a_margin_there_is_no_semi_hard_negative(positive):
    found = triplets.sort(positive, 0.0)
    assert "semi-hard" not in found.kinds
    assert found.chosen is None


@pytest.mark.parametrize("margin", [0.0, 0.6])
def test_the_gradients_are_those_of_the_derivation(positive, margin):
    found = triplets.sort(positive, margin)
    p, active = np.array(positive), found.losses[:, None] > 0
    expected = np.concatenate(
        [
            np.sum(2 * (NEGATIVES - p) * active, axis=0, keepdims=True),
            2 * p[None] * active.sum(),
            -2 * NEGATIVES * active,
        ]
    )
    np.testing.assert_allclose(found.gradients, expected, atol=1e-12)


def test_a_step_along_the_arrows_makes_the_sum_of_the_losses_smaller(monkeypatch):
    found = triplets.sort(triplets.POSITIVES["p1"], 0.5)
    moved = np.array([triplets.ANCHOR, triplets.POSITIVES["p1"], *NEGATIVES])
    moved = moved - 0.01 * found.gradients
    monkeypatch.setattr(triplets, "ANCHOR", tuple(moved[0]))
    monkeypatch.setattr(
        triplets, "NEGATIVES", dict(zip(triplets.NEGATIVES, moved[2:], strict=True))
    )
    assert triplets.sort(moved[1], 0.5).losses.sum() < found.losses.sum()


def test_the_sentence_names_each_negative_once():
    found = triplets.sort(triplets.POSITIVES["p1"], 0.3)
    words = triplets.draw().variants["p1"][3].words
    assert "n1 is hard, n2 is semi-hard and n3, n4, n5, n6 are easy" in words
    assert f"{found.losses.sum():.3g}" in words
    assert "takes n2" in words
