"""Gradients that the tape adds in place, and a tape that backward releases."""

import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minidl import Tensor, ops, value_and_grad
from minidl.autograd import differentiable
from minidl.errors import ArgumentError
from minidl.layers import BatchNorm, Convolution, Dense, Flatten, ReLU, Sequential
from minidl.losses import softmax_cross_entropy
from minidl.optim import SGD
from tests.devices import GPUS, at
from tests.running import leaf

# ---- sums of gradients ---------------------------------------------------------------------------


def read_only(*numbers):
    array = np.array(numbers)
    array.flags.writeable = False
    return array


def test_the_gradient_of_a_tensor_used_three_times_changes_no_other_array():
    x, a, b, dy = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0), np.array([10.0, 100.0])
    (x + x * a + b - x * 2.0 + x).backward(dy)
    assert dy.tolist() == [10, 100]
    assert [tensor.data.tolist() for tensor in (x, a, b)] == [[1, 2], [3, 4], [5, 6]]
    assert [tensor.grad.tolist() for tensor in (x, a, b)] == [[30, 400], [10, 200], [10, 100]]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (2, 0, 1)])
def test_two_leaves_with_the_same_cotangent_get_their_own_sums(order):
    """x and z receive dy itself. The terms that are added for x must not change z."""
    x, z, dy = leaf(1.0, 2.0), leaf(3.0, 4.0), np.array([10.0, 100.0])
    terms = [x + z, x * 2.0, x * 3.0]
    first, second, third = (terms[number] for number in order)
    (first + second + third).backward(dy)
    assert (x.grad.tolist(), z.grad.tolist(), dy.tolist()) == ([60, 600], [10, 100], [10, 100])


def test_a_read_only_cotangent():
    x = leaf(1.0, 2.0)
    (x + x * 2.0 + x).backward(read_only(10.0, 100.0))
    assert x.grad.tolist() == [40, 400]


@pytest.mark.parametrize("spread", ["sum", "mean"])
@pytest.mark.parametrize("last", [True, False])
def test_a_broadcast_gradient_is_added_to(spread, last):
    x = leaf(1.0, 2.0)
    broadcast, other = getattr(ops, spread)(x) * 2.0, (x * 3.0).sum() + ops.mean(x)
    (other + broadcast if last else broadcast + other).backward()
    assert x.grad.tolist() == [{"sum": 5.5, "mean": 4.5}[spread]] * 2


def test_a_gradient_may_be_an_input_or_the_output_itself():
    """backward must not write to such a gradient. (These ones ignore dy for simplicity.)"""
    total = differentiable(lambda x, w: (x * w).sum(), dx=lambda dy, w: w)
    half_square = differentiable(lambda x: (x * x).sum() / 2, dx=lambda dy, x: x[...])
    exponential = differentiable(lambda x: np.exp(x), dx=lambda dy, y: y)
    x, w, exponent = leaf(1.0, 2.0), np.array([10.0, 20.0]), leaf(0.0)
    (total(x, w) + half_square(x) + total(x, w) + (x * 3.0).sum()).backward()
    assert (x.grad.tolist(), x.data.tolist(), w.tolist()) == ([24, 45], [1, 2], [10, 20])
    y = exponential(exponent)
    (y + exponent + y).backward()
    assert (exponent.grad.tolist(), y.data.tolist()) == ([2.0], [1.0])


def test_a_gradient_of_any_layout_is_added_to():
    x, w = leaf([1.0, 2.0], [3.0, 4.0]), np.array([[1.0, 10.0], [100.0, 1000.0]])
    ((x.T * w).sum() + (x * w).sum() + (x[::-1, ::-1] * w).sum() + x.T[0].sum()).backward()
    first_row, second_row = x.grad.tolist()
    assert first_row == [1 + 1 + 1000 + 1, 100 + 10 + 100]
    assert second_row == [10 + 100 + 10 + 1, 1000 + 1000 + 1]


def test_gradients_of_single_numbers_are_summed():
    x = Tensor(np.array(2.0), requires_grad=True)
    (x + x * x + x).backward()
    assert (x.grad.tolist(), type(x.grad), x.grad.shape) == (6.0, np.ndarray, ())


GRAPH_OPS = [  # their gradients are dy, views of it, broadcast numbers and new arrays
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: (a.T + b.T).T,
    lambda a, b: a.reshape(-1).reshape(2, 3) + b,
    lambda a, b: a + b.mean(),
    lambda a, b: a * 0.5 + b.sum(axis=0),
    lambda a, b: ops.concatenate([a[:1], b[1:]]),
]


def random_graph(seed, leaves):
    """Return all Tensors of a random graph. The last is a sum L of means."""
    rng, tensors = np.random.default_rng(seed), list(leaves)
    for _ in range(12):
        a, b = (tensors[i] for i in rng.integers(len(tensors), size=2))
        tensors.append(GRAPH_OPS[rng.integers(len(GRAPH_OPS))](a, b))
    return [*tensors, sum(tensor.mean() for tensor in tensors[-4:])]


@given(seed=st.integers(0, 2**32 - 1), release=st.booleans())
def test_adding_in_place_gives_exact_gradients_and_changes_no_number(seed, release):
    """Compare with the slope along v, which is exact: the imaginary part of L(x + 1e-30i v)."""
    data, v = np.random.default_rng(seed).uniform(-1, 1, (2, 3, 2, 3))
    leaves = [Tensor(array.copy(), requires_grad=True) for array in data]
    tensors = random_graph(seed, leaves)
    before = [tensor.data.tobytes() for tensor in tensors]
    tensors[-1].backward(release=release)
    assert [tensor.data.tobytes() for tensor in tensors] == before
    moved = [Tensor(x + 1e-30j * direction) for x, direction in zip(data, v, strict=True)]
    slope = random_graph(seed, moved)[-1].data.imag / 1e-30
    pairs = [(x.grad, direction) for x, direction in zip(leaves, v, strict=True)]
    terms = [(dx * direction).sum() for dx, direction in pairs if dx is not None]
    assert np.isclose(sum(terms), slope, rtol=1e-12, atol=1e-12)


# ---- sums over several calls of backward ---------------------------------------------------------


def batches():
    rng = np.random.default_rng(0)
    return rng.standard_normal((3, 4, 6, 6, 2)).astype(np.float32), rng.integers(0, 3, (3, 4))


def network():
    rng = np.random.default_rng(1)
    convolution = Convolution.new(rng, (3, 3), 2, 4)
    return Sequential(convolution, BatchNorm(4), ReLU(), Flatten(), Dense.new(rng, 64, 3))


def accumulated(release):
    """Return the gradients of the sum of the losses of three batches, added up one by one."""
    model = network()
    for x, labels in zip(*batches(), strict=True):
        softmax_cross_entropy(model(x), labels).backward(release=release, accumulate=True)
    return {name: p.grad for name, p in model.named_parameters().items()}


@pytest.mark.parametrize("release", [False, True])
def test_accumulated_gradients_are_those_of_the_sum_of_the_losses(release):
    model, gradients = network(), accumulated(release)
    losses = [softmax_cross_entropy(model(x), labels) for x, labels in zip(*batches(), strict=True)]
    sum(losses).backward()
    for name, parameter in model.named_parameters().items():
        assert gradients[name].dtype == np.float32
        np.testing.assert_allclose(gradients[name], parameter.grad, rtol=1e-4, atol=1e-6)


def test_accumulation_gives_the_same_bytes_twice():
    first, second = accumulated(release=True), accumulated(release=False)
    assert {name: dx.tobytes() for name, dx in first.items()} == {
        name: dx.tobytes() for name, dx in second.items()
    }


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_each_call_adds_to_the_gradient_in_its_dtype(dtype):
    x = Tensor(np.array([1.0, 2.0], dtype), requires_grad=True)
    loss = (x * x).sum()
    for times in (1, 2, 3):
        loss.backward(accumulate=True)
        assert (x.grad.tolist(), x.grad.dtype) == ([2 * times, 4 * times], dtype)
    loss.backward()
    assert x.grad.tolist() == [2, 4]


def test_accumulation_writes_to_no_other_array():
    """The .grad before, the cotangent, and the gradient of another leaf stay as they are."""
    x, z, dy = leaf(1.0, 2.0), leaf(3.0, 4.0), np.array([10.0, 100.0])
    before = x.grad = np.array([5.0, 6.0])
    y = x + z
    y.backward(dy, accumulate=True)
    assert (x.grad.tolist(), z.grad.tolist()) == ([15, 106], [10, 100])
    assert (before.tolist(), dy.tolist()) == ([5, 6], [10, 100])
    first = z.grad
    y.backward(dy, accumulate=True)
    assert (z.grad.tolist(), first.tolist()) == ([20, 200], [10, 100])


def test_accumulation_leaves_what_the_loss_does_not_reach():
    x, unused, single = leaf(1.0), leaf(2.0), Tensor(np.array(3.0), requires_grad=True)
    unused.grad = np.array([7.0])
    for _ in range(2):
        (x * single).sum().backward(accumulate=True)
    assert (x.grad.tolist(), unused.grad.tolist(), single.grad.tolist()) == ([6], [7], 2)
    x.backward([5.0], accumulate=True)
    assert x.grad.tolist() == [11]
    assert type(single.grad) is np.ndarray


def test_an_optimiser_uses_an_accumulated_gradient_once():
    """A step refuses to use the array of the step before; an accumulated one is a new array."""
    x = leaf(1.0)
    optimizer = SGD([x], 0.1)
    for _ in range(2):
        (x * 2.0).sum().backward(accumulate=True)
    optimizer.step()
    assert np.allclose(x.data, 1 - 0.4)


@pytest.mark.parametrize("place", GPUS)
def test_accumulation_on_a_gpu(place):
    with at(place):
        x = Tensor(Tensor(np.array([1.0, 2.0])).to("gpu").data, requires_grad=True)
        for _ in range(2):
            (x * x).sum().backward(accumulate=True)
        assert x.grad.get().tolist() == [4, 8]


# ---- a tape that backward releases ---------------------------------------------------------------


def test_a_released_tape_gives_the_same_bytes():
    def gradients(release):
        x, w = leaf(0.1, 0.2), leaf(0.3, 0.4)
        h = ops.tanh(x * w)
        (h * h + h * x + w).sum().backward(release=release)
        return x.grad.tobytes(), w.grad.tobytes()

    assert gradients(release=True) == gradients(release=False)


@pytest.mark.parametrize("release", [False, True])
def test_release_frees_the_arrays_of_an_op_before_the_next_gradient(release):
    freed = []

    def double_dx(dy):
        freed.append(activation() is None)
        return dy * 2

    double = differentiable(lambda x: x * 2, dx=double_dx)
    x = leaf(1.0, 2.0)
    h = ops.exp(double(x))  # keeps its output
    activation = weakref.ref(h.data)
    y = (h * 3.0).sum()
    del h
    y.backward(release=release)
    assert freed == [release]
    assert (activation() is None) == release
    assert np.allclose(x.grad, 6 * np.exp([2.0, 4.0]))


def test_release_frees_the_arrays_that_the_gradient_of_a_leaf_reads():
    """backward frees the input of each layer with trained weights on the way, not at its end."""
    alive, inputs = [], []

    def double_dx(dy):
        alive.append(sum(h() is not None for h in inputs))
        return dy * 2

    double = differentiable(lambda x: x * 2, dx=double_dx)
    x = h = leaf(1.0, 2.0)
    for _ in range(5):
        h = double(h)
        inputs.append(weakref.ref(h.data))
        h = h * leaf(3.0, 4.0)
    y = h.sum()
    del h
    y.backward(release=True)
    assert alive == [4, 3, 2, 1, 0]
    assert x.grad.tolist() == [6.0**5, 8.0**5]


def test_a_second_backward_after_release_is_refused():
    x = leaf(3.0)
    y = x * x
    y.backward(release=True)
    with pytest.raises(
        ArgumentError, match="has already released this tape; compute the Tensor anew"
    ):
        y.backward()
    assert x.grad.tolist() == [6.0]


def test_a_backward_into_a_tape_that_another_backward_released_is_refused():
    x = leaf(3.0)
    trunk = x * x
    first, second = trunk * 2.0, trunk * 5.0
    first.backward(release=True)
    with pytest.raises(
        ArgumentError, match="has already released this tape; compute the Tensor anew"
    ):
        second.backward()
    assert x.grad.tolist() == [12.0]


def test_a_leaf_has_no_tape_to_release():
    x = leaf(1.0)
    for factor in (2.0, 3.0):
        x.backward([factor], release=True)
        assert x.grad.tolist() == [factor]


def test_value_and_grad_does_not_release_an_outer_tape():
    x = leaf(3.0)
    h = x * x
    scaled = value_and_grad(lambda z: (z * h).sum())
    assert [scaled(np.ones(1))[0] for _ in range(2)] == [9.0, 9.0]
    h.backward()
    assert x.grad.tolist() == [6.0]
