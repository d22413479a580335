"""Every fast implementation computes the same as the definition that it replaces."""

import functools
from contextlib import nullcontext
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl import Tensor, dispatch, ops, optim, textbook
from minidl.autograd import tape
from minidl.backend import to_device
from minidl.data import Batches
from minidl.engine import matrices, pooling_gpu, rows, strips
from minidl.engine.table import TABLE
from minidl.ops.activations import relu_dx
from minidl.ops.normalization import moments
from minidl.optim.clipping import clip_gradients, gradient_length
from minidl.proofs import ROWS
from tests.checks import differentiate, sizes, transformed, worst
from tests.devices import GPUS, at
from tests.op_table import cases, drawn
from tests.strict import HAS_COMPILER, needed

TOLERANCE = 1e-12
# Functions that are no ops, and are compared separately
OTHERS = [f.definition for f in (optim.optimizer.apply_rule, gradient_length, tape.propagate)]
REPLACED = dict.fromkeys(dispatch.definition_of(row.definition) for row in TABLE)
DEFINITIONS = [definition for definition in REPLACED if definition not in OTHERS]
NUMBERS = [n for n, row in enumerate(TABLE) if dispatch.definition_of(row.definition) not in OTHERS]


def name_of_row(number):
    implementation = TABLE[number].implementation
    return f"{implementation.__module__.removeprefix('minidl.engine.')}.{implementation.__name__}"


def differ(case):
    """Return whether the engine and the textbook give different values, gradients or dtypes."""
    y, dy, gradients = differentiate(case)
    with textbook():
        textbook_y, _, textbook_gradients = differentiate(case, dy)
        y_size, gradient_sizes = sizes(case)
    pairs = [(y, textbook_y, y_size)]
    pairs += [
        (dx, textbook_gradients[name], gradient_sizes[name]) for name, dx in gradients.items()
    ]
    return any(
        fast.dtype != definition.dtype or worst(fast - definition) > TOLERANCE * size
        for fast, definition, size in pairs
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(data=st.data())
def test_the_engine_equals_the_textbook(row, data):
    assert not differ(data.draw(cases(row)))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(data=st.data())
def test_the_engine_in_small_strips_equals_the_textbook(row, data):
    """The drawn arrays are small. Without this patch, each would be a single strip."""
    small = patch.multiple(strips, STRIP=5, LEAST=1), patch.object(rows, "LEAST", 4)
    with small[0], small[1], patch.object(matrices, "LEAST", 1):
        assert not differ(data.draw(cases(row)))


def test_integers_are_multiplied_as_by_the_textbook():
    a, b = np.arange(6).reshape(2, 3), np.arange(12).reshape(3, 4)
    y = ops.matmul(a, b)
    assert y.dtype == a.dtype
    assert np.array_equal(y, a @ b)


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=max(1, settings().max_examples // 4))
@given(data=st.data())
def test_the_engine_equals_the_textbook_on_a_gpu(row, gpu, data):
    case = data.draw(cases(row))
    with at(gpu):
        assert not differ(transformed(case, lambda array: to_device(array, "gpu")))


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.__name__)
def test_an_error_in_a_definition_is_detected(definition):
    before = dispatch.implementation_of

    def implementation_of(function):
        is_wrong = function is definition and dispatch.uses_textbook()
        return erroneous(function) if is_wrong else before(function)

    with patch.object(dispatch, "implementation_of", implementation_of):
        assert moments_differ() or any(differences())


@pytest.mark.parametrize("number", NUMBERS, ids=name_of_row)
def test_an_error_in_an_implementation_is_detected(number):
    """An implementation that never applies is detected too, because its error has no effect."""
    row = TABLE[number]
    on_gpu = row.applies is pooling_gpu.applies
    if on_gpu:
        needed(HAS_COMPILER, "g++")
    with patch.dict(dispatch._replacements, clear=True), at("strict" if on_gpu else "numpy"):
        for other in TABLE:
            fast = erroneous(other.implementation) if other is row else other.implementation
            dispatch.replace(other.definition, fast, other.applies)
        assert moments_differ() or any(differences("gpu" if on_gpu else "cpu"))


def test_an_implementation_with_other_parameters_is_refused():
    with pytest.raises(TypeError, match="relu_dx takes dy, x; wanted dy, y"):
        dispatch.replace(relu_dx, relu_dx_of_x)


def relu_dx_of_x(dy, x):
    return dy * (x > 0)


relu_dx_of_x.__name__ = "relu_dx"


def differences(device="cpu"):
    """Yield for many cases whether the engine and the textbook differ."""
    for row in ROWS:
        for seed in range(3):
            case = drawn(row, seed)
            yield differ(transformed(case, lambda array: to_device(array, device)))


def erroneous(function):
    """Return the function with an error in its result."""

    @functools.wraps(function)
    def wrong(*args, **kwargs):
        return with_error(function(*args, **kwargs))

    return wrong


def moments_differ():
    x = np.random.default_rng(0).standard_normal((500, 3))
    engine = moments(x)
    with textbook():
        return worst(np.array(engine) - np.array(moments(x))) > TOLERANCE


def test_the_moments_are_equal():
    assert not moments_differ()


def with_error(result):
    """Return the result with a relative error of 1/1000."""
    if isinstance(result, dict):
        return {name: with_error(array) for name, array in result.items()}
    if isinstance(result, tuple):
        return tuple(map(with_error, result))
    return result * 1.001


OPTIMISERS = {
    "descent": lambda p: optim.SGD(p, 0.1, weight_decay=0.01),
    "momentum": lambda p: optim.SGD(p, 0.1, momentum=0.9),
    "nesterov": lambda p: optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "keras": lambda p: optim.SGD(p, 0.1, momentum=0.9, momentum_form="keras"),
    "keras nesterov": lambda p: optim.SGD(
        p, 0.1, momentum=0.9, momentum_form="keras", nesterov=True, weight_decay=0.01
    ),
    "adam": lambda p: optim.Adam(p, 0.1, weight_decay=0.01),
    "adam of tensorflow": lambda p: optim.Adam(p, 0.1, epsilon_form="tensorflow"),
    "adamw": lambda p: optim.Adam(p, 0.1, weight_decay=0.01, decoupled=True),
    "adagrad": lambda p: optim.Adagrad(p, 0.1, weight_decay=0.01),
    "rmsprop": lambda p: optim.RMSprop(p, 0.1, weight_decay=0.01),
    "rmsprop with momentum": lambda p: optim.RMSprop(p, 0.1, momentum=0.9),
    "centred rmsprop": lambda p: optim.RMSprop(p, 0.1, centred=True, weight_decay=0.01),
    "centred with momentum": lambda p: optim.RMSprop(p, 0.1, centred=True, momentum=0.9),
    "nadam": lambda p: optim.Nadam(p, 0.1, weight_decay=0.01),
    "nadamw": lambda p: optim.Nadam(p, 0.1, weight_decay=0.01, decoupled=True),
    "l-bfgs": lambda p: optim.LBFGS(p),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("make", OPTIMISERS.values(), ids=list(OPTIMISERS))
def test_the_steps_of_optimisers_are_equal(make, dtype):
    def trained(context):
        rng = np.random.default_rng(0)
        shapes = (3, 4), (7,)
        parameters = [
            Tensor(rng.standard_normal(s).astype(dtype), requires_grad=True) for s in shapes
        ]
        optimiser = make(parameters)
        with context, np.errstate(over="ignore"):  # a step of L-BFGS is too long for float16
            for _ in range(5):
                losses = [(p * p * p * p).mean() for p in parameters]
                loss = losses[0] + losses[1]
                loss.backward()
                clip_gradients(parameters, 1.0)
                optimiser.step(float(loss))
        state = {name: value for name, value in optimiser.state().items() if np.ndim(value)}
        return [*(p.data for p in parameters), *state.values()]

    tolerance = 50 * np.finfo(dtype).eps
    for engine, definition in zip(trained(nullcontext()), trained(textbook()), strict=True):
        assert engine.dtype == definition.dtype
        assert worst(engine.astype(float) - definition) <= tolerance * max(1, worst(definition))


def test_the_environment_selects_the_textbook(monkeypatch):
    chosen = dispatch._chosen_by_environment.__wrapped__
    for value, expected in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("MINIDL_TEXTBOOK", value)
        assert chosen() == expected
    monkeypatch.setenv("MINIDL_TEXTBOOK", "yes")
    with pytest.raises(dispatch.ArgumentError, match="MINIDL_TEXTBOOK is 'yes'; wanted 0 or 1"):
        chosen()


def test_worker_threads_compute_as_the_thread_that_needs_their_results():
    def prepare(rng, x):
        return (np.full(len(x), dispatch.uses_textbook()),)

    for prefetch in (0, 2):
        batches = Batches((np.zeros(8),), size=4, seed=0, transform=prepare, prefetch=prefetch)
        with textbook():
            assert all(used.all() for (used,) in batches)
        assert not any(used.any() for (used,) in batches)


def test_a_parameter_without_axes_keeps_its_state_when_the_mode_changes():
    def moved(contexts):
        p = Tensor(np.float32(2.0), requires_grad=True)
        optimiser = optim.SGD([p], 0.1, momentum=0.9)
        for context in contexts:
            with context:
                (p * p).sum().backward()
                optimiser.step()
        optimiser.restore(optimiser.state())
        return float(p)

    mixed = moved([textbook(), textbook(), nullcontext(), nullcontext()])
    assert mixed == pytest.approx(moved([nullcontext()] * 4))


def test_the_textbook_ends_with_its_block():
    with textbook():
        with textbook():
            pass
        assert dispatch.uses_textbook()
    assert not dispatch.uses_textbook()
