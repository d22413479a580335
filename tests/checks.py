"""What must be true of every op, one function a truth. test_op_table.py asks them of the ops as
they are, and test_planted_errors.py of ops with an error planted in, where they must complain.

The arrays of a case may lie on a GPU: the op and its gradients run there, and what they give is
compared in NumPy."""

import gc
import math
import weakref
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np

from minidl import autograd, losses, ops
from minidl.autograd import Tensor
from minidl.backend import array_module, device_of, is_array, to_device, to_numpy
from minidl.gradcheck import prove
from minidl.ops.directions import inverse
from tests.op_table import KEEPS, ORACLES, of_row, public_op

# c in the bound c·eps·√(reduction length) for float32. The worst of 40,000 drawn cases needed 1.5.
# Winograd's sums cancel: in three dimensions it needed 11.
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
    given = [*arrays(case).values(), dy]
    before = contents(given)
    for array in given:
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    leaves, y = record(case)
    y.backward(dy)
    assert before == contents(given)
    shares = array_module(dy).may_share_memory
    assert not [
        name for name, leaf in leaves.items() for array in given if shares(leaf.grad, array)
    ]


def shape_dtype_and_device_are_kept(case):
    with patch.object(autograd, "_pull", without_cast):  # without its cast
        for dtype in (np.float32, np.float64):
            leaves, y = record(transformed(case, in_floats(dtype)))
            y.backward(cotangent(case, y))
            assert y.dtype == dtype
            for name, leaf in leaves.items():
                given = case.arguments[name]
                assert isinstance(leaf.grad, array_module(given).ndarray)
                assert leaf.grad.shape == given.shape
                assert leaf.grad.dtype == dtype
                assert device_of(leaf.grad) == device_of(given)


def strides_do_not_matter(case):
    y, dy, gradients = differentiate(case)
    y_size, sizes_ = sizes(case)
    for strided in (reversed_strides, permuted_strides, every_second):
        other_y, _, others = differentiate(transformed(case, strided), strided(dy))
        assert worst(other_y - y) <= 1e-14 * y_size
        for name, gradient in gradients.items():
            assert worst(others[name] - gradient) <= 1e-14 * sizes_[name]


def float32_is_near_float64(case):
    assert float32_error(case) <= (
        FLOAT32_C_OF_WINOGRAD if "winograd" in case.row.name else FLOAT32_C
    )


def float32_error(case):
    """The largest error of value and gradients in units of eps·√(reduction length)·(size of the
    terms)."""
    narrow = transformed(case, in_floats(np.float32))
    wide = transformed(narrow, in_floats(np.float64))
    y, dy, gradients = differentiate(narrow)
    wanted_y, _, wanted = differentiate(wide, dy.astype(np.float64))
    y_size, sizes_ = sizes(wide)
    unit = np.finfo(np.float32).eps * math.sqrt(reduction_length(case, y))
    ratios = [worst(y - wanted_y) / (unit * y_size or 1)]
    return max(
        ratios
        + [worst(gradients[name] - wanted[name]) / (unit * sizes_[name] or 1) for name in gradients]
    )


def plain_arrays_leave_no_tape(case):
    recorded, _, _ = differentiate(case)
    with patch.object(autograd, "_edges", never), patch.object(autograd.Tensor, "__init__", never):
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
    frozen = {name: Tensor(array) for name, array in arrays(case).items()}
    y = case.row.op(**{**case.arguments, **frozen})
    assert isinstance(y, Tensor)
    assert not y.requires_grad


def nothing_is_kept_that_no_wanted_gradient_reads(case):
    for wanted, names in of_row(KEEPS, case.row).items():
        assert kept_for(wanted, case) == set(names)


def kept_for(wanted, case):
    """The arrays that stay in memory when only the place on the tape does."""
    inputs = {name: Tensor(array.copy()) for name, array in arrays(case).items()}
    # a computed input: a leaf holds its own data
    inputs[wanted] = Tensor(inputs[wanted].data, requires_grad=True) * 1.0
    y = case.row.op(**{**case.arguments, **inputs})
    watched = {name: weakref.ref(x.data) for name, x in {**inputs, "y": y}.items()}
    place = y._source()
    del inputs, y
    gc.collect(0)
    assert place.edges
    return {name for name, array in watched.items() if array() is not None}


def a_tie_goes_to_the_first(case):
    """The gradient at a tie is the one where the earlier number is better by a hair."""
    hair = 1e-4 if case.row.name == "minimum" else -1e-4
    rng, places = np.random.default_rng(case.seed), iter(range(1, 5000))
    tied = transformed(case, in_numpy(lambda array: rng.integers(-1, 2, array.shape).astype(float)))
    broken = transformed(
        tied,
        in_numpy(
            lambda array: (
                array + hair * np.array([next(places) for _ in array.flat]).reshape(array.shape)
            )
        ),
    )
    _, dy, gradients = differentiate(tied)
    _, _, wanted = differentiate(broken, dy)
    for name, gradient in gradients.items():
        assert np.array_equal(gradient, wanted[name])


ALWAYS = (
    forward_equals_the_oracle, gradients_are_proven, backward_twice_gives_the_same_bytes, a_zero_cotangent_gives_exact_zeros,
    inputs_are_only_read, shape_dtype_and_device_are_kept, strides_do_not_matter, float32_is_near_float64,
    plain_arrays_leave_no_tape, only_wanted_gradients_are_computed, nothing_is_kept_that_no_wanted_gradient_reads,
)  # fmt: skip
WITH_TIES = ("max_pool", "max", "maximum", "minimum", "relu", "leaky_relu")


def checks_of(row):
    return (*ALWAYS, a_tie_goes_to_the_first) if row.name in WITH_TIES else ALWAYS


# ---- running an op -------------------------------------------------------------------------------


def record(case, wanted=None):
    """Run the op on Tensors: (leaves by name, y)."""
    leaves = {
        name: Tensor(case.arguments[name], requires_grad=True) for name in wanted or case.row.kinds
    }
    y = case.row.op(**{**case.arguments, **leaves})
    assert isinstance(y, Tensor)
    return leaves, y


def differentiate(case, dy=None):
    """(y, dy, gradients by name), all but dy in NumPy"""
    leaves, y = record(case)
    dy = cotangent(case, y) if dy is None else dy
    y.backward(dy)
    return to_numpy(y.data), dy, {name: to_numpy(leaf.grad) for name, leaf in leaves.items()}


def cotangent(case, y):
    """Random, for ones would hide a flipped kernel."""
    numbers = np.asarray(np.random.default_rng([case.seed, 1]).standard_normal(y.shape))
    return to_device(numbers.astype(y.dtype), y.device)


def arrays(case):
    return {name: value for name, value in case.arguments.items() if is_array(value)}


def contents(some):
    return [to_numpy(array).tobytes() for array in some]


def transformed(case, change):
    return case._replace(
        arguments={
            **case.arguments,
            **{name: change(array) for name, array in arrays(case).items()},
        }
    )


def in_numpy(change):
    """The change made on the CPU, of an array of any device."""
    return lambda array: to_device(change(to_numpy(array)), device_of(array))


def in_floats(dtype):
    """The change to floating-point numbers of this kind; labels and bools stay what they are."""
    return lambda array: array.astype(dtype) if array.dtype.kind == "f" else array


def reversed_strides(array):
    backwards = (slice(None, None, -1),) * array.ndim
    return array[backwards].copy()[backwards]


def permuted_strides(array):
    return array.T.copy().T


def every_second(array):
    wrong = np.nan if array.dtype.kind == "f" else 99
    apart = array_module(array).full([2 * n for n in array.shape], wrong, array.dtype)
    view = apart[(..., *(slice(1, None, 2),) * array.ndim)]
    view[...] = array
    return view


@contextmanager
def spied(op):
    """A list that grows with every gradient of op that is computed."""
    calls = []

    def spy(gradient):
        return lambda *args, **kwargs: calls.append(gradient) or gradient(*args, **kwargs)

    with patch.dict(
        op._gradients,
        {name: (spy(gradient), *rest) for name, (gradient, *rest) in op._gradients.items()},
    ):
        yield calls


def without_cast(gradient, kept, dtype, name):
    """What autograd._pull does, but that the gradient keeps the dtype that it has."""
    return lambda dy, shared: (gradient(dy, **kept)[name] if name else gradient(dy, **kept), False)


def never(*args, **kwargs):
    raise AssertionError("this should not have been called")


# ---- the size of the terms: what rounding errors are measured against ----------------------------


def worst(difference):
    return float(np.abs(difference).max(initial=0))


def reduction_length(case, y):
    """1 where the op goes element by element; else no sum is longer than the largest array has
    numbers."""
    shapes = {y.shape, *(array.shape for array in arrays(case).values())}
    return 1 if len(shapes) == 1 else max(map(math.prod, shapes))


def sizes(case):
    """(size of the terms of y, of each gradient): y and the gradients with every difference turned
    into a sum."""
    name = case.row.name.split("[")[0]
    dy = abs(differentiate(case)[1])
    if name.startswith("batch_norm"):
        return sizes_of_normal_numbers(transformed(case, to_numpy).arguments, to_numpy(dy))
    y, _, gradients = differentiate(MAGNIFIED.get(name, magnified)(case), dy)
    if name in ("sigmoid", "tanh", "softmax"):  # their slopes are differences of numbers up to 1
        gradients = {"x": to_numpy(dy)}
    return worst(y), {name: worst(gradient) for name, gradient in gradients.items()}


def sizes_of_normal_numbers(arguments, dy):
    """x - mean loses the digits of x, once for itself and once for the spread that it is divided
    by."""
    x, gamma, beta = (abs(arguments[name]) for name in ("x", "gamma", "beta"))
    axes = tuple(range(x.ndim - 1))
    spread = np.sqrt(
        arguments.get("variance", arguments["x"].var(axis=axes)) + arguments["epsilon"]
    )
    digits = 1 + x.max(axis=axes) / spread
    numbers = digits * (
        1
        + abs(arguments["x"] - arguments.get("mean", arguments["x"].mean(axis=axes))).max(axis=axes)
        / spread
    )
    slopes = {
        "x": gamma / spread * numbers**2 * dy.max(),
        "gamma": numbers * dy.sum(axis=axes),
        "beta": dy.sum(axis=axes),
    }
    return worst(gamma * numbers + beta), {name: worst(slope) for name, slope in slopes.items()}


def magnified(case):
    return transformed(case, abs)


def as_it_is(case):
    """For what adds nothing up but the cotangent."""
    return case


def with_op(case, op):
    return case._replace(row=case.row.__class__(case.row.name, op, None, case.row.kinds))


def checkered(case):
    """Neighbours of opposite sign: each difference becomes the sum of two sizes."""
    height, width = case.arguments["image"].shape[-3:-1]
    signs = (-1.0) ** np.add.outer(range(height), range(width))[..., None]
    return transformed(case, in_numpy(lambda image: abs(image) * signs))


def added_grams(generated, style, normalization):
    """The style loss of G + A where it is of G - A."""
    N, H, W, C = generated.shape
    sums = losses.gram_matrix(generated, "positions") + (
        style if style.ndim == 3 else losses.gram_matrix(style, "positions")
    )
    return (sums * sums).sum() * losses.style.FACTORS[normalization](N, H * W, C)


def surer_of_the_opposite(case):
    """Each term of the sigmoid's cross-entropy, and of its gradient, above 0: logits above 0,
    targets below."""
    return transformed(case, abs)._replace(arguments={
        **transformed(case, abs).arguments, "targets": -abs(case.arguments["targets"])})  # fmt: skip


def added_logits(logits, labels, reduction):
    """The cross-entropy with + z[l] where it has - z[l]."""
    right = labels[:, None] == array_module(labels).arange(logits.shape[1])
    terms = ops.log(ops.exp(logits).sum(axis=1)) + (logits * right.astype(logits.dtype)).sum(axis=1)
    return terms.mean() if reduction == "mean" else terms.sum()


def at_half_the_distance_too(a, b, same, q):
    """Rounding is magnified by e^-x, as often as x is large; e^-x + e^-(x/2) is larger by more than
    that."""
    return losses.siamese_energy_loss(a, b, same, q) + losses.siamese_energy_loss(
        (a + b) / 2, b, same, q
    )


def beyond_the_margin(case):
    """At least m + E where it is m - E."""
    a, b = (to_numpy(case.arguments[name]) for name in "ab")
    farthest = float(np.linalg.norm(a - b, axis=1).max())
    return case._replace(
        arguments={**case.arguments, "margin": case.arguments["margin"] + 2 * farthest}
    )


def with_gradients(op, **gradients):
    """The op with these gradients, in which no terms cancel."""
    magnified_op = autograd.differentiable(op.forward, **gradients)
    return lambda case: with_op(case, magnified_op)


def nothing_taken_off(dy, x, y, axis):
    """dy + |y| Σ |y| dy where it is dy - y Σ y dy"""
    terms = dy + abs(y) * (abs(y) * dy).sum(axis=axis, keepdims=True)
    return terms * inverse((x * x).sum(axis=axis, keepdims=True) ** 0.5)


def added_directions(dy, y, a, b, wanted):
    """|b̂| + |y â| where it is b̂ - y â"""
    dy, y, unit = (
        dy[..., None],
        y[..., None],
        {"a": ops.l2_normalize.forward(a), "b": ops.l2_normalize.forward(b)},
    )
    lengths = {name: (x * x).sum(axis=-1, keepdims=True) ** 0.5 for name, x in (("a", a), ("b", b))}
    other = {"a": "b", "b": "a"}
    return {
        name: dy * (abs(unit[other[name]]) + abs(y * unit[name])) * inverse(lengths[name])
        for name in wanted
    }


def distances_added_up(dy, y, a, b, squared, wanted):
    """Σ |W| |a - b|"""
    W = 2 * abs(dy) if squared else abs(dy) * inverse(y)
    W = W + W.T if b is None else W
    terms = W[..., None] * abs(a[:, None] - (a if b is None else b))
    return {name: terms.sum(axis={"a": 1, "b": 0}[name]) for name in wanted}


def apart_and_added(case):
    """d(a,p) + d(a,n) + m where it is their difference, with a on one side and p and n on the
    other."""
    apart = {
        name: abs(case.arguments[name]) * (1 if name == "anchor" else -1) for name in case.row.kinds
    }

    def added(anchor, positive, negative, margin, squared, **options):
        sums = [((anchor - other) * (anchor - other)).sum(axis=1) for other in (positive, negative)]
        near, far = sums if squared else (ops.sqrt(s) for s in sums)
        return (near + far + (margin + 1)).sum()

    return with_op(case._replace(arguments={**case.arguments, **apart}), added)


MAGNIFIED = {
    **dict.fromkeys(
        ("relu", "leaky_relu", "sigmoid", "tanh", "softmax", "exp", "absolute"), as_it_is
    ),
    **dict.fromkeys(
        ("maximum", "minimum", "max", "max_pool", "content_loss", "gram_loss"), as_it_is
    ),
    "resample": lambda case: case._replace(
        arguments={**case.arguments, "x": abs(case.arguments["x"])}
    ),
    "subtract": lambda case: with_op(magnified(case), ops.add),
    "style_loss": lambda case: with_op(magnified(case), added_grams),
    "softmax_cross_entropy": lambda case: with_op(magnified(case), added_logits),
    "sigmoid_cross_entropy": surer_of_the_opposite,
    "siamese_energy_loss": lambda case: with_op(case, at_half_the_distance_too),
    "contrastive_loss": beyond_the_margin,
    "l2_normalize": with_gradients(ops.l2_normalize, dx=nothing_taken_off),
    "cosine_similarity": lambda case: with_gradients(ops.cosine_similarity, da_db=added_directions)(
        magnified(case)
    ),
    "pairwise_distances": with_gradients(ops.pairwise_distances, da_db=distances_added_up),
    "chi_square": lambda case: with_op(case, lambda a, b: 3 * (a + b)),
    "triplet_loss": apart_and_added,
    "total_variation": checkered,
}
