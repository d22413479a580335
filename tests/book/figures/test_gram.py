"""The numbers of the figure of a Gram matrix agree with sums over positions."""

import re
from itertools import pairwise

import numpy as np
import pytest

from minidl.book.figures.gram import CHANNELS, draw, gram, is_read, maps, shuffled
from tests.book.figures.drawn import pictures


@pytest.fixture(scope="module")
def figure():
    return draw()


@pytest.fixture(scope="module")
def found():
    return maps()


def drawn(frame):
    """Return the Gram matrix of a frame."""
    inside = re.findall(r'font-size="12" text-anchor="middle"[^>]*>(\d+)</text>', frame.svg)
    return np.array(inside[CHANNELS:], float).reshape(CHANNELS, CHANNELS)  # after the names


def test_a_position_adds_its_products():
    F = np.random.default_rng(0).normal(size=(2, 3, 4))
    for count in range(7):
        products = [np.outer(p, p) for p in F.reshape(6, 4)[:count]]
        np.testing.assert_allclose(gram(F * is_read(F, count)), sum(products, np.zeros((4, 4))) / 6)


def test_the_order_of_the_positions_does_not_matter(found):
    mixed = shuffled(found.features)
    assert not np.array_equal(mixed, found.features)
    np.testing.assert_allclose(gram(mixed), gram(found.features))


def test_the_channels_are_those_with_the_largest_diagonal(found):
    diagonal = np.diagonal(gram(found.features))
    assert len(found.channels) == CHANNELS and np.all(np.diff(diagonal) <= 0)
    np.testing.assert_allclose(diagonal, (found.features.astype(float) ** 2).mean((0, 1)))


def test_the_matrix_grows_to_the_whole_one(figure, found):
    frames = figure.variants[""]
    whole = np.rint(gram(found.features) / 1000)
    assert not drawn(frames[0]).any()
    for before, after in pairwise(frames[:5]):
        assert np.all(drawn(before) <= drawn(after))
    half = (found.features.reshape(-1, CHANNELS).astype(float)[: 36 * 44 // 2]) / 1000**0.5
    np.testing.assert_allclose(drawn(frames[3]), np.rint(half.T @ half / (36 * 44)), atol=1)
    for frame in frames[4:]:
        np.testing.assert_allclose(drawn(frame), whole, atol=1)


def test_the_sentences_state_the_numbers(figure, found):
    G, names = gram(found.features), found.channels
    *_, alike, apart, diagonal, _ = (frame.words for frame in figure.variants[""])
    cosine = G / np.sqrt(np.outer(np.diagonal(G), np.diagonal(G)))
    own = cosine[np.tril_indices(CHANNELS, -1)]
    for words, extreme in ((alike, own.max()), (apart, own.min())):
        c, d = (names.index(int(name)) for name in re.findall(r"\d+", words)[:2])
        assert (
            cosine[c, d] == pytest.approx(extreme)
            and f"their number is {G[c, d] / 1000:.0f} " in words
        )
    assert ", ".join(f"{value / 1000:.0f}" for value in np.diagonal(G)) in diagonal


def test_the_maps_are_drawn_dark_where_they_are_active(figure, found):
    _, *drawn_maps = pictures(figure.variants[""][4].svg)
    for place, picture in enumerate(drawn_maps):
        F = found.features[..., place]
        np.testing.assert_allclose(picture, 255 * (1 - F / F.max()), atol=0.51)
