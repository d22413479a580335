"""Embedding: forms of indices, repeated ones, padding, and refusals."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ArgumentError, ShapeError

W = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    "indices",
    [[2, 0], np.array([2, 0], np.uint8), np.array([[2], [0]]), Tensor(np.array([2, 0]))],
)
def test_indices_are_integers_of_any_kind_and_shape(indices):
    y = np.asarray(Tensor(ops.embedding(W, indices)).data)
    np.testing.assert_array_equal(y.reshape(2, 2), [[4, 5], [0, 1]])


def test_one_index_gives_one_row():
    w = Tensor(W, requires_grad=True)
    y = ops.embedding(w, np.int64(1))
    y.sum().backward()
    assert (y.data.tolist(), w.grad.tolist()) == ([2, 3], [[0, 0], [1, 1], [0, 0]])


@pytest.mark.parametrize("count", [7, 20_000])
def test_gradients_of_equal_indices_add_up(count):
    rng = np.random.default_rng(0)
    indices, dy = rng.integers(0, 50, count) ** 2 // 50, rng.integers(-3, 4, (count, 5))
    w = Tensor(np.zeros((60, 5), np.float32), requires_grad=True)
    ops.embedding(w, indices).backward(dy.astype(np.float32))
    wanted = [dy[indices == k].sum(axis=0) for k in range(60)]
    np.testing.assert_array_equal(w.grad, wanted)


def test_the_padding_is_0_and_has_no_gradient():
    w = Tensor(W, requires_grad=True)
    y = ops.embedding(w, [1, 2, 1], padding=1)
    y.sum().backward()
    assert y.data.tolist() == [[0, 0], [4, 5], [0, 0]]
    assert w.grad.tolist() == [[0, 0], [0, 0], [1, 1]]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.embedding(W, [0, 3]), ArgumentError, "go from 0 to 3; wanted .* from 0 to 2"),
        (lambda: ops.embedding(W, [-1]), ArgumentError, "go from -1 to -1; wanted integers from 0"),
        (lambda: ops.embedding(W, [0.0]), ArgumentError, "are float64; wanted integers"),
        (lambda: ops.embedding(W, np.array([True])), ArgumentError, "are bool; wanted integers"),
        (lambda: ops.embedding(W, ["cat"]), ArgumentError, "wanted integers"),
        (lambda: ops.embedding(W, [[0, 1], [2]]), ArgumentError, "have different lengths; wanted"),
        (lambda: ops.embedding(W, [0], padding=3), ArgumentError, "padding of an embedding is 3"),
        (lambda: ops.embedding(W, [0], padding=-1), ArgumentError, "padding of an embedding is -1"),
        (lambda: ops.embedding(np.ones(3), [0]), ShapeError, r"w \(3,\); wanted w \(V, C\)"),
        (lambda: ops.embedding(np.ones((3, 2), int), [0]), ArgumentError, "floating-point"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()
