"""Indices and axes follow NumPy, and may contain Tensors."""

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.errors import ArgumentError, ShapeError
from tests.devices import GPUS, at

ROWS, COLUMNS, MASK = np.array([0, 2, 0]), np.array([1, 5, 1]), np.array([True, False, True, True])
# Functions that return an index. t wraps its arrays as Tensors, or leaves them as arrays.
KEYS = {
    "two": lambda t: (t(ROWS), t(COLUMNS)),
    "an array and a Tensor": lambda t: (np.arange(3), t(COLUMNS)),
    "a list and a Tensor": lambda t: ([0, 1, 2], t(COLUMNS)),
    "a range and a Tensor": lambda t: (range(3), t(COLUMNS)),
    "columns and rows": lambda t: (t(ROWS[:, None]), t(COLUMNS)),
    "one": lambda t: t(ROWS),
    "a list of them": lambda t: [t(np.array(0)), t(np.array(3))],
    "lists of them": lambda t: ([t(np.array(0)), t(np.array(3))], [1, t(np.array(2))]),
    "a slice": lambda t: slice(t(np.array(1)), t(np.array(4)), t(np.array(2))),
    "a slice and a Tensor": lambda t: (slice(t(np.array(1)), None), t(COLUMNS)),
    "with an ellipsis": lambda t: (..., t(COLUMNS)),
    "with a new axis": lambda t: (None, t(ROWS), t(COLUMNS)),
    "a mask": lambda t: t(np.arange(24).reshape(4, 6) % 5 == 0),
    "a mask of rows and columns": lambda t: (t(MASK), t(COLUMNS)),
    "single numbers": lambda t: (t(np.array(1)), t(np.array(-1))),
    "none": lambda t: (t(np.array([], int)), t(np.array([], int))),
}


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("wrapped", [Tensor, lambda array: array], ids=["Tensors", "arrays"])
def test_an_index_and_its_gradient_are_those_of_numpy(name, wrapped):
    x, key = np.random.default_rng(0).standard_normal((4, 6)), KEYS[name](lambda array: array)
    X = Tensor(x, requires_grad=True)
    y = X[KEYS[name](wrapped)]
    np.testing.assert_array_equal(y.data, x[key])
    dy = np.random.default_rng(1).standard_normal(y.shape)
    y.backward(dy)
    dx = np.zeros_like(x)
    np.add.at(dx, key, dy)
    np.testing.assert_array_equal(X.grad, dx)
    np.testing.assert_array_equal(Tensor(x)[KEYS[name](wrapped)].data, x[key])


def test_the_probabilities_of_labels():
    p, labels = np.arange(12.0).reshape(4, 3), np.array([2, 0, 1, 1])
    selected = Tensor(p)[np.arange(4), Tensor(labels)]
    assert selected.data.tolist() == [2.0, 3.0, 7.0, 10.0]


@pytest.mark.parametrize("place", GPUS)
def test_an_index_of_tensors_on_a_gpu(place):
    with at(place):
        i, j = Tensor(np.array([0, 1])).to("gpu"), Tensor(np.array([1, 2])).to("gpu")
        x = Tensor(Tensor(np.arange(6.0).reshape(2, 3)).to("gpu").data, requires_grad=True)
        y = x[i, j]
        y.sum().backward()
        assert y.numpy().tolist() == [1.0, 5.0]
        assert x.grad.get().tolist() == [[0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    "key", [Tensor([0.0, 1.0]), (0, Tensor([1.0])), Tensor([0.0], requires_grad=True)], ids=str
)
def test_a_floating_point_index_raises_an_error(key):
    words = r"the index is an array of float32; wanted integers or bools: use \.astype"
    with pytest.raises(ShapeError, match=words):
        Tensor(np.ones((2, 2)))[key]


@pytest.mark.parametrize("bound", [Tensor(1.0), Tensor(np.array([1, 2]))], ids=str)
def test_the_bounds_of_a_slice_must_be_integers(bound):
    with pytest.raises(ArgumentError, match="is no index; wanted a single integer"):
        Tensor(np.ones(4))[bound:]


def test_an_index_beyond_the_end_raises_an_error():
    with pytest.raises(ShapeError, match=r"index into shape \(4,\): index 9 is out of bounds"):
        Tensor(np.ones(4))[Tensor(np.array([9]))]


@pytest.mark.parametrize(
    "axes", [(-1,), (0,), (), ((-1,),), (None,), ([0],), (Tensor(np.array(-1)),)], ids=str
)
def test_a_vector_is_its_own_transpose(axes):
    x = Tensor(np.arange(3.0), requires_grad=True)
    y = x.transpose(*axes)
    y.backward([5.0, 6.0, 7.0])
    assert (y.data.tolist(), x.grad.tolist()) == ([0, 1, 2], [5, 6, 7])


@pytest.mark.parametrize(
    "axes",
    [(-1, 0), (1, -2), (np.array([1, 0]),), ([1, 0],), (Tensor(np.array([1, 0])),), ()],
    ids=str,
)
def test_a_transpose_is_that_of_numpy(axes):
    x, dy = Tensor(np.arange(6.0).reshape(2, 3), requires_grad=True), np.arange(6.0).reshape(3, 2)
    y = x.transpose(*axes)
    y.backward(dy)
    np.testing.assert_array_equal(y.data, x.data.T)
    np.testing.assert_array_equal(x.grad, dy.T)


@pytest.mark.parametrize(
    "axes", [0, -1, (), (0, 0), (0, 2), (0, -3), (0.0, 1.0), (0, 1, 2)], ids=str
)
def test_missing_and_repeated_axes_raise_an_error(axes):
    with pytest.raises(ShapeError, match=r"transpose of shape .* wanted each of its axes once"):
        Tensor(np.ones((2, 3))).transpose(axes)


def test_sizes_and_axes_may_be_tensors():
    x, two, three = Tensor(np.arange(6.0)), Tensor(np.array(2)), Tensor(np.array(3))
    assert x.reshape(two, three).shape == x.reshape((two, -1)).shape == (2, 3)
    assert ops.broadcast_to(x, (two, 6)).shape == (2, 6)
    assert x.reshape(2, 3).sum(axis=(Tensor(np.array(0)), 1)).data == 15
    assert ops.concatenate((x, x)).shape == (12,)


@pytest.mark.parametrize(
    ("axes", "shape"),
    [((), (24,)), ((1,), (2, 12)), ((0, 1), (6, 4)), ((-2, -1), (2, 12)), ((1, 1), (2, 3, 4))],
    ids=str,
)
def test_flatten_merges_axes(axes, shape):
    x = Tensor(np.arange(24.0).reshape(2, 3, 4), requires_grad=True)
    y = x.flatten(*axes)
    y.backward(y.data)
    np.testing.assert_array_equal(y.data, x.data.reshape(shape))
    np.testing.assert_array_equal(x.grad, x.data)
    assert ops.flatten(np.float64(3.0)).shape == (1,)


@pytest.mark.parametrize(
    ("op", "options", "error", "words"),
    [
        (
            ops.flatten,
            {"start": 1, "end": 0},
            ArgumentError,
            "from axis 1 to axis 0: wanted",
        ),
        (
            ops.flatten,
            {"start": 3},
            ArgumentError,
            "axis is 3; wanted axes of an array",
        ),
        (ops.squeeze, {"axis": 1}, ShapeError, r"squeeze of shape .*: axis 1 does not have the"),
        (ops.squeeze, {"axis": 3}, ArgumentError, "axis is 3; wanted axes of an array"),
        (ops.expand_dims, {"axis": 4}, ArgumentError, "axis is 4; wanted axes of an array with 4"),
        (ops.expand_dims, {"axis": (0, 0)}, ArgumentError, "each once"),
    ],
)
def test_axes_that_do_not_fit_are_refused(op, options, error, words):
    with pytest.raises(error, match=words):
        op(np.ones((1, 3, 4)), **options)


@pytest.mark.parametrize("axis", [0, 1, -1, -2, (0, 3), (-1, 0)], ids=str)
def test_expand_dims_is_that_of_numpy_and_squeeze_is_its_inverse(axis):
    x = np.ones((2, 3))
    y = ops.expand_dims(x, axis)
    assert y.shape == np.expand_dims(x, axis).shape
    assert ops.squeeze(y, axis).shape == ops.squeeze(y).shape == x.shape
    assert ops.squeeze(np.ones((1, 1))).shape == ()
