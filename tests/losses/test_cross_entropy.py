"""Cross-entropies: by hand, large numbers, dtypes, and refused arguments. test_targets.py has their
options."""

import numpy as np
import pytest

from minidl import Tensor, value_and_grad
from minidl.backend import to_device
from minidl.errors import ArgumentError, ShapeError
from minidl.losses import sigmoid_cross_entropy, softmax_cross_entropy
from tests.devices import GPUS, at

rng = np.random.default_rng(0)
LOGITS = rng.standard_normal((5, 4)) * 3
LABELS = np.array([3, 0, 2, 2, 1])
TARGETS = rng.uniform(0, 1, (5, 4))


def test_softmax_cross_entropy_by_hand():
    """The probabilities are (1/6, 2/6, 3/6) and (1/2, 1/4, 1/4)."""
    logits, labels = np.log([[1.0, 2, 3], [2, 1, 1]]), np.array([1, 0])
    value, (gradient,) = value_and_grad(lambda z: softmax_cross_entropy(z, labels))(logits)
    np.testing.assert_allclose(value, (np.log(3) + np.log(2)) / 2, rtol=1e-14)
    np.testing.assert_allclose(gradient, np.array([[1, -4, 3], [-3, 1.5, 1.5]]) / 6 / 2, rtol=1e-13)
    np.testing.assert_allclose(softmax_cross_entropy(logits, labels, "sum"), np.log(6), rtol=1e-14)


def test_sigmoid_cross_entropy_by_hand():
    """For z = -log 3, p = 1/4. The loss is log 4 for t = 1, and log 4/3 for t = 0."""
    logits, targets = np.array([-np.log(3), -np.log(3)]), np.array([1.0, 0.0])
    value, (dz, dt) = value_and_grad(lambda z, t: sigmoid_cross_entropy(z, t))(logits, targets)
    np.testing.assert_allclose(value, (np.log(4) + np.log(4 / 3)) / 2, rtol=1e-14)
    np.testing.assert_allclose(dz, [-3 / 8, 1 / 8], rtol=1e-14)
    np.testing.assert_allclose(dt, [np.log(3) / 2] * 2, rtol=1e-14)


@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_the_loss_of_equal_logits_is_the_logarithm_of_the_number_of_classes(classes):
    loss = softmax_cross_entropy(np.full((7, classes), 3.0), np.arange(7) % classes)
    np.testing.assert_allclose(loss, np.log(classes), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_do_not_overflow_in_softmax(dtype):
    loss = value_and_grad(lambda z: softmax_cross_entropy(z, np.array([0, 1])))
    value, (gradient,) = loss(np.array([[1e4, -1e4], [-np.inf, 1e4]], dtype))
    assert value == 0 and not gradient.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_do_not_overflow_in_sigmoid(dtype):
    loss = value_and_grad(lambda z: sigmoid_cross_entropy(z, np.array([1, 0, 0]), "sum"))
    value, (gradient,) = loss(np.array([1e4, -1e4, 1e4], dtype))
    assert value == 1e4
    np.testing.assert_array_equal(gradient, [0, 0, 1])


def test_softmax_of_two_classes_equals_sigmoid():
    """softmax(0, z) = (1 - p, p), with p = sigmoid(z)."""
    z, labels = LOGITS[:, 0], LABELS % 2
    loss = softmax_cross_entropy(np.stack([np.zeros(5), z], axis=1), labels)
    np.testing.assert_allclose(loss, sigmoid_cross_entropy(z, labels), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_labels_may_have_any_integer_dtype(dtype):
    loss, labels = softmax_cross_entropy(LOGITS, LABELS), LABELS.astype(dtype)
    assert softmax_cross_entropy(LOGITS, labels) == loss
    assert softmax_cross_entropy(LOGITS, Tensor(labels)).data == loss


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
def test_the_loss_has_the_dtype_of_the_logits(dtype):
    z = Tensor(LOGITS.astype(np.float32), requires_grad=True)
    loss = sigmoid_cross_entropy(z, (TARGETS > 0.5).astype(dtype))
    loss.backward()
    assert loss.dtype == z.grad.dtype == np.float32


@pytest.mark.parametrize(
    ("loss", "argument", "message"),
    [
        (
            softmax_cross_entropy,
            np.array([0, 1, 2, 3, 4]),
            "the labels go from 0 to 4; wanted numbers from 0 to 3, because each row has 4 logits",
        ),
        (
            softmax_cross_entropy,
            LABELS - 1,
            "the labels go from -1 to 2; wanted numbers from 0 to 3, because each row has 4 logits",
        ),
        (
            softmax_cross_entropy,
            LABELS[:4],
            "softmax_cross_entropy of logits (5, 4) and labels (4,); "
            "wanted (..., C) and (...), C at least 1, or (..., C) twice, the labels being "
            "probabilities",
        ),
        (
            softmax_cross_entropy,
            LABELS.astype(float),
            "the labels are float64; wanted integers, the numbers of the classes: use .astype(int)",
        ),
        (
            sigmoid_cross_entropy,
            LABELS,
            "sigmoid_cross_entropy of logits (5, 4) and targets (5,); wanted the same shape twice",
        ),
    ],
)
def test_the_error_message(loss, argument, message):
    with pytest.raises(ArgumentError) as caught:
        loss(LOGITS, argument)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "call",
    [
        lambda: softmax_cross_entropy(LOGITS[:0], LABELS[:0]),
        lambda: softmax_cross_entropy(LOGITS[:, :0], LABELS),
        lambda: softmax_cross_entropy(LOGITS, [3, 0, 2, 2, 1]),
        lambda: softmax_cross_entropy(LOGITS[:1], 3),
        lambda: softmax_cross_entropy(LOGITS.astype(int), LABELS),
        lambda: softmax_cross_entropy(LOGITS, LABELS > 1),
        lambda: sigmoid_cross_entropy(LOGITS, TARGETS, reduction="batchmean"),
        lambda: sigmoid_cross_entropy(LOGITS[:0], TARGETS[:0]),
        lambda: sigmoid_cross_entropy(LOGITS, 1.0),
    ],
)
def test_invalid_arguments_are_refused(call):
    with pytest.raises(ArgumentError):
        call()


@pytest.mark.parametrize("place", GPUS)
def test_only_shape_and_dtype_of_labels_are_checked_on_a_gpu(place):
    with at(place):
        logits, labels = to_device(LOGITS, "gpu"), to_device(LABELS, "gpu")
        softmax_cross_entropy(logits, labels + 1)  # one label is not a class
        with pytest.raises(ShapeError):
            softmax_cross_entropy(logits, labels[:3])
        with pytest.raises(ArgumentError):
            softmax_cross_entropy(logits, labels.astype(float))
