"""Distances and directions: duplicates, equal points, vectors of zeros, and errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from minidl import Tensor, ops, value_and_grad
from minidl.errors import ArgumentError, ShapeError
from tests.random_numbers import begun_anew
from tests.running import using_threads

rng = np.random.default_rng(0)
begin = begun_anew(rng)


def gradients(op, *inputs, **options):
    return value_and_grad(lambda *tensors: op(*tensors, **options).sum())(*inputs)[1]


# ---- directions ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_vector_of_zeros_has_no_direction_and_no_gradient(dtype):
    x = np.array([[0, 0, 0], [0, 0, -2]], dtype)
    assert ops.l2_normalize(x).tolist() == [[0, 0, 0], [0, 0, -1]]
    [dx] = gradients(ops.l2_normalize, x)
    assert dx.dtype == dtype
    assert dx.tolist() == [[0, 0, 0], [0.5, 0.5, 0]]
    assert ops.cosine_similarity(x, x[::-1]).tolist() == [0, 0]
    for gradient in gradients(ops.cosine_similarity, x, x[::-1].copy()):
        assert not gradient.any()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("length", [1e-37, 1e-24, 1e20, 5e37])
def test_directions_of_numbers_whose_squares_underflow_or_overflow(length):
    x = np.array([[3, 4]], np.float32) * np.float32(length)
    np.testing.assert_allclose(ops.l2_normalize(x), [[0.6, 0.8]], rtol=1e-6)
    np.testing.assert_allclose(ops.cosine_similarity(x, x[:, ::-1]), [0.96], rtol=1e-6)
    [dx] = gradients(ops.l2_normalize, x)
    np.testing.assert_allclose(dx * np.float32(length), [[0.032, -0.024]], rtol=1e-5)
    da, db = gradients(ops.cosine_similarity, x, x[:, ::-1].copy())
    np.testing.assert_allclose(da * np.float32(length), [[0.0448, -0.0336]], rtol=1e-5)
    np.testing.assert_allclose(db, da[:, ::-1], rtol=1e-5)


@pytest.mark.parametrize("shape", [(2, 0), (0, 2)])
def test_vectors_of_no_numbers(shape):
    assert ops.l2_normalize(np.zeros(shape)).shape == shape


def test_directions_have_length_1_and_gradients_are_orthogonal_to_them():
    x = rng.standard_normal((4, 5, 6))
    for axis in (-1, 1, (0, 2)):
        y = ops.l2_normalize(x, axis)
        np.testing.assert_allclose((y * y).sum(axis=axis), 1, rtol=1e-14)
        [dx] = gradients(lambda x, axis=axis: ops.l2_normalize(x, axis) * 3.0 + x * 0.0, x)
        np.testing.assert_allclose((dx * x).sum(axis=axis), 0, atol=1e-14)
        np.testing.assert_allclose(ops.l2_normalize(1e5 * x, axis), y, rtol=1e-14)


def test_a_cosine_is_the_product_of_two_directions():
    a, b = rng.standard_normal((2, 7, 5))
    unit = ops.l2_normalize(a), ops.l2_normalize(b)
    cosines = ops.cosine_similarity(a, b)
    np.testing.assert_allclose(cosines, (unit[0] * unit[1]).sum(axis=1), rtol=1e-13)
    # On the unit sphere the squared distance is 2 - 2 cos.
    squares = np.diag(ops.pairwise_distances(*unit, squared=True))
    np.testing.assert_allclose(squares, 2 - 2 * cosines, rtol=1e-13)


# ---- all distances -------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
@given(
    x=arrays(np.float32, (5, 3), elements=st.floats(-1e3, 1e3, width=32)),
    shift=st.sampled_from([0, 1e4]),
)
def test_the_distance_of_a_point_from_itself_and_from_duplicates_is_exactly_0(x, shift):
    """Far from the origin too, where the formula with the Gram matrix loses all digits."""
    x = x + np.float32(shift)
    x[3] = x[1]
    for squared in (False, True):
        y = ops.pairwise_distances(x, squared=squared)
        y2 = ops.pairwise_distances(x, x.copy(), squared)
        assert y.dtype == np.float32
        assert not y.diagonal().any() and not y[1, 3] and not y[3, 1]
        assert (y >= 0).all() and (y == y.T).all() and (y == y2).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("squared", [False, True])
def test_a_set_of_equal_points_has_distances_and_gradients_of_zero(squared):
    x = np.full((6, 4), 0.3, np.float32)
    assert not ops.pairwise_distances(x, squared=squared).any()
    for inputs in ([x], [x, x[:2]]):
        for gradient in gradients(ops.pairwise_distances, *inputs, squared=squared):
            assert gradient.shape[1] == 4 and not gradient.any()


def test_the_gradient_of_one_set_is_the_sum_of_those_of_two_equal_sets():
    x, dy = rng.standard_normal((5, 3)), rng.standard_normal((5, 5))
    for squared in (False, True):
        one, a, b = (Tensor(x, requires_grad=True) for _ in range(3))
        ops.pairwise_distances(one, squared=squared).backward(dy)
        ops.pairwise_distances(a, b, squared).backward(dy)
        np.testing.assert_allclose(one.grad, a.grad + b.grad, rtol=1e-13)


def test_sets_without_points():
    empty, two, zeros = np.zeros((0, 3)), np.ones((2, 3)), [[0] * 3] * 2
    assert ops.pairwise_distances(empty).shape == (0, 0)
    assert ops.pairwise_distances(two, empty).shape == (2, 0)
    for inputs, wanted in (((two, empty), [zeros, []]), ((empty, two), [[], zeros])):
        results = gradients(ops.pairwise_distances, *inputs)
        assert [gradient.tolist() for gradient in results] == wanted


@using_threads(3)
def test_strips_give_the_result_of_numpy():
    a, b = rng.standard_normal((70, 40)), rng.standard_normal((300, 40))
    y = ops.pairwise_distances(a, b)
    np.testing.assert_allclose(y, np.linalg.norm(a[:, None] - b, axis=2), rtol=1e-13)
    da, db = gradients(ops.pairwise_distances, a, b)
    parts = [gradients(ops.pairwise_distances, a[i : i + 7], b) for i in range(0, 70, 7)]
    np.testing.assert_allclose(da, np.concatenate([part[0] for part in parts]), rtol=1e-11)
    np.testing.assert_allclose(db, sum(part[1] for part in parts), rtol=1e-11)


# ---- chi-square ----------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_chi_square_by_hand():
    a, b = np.array([0.0, 0.0, 2.0, 3.0]), np.array([0.0, 2.0, 0.0, 1.0])
    assert ops.chi_square(a, b).tolist() == [0, 2, 2, 1]
    da, db = gradients(ops.chi_square, a, b)
    assert da.tolist() == [0, -3, 1, 2 * 6 / 16]
    assert db.tolist() == [0, 1, -3, -2 * 10 / 16]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-40, 1e-25, 1e-20, 1e25])
def test_chi_square_of_numbers_whose_squares_underflow_or_overflow(size):
    a, b = np.array([size, size], np.float32), np.array([0, size], np.float32)
    assert ops.chi_square(a, b).tolist() == [a[0], 0]
    assert [gradient.tolist() for gradient in gradients(ops.chi_square, a, b)] == [[1, 0], [-3, 0]]


# ---- errors --------------------------------------------------------------------------------------


def test_invalid_arguments_raise_errors():
    x = np.ones((2, 3))
    words = "found numbers below 0; wanted numbers of at least 0, such as the outputs of a ReLU"
    with pytest.raises(ArgumentError, match=words):
        ops.chi_square(x, -x)
    for a, b in ((x[0], x), (x, x[:, :2]), (x[None], x)):
        with pytest.raises(ShapeError, match=r"wanted points \(N, D\) and \(M, D\)"):
            ops.pairwise_distances(a, b)
    with pytest.raises(ShapeError, match="wanted the same shape"):
        ops.cosine_similarity(x, x[:1])
    for op in (
        ops.l2_normalize,
        lambda x: ops.pairwise_distances(x),
        lambda x: ops.cosine_similarity(x, x),
    ):
        with pytest.raises(ArgumentError, match="wanted an array of floating-point numbers"):
            op(x.astype(int))
