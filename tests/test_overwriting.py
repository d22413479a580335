"""Arrays that are written to between forward and backward: refused where a gradient reads them,
harmless elsewhere."""

import numpy as np
import pytest

from minidl import Tensor, losses, ops
from minidl.autograd.overwriting import SMALL
from minidl.errors import ArgumentError
from minidl.layers import BatchNorm, Convolution, Dense, MaxPool, ReLU, Sequential
from minidl.optim import SGD

RNG = np.random.default_rng(0)


def leaf(shape):
    return Tensor(RNG.uniform(1, 2, shape), requires_grad=True)


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
        (
            lambda x: losses.softmax_cross_entropy(x, np.array([0, 1])),
            "logits of softmax_cross_entropy",
        ),
    ],
)
def test_an_input_that_was_written_to_is_refused(op, written, release):
    x = leaf((2, 3))
    loss = op(x).sum()
    x.data[1, 1] += 1
    with pytest.raises(
        ArgumentError,
        match=rf"^{written}, shape \(2, 3\), was written to between .* compute the result anew",
    ):
        loss.backward(release=release)
    assert x.grad is None


@pytest.mark.parametrize("op", [ops.relu, ops.exp, ops.sqrt, ops.sigmoid, ops.tanh, ops.softmax])
def test_an_output_that_was_written_to_is_refused(op):
    y = op(leaf((2, 3)))
    y.data[...] = 7
    with pytest.raises(
        ArgumentError, match=rf"^y of {op.__name__}, shape \(2, 3\), was written to"
    ):
        y.sum().backward()


def test_a_plain_array_an_option_and_an_index_are_looked_at():
    w, given, rows = np.ones(3), (np.zeros(3), np.ones(3)), np.array([0, 1])
    x = leaf((4, 3))
    for make, array in [
        (lambda: x * w, w),
        (lambda: ops.batch_norm(x, np.ones(3), np.zeros(3), given, fixed=True), given[1]),
        (lambda: x[rows], rows),
    ]:
        y = make()
        array += 1
        with pytest.raises(ArgumentError, match="was written to"):
            y.sum().backward()


def test_a_parameter_of_a_network_that_was_written_to_is_refused():
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


def test_a_large_array_is_refused_where_it_was_changed_as_a_whole():
    for shape in ((SMALL * 4,), (8, 32, 32, 16), (1, 300, 300, 3)):
        x = leaf(shape)
        loss = (x * x).sum()
        x.data *= 1.01
        with pytest.raises(ArgumentError, match="was written to"):
            loss.backward()


@pytest.mark.parametrize("shape", [(SMALL,), (64, 64), (16, 16, 16)])
def test_one_number_of_a_small_array_is_enough(shape):
    x = leaf(shape)
    loss = (x * x).sum()
    x.data.flat[-2] = np.nextafter(x.data.flat[-2], 5)
    with pytest.raises(ArgumentError, match="was written to"):
        loss.backward()


def test_a_new_array_in_its_place_is_harmless():
    x, w = leaf((2, 3)), Dense.new(np.random.default_rng(0), 3, 2, dtype=np.float64)
    before, loss = x.data.copy(), (x * x).sum() + w(x).sum() ** 2
    w(x).sum().backward()
    SGD(w.named_parameters(), 0.1).step()
    x.data = x.data * 5
    kernel = w.kernel.data
    loss.backward()
    first = x.grad
    x.data, w.kernel.data = before, kernel
    loss.backward()
    assert first.tobytes() == x.grad.tobytes()


def test_what_no_gradient_reads_may_be_written_to():
    x, w = leaf((2, 3)), Tensor(np.ones(3))
    loss = ((x + 1.0) * w).sum()  # x + 1 is read only by the gradient of w, which is not requested
    x.data[...] = 0
    loss.backward()
    assert (x.grad == 1).all()


def test_after_backward_everything_may_be_written_to():
    x = leaf((2, 3))
    for _ in range(3):
        loss = (x * x).sum()
        loss.backward()
        x.data -= 0.1 * x.grad
    assert np.isfinite(x.data).all()


def test_a_nan_is_no_change():
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
def test_a_list_that_is_changed_after_the_forward_pass_does_not_change_the_gradient(
    op, options, other
):
    x, found = leaf((4, 3, 2)), []
    for replacement in (list(options), other):
        given = list(options)
        y = op(x, given)
        given[:] = replacement
        y.backward(np.arange(1.0, y.data.size + 1).reshape(y.shape))
        found.append(x.grad.tolist())
    assert found[0] == found[1]


def test_a_list_inside_a_list_is_copied_too():
    x, found = leaf((4,)), []
    for before in (1, 0):
        width = [[1, 0]]
        y = ops.pad(x, width)
        width[0][:] = [before, 1 - before]
        y.backward(np.arange(5.0))
        found.append(x.grad.tolist())
    assert found == [[1.0, 2.0, 3.0, 4.0]] * 2
