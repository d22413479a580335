"""Functions that run an op on the arguments of a case, and that change these arguments."""

from contextlib import contextmanager

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import array_module, device_of, is_array, to_device, to_numpy
from minidl.engine.threads import get_threads, set_threads


@contextmanager
def using_threads(count):
    """Set the number of threads in this block."""
    before = get_threads()
    set_threads(count)
    try:
        yield
    finally:
        set_threads(before)


def leaf(*numbers):
    """Return a Tensor of these numbers, in float64, that requires a gradient."""
    return Tensor(np.array(numbers), requires_grad=True)


def record(case, wanted=None):
    """Run the op on Tensors and return (leaves by name, y).

    wanted: names of the arguments that require a gradient; by default all that can have one.
    """
    leaves = {
        name: Tensor(case.arguments[name], requires_grad=True) for name in wanted or case.row.kinds
    }
    y = case.row.op(**{**case.arguments, **leaves})
    assert isinstance(y, Tensor)
    return leaves, y


def differentiate(case, dy=None):
    """Return (y, dy, gradients by name), all in NumPy except dy."""
    leaves, y = record(case)
    dy = cotangent(case, y) if dy is None else dy
    y.backward(dy)
    return to_numpy(y.data), dy, {name: to_numpy(leaf.grad) for name, leaf in leaves.items()}


def cotangent(case, y):
    """Return a random cotangent for y. A cotangent of ones would hide a missing kernel flip."""
    numbers = np.asarray(np.random.default_rng([case.seed, 1]).standard_normal(y.shape))
    return to_device(numbers.astype(y.dtype), y.device)


def worst(difference):
    """Return the largest absolute value, or 0 of an empty array."""
    return float(np.abs(difference).max(initial=0))


# ---- changes of the arguments --------------------------------------------------------------------


def arrays(case):
    return {name: value for name, value in case.arguments.items() if is_array(value)}


def transformed(case, change):
    """Return the case with a function applied to every array."""
    changed = {name: change(array) for name, array in arrays(case).items()}
    return case._replace(arguments={**case.arguments, **changed})


def in_numpy(change):
    """Return a function of arrays on any device that computes the change in NumPy."""
    return lambda array: to_device(change(to_numpy(array)), device_of(array))


def in_floats(dtype):
    """Return the cast of floating-point arrays to dtype; integers and bools stay as they are."""
    return lambda array: array.astype(dtype) if array.dtype.kind == "f" else array


def reversed_strides(array):
    backwards = (slice(None, None, -1),) * array.ndim
    return array[backwards].copy()[backwards]


def permuted_strides(array):
    return array.T.copy().T


def every_second(array):
    """Return a view with steps of 2 of an array that holds wrong numbers elsewhere."""
    wrong = np.nan if array.dtype.kind == "f" else 99
    spread = array_module(array).full([2 * n for n in array.shape], wrong, array.dtype)
    view = spread[(..., *(slice(1, None, 2),) * array.ndim)]
    view[...] = array
    return view
