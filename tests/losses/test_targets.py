"""The options of the cross-entropies: smoothing, weights, ignored labels, probabilities, reductions
and axes, compared with PyTorch, by hand, and refused."""

import warnings

import numpy as np
import pytest

from minidl import Tensor, textbook, value_and_grad
from minidl.backend import to_device, to_numpy
from minidl.errors import ArgumentError, ShapeError
from minidl.losses import sigmoid_cross_entropy, softmax_cross_entropy
from tests.devices import GPUS, at

rng = np.random.default_rng(0)
REDUCTIONS = "mean", "sum", "none"
SHAPES = {"a batch": (6, 4), "pictures": (2, 3, 5, 4), "one example": (4,)}
WEIGHTS = rng.uniform(0.2, 3, 4)
OPTIONS = {  # words -> options of minidl, with ignore among the labels
    "plain": {},
    "smoothing": {"smoothing": 0.1},
    "weights": {"weights": WEIGHTS},
    "ignore": {"ignore": 255},
    "ignore a class": {"ignore": 2},
    "smoothing, weights": {"smoothing": 0.3, "weights": WEIGHTS},
    "all": {"smoothing": 0.3, "weights": WEIGHTS, "ignore": -100},
    "smoothing of 1": {"smoothing": 1.0},
}


def case(shape, seed=0, ignore=None):
    rng = np.random.default_rng(seed)
    logits, labels = 3 * rng.standard_normal(shape), np.array(rng.integers(0, 4, shape[:-1]))
    if ignore is not None and labels.size > 1:
        labels.flat[:: labels.size // 2] = ignore
    return logits, labels


def cotangent(shape):
    return np.asarray(np.random.default_rng(7).standard_normal(shape))


def ours(loss, dL, *arrays, **options):
    """Return (value, gradients of the arrays that are floats)."""
    leaves = [Tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    L = loss(*leaves, **options)
    L.backward(dL(L.shape))
    return [L.data, *(leaf.grad for leaf in leaves if leaf.requires_grad)]


def theirs(torch, loss, dL, *arrays, classes_second=True, **options):
    """Do the same in PyTorch, whose classes are on the second axis."""

    def placed(tensor):
        return tensor.movedim(-1, min(1, tensor.ndim - 1)) if classes_second else tensor

    leaves = [torch.tensor(array, requires_grad=array.dtype.kind == "f") for array in arrays]
    options = {
        name: torch.tensor(value) if isinstance(value, np.ndarray) else value
        for name, value in options.items()
    }
    inputs = [placed(leaf) if leaf.requires_grad else leaf for leaf in leaves]
    L = loss(*inputs, **options)
    L.backward(torch.tensor(dL(tuple(L.shape))))
    return [L.detach().numpy(), *(leaf.grad.numpy() for leaf in leaves if leaf.requires_grad)]


def in_torch(options):
    names = {"smoothing": "label_smoothing", "weights": "weight", "ignore": "ignore_index"}
    return {names.get(name, name): value for name, value in options.items()}


def assert_equal(results, wanted):
    for result, expected in zip(results, wanted, strict=True):
        np.testing.assert_allclose(result, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("options", OPTIONS.values(), ids=list(OPTIONS))
@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_labels_equal_pytorchs(shape, options, reduction):
    torch = pytest.importorskip("torch")
    arrays = case(shape, ignore=options.get("ignore"))
    options = {**options, "reduction": reduction}
    loss = torch.nn.functional.cross_entropy
    assert_equal(
        ours(softmax_cross_entropy, cotangent, *arrays, **options),
        theirs(torch, loss, cotangent, *arrays, **in_torch(options)),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["plain", "smoothing", "weights", "smoothing, weights"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=list(SHAPES))
def test_probabilities_equal_pytorchs(shape, name, reduction):
    """Also for numbers that do not add up to 1."""
    torch = pytest.importorskip("torch")
    logits, _ = case(shape)
    arrays = logits, np.random.default_rng(1).uniform(0, 1, shape)
    options = {**OPTIONS[name], "reduction": reduction}
    loss = torch.nn.functional.cross_entropy
    assert_equal(
        ours(softmax_cross_entropy, cotangent, *arrays, **options),
        theirs(torch, loss, cotangent, *arrays, **in_torch(options)),
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(
    ("weights", "positive_weight"),
    [
        (1.0, 1.0),
        (rng.uniform(0, 2, (5, 4)), 1.0),
        (rng.uniform(0, 2, 4), rng.uniform(0, 9, 4)),
        (1.0, rng.uniform(0, 9, 4)),
        (rng.uniform(0, 2, (5, 1)), rng.uniform(0, 9, (5, 4))),
    ],
)
def test_sigmoid_cross_entropy_equals_pytorchs(weights, positive_weight, reduction):
    torch = pytest.importorskip("torch")
    arrays = 3 * rng.standard_normal((5, 4)), rng.uniform(0, 1, (5, 4))
    options = {"weights": weights, "positive_weight": positive_weight}
    names = {"weights": "weight", "positive_weight": "pos_weight"}
    given = {names[name]: np.array(value) for name, value in options.items()}
    loss = torch.nn.functional.binary_cross_entropy_with_logits
    assert_equal(
        ours(sigmoid_cross_entropy, cotangent, *arrays, reduction=reduction, **options),
        theirs(torch, loss, cotangent, *arrays, classes_second=False, reduction=reduction, **given),
    )


# ---- by hand -------------------------------------------------------------------------------------

Z = np.log([[1.0, 1.0, 2.0], [1.0, 2.0, 1.0]])  # p = (1/4, 1/4, 1/2), (1/4, 1/2, 1/4)
LOG = np.log([2, 4])  # -ln 1/2, -ln 1/4


def test_smoothing_by_hand():
    """With a smoothing of 3/10, q is 8/10 for the label and 1/10 for each other class."""
    terms = softmax_cross_entropy(Z, np.array([2, 0]), "none", smoothing=0.3)
    wanted = [0.8 * LOG[0] + 0.2 * LOG[1], 0.8 * LOG[1] + 0.1 * LOG[1] + 0.1 * LOG[0]]
    np.testing.assert_allclose(terms, wanted, rtol=1e-14)


def test_weights_by_hand():
    """The mean divides by the weights of the labels, 3 + 1."""
    weights = np.array([1.0, 7.0, 3.0])
    loss = softmax_cross_entropy(Z, np.array([2, 0]), weights=weights)
    np.testing.assert_allclose(loss, (3 * LOG[0] + LOG[1]) / 4, rtol=1e-14)
    terms = softmax_cross_entropy(Z, np.array([2, 0]), "none", weights=weights)
    np.testing.assert_allclose(terms, [3 * LOG[0], LOG[1]], rtol=1e-14)


def test_an_ignored_example_has_no_influence():
    labels = np.array([2, 9])
    loss = value_and_grad(lambda z: softmax_cross_entropy(z, labels, ignore=9))
    value, [dz] = loss(Z)
    np.testing.assert_allclose(value, LOG[0], rtol=1e-14)
    np.testing.assert_allclose(dz, [[1 / 4, 1 / 4, -1 / 2], [0, 0, 0]], rtol=1e-14)


@pytest.mark.parametrize("context", [textbook, lambda: warnings.catch_warnings()])
def test_if_all_labels_are_ignored_the_mean_is_nan_and_nothing_moves(context):
    def loss(z):
        return softmax_cross_entropy(z, np.full(2, 9), ignore=9, smoothing=0.1)

    with context(), np.errstate(invalid="ignore"):
        value, [dz] = value_and_grad(loss)(Z)
    assert np.isnan(value)
    assert not dz.any()
    assert softmax_cross_entropy(Z, np.full(2, 9), "sum", ignore=9) == 0


def test_one_hot_probabilities_are_labels():
    labels = np.array([2, 0])
    for options in ({}, {"smoothing": 0.1}):
        wanted = softmax_cross_entropy(Z, labels, **options)
        np.testing.assert_allclose(
            softmax_cross_entropy(Z, np.eye(3)[labels], **options), wanted, rtol=1e-14
        )


def test_the_loss_is_least_at_the_given_probabilities():
    q = np.array([[0.2, 0.3, 0.5]])
    _, [dz] = value_and_grad(lambda z: softmax_cross_entropy(z, q))(np.log(q))
    np.testing.assert_allclose(dz, 0, atol=1e-16)


def test_a_class_with_probability_0_may_have_an_infinite_logit():
    z = np.array([[0.0, -np.inf]])
    assert softmax_cross_entropy(z, np.array([[1.0, 0.0]])) == 0


def test_a_positive_weight_by_hand():
    """p = 1/4: the answer yes has -ln 1/4 three times, and the answer no -ln 3/4 once."""
    z = np.full(2, -np.log(3))
    terms = sigmoid_cross_entropy(z, np.array([1, 0]), "none", positive_weight=3.0)
    np.testing.assert_allclose(terms, [3 * np.log(4), np.log(4 / 3)], rtol=1e-14)


def test_tiny_losses_have_all_digits():
    z, t = np.array([-60.0, 60.0]), np.array([0.0, 1.0])
    np.testing.assert_allclose(sigmoid_cross_entropy(z, t, "none"), np.exp(-60), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_wide_weights_do_not_widen_the_loss(dtype):
    logits, labels = case((6, 4))
    z = Tensor(logits.astype(dtype), requires_grad=True)
    for loss in (
        softmax_cross_entropy(z, labels, weights=WEIGHTS, smoothing=0.1),
        sigmoid_cross_entropy(z, labels[:, None] > z.data, weights=WEIGHTS, positive_weight=2.0),
    ):
        loss.backward()
        assert loss.dtype == z.grad.dtype == dtype


# ---- refused -------------------------------------------------------------------------------------

Z54, LABELS = case((5, 4))
softmax, sigmoid = softmax_cross_entropy, sigmoid_cross_entropy


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: softmax(Z54, LABELS, smoothing=1.5), "the smoothing is 1.5; wanted a number from"),
        (lambda: softmax(Z54, LABELS, smoothing=float("nan")), "the smoothing is nan"),
        (lambda: softmax(Z54, LABELS, weights=np.ones(5)), r"shape \(5,\); wanted \(4,\), one for"),
        (lambda: softmax(Z54, LABELS, weights=np.ones(4, int)), "weights is an array of int64"),
        (lambda: softmax(Z54, LABELS, weights=2.0), "weights is a float"),
        (lambda: softmax(Z54, LABELS, ignore=0.5), "ignore is 0.5; wanted an integer"),
        (lambda: softmax(Z54, LABELS * 0 + 250, ignore=255), "labels go from 250 to 250; wanted"),
        (lambda: softmax(Z54, abs(Z54), ignore=1), "labels are probabilities; give"),
        (lambda: softmax(Z54, np.eye(5, 4, dtype=int)), "wanted floats, the probabilities"),
        (lambda: softmax(Z54, LABELS, "average"), "wanted one of 'mean', 'sum', 'none'"),
        (lambda: softmax(Z54[:0], LABELS[:0]), 'or use the reduction "sum"'),
        (lambda: sigmoid(Z54, Z54, weights=np.ones(5)), r"weights has the shape \(5,\), which"),
        (lambda: sigmoid(Z54, Z54, positive_weight=np.ones((2, 5, 4))), "positive_weight has the"),
        (lambda: sigmoid(Z54, Z54, positive_weight=[1.0]), r"positive_weight is \[1.0\]; wanted a"),
    ],
)
def test_invalid_options_are_refused(call, words):
    with pytest.raises(ArgumentError, match=words):
        call()


@pytest.mark.parametrize("place", GPUS)
def test_ignored_labels_on_a_gpu(place):
    logits, labels = case((5, 4), ignore=9)
    wanted = softmax_cross_entropy(logits, labels, "none", ignore=9)
    with at(place):
        z, on_gpu = to_device(logits, "gpu"), to_device(labels, "gpu")
        terms = to_numpy(softmax_cross_entropy(z, on_gpu, "none", ignore=9))
        np.testing.assert_allclose(terms, wanted, rtol=1e-13)
        without = to_numpy(softmax_cross_entropy(z, on_gpu, "none"))
        np.testing.assert_array_equal(np.isnan(without), labels == 9)
        with pytest.raises(ShapeError):
            softmax_cross_entropy(z, on_gpu, weights=to_device(np.ones(3), "gpu"))
