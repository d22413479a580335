"""Op: calls with wrong arguments, names of gradients, pickling."""

import copy
import functools
import inspect
import pickle

import numpy as np
import pytest

from minidl import Tensor, ops
from minidl.autograd import Op, differentiable
from minidl.engine import batch_norm_relu

A = np.ones(2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ops.add(A), r"add\(\) missing 1 required positional argument: 'b'"),
        (lambda: ops.minimum(A, A, A), r"minimum\(\) takes 2 positional arguments but 3 were"),
        (lambda: ops.max_pool(A, 2, 2), r"max_pool\(\) takes 2 positional arguments but 3 were"),
        (lambda: ops.convolution(A, A, fast=1), r"convolution\(\) got an unexpected keyword"),
        (lambda: ops.relu(Tensor(A), slope=1), r"relu\(\) got an unexpected keyword"),
    ],
)
def test_a_call_with_wrong_arguments_names_the_op(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def scale(x_data, factor):
    return x_data * factor


def scale_dx_data(dy, factor):
    return dy * factor


def test_the_name_of_an_input_may_contain_d():
    op = differentiable(scale, dx_data=scale_dx_data)
    x = Tensor(A, requires_grad=True)
    op(x, 3.0).backward(A)
    assert x.grad.tolist() == [3.0, 3.0]
    assert [*op.gradients] == ["dx_data"]


def product_gradients(dy, a, b, wanted):
    gradients = {"a": dy * b, "b": dy * a}
    return {name: gradients[name] for name in wanted}


def test_a_joint_gradient_names_its_inputs():
    op = differentiable(lambda a, b: a * b, joint={("a", "b"): product_gradients})
    a, b = Tensor(A, requires_grad=True), Tensor(2 * A, requires_grad=True)
    op(a, b).backward(A)
    assert (a.grad.tolist(), b.grad.tolist()) == ([2.0, 2.0], [1.0, 1.0])
    assert op.gradients["db"](A, a=A, b=A).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: differentiable(scale, x_data=scale_dx_data), "x_data is not d"),
        (lambda: differentiable(scale, dx=scale_dx_data), "dx is not d"),
        (lambda: differentiable(scale, dx_data=lambda dy, x: dy), "reads x, neither an argument"),
        (lambda: differentiable(lambda *x: x[0]), "named ones only"),
        (lambda: differentiable(scale, joint={("x",): scale_dx_data}), "joint gradient of"),
    ],
)
def test_a_gradient_that_does_not_fit_its_forward_is_refused(make, message):
    with pytest.raises(TypeError, match=message):
        make()


def test_an_op_shows_the_signature_and_the_docstring_of_its_forward():
    assert isinstance(ops.max_pool, Op)
    assert [*inspect.signature(ops.max_pool).parameters][:3] == ["x", "window", "stride"]
    assert ops.max_pool.__doc__.startswith("(N, *spatial, C) -> (N, *out, C)")
    assert ops.max_pool.__name__ == "max_pool"


def test_a_wrapper_of_an_op_is_called():
    """`functools.wraps` copies the attributes of what it wraps."""

    def plus_one(function):
        return functools.wraps(function)(lambda *args, **kwargs: function(*args, **kwargs) + 1)

    op = differentiable(plus_one(ops.relu.forward), dx=plus_one(ops.relu.gradients["dx"]))
    x = Tensor(A, requires_grad=True)
    y = op(x)
    y.backward(A)
    assert (y.data.tolist(), x.grad.tolist()) == ([2.0, 2.0], [2.0, 2.0])


def test_a_forward_needs_no_name():
    op = differentiable(functools.partial(scale, factor=3.0), dx_data=scale_dx_data)
    assert op(A).tolist() == [3.0, 3.0]
    assert repr(op) == "<op partial>"


def test_the_output_of_batch_norm_has_the_dtype_of_x():
    x, ones = np.ones((4, 2), np.float16), np.ones(2, np.float32)
    for op in (ops.batch_norm, batch_norm_relu):
        assert op(x, ones, ones).dtype == np.float16


def test_an_op_is_pickled_by_name():
    assert pickle.loads(pickle.dumps(ops.relu)) is ops.relu
    assert copy.deepcopy(ops.relu) is ops.relu
