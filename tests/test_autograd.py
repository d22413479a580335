"""Tensor, tape, and what the gradients of a whole computation are."""

import sys
import threading
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minidl
from minidl import Tensor, losses, no_grad, ops, value_and_grad
from minidl.autograd import differentiable, is_recording
from minidl.errors import ArgumentError, ShapeError
from tests import checks
from tests.op_table import BY_NAME, Case


def leaf(*numbers):
    return Tensor(np.array(numbers), requires_grad=True)


# ---- graphs --------------------------------------------------------------------------------------


def test_a_tensor_used_twice_gets_both_parts():
    x = leaf(3.0, 4.0)
    (x * x + x).sum().backward()
    assert x.grad.tolist() == [7.0, 9.0]


def test_a_diamond_is_walked_once():
    x = leaf(2.0)
    a = x * x  # 4
    b, c = a * 3.0, a * a  # 12, 16
    (b * c).backward()  # 3 x⁶
    assert x.grad.tolist() == [18 * 2.0**5]


def test_each_op_of_a_ladder_of_diamonds_is_pulled_once():
    x = y = leaf(1.0)
    with checks.spied(ops.add) as calls:
        for _ in range(50):
            y = y + y
        y.backward()
    assert len(calls) == 100  # not 2⁵⁰
    assert x.grad.tolist() == [2.0**50]


def test_backward_from_the_middle_leaves_the_rest_alone():
    x, z = leaf(2.0), leaf(5.0)
    y = x * 3.0
    y * z
    y.backward()
    assert x.grad.tolist() == [3.0]
    assert z.grad is None


def test_backward_from_a_leaf_is_its_cotangent():
    x = leaf(2.0, 3.0)
    x.backward([5.0, 7.0])
    assert x.grad.tolist() == [5.0, 7.0]


def test_many_thousand_ops_in_a_row():
    y = x = leaf(1.0)
    for _ in range(2500 * settings().max_examples):
        y = y + 1.0
    y.backward()
    del y  # taking the tape apart does not recurse either
    assert x.grad.tolist() == [1.0]


def test_twice_as_many_ops_take_twice_as_many_calls():
    def calls_for(count):
        calls = []
        sys.setprofile(
            lambda frame, event, argument: calls.append(event) if event == "call" else None
        )
        try:
            y = x = leaf(1.0)
            for _ in range(count):
                y = y + x
            y.backward()
        finally:
            sys.setprofile(None)
        return len(calls)

    calls_for(1)  # what is made once
    few, some, many = (calls_for(count) for count in (100, 200, 400))
    # the garbage collector calls a few functions as well
    assert many - some == pytest.approx(2 * (some - few), rel=0.01)


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
    assert not any(
        np.may_share_memory(one, other)
        for one, other in [(a.grad, b.grad), (a.grad, dy), (b.grad, dy)]
    )


def test_a_repeated_gradient_can_be_written_to():
    x = leaf(1.0, 2.0)
    x.sum().backward()  # the gradient of a sum is one number, broadcast
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


# ---- gradients that are added up in place --------------------------------------------------------


def read_only(*numbers):
    array = np.array(numbers)
    array.flags.writeable = False
    return array


def test_a_tensor_used_three_times_leaves_dy_and_the_others_alone():
    x, a, b, dy = leaf(1.0, 2.0), leaf(3.0, 4.0), leaf(5.0, 6.0), np.array([10.0, 100.0])
    (x + x * a + b - x * 2.0 + x).backward(dy)
    assert dy.tolist() == [10, 100]
    assert [tensor.data.tolist() for tensor in (x, a, b)] == [[1, 2], [3, 4], [5, 6]]
    assert [tensor.grad.tolist() for tensor in (x, a, b)] == [[30, 400], [10, 200], [10, 100]]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (2, 0, 1)])
def test_two_leaves_with_one_cotangent_each_get_their_own_sum(order):
    """x and z are handed dy itself; what else x gets must not reach z."""
    x, z, dy = leaf(1.0, 2.0), leaf(3.0, 4.0), np.array([10.0, 100.0])
    terms = [x + z, x * 2.0, x * 3.0]
    first, second, third = (terms[number] for number in order)
    (first + second + third).backward(dy)
    assert (x.grad.tolist(), z.grad.tolist(), dy.tolist()) == ([60, 600], [10, 100], [10, 100])


def test_a_cotangent_that_cannot_be_written_to():
    x = leaf(1.0, 2.0)
    (x + x * 2.0 + x).backward(read_only(10.0, 100.0))
    assert x.grad.tolist() == [40, 400]


@pytest.mark.parametrize("spread", ["sum", "mean"])
@pytest.mark.parametrize("last", [True, False])
def test_a_gradient_of_one_number_repeated_is_added_to(spread, last):
    x = leaf(1.0, 2.0)
    repeated, other = getattr(ops, spread)(x) * 2.0, (x * 3.0).sum() + ops.mean(x)
    (other + repeated if last else repeated + other).backward()
    assert x.grad.tolist() == [{"sum": 5.5, "mean": 4.5}[spread]] * 2


def test_a_gradient_may_be_an_input_or_the_output_itself():
    """These are right where dy is 1; they must not be written to."""
    total = differentiable(lambda x, w: (x * w).sum(), dx=lambda dy, w: w)
    half_square = differentiable(lambda x: (x * x).sum() / 2, dx=lambda dy, x: x[...])
    exponential = differentiable(lambda x: np.exp(x), dx=lambda dy, y: y)
    x, w, one = leaf(1.0, 2.0), np.array([10.0, 20.0]), leaf(0.0)
    (total(x, w) + half_square(x) + total(x, w) + (x * 3.0).sum()).backward()
    assert (x.grad.tolist(), x.data.tolist(), w.tolist()) == ([24, 45], [1, 2], [10, 20])
    y = exponential(one)
    (y + one + y).backward()
    assert (one.grad.tolist(), y.data.tolist()) == ([2.0], [1.0])


def test_a_gradient_of_any_layout_is_added_to():
    x, turned = leaf([1.0, 2.0], [3.0, 4.0]), np.array([[1.0, 10.0], [100.0, 1000.0]])
    (
        (x.T * turned).sum() + (x * turned).sum() + (x[::-1, ::-1] * turned).sum() + x.T[0].sum()
    ).backward()
    assert x.grad.tolist() == [
        [1 + 1 + 1000 + 1, 100 + 10 + 100],
        [10 + 100 + 10 + 1, 1000 + 1000 + 1],
    ]


def test_single_numbers_are_added_up():
    x = Tensor(np.array(2.0), requires_grad=True)
    (x + x * x + x).backward()
    assert (x.grad.tolist(), type(x.grad), x.grad.shape) == (6.0, np.ndarray, ())


def random_graph(seed, leaves):
    """Ops whose gradients are dy, views of it, repeated numbers and new arrays, in any order: all
    Tensors, the last is L."""
    rng, known = np.random.default_rng(seed), list(leaves)
    for _ in range(12):
        a, b = (known[i] for i in rng.integers(len(known), size=2))
        known.append(
            [
                lambda a, b: a + b,
                lambda a, b: a - b,
                lambda a, b: a * b,
                lambda a, b: (a.T + b.T).T,
                lambda a, b: a.reshape(-1).reshape(2, 3) + b,
                lambda a, b: a + b.mean(),
                lambda a, b: a * 0.5 + b.sum(axis=0),
                lambda a, b: ops.concatenate([a[:1], b[1:]]),
            ][rng.integers(8)](a, b)
        )
    return [*known, sum(tensor.mean() for tensor in known[-4:])]


@given(seed=st.integers(0, 2**32 - 1), release=st.booleans())
def test_adding_in_place_makes_no_gradient_wrong_and_changes_no_number(seed, release):
    """The slope along v, to the last digit: that of L(x + 1e-30i v) as a complex number."""
    data, v = np.random.default_rng(seed).uniform(-1, 1, (2, 3, 2, 3))
    leaves = [Tensor(array.copy(), requires_grad=True) for array in data]
    known = random_graph(seed, leaves)
    before = [tensor.data.tobytes() for tensor in known]
    known[-1].backward(release=release)
    assert [tensor.data.tobytes() for tensor in known] == before
    slope = (
        random_graph(seed, [Tensor(x + 1e-30j * along) for x, along in zip(data, v, strict=True)])[
            -1
        ].data.imag
        / 1e-30
    )
    parts = [
        (x.grad * along).sum() for x, along in zip(leaves, v, strict=True) if x.grad is not None
    ]
    assert np.isclose(sum(parts), slope, rtol=1e-12, atol=1e-12)


# ---- a tape that is forgotten on the way ---------------------------------------------------------


def test_a_released_tape_gives_the_same_bytes():
    def gradients(release):
        x, w = leaf(0.1, 0.2), leaf(0.3, 0.4)
        h = ops.tanh(x * w)
        (h * h + h * x + w).sum().backward(release=release)
        return x.grad.tobytes(), w.grad.tobytes()

    assert gradients(release=True) == gradients(release=False)


@pytest.mark.parametrize("release", [False, True])
def test_release_lets_go_of_what_an_op_kept_before_an_earlier_op_is_asked(release):
    gone = []
    look = differentiable(
        lambda x: x * 2, dx=lambda dy: gone.append(activation() is None) or dy * 2
    )
    x = leaf(1.0, 2.0)
    h = ops.exp(look(x))  # keeps its output
    activation = weakref.ref(h.data)
    y = (h * 3.0).sum()
    del h
    y.backward(release=release)
    assert gone == [release]
    assert (activation() is None) == release
    assert np.allclose(x.grad, 6 * np.exp([2.0, 4.0]))


def test_release_lets_go_of_what_a_leafs_gradient_read():
    """An input of a layer whose weights learn: 5 layers' inputs are not all in memory till the
    end."""
    alive, inputs = [], []
    look = differentiable(
        lambda x: x * 2, dx=lambda dy: alive.append(sum(h() is not None for h in inputs)) or dy * 2
    )
    x = h = leaf(1.0, 2.0)
    for _ in range(5):
        h = look(h)
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
    with pytest.raises(ArgumentError, match="has forgotten; compute the Tensor anew"):
        y.backward()
    assert x.grad.tolist() == [6.0]


def test_a_backward_into_what_another_released_is_refused():
    x = leaf(3.0)
    trunk = x * x
    first, second = trunk * 2.0, trunk * 5.0
    first.backward(release=True)
    with pytest.raises(ArgumentError, match="has forgotten; compute the Tensor anew"):
        second.backward()
    assert x.grad.tolist() == [12.0]


def test_a_leaf_has_no_tape_to_release():
    x = leaf(1.0)
    for factor in (2.0, 3.0):
        x.backward([factor], release=True)
        assert x.grad.tolist() == [factor]


def test_value_and_grad_leaves_the_tape_of_others_alone():
    x = leaf(3.0)
    h = x * x
    scaled = value_and_grad(lambda z: (z * h).sum())
    assert [scaled(np.ones(1))[0] for _ in range(2)] == [9.0, 9.0]
    h.backward()
    assert x.grad.tolist() == [6.0]


# ---- what backward wants -------------------------------------------------------------------------


def test_backward_of_several_numbers_wants_dy():
    with pytest.raises(
        ArgumentError,
        match=r"backward from a Tensor of shape \(2,\) wants dy, an array of that shape",
    ):
        leaf(1.0, 2.0).backward()


def test_dy_has_the_shape_of_its_tensor():
    with pytest.raises(
        ShapeError,
        match=r"dy has shape \(1, 2\); wanted \(2,\), the shape of the Tensor it belongs to",
    ):
        leaf(1.0, 2.0).backward(np.ones((1, 2)))


def test_backward_wants_a_leaf_that_requires_a_gradient():
    with pytest.raises(
        ArgumentError, match="depends on none with requires_grad=True; set it on an input"
    ):
        (Tensor([1.0]) * 2.0).backward()


@pytest.mark.parametrize("dtype", ["int64", "bool", "complex128"])
def test_only_real_floating_point_data_require_a_gradient(dtype):
    with pytest.raises(
        ArgumentError, match=f"a {dtype} array has no gradient; give floating-point data or"
    ):
        Tensor(np.ones(2, dtype), requires_grad=True)


def test_an_option_has_no_gradient():
    with pytest.raises(
        ArgumentError, match=r"leaky_relu has no gradient for slope; pass its \.data"
    ):
        ops.leaky_relu(leaf(1.0), slope=leaf(0.1))


# ---- the tape is off -----------------------------------------------------------------------------


def test_no_grad_nests_and_decorates():
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
    quiet = no_grad()
    with quiet:
        with quiet:
            pass
        assert not is_recording()
    assert is_recording()


def test_no_grad_ends_where_an_error_leaves_it():
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (leaf(1.0) * 2.0).requires_grad


def test_no_grad_belongs_to_its_thread():
    seen = []
    with no_grad():
        thread = threading.Thread(target=lambda: seen.append((leaf(1.0) * 2.0).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


def test_a_decorated_function_may_run_in_two_threads_at_once():
    """The one that came first, from where the tape was off, leaves first."""
    entered, leave, seen = threading.Event(), threading.Event(), []

    @no_grad()
    def run(inside):
        inside()

    def other():
        run(lambda: entered.set() or leave.wait(10))
        seen.append(is_recording())

    thread = threading.Thread(target=other)
    with no_grad():
        run(lambda: thread.start() or entered.wait(10))
        seen.append(is_recording())
    leave.set()
    thread.join()
    assert seen == [False, True]


def test_a_detached_tensor_is_a_constant():
    x = leaf(3.0)
    (x * x.detach()).backward()
    assert x.grad.tolist() == [3.0]


# ---- value_and_grad ------------------------------------------------------------------------------


def test_value_and_grad_gives_one_gradient_per_array():
    product = value_and_grad(lambda a, b, unused: (a * b).sum())
    value, gradients = product(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.ones(3))
    assert value == 11.0
    assert [gradient.tolist() for gradient in gradients] == [
        [3.0, 4.0],
        [1.0, 2.0],
        [0.0, 0.0, 0.0],
    ]


def test_an_unused_infinity_has_gradient_zero():
    _, (_, gradient) = value_and_grad(lambda x, unused: x.sum())(
        np.ones(1), np.array([np.inf, np.nan])
    )
    assert gradient.tolist() == [0.0, 0.0]


def test_value_and_grad_works_where_the_tape_is_off():
    with no_grad():
        assert value_and_grad(lambda x: x * x)(np.array(3.0))[1][0] == 6.0
        assert not (leaf(1.0) * 2.0).requires_grad


def test_value_and_grad_of_a_constant_is_zero():
    assert value_and_grad(lambda x: Tensor(5.0))(np.ones(2))[1][0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("f", "found"), [(lambda x: x, r"shape \(2,\)"), (lambda x: 1.0, "a float")]
)
def test_value_and_grad_wants_a_tensor_of_one_number(f, found):
    with pytest.raises(
        ArgumentError,
        match=f"the function returned {found}; wanted a Tensor of one number, such as a loss",
    ):
        value_and_grad(f)(np.ones(2))


# ---- Tensor beside arrays ------------------------------------------------------------------------


@pytest.mark.parametrize("left", [np.array([1.0, 2.0]), np.float64(2.0), 2.0])
def test_an_array_or_number_on_the_left_gives_a_tensor(left):
    x = leaf(3.0, 4.0)
    for y, wanted in [
        (left + x, 1.0),
        (left - x, -1.0),
        (left * x, left),
        (left / x, -left / x.data**2),
    ]:
        assert isinstance(y, Tensor)
        y.backward(np.ones(2))
        assert np.allclose(x.grad, wanted, rtol=1e-15)


def test_a_matrix_on_the_left_gives_a_tensor():
    x = leaf(3.0, 4.0)
    y = np.array([[1.0, 2.0]]) @ x
    y.backward()
    assert (y.data.tolist(), x.grad.tolist()) == ([11.0], [1.0, 2.0])


def test_a_tensor_of_one_number_is_a_number_and_a_truth_value():
    assert float(Tensor([[2.5]])) == 2.5
    assert Tensor(1.0) and not Tensor(0.0)
    with pytest.raises(ValueError, match="size 1"):
        float(Tensor([1.0, 2.0]))


def test_a_tensor_does_not_turn_into_an_array_unasked():
    with pytest.raises(ArgumentError, match=r"use its \.data or \.numpy\(\)"):
        np.asarray(Tensor([1.0, 2.0]))


def test_iterating_a_tensor_ends():
    x = leaf(1.0, 2.0)
    a, b = x
    (a * b).backward()
    assert x.grad.tolist() == [2.0, 1.0]


def test_lists_and_numbers_become_float32():
    assert [Tensor(data).dtype for data in ([1, 2], 3, True)] == [np.float32] * 3
    assert Tensor(np.array([1, 2])).dtype == np.int64


@pytest.mark.parametrize("data", ["text", None, {}, [[1], [1, 2]], object()])
def test_what_is_no_array_of_numbers_is_refused(data):
    with pytest.raises(
        ArgumentError, match=f"cannot make an array of numbers from (a|this) {type(data).__name__}"
    ):
        Tensor(data)


def test_data_are_not_copied():
    data = np.ones(2)
    assert Tensor(data).data is data
    assert Tensor(Tensor(data)).data is data


def test_to_the_same_device_lets_the_gradient_back():
    x = leaf(2.0)
    (x.to("cpu") * 3.0).backward()
    assert x.grad.tolist() == [3.0]


# ---- joining an op -------------------------------------------------------------------------------


def test_a_gradient_may_read_inputs_options_outputs_and_shapes_only():
    with pytest.raises(TypeError, match="reads z, neither an argument of"):
        differentiable(lambda x: x, dx=lambda dy, z: dy)


def test_a_frozen_kernel_lets_the_pictures_go():
    h = Tensor(np.ones((1, 5, 5, 2)), requires_grad=True) * 2.0
    y, picture = ops.convolution(h, Tensor(np.ones((3, 3, 2, 4)))), weakref.ref(h.data)
    del h
    assert picture() is None
    y.sum().backward()


def test_a_gradient_computed_without_being_wanted_is_caught():
    def greedy(a, b):
        """Asks for both gradients, whichever is wanted."""
        a, b = (
            x if x.requires_grad else Tensor(x.data, requires_grad=True)
            for x in map(as_tensor, (a, b))
        )
        return ops.multiply(a, b)

    def as_tensor(x):
        return x if isinstance(x, Tensor) else Tensor(x)

    case = Case(BY_NAME["multiply"], {"a": np.ones(2), "b": np.ones(2)}, 0)
    checks.only_wanted_gradients_are_computed(case)
    with pytest.raises(AssertionError):
        checks.only_wanted_gradients_are_computed(case._replace(row=replace(case.row, op=greedy)))


def test_a_tape_under_plain_arrays_is_caught():
    row = replace(
        BY_NAME["exp"], op=lambda x: ops.exp(Tensor(x) if isinstance(x, np.ndarray) else x)
    )
    with pytest.raises(AssertionError):
        checks.plain_arrays_leave_no_tape(Case(row, {"x": np.ones(2)}, 0))


def test_a_whole_style_transfer_objective_is_proven():
    rng = np.random.default_rng(0)
    w1, w2 = rng.standard_normal((3, 3, 3, 4)) / 5, rng.standard_normal((3, 3, 4, 5)) / 6
    content, style = rng.standard_normal((1, 4, 4, 5)), rng.standard_normal((1, 5, 5))

    def objective(image):
        h = ops.avg_pool(ops.tanh(ops.convolution(image, w1, padding=1)), 2)
        features = ops.sigmoid(ops.convolution(h, w2, padding="same"))
        loss = losses.content_loss(features, content) + losses.style_loss(features, style) * 3.0
        return loss + losses.total_variation(image) * 0.1

    [proof] = minidl.gradcheck.prove(
        objective, {"image": rng.standard_normal((1, 8, 8, 3))}, {"image": "smooth"}
    )
    assert proof.passed, proof


def test_numbers_that_are_not_real_have_no_gradient():
    """Of integers it would be cut off, of complex numbers its imaginary part."""
    whole, real = Tensor(np.array([1, 2])), leaf(1.0, 2.0)
    whole.requires_grad = True
    with pytest.raises(
        ArgumentError, match="a of multiply is an array of int64 and has no gradient"
    ):
        whole * 0.5
    with pytest.raises(
        ArgumentError, match="the result is an array of complex128, which has no gradient"
    ):
        real * np.array([1j, 2j])
    with no_grad():
        assert (real * np.array([1j, 2j])).data.tolist() == [1j, 4j]
