"""Arrays that are overwritten between forward and backward.

backward refuses them if a gradient reads them; otherwise overwriting is harmless.
"""

import numpy as np
import pytest

from minidl import Tensor, losses, ops
from minidl.autograd.overwriting import SMALL
from minidl.errors import ArgumentError
from minidl.layers import BatchNorm, Convolution, Dense, MaxPool, ReLU, Sequential
from minidl.optim import SGD

RNG = np.random.default_rng(0)


def leaf(shape):
    """Return a Tensor of random numbers that requires a gradient."""
    return Tensor(RNG.uniform(1, 2, shape), requires_grad=True)


def cross_entropy(x):
    return losses.softmax_cross_entropy(x, np.array([0, 1]))


@pytest.mark.parametrize("release", [False, True])
@pytest.mark.parametrize(
    ("op", "written"),
    [
        (lambda x: x * x, "[ab] of multiply"),
        (lambda x: x**3, "x of power"),
        (ops.log, "x of log"),
        (ops.absolute, "x of absolute"),
        (ops.max, "x of max"),
        (lambda x: ops.maximum(x, 0.5), "a of maximum"),
        (cross_entropy, "logits of softmax_cross_entropy"),
    ],
)
def test_an_overwritten_input_is_refused(op, written, release):
    x = leaf((2, 3))
    loss = op(x).sum()
    x.data[1, 1] += 1
    message = rf"^{written}, shape \(2, 3\), was written to between .* compute the result anew"
    with pytest.raises(ArgumentError, match=message):
        loss.backward(release=release)
    assert x.grad is None


@pytest.mark.parametrize("op", [ops.relu, ops.exp, ops.sqrt, ops.sigmoid, ops.tanh, ops.softmax])
def test_an_overwritten_output_is_refused(op):
    y = op(leaf((2, 3)))
    y.data[...] = 7
    message = rf"^y of {op.__name__}, shape \(2, 3\), was written to"
    with pytest.raises(ArgumentError, match=message):
        y.sum().backward()


def test_an_overwritten_plain_array_option_or_index_is_refused():
    w, moments, rows = np.ones(3), (np.zeros(3), np.ones(3)), np.array([0, 1])
    x = leaf((4, 3))
    for compute, array in [
        (lambda: x * w, w),
        (lambda: ops.batch_norm(x, np.ones(3), np.zeros(3), moments, fixed=True), moments[1]),
        (lambda: x[rows], rows),
    ]:
        y = compute()
        array += 1
        with pytest.raises(ArgumentError, match="was written to"):
            y.sum().backward()


def test_an_overwritten_parameter_of_a_network_is_refused():
    rng = np.random.default_rng(0)
    model = Sequential(
        Convolution.new(rng, (3, 3), 1, 4, padding=1),
        BatchNorm(4),
        ReLU(),
        MaxPool(4),
        Convolution.new(rng, (1, 1), 4, 2),
    )
    for name in ("convolution2/kernel", "batchnorm1/gamma"):
        loss = model(np.ones((2, 4, 4, 1), np.float32)).sum()
        model.named_parameters()[name].data *= 0.5
        with pytest.raises(ArgumentError, match="was written to"):
            loss.backward()


@pytest.mark.parametrize("shape", [(SMALL * 4,), (8, 32, 32, 16), (1, 300, 300, 3)])
def test_a_large_array_that_was_scaled_is_refused(shape):
    x = leaf(shape)
    loss = (x * x).sum()
    x.data *= 1.01
    with pytest.raises(ArgumentError, match="was written to"):
        loss.backward()


@pytest.mark.parametrize("channel", range(16))
def test_a_large_array_with_one_changed_channel_is_refused(channel):
    x = leaf((8, 32, 32, 16))
    loss = (x * x).sum()
    x.data[..., channel] *= 1.01
    with pytest.raises(ArgumentError, match="was written to"):
        loss.backward()


@pytest.mark.parametrize("shape", [(SMALL,), (64, 64), (16, 16, 16)])
def test_a_small_array_with_one_changed_number_is_refused(shape):
    x = leaf(shape)
    loss = (x * x).sum()
    x.data.flat[-2] = np.nextafter(x.data.flat[-2], 5)
    with pytest.raises(ArgumentError, match="was written to"):
        loss.backward()


def test_replacing_an_array_by_a_new_one_is_harmless():
    x, dense = leaf((2, 3)), Dense.new(np.random.default_rng(0), 3, 2, dtype=np.float64)
    loss = (x * x).sum() + dense(x).sum() ** 2
    loss.backward()
    wanted = x.grad
    SGD(dense.named_parameters(), 0.1).step()
    x.data = x.data * 5
    loss.backward()
    assert x.grad.tobytes() == wanted.tobytes()


def test_an_array_that_no_gradient_reads_may_be_overwritten():
    x, w = leaf((2, 3)), Tensor(np.ones(3))
    loss = ((x + 1.0) * w).sum()  # only the gradient of w reads x + 1, and it is not requested
    x.data[...] = 0
    loss.backward()
    assert (x.grad == 1).all()


def test_after_backward_every_array_may_be_overwritten():
    x = leaf((2, 3))
    for _ in range(3):
        loss = (x * x).sum()
        loss.backward()
        x.data -= 0.1 * x.grad
    assert np.isfinite(x.data).all()


def test_a_nan_does_not_count_as_a_change():
    x = Tensor(np.array([np.nan, 1.0]), requires_grad=True)
    (x * x).sum().backward()
    assert np.isnan(x.grad[0]) and x.grad[1] == 2


@pytest.mark.parametrize(
    ("op", "options", "other"),
    [
        (lambda x, rows: x[rows], [0, 0], [2, 3]),
        (lambda x, rows: x[rows, 1], [0, 0], [2, 3]),
        (lambda x, axes: ops.transpose(x, axes), [2, 0, 1], [0, 1, 2]),
        (lambda x, axes: x.mean(axes), [0], [2]),
        (lambda x, width: ops.pad(x, width), [(1, 0), (0, 0), [0, 1]], [(0, 1), (0, 0), [1, 0]]),
        (lambda x, seed: ops.dropout(x, 0.5, seed), [3], [4]),
    ],
    ids=["index", "index in a tuple", "transpose", "mean", "pad", "dropout"],
)
def test_changing_a_list_after_the_forward_pass_does_not_change_the_gradient(op, options, other):
    x, gradients = leaf((4, 3, 2)), []
    for replacement in (list(options), other):
        argument = list(options)
        y = op(x, argument)
        argument[:] = replacement
        y.backward(np.arange(1.0, y.data.size + 1).reshape(y.shape))
        gradients.append(x.grad.tolist())
    assert gradients[0] == gradients[1]


def test_a_list_inside_a_list_is_copied_too():
    x, gradients = leaf((4,)), []
    for before in (1, 0):
        width = [[1, 0]]
        y = ops.pad(x, width)
        width[0][:] = [before, 1 - before]
        y.backward(np.arange(5.0))
        gradients.append(x.grad.tolist())
    assert gradients == [[1.0, 2.0, 3.0, 4.0]] * 2
