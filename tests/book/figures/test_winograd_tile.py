"""The numbers of the figure of a tile agree with Winograd's algorithm in the engine."""

import numpy as np

from minidl import engine, ops
from minidl.book.figures.winograd_tile import INPUTS, KERNEL, draw, tile
from tests.book.figures.drawn import numbers, tables


def test_the_tile_is_the_convolution():
    d, g = np.random.default_rng(0).normal(size=(2, 6, 6))
    x = tile(d, g[:3, :3])
    loops = [[(d[i : i + 3, j : j + 3] * g[:3, :3]).sum() for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(x["y"], loops, atol=1e-12)
    np.testing.assert_allclose(x["direct"], loops, atol=1e-12)
    with engine.using(convolution="winograd"):
        y = ops.convolution(d[None, ..., None], g[:3, :3, None, None])[0, ..., 0]
    np.testing.assert_allclose(x["y"], y, atol=1e-12)


def test_each_frame_shows_two_factors_and_their_product():
    x = tile(INPUTS, KERNEL)
    first, *maps, last = draw().variants[""]
    assert tables(first.svg) == [numbers(x[name]) for name in ("d", "g", "direct")]
    assert "144 multiplications" in first.words
    products = ("Bᵀd", "V", "Gg", "U", "M", "AᵀM", "y")
    for frame, name in zip(maps, products, strict=True):
        *_, product = tables(frame.svg)
        assert product == numbers(np.rint(x[name]))
        assert np.allclose(x[name], np.rint(x[name]))
    by_winograd, by_definition = tables(last.svg)
    assert by_winograd == by_definition == numbers(x["direct"])
    assert last.words.startswith("The outputs of 36 multiplications")


def test_the_sentences_state_the_sums():
    words = [frame.words for frame in draw().variants[""]]
    assert "(-4)·1 + 1·1 = -3." in words[1]
    assert "(-1/6)·8 + (-1/6)·(-12) + (-1/6)·(-20) = 4." in words[3]
    assert "(-1)·(-11) = 11." in words[5]
