"""Softmax and the cross-entropies in strips of rows, compared with the textbook."""

from unittest.mock import patch

import numpy as np
import pytest

from minidl import Tensor, losses, ops, textbook
from minidl.engine import strips

rng = np.random.default_rng(0)
CASES = {  # words -> (shape of the logits, options)
    "a long row": ((7, 1000), {}),
    "short rows": ((40, 9, 5), {"reduction": "none"}),
    "pixels": ((2, 12, 11, 21), {"ignore": 255}),
    "weights": ((60, 33), {"weights": rng.uniform(0, 2, 33), "reduction": "sum"}),
    "everything": (
        (60, 33), {"weights": rng.uniform(0, 2, 33), "smoothing": 0.2, "ignore": 255},
    ),
    "one row": ((9,), {"smoothing": 0.1}),
}  # fmt: skip


def differentiated(op, x, dy=None):
    leaf = Tensor(x, requires_grad=True)
    y = op(leaf)
    y.backward(dy)
    return [np.asarray(y.data), leaf.grad]


def must_equal(op, x, dy, eps):
    results = differentiated(op, x, dy)
    with textbook():
        wanted = differentiated(op, x, dy)
    for result, expected in zip(results, wanted, strict=True):
        assert result.dtype == expected.dtype == x.dtype
        size = max(1e-30, abs(expected).max())
        np.testing.assert_allclose(result, expected, rtol=40 * eps, atol=40 * eps * size)


@pytest.mark.parametrize("strip", [1 << 19, 50])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_cross_entropies_are_those_of_the_textbook(name, dtype, strip):
    shape, options = CASES[name]
    x = (4 * rng.standard_normal(shape)).astype(dtype)
    labels = np.asarray(rng.integers(0, shape[-1], shape[:-1]))
    if "ignore" in options:
        labels[labels % 3 == 0] = options["ignore"]
    dL = None
    if options.get("reduction") == "none":
        dL = rng.standard_normal(shape[:-1]).astype(dtype)
    with patch.multiple(strips, STRIP=strip, LEAST=1):
        must_equal(
            lambda z: losses.softmax_cross_entropy(z, labels, **options), x, dL,
            np.finfo(dtype).eps,
        )  # fmt: skip


@pytest.mark.parametrize("classes", [1, 5, 21, 33, 100])
def test_softmax_is_that_of_the_textbook(classes):
    x = (30 * rng.standard_normal((50, classes))).astype(np.float32)
    must_equal(ops.softmax, x, rng.standard_normal(x.shape).astype(np.float32), 1.2e-7)


@pytest.mark.parametrize("classes", [5, 40])
def test_a_row_does_not_depend_on_other_rows(classes):
    x = rng.standard_normal((30, classes))
    other = x.copy()
    other[10:] += 1000
    np.testing.assert_array_equal(ops.softmax(x)[:10], ops.softmax(other)[:10])


@pytest.mark.parametrize("classes", [5, 40])
def test_rows_with_infinite_and_missing_logits(classes):
    x = rng.standard_normal((3, classes))
    x[0, 1], x[1, 2] = -np.inf, np.nan
    with np.errstate(all="ignore"):
        y = ops.softmax(x)
        terms = losses.softmax_cross_entropy(x, np.array([0, 0, 0]), "none")
        with textbook():
            np.testing.assert_allclose(y, ops.softmax(x), rtol=1e-14)
            wanted = losses.softmax_cross_entropy(x, np.array([0, 0, 0]), "none")
    np.testing.assert_allclose(terms, wanted, rtol=1e-13)


def test_strided_and_transposed_logits():
    x, labels = rng.standard_normal((12, 80)), rng.integers(0, 40, 12)
    for view in (x[:, ::2], np.asfortranarray(x[:, :40]), x[::-1, 40:]):
        must_equal(ops.softmax, view, rng.standard_normal(view.shape), 2.3e-16)
        must_equal(lambda z: losses.softmax_cross_entropy(z, labels), view, None, 2.3e-16)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_losses_of_single_numbers_are_those_of_the_textbook(reduction, dtype):
    shape = (300, 700)
    x, t = (rng.standard_normal(shape).astype(dtype) for _ in range(2))
    dL = rng.standard_normal(shape).astype(dtype) if reduction == "none" else None
    eps = np.finfo(dtype).eps
    for op in (
        lambda z: losses.sigmoid_cross_entropy(30 * z, abs(t), reduction, weights=2.0),
        lambda z: losses.sigmoid_cross_entropy(x, z, reduction),
        lambda y: losses.huber_loss(y, t, reduction, delta=0.7),
        lambda y: losses.huber_loss(t, y, reduction),
    ):
        must_equal(op, x, dL, eps)
