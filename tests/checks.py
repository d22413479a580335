"""What must be true of every op: one function for each property.

test_op_table.py runs these checks on the ops, and test_planted_errors.py on ops with a planted
error, which the checks must find. The arrays of a case may be on a GPU: the op and its gradients
run there, and the results are compared in NumPy.
"""

import gc
import math
import weakref
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

from minidl import autograd
from minidl.autograd import Op, Tensor
from minidl.backend import array_module, device_of, is_array, to_numpy
from minidl.gradcheck import prove
from tests.op_table import KEEPS, of_row, public_op
from tests.oracles import ORACLES
from tests.running import (
    arrays,
    cotangent,
    differentiate,
    every_second,
    in_floats,
    in_numpy,
    permuted_strides,
    record,
    reversed_strides,
    transformed,
    worst,
)
from tests.term_sizes import against_float64, sizes

# c in the bound c·eps·√(reduction length) for float32. The largest c that 40,000 drawn cases needed
# was 1.5. The terms of Winograd's sums cancel: in three dimensions it needed 11.
FLOAT32_C, FLOAT32_C_OF_WINOGRAD = 4, 32


def forward_equals_the_oracle(case):
    y, _, _ = differentiate(case)
    wanted = of_row(ORACLES, case.row)(**transformed(case, to_numpy).arguments)
    assert y.shape == np.shape(wanted)
    assert worst(y - wanted) <= 1e-13 * sizes(case)[0]


def gradients_are_proven(case):
    for proof in prove(case.row.op, case.arguments, case.row.kinds, seed=[case.seed, 2]):
        assert proof.passed, proof


def backward_twice_gives_the_same_bytes(case):
    leaves, y = record(case)
    dy = cotangent(case, y)
    y.backward(dy)
    first = contents(leaf.grad for leaf in leaves.values())
    y.backward(dy)
    assert first == contents(leaf.grad for leaf in leaves.values())


def a_zero_cotangent_gives_exact_zeros(case):
    leaves, y = record(case)
    y.backward(y.data * 0)
    assert not any(to_numpy(leaf.grad).any() for leaf in leaves.values())


def inputs_are_only_read(case):
    case = transformed(case, lambda array: array.copy())
    leaves, y = record(case)
    dy = cotangent(case, y)
    inputs = [*arrays(case).values(), dy]
    before = contents(inputs)
    for array in inputs:
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    leaves, y = record(case)
    y.backward(dy)
    assert before == contents(inputs)
    may_share_memory = array_module(dy).may_share_memory
    for name, leaf in leaves.items():
        assert not any(may_share_memory(leaf.grad, array) for array in inputs), name


def shape_dtype_and_device_are_kept(case):
    with patch.object(autograd.op, "_pull", without_cast):  # the cast would hide a wrong dtype
        for dtype in (np.float32, np.float64):
            leaves, y = record(transformed(case, in_floats(dtype)))
            y.backward(cotangent(case, y))
            assert y.dtype == dtype
            for name, leaf in leaves.items():
                argument = case.arguments[name]
                assert isinstance(leaf.grad, array_module(argument).ndarray)
                assert leaf.grad.shape == argument.shape
                assert leaf.grad.dtype == dtype
                assert device_of(leaf.grad) == device_of(argument)


def strides_do_not_matter(case):
    y, dy, gradients = differentiate(case)
    y_size, gradient_sizes = sizes(case)
    for strided in (reversed_strides, permuted_strides, every_second):
        y_strided, _, strided_gradients = differentiate(transformed(case, strided), strided(dy))
        assert worst(y_strided - y) <= 1e-14 * y_size
        for name, gradient in gradients.items():
            assert worst(strided_gradients[name] - gradient) <= 1e-14 * gradient_sizes[name]


def float32_is_near_float64(case):
    bound = FLOAT32_C_OF_WINOGRAD if "winograd" in case.row.name else FLOAT32_C
    assert float32_error(case) <= bound


def float32_error(case):
    """Return the largest error of y and its gradients in float32.

    The unit is eps·√(reduction length)·(size of the terms).
    """
    comparisons = list(against_float64(case, np.float32))
    y = comparisons[0][0]
    unit = np.finfo(np.float32).eps * math.sqrt(reduction_length(case, y))
    return max(worst(result - wanted) / (unit * size or 1) for result, wanted, size in comparisons)


def reduction_length(case, y):
    """Return 1 for an elementwise op, and otherwise the number of elements of the largest array.

    No sum has more terms than that.
    """
    shapes = {y.shape, *(array.shape for array in arrays(case).values())}
    return 1 if len(shapes) == 1 else max(map(math.prod, shapes))


def plain_arrays_leave_no_tape(case):
    recorded, _, _ = differentiate(case)
    with patch.object(Op, "_edges", never), patch.object(autograd.Tensor, "__init__", never):
        y = case.row.op(**case.arguments)
    assert is_array(y)
    assert np.array_equal(to_numpy(y), recorded)


def only_wanted_gradients_are_computed(case):
    _, dy, gradients = differentiate(case)
    for wanted in case.row.kinds:
        with spied(public_op(case.row)) as calls:
            leaves, y = record(case, [wanted])
            y.backward(dy)
        assert len(calls) == 1
        assert np.array_equal(to_numpy(leaves[wanted].grad), gradients[wanted])
    constants = {name: Tensor(array) for name, array in arrays(case).items()}
    y = case.row.op(**{**case.arguments, **constants})
    assert isinstance(y, Tensor)
    assert not y.requires_grad


def nothing_is_kept_that_no_wanted_gradient_reads(case):
    for wanted, names in of_row(KEEPS, case.row).items():
        kept = kept_for(wanted, case)
        assert kept == set(names), f"KEEPS of {wanted} is {set(names)}, and the tape keeps {kept}"


def kept_for(wanted, case):
    """Return the names of the arrays that the tape keeps for the gradient of one argument."""
    inputs = {name: Tensor(array.copy()) for name, array in arrays(case).items()}
    # a computed input, because a leaf holds its own data
    inputs[wanted] = Tensor(inputs[wanted].data, requires_grad=True) * 1.0
    y = case.row.op(**{**case.arguments, **inputs})
    watched = {name: weakref.ref(x.data) for name, x in {**inputs, "y": y}.items()}
    place = y.source()
    del inputs, y
    gc.collect(0)
    assert place.edges
    return {name for name, array in watched.items() if array() is not None}


def a_tie_goes_to_the_first(case):
    """Compare with the gradient of numbers that differ slightly, in favour of the first one."""
    step = 1e-4 if case.row.name in ("min", "minimum") else -1e-4
    rng, ranks = np.random.default_rng(case.seed), iter(range(1, 5000))

    def ties(array):
        return rng.integers(-1, 2, array.shape).astype(float)

    def separated(array):
        return array + step * np.array([next(ranks) for _ in array.flat]).reshape(array.shape)

    tied = transformed(case, in_numpy(ties))
    _, dy, gradients = differentiate(tied)
    _, _, wanted = differentiate(transformed(tied, in_numpy(separated)), dy)
    for name, gradient in gradients.items():
        assert np.array_equal(gradient, wanted[name])


ALWAYS = (
    forward_equals_the_oracle,
    gradients_are_proven,
    backward_twice_gives_the_same_bytes,
    a_zero_cotangent_gives_exact_zeros,
    inputs_are_only_read,
    shape_dtype_and_device_are_kept,
    strides_do_not_matter,
    float32_is_near_float64,
    plain_arrays_leave_no_tape,
    only_wanted_gradients_are_computed,
    nothing_is_kept_that_no_wanted_gradient_reads,
)
WITH_TIES = (
    "adaptive_max_pool", "leaky_relu", "max", "max_pool", "maximum", "min", "minimum", "relu",
)  # fmt: skip


def checks_of(row):
    """Return the checks of a row. A loss that is composed of ops computes only what they do."""
    checks = (*ALWAYS, a_tie_goes_to_the_first) if row.name in WITH_TIES else ALWAYS
    is_composed = not isinstance(public_op(row), Op)
    return tuple(c for c in checks if not (is_composed and c is only_wanted_gradients_are_computed))


# ---- helpers -------------------------------------------------------------------------------------


def contents(several):
    """Return the bytes of each array."""
    return [to_numpy(array).tobytes() for array in several]


@contextmanager
def spied(op):
    """Give a list that gets one element for each computed gradient of the op."""
    calls = []

    def spy(gradient):
        return lambda *args, **kwargs: calls.append(gradient) or gradient(*args, **kwargs)

    with patch.dict(
        op._readers,
        {name: (spy(gradient), *rest) for name, (gradient, *rest) in op._readers.items()},
    ):
        yield calls


def without_cast(gradient, kept, dtype, name):
    """Do what autograd.op._pull does, but leave the dtype of the gradient as it is."""
    return lambda dy, shared: (gradient(dy, **kept)[name] if name else gradient(dy, **kept), False)


def never(*args, **kwargs):
    raise AssertionError("this should not have been called")
