"""Winograd's F(4, 3): its matrices, its products, and its results for any geometry."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl.engine.convolution import winograd
from tests.algorithms import by
from tests.checks import every_second, permuted_strides, reversed_strides
from tests.engine.helpers import three_maps
from tests.random_numbers import begun_anew
from tests.running import using_threads

rng = np.random.default_rng(0)
begin = begun_anew(rng)

# The matrices as exact fractions. The numbers of A and B are whole, those of G are multiples of
# 1/24.
exact = np.vectorize(lambda number: Fraction(number).limit_denominator(24), otypes=[object])
A, B, G = map(exact, (winograd.A, winograd.B, winograd.G))

# ---- the matrices


def test_the_matrices_are_those_of_lavin_and_gray():
    """arXiv 1509.09308, equation 14 and those before it, F(4x4, 3x3)."""
    assert B.T.tolist() == [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
    assert (24 * G).tolist() == [
        [6, 0, 0],
        [-4, -4, -4],
        [-4, 4, -4],
        [1, 2, 4],
        [1, -2, 4],
        [0, 0, 24],
    ]
    assert A.T.tolist() == [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, -2, 0],
        [0, 1, 1, 4, 4, 0],
        [0, 1, -1, 8, -8, 1],
    ]
    for fractions, floats in zip((A, B, G), (winograd.A, winograd.B, winograd.G), strict=True):
        assert np.array_equal(fractions.astype(float), floats)


def test_one_dimension_by_hand():
    d, g = np.array([3, 1, 4, 1, 5, 9]), np.array([2, 7, 1])
    y = (A.T @ ((B.T @ d) * (G @ g))).tolist()
    assert y == [6 + 7 + 4, 2 + 28 + 1, 8 + 7 + 5, 2 + 35 + 9]
    assert y == np.correlate(d, g, "valid").tolist()


def test_one_dimension_is_proven():
    """Both sides are linear in d and in g. If they are equal for all unit vectors, they are equal
    for all d and g."""
    for d, g in product(np.eye(6, dtype=int), np.eye(3, dtype=int)):
        assert (A.T @ ((B.T @ d) * (G @ g))).tolist() == np.correlate(d, g, "valid").tolist()


def test_two_dimensions_are_proven():
    for d, g in product(range(36), range(9)):
        d, g = np.eye(36, dtype=int)[d].reshape(6, 6), np.eye(9, dtype=int)[g].reshape(3, 3)
        expected = [[(d[i : i + 3, j : j + 3] * g).sum() for j in range(4)] for i in range(4)]
        assert (A.T @ ((B.T @ d @ B) * (G @ g @ G.T)) @ A).tolist() == expected


# ---- the products


@pytest.mark.parametrize(
    ("extent", "tiles"), [((9,), 3), ((9, 4), 3), ((9, 4, 5), 6)], ids=["1-D", "2-D", "3-D"]
)
@pytest.mark.parametrize("kind", ["forward", "dx"])
def test_each_axis_of_a_tile_takes_6_products(extent, tiles, kind, monkeypatch):
    """In two dimensions these are 36·tiles·C·K multiply-adds, where the definition has 144."""
    images, inputs, outputs, rank = 2, 37, 41, len(extent)
    # The sums of the products have this length. Those of the maps are shorter.
    length = {"forward": inputs, "dx": outputs}[kind]
    multiply_adds, matmul = [], np.matmul

    def counting_matmul(a, b, out):
        multiply_adds.append(out.size * length if a.shape[-1] == length else 0)
        return matmul(a, b, out=out)

    monkeypatch.setattr(np, "matmul", counting_matmul)
    x, dy = np.ones((images, *extent, inputs)), np.ones((images, *extent, outputs))
    w = np.ones((*(3,) * rank, inputs, outputs))
    if kind == "forward":
        by("winograd")(x, w, padding=1)
    else:
        by("winograd").gradients["dx"](dy, w, x.shape, 1, 1, 1, 1)
    assert sum(multiply_adds) == 6**rank * images * tiles * inputs * outputs


# ---- any geometry


@st.composite
def geometries(draw):
    """Draw (shape of x, shape of w, padding), with images down to one pixel and padding up to three
    times the kernel."""
    rank = draw(st.integers(1, 3))
    most = {1: 30, 2: 12, 3: 6}[rank]
    extent = draw(st.tuples(*[st.integers(1, most)] * rank))
    pairs = st.tuples(st.integers(0, 9), st.integers(0, 9))
    padding = [draw(pairs.filter(lambda pair, n=n: n + sum(pair) >= 3)) for n in extent]
    images, inputs, outputs = (draw(st.integers(1, 3)) for _ in range(3))
    return (images, *extent, inputs), (*(3,) * rank, inputs, outputs), tuple(padding)


def outputs_of(extent, padding):
    return [
        max(0, n + before + after - 2) for n, (before, after) in zip(extent, padding, strict=True)
    ]


@given(geometry=geometries(), seed=st.integers(0, 2**32 - 1), data=st.data())
def test_any_geometry_gives_the_result_of_im2col(geometry, seed, data):
    x_shape, w_shape, padding = geometry
    rng = np.random.default_rng(seed)
    layouts = st.sampled_from([np.asarray, reversed_strides, permuted_strides, every_second])
    x, w = (data.draw(layouts)(rng.standard_normal(shape)) for shape in (x_shape, w_shape))
    dy_shape = (x_shape[0], *outputs_of(x_shape[1:-1], padding), w_shape[-1])
    dy = data.draw(layouts)(rng.standard_normal(dy_shape))
    with using_threads(data.draw(st.sampled_from([1, 3]))):
        results = three_maps(x, w, dy, padding, "winograd")
        expected = three_maps(x, w, dy, padding, "im2col")
    for one, other in zip(results, expected, strict=True):
        assert one.shape == other.shape
        assert abs(one - other).max() <= 1e-12 * max(1, abs(other).max())


@pytest.mark.parametrize("extent", [(8,), (8, 4), (4, 4, 8)])
def test_threads_divide_the_channels_of_a_few_complete_tiles(extent):
    x, w = rng.standard_normal((1, *extent, 7)), rng.standard_normal((*(3,) * len(extent), 7, 5))
    dy = rng.standard_normal((1, *extent, 5))
    with using_threads(3):
        results = three_maps(x, w, dy, 1, "winograd")
    for one, other in zip(results, three_maps(x, w, dy, 1, "im2col"), strict=True):
        assert abs(one - other).max() <= 1e-12 * abs(other).max()


@pytest.mark.parametrize("padding", [((9, 9), (9, 9)), ((9, 0), (0, 9)), ((0, 3), (9, 1))])
@pytest.mark.parametrize("extent", [(1, 2), (3, 9), (6, 4)])
def test_padding_larger_than_the_kernel_gives_the_result_of_the_definition(extent, padding):
    x, w = rng.standard_normal((1, *extent, 2)), rng.standard_normal((3, 3, 2, 3))
    dy = rng.standard_normal((1, *outputs_of(extent, padding), 3))
    results = three_maps(x, w, dy, padding, "winograd")
    expected = three_maps(x, w, dy, padding, "textbook")
    for one, other in zip(results, expected, strict=True):
        assert np.allclose(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 9, 9, 4), (0, 1, 1, 4)])
def test_no_images(shape):
    w, dy = np.ones((3, 3, 4, 5)), np.ones((*shape[:3], 5))
    y, dx, dw = three_maps(np.ones(shape), w, dy, 1, "winograd")
    assert (y.shape, dx.shape, dw.shape) == ((*shape[:3], 5), shape, (3, 3, 4, 5))
    assert not dw.any()


@pytest.mark.parametrize("x_dtype", [np.float32, np.float64])
@pytest.mark.parametrize("w_dtype", [np.float32, np.float64])
def test_dtypes_can_differ(x_dtype, w_dtype):
    """The result has the wider dtype and the accuracy of the narrower one."""
    shapes = (2, 9, 7, 5), (3, 3, 5, 6), (2, 9, 7, 6)
    narrow = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    dtypes = (x_dtype, w_dtype, x_dtype)
    given = [array.astype(dtype) for array, dtype in zip(narrow, dtypes, strict=True)]
    expected = three_maps(*(array.astype(float) for array in narrow), 1, "im2col")
    wide = np.result_type(x_dtype, w_dtype)
    result_dtypes = (wide, wide, x_dtype)  # dw reads x and dy only
    tolerance = 1e-13 if x_dtype == w_dtype == np.float64 else 1e-5
    results = three_maps(*given, 1, "winograd")
    for one, other, dtype in zip(results, expected, result_dtypes, strict=True):
        assert one.dtype == dtype
        assert abs(one - other).max() <= tolerance * abs(other).max()
