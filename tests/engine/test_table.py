"""Every fast implementation computes the same as the definition that it replaces."""

from contextlib import nullcontext
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minidl import Tensor, dispatch, optim, textbook
from minidl.autograd import tape
from minidl.backend import to_device
from minidl.engine.table import TABLE
from minidl.ops.normalization import moments
from minidl.optim.clipping import clip_gradients, gradient_length
from minidl.proofs import ROWS, RandomChooser, fill
from tests.checks import differentiate, sizes, transformed, worst
from tests.devices import GPUS, at
from tests.op_table import Case, cases

TOLERANCE = 1e-12
# Functions that are no ops, and are compared separately
OTHERS = [f.definition for f in (optim.optimizer.apply_rule, gradient_length, tape.propagate)]
REPLACED = dict.fromkeys(getattr(row.definition, "definition", row.definition) for row in TABLE)
DEFINITIONS = [definition for definition in REPLACED if definition not in OTHERS]


def differ(case):
    """Return whether the engine and the textbook give different values or gradients."""
    y, dy, gradients = differentiate(case)
    with textbook():
        textbook_y, _, textbook_gradients = differentiate(case, dy)
        y_size, gradient_sizes = sizes(case)
    return worst(y - textbook_y) > TOLERANCE * y_size or any(
        worst(gradient - textbook_gradients[name]) > TOLERANCE * gradient_sizes[name]
        for name, gradient in gradients.items()
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@given(data=st.data())
def test_the_engine_equals_the_textbook(row, data):
    assert not differ(data.draw(cases(row)))


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@settings(max_examples=max(1, settings().max_examples // 4))
@given(data=st.data())
def test_the_engine_equals_the_textbook_on_a_gpu(row, gpu, data):
    case = data.draw(cases(row))
    with at(gpu):
        assert not differ(transformed(case, lambda array: to_device(array, "gpu")))


@pytest.mark.parametrize("in_textbook", [True, False], ids=["textbook", "engine"])
@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda definition: definition.__name__)
def test_an_error_in_the_engine_or_the_textbook_is_detected(definition, in_textbook):
    before = dispatch.implementation_of

    def implementation_of(function):
        implementation = before(function)
        if function is definition and dispatch.uses_textbook() == in_textbook:
            return lambda *args, **kwargs: with_error(implementation(*args, **kwargs))
        return implementation

    with patch.object(dispatch, "implementation_of", implementation_of):
        differences = (differ(drawn(row, seed)) for row in ROWS for seed in range(3))
        assert moments_differ() or any(differences)


def moments_differ():
    x = np.random.default_rng(0).standard_normal((500, 3))
    engine = moments(x)
    with textbook():
        return worst(np.array(engine) - np.array(moments(x))) > TOLERANCE


def test_the_moments_are_equal():
    assert not moments_differ()


def drawn(row, seed):
    return Case(row, fill(row, row.draw(RandomChooser(seed)), seed), seed)


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
        with context:
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
    monkeypatch.setattr(dispatch, "_choice", dispatch._Choice())
    monkeypatch.setenv("MINIDL_TEXTBOOK", "1")
    assert dispatch.uses_textbook()
    monkeypatch.setattr(dispatch, "_choice", dispatch._Choice())
    monkeypatch.setenv("MINIDL_TEXTBOOK", "yes")
    with pytest.raises(dispatch.ArgumentError, match="MINIDL_TEXTBOOK is 'yes'; wanted 0 or 1"):
        dispatch.uses_textbook()


def test_the_textbook_ends_with_its_block():
    with textbook():
        with textbook():
            pass
        assert dispatch.uses_textbook()
    assert not dispatch.uses_textbook()
