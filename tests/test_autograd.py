"""The tape: the gradients of a whole computation, .grad, no_grad and value_and_grad."""

import sys
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import settings

import minidl
from minidl import Tensor, losses, no_grad, ops, value_and_grad
from minidl.autograd import differentiable, is_recording
from minidl.errors import ArgumentError, ShapeError
from tests import checks
from tests.op_table import BY_NAME, Case
from tests.running import leaf

# ---- graphs --------------------------------------------------------------------------------------


def test_the_gradient_of_a_tensor_used_twice_is_the_sum_of_both():
    x = leaf(3.0, 4.0)
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [7.0, 9.0]


def test_the_gradient_of_a_diamond():
    x = leaf(2.0)
    a = x * x  # 4
    b, c = a * 3.0, a * a  # 12, 16
    (b * c).backward()  # 3 x⁶
    assert x.grad.tolist() == [18 * 2.0**5]


def test_each_gradient_of_a_chain_of_diamonds_is_computed_once():
    x = y = leaf(1.0)
    with checks.spied(ops.add) as calls:
        for _ in range(50):
            y = y + y
        y.backward()
    assert len(calls) == 100  # not 2⁵⁰
    assert x.grad.tolist() == [2.0**50]


def test_backward_from_the_middle_reaches_only_what_it_depends_on():
    x, z = leaf(2.0), leaf(5.0)
    y = x * 3.0
    y * z
    y.backward()
    assert x.grad.tolist() == [3.0]
    assert z.grad is None


def test_backward_from_a_leaf_gives_its_cotangent():
    x = leaf(2.0, 3.0)
    x.backward([5.0, 7.0])
    assert x.grad.tolist() == [5.0, 7.0]


def test_a_chain_of_many_thousand_ops():
    y = x = leaf(1.0)
    for _ in range(2500 * settings().max_examples):
        y = y + 1.0
    y.backward()
    del y  # deleting the tape does not recurse either
    assert x.grad.tolist() == [1.0]


def test_the_number_of_calls_is_proportional_to_the_number_of_ops():
    def calls_for(count):
        calls = []

        def profile(frame, event, argument):
            if event == "call":
                calls.append(event)

        sys.setprofile(profile)
        try:
            y = x = leaf(1.0)
            for _ in range(count):
                y = y + x
            y.backward()
        finally:
            sys.setprofile(None)
        return len(calls)

    calls_for(1)  # calls that happen only once
    calls_100, calls_200, calls_400 = (calls_for(count) for count in (100, 200, 400))
    # the garbage collector calls a few functions as well
    assert calls_400 - calls_200 == pytest.approx(2 * (calls_200 - calls_100), rel=0.01)


# ---- .grad ---------------------------------------------------------------------------------------


def test_grad_is_replaced_and_not_added_to():
    x = leaf(1.0)
    for factor in (2.0, 3.0):
        (x * factor).backward()
        assert x.grad.tolist() == [factor]


def test_two_leaves_never_share_a_gradient():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    dy = np.ones(2)
    (a + b).backward(dy)
    assert not np.may_share_memory(a.grad, b.grad)
    assert not np.may_share_memory(a.grad, dy)
    assert not np.may_share_memory(b.grad, dy)


def test_a_broadcast_gradient_can_be_written_to():
    x = leaf(1.0, 2.0)
    x.sum().backward()  # the gradient of a sum is one number that is broadcast
    x.grad += [1.0, 2.0]
    assert x.grad.tolist() == [2.0, 3.0]


def test_the_gradient_of_a_single_number_is_an_array():
    x = Tensor(np.array(2.0), requires_grad=True)
    (x * x).backward()
    assert isinstance(x.grad, np.ndarray)


def test_a_gradient_has_the_dtype_of_its_input():
    narrow, wide = Tensor([1.0], requires_grad=True), leaf(2.0)
    (narrow * wide).backward()
    assert (narrow.grad.dtype, wide.grad.dtype) == (np.float32, np.float64)


# ---- arguments of backward -----------------------------------------------------------------------


def test_backward_from_several_numbers_requires_dy():
    message = r"backward from a Tensor of shape \(2,\) wants dy, an array of that shape"
    with pytest.raises(ArgumentError, match=message):
        leaf(1.0, 2.0).backward()


def test_dy_must_have_the_shape_of_its_tensor():
    message = r"dy has shape \(1, 2\); wanted \(2,\), the shape of the Tensor"
    with pytest.raises(ShapeError, match=message):
        leaf(1.0, 2.0).backward(np.ones((1, 2)))


def test_backward_requires_a_leaf_with_a_gradient():
    message = "depends on no Tensor with requires_grad=True; set requires_grad on an input"
    with pytest.raises(ArgumentError, match=message):
        (Tensor([1.0]) * 2.0).backward()


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex128"])
def test_only_real_floating_point_data_may_require_a_gradient(dtype):
    message = f"a {dtype} array has no gradient; give floating-point data or"
    with pytest.raises(ArgumentError, match=message):
        Tensor(np.ones(2, dtype), requires_grad=True)


def test_an_option_has_no_gradient():
    message = r"leaky_relu has no gradient for slope; pass its \.data"
    with pytest.raises(ArgumentError, match=message):
        ops.leaky_relu(leaf(1.0), slope=leaf(0.1))


# ---- no_grad -------------------------------------------------------------------------------------


def test_no_grad_can_be_nested_and_can_decorate():
    x = leaf(1.0)

    @no_grad()
    def double(x):
        return x * 2.0

    with no_grad():
        with no_grad():
            pass
        assert not (x * 2.0).requires_grad
    assert not double(x).requires_grad
    assert (x * 2.0).requires_grad


def test_one_no_grad_may_be_entered_twice():
    context = no_grad()
    with context:
        with context:
            pass
        assert not is_recording()
    assert is_recording()


def test_no_grad_ends_at_an_error():
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (leaf(1.0) * 2.0).requires_grad


def test_no_grad_belongs_to_its_thread():
    recorded = []
    with no_grad():
        thread = threading.Thread(target=lambda: recorded.append((leaf(1.0) * 2.0).requires_grad))
        thread.start()
        thread.join()
    assert recorded == [True]


def test_a_decorated_function_may_run_in_two_threads_at_once():
    """The first call is made inside no_grad. It returns while the second call still runs."""
    entered, leave, recording = threading.Event(), threading.Event(), []

    @no_grad()
    def run(body):
        body()

    def second_call():
        run(lambda: entered.set() or leave.wait(10))
        recording.append(is_recording())

    thread = threading.Thread(target=second_call)
    with no_grad():
        run(lambda: thread.start() or entered.wait(10))
        recording.append(is_recording())
    leave.set()
    thread.join()
    assert recording == [False, True]


def test_a_detached_tensor_is_a_constant():
    x = leaf(3.0)
    (x * x.detach()).backward()
    assert x.grad.tolist() == [3.0]


# ---- value_and_grad ------------------------------------------------------------------------------


def test_value_and_grad_gives_one_gradient_per_array():
    product = value_and_grad(lambda a, b, unused: (a * b).sum())
    value, (da, db, d_unused) = product(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.ones(3))
    assert value == 11.0
    assert (da.tolist(), db.tolist(), d_unused.tolist()) == ([3, 4], [1, 2], [0, 0, 0])


def test_an_unused_infinity_has_gradient_zero():
    sum_of_first = value_and_grad(lambda x, unused: x.sum())
    _, (_, gradient) = sum_of_first(np.ones(1), np.array([np.inf, np.nan]))
    assert gradient.tolist() == [0.0, 0.0]


def test_value_and_grad_records_inside_no_grad():
    with no_grad():
        assert value_and_grad(lambda x: x * x)(np.array(3.0))[1][0] == 6.0
        assert not (leaf(1.0) * 2.0).requires_grad


def test_value_and_grad_of_a_constant_is_zero():
    assert value_and_grad(lambda x: Tensor(5.0))(np.ones(2))[1][0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("f", "returned"), [(lambda x: x, r"shape \(2,\)"), (lambda x: 1.0, "a float")]
)
def test_value_and_grad_requires_a_tensor_of_one_number(f, returned):
    message = f"the function returned {returned}; wanted a Tensor of one number, such as a loss"
    with pytest.raises(ArgumentError, match=message):
        value_and_grad(f)(np.ones(2))


# ---- ops on the tape -----------------------------------------------------------------------------


def test_a_gradient_may_read_only_inputs_options_outputs_and_shapes():
    with pytest.raises(TypeError, match="reads z, neither an argument of"):
        differentiable(lambda x: x, dx=lambda dy, z: dy)


def test_a_constant_kernel_keeps_no_input():
    h = Tensor(np.ones((1, 5, 5, 2)), requires_grad=True) * 2.0
    y, picture = ops.convolution(h, Tensor(np.ones((3, 3, 2, 4)))), weakref.ref(h.data)
    del h
    assert picture() is None
    y.sum().backward()


def test_the_checks_find_a_gradient_that_is_not_wanted():
    def requiring_gradient(x):
        is_leaf = isinstance(x, Tensor) and x.requires_grad
        return x if is_leaf else Tensor(getattr(x, "data", x), requires_grad=True)

    def multiply_with_both_gradients(a, b):
        return ops.multiply(requiring_gradient(a), requiring_gradient(b))

    case = Case(BY_NAME["multiply"], {"a": np.ones(2), "b": np.ones(2)}, 0)
    checks.only_wanted_gradients_are_computed(case)
    wrong = case._replace(row=replace(case.row, op=multiply_with_both_gradients))
    with pytest.raises(AssertionError):
        checks.only_wanted_gradients_are_computed(wrong)


def test_the_checks_find_a_tape_under_plain_arrays():
    def exp_of_tensor(x):
        return ops.exp(Tensor(x) if isinstance(x, np.ndarray) else x)

    case = Case(BY_NAME["exp"], {"x": np.ones(2)}, 0)
    checks.plain_arrays_leave_no_tape(case)
    with pytest.raises(AssertionError):
        checks.plain_arrays_leave_no_tape(case._replace(row=replace(case.row, op=exp_of_tensor)))


def test_the_gradient_of_a_style_transfer_objective_is_proven():
    rng = np.random.default_rng(0)
    w1, w2 = rng.standard_normal((3, 3, 3, 4)) / 5, rng.standard_normal((3, 3, 4, 5)) / 6
    content, style = rng.standard_normal((1, 4, 4, 5)), rng.standard_normal((1, 5, 5))

    def objective(image):
        h = ops.avg_pool(ops.tanh(ops.convolution(image, w1, padding=1)), 2)
        features = ops.sigmoid(ops.convolution(h, w2, padding="same"))
        loss = losses.content_loss(features, content) + losses.style_loss(features, style) * 3.0
        return loss + losses.total_variation(image) * 0.1

    image = rng.standard_normal((1, 8, 8, 3))
    [proof] = minidl.gradcheck.prove(objective, {"image": image}, {"image": "smooth"})
    assert proof.passed, proof


def test_cotangents_are_freed_as_soon_as_they_have_been_passed_on():
    """Two ops use an array. While the second computes its gradient, that of the first exists, but
    not the cotangent that the first has read."""
    cotangents, alive = [], []

    def copied(x):
        return x.copy()

    def copied_dx(dy):
        alive.append(sum(cotangent() is not None for cotangent in cotangents))
        dx = dy.copy()
        cotangents.append(weakref.ref(dx))
        return dx

    copy = differentiable(copied, dx=copied_dx)
    x = Tensor(np.ones(3), requires_grad=True)
    y = copy(x)
    (copy(copy(y)) + copy(y)).backward(np.ones(3), release=True)
    assert alive == [0, 1, 1, 1]
