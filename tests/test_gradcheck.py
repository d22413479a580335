"""The proofs: each method accepts a correct gradient and rejects a relative error of 1e-6."""

import numpy as np
import pytest

from minidl import losses, ops
from minidl.autograd import differentiable
from minidl.errors import ArgumentError
from minidl.gradcheck import KINDS, prove
from minidl.proofs import ROWS, RandomChooser, Row, Shape, fill, run

x = np.random.default_rng(0).standard_normal((2, 3, 3, 4)) + 3
METHODS = {  # kind -> (function, its gradient)
    "linear": (lambda x: 3 * x, lambda dy: 3 * dy),
    "quadratic": (lambda x: x * x, lambda dy, x: 2 * x * dy),
    "quartic": (lambda x: x**4, lambda dy, x: 4 * x**3 * dy),
    "piecewise linear": (lambda x: abs(x), lambda dy, x: np.sign(x) * dy),
    "analytic": (lambda x: np.sin(x), lambda dy, x: np.cos(x) * dy),
    "smooth": (lambda x: np.sin(x), lambda dy, x: np.cos(x) * dy),
}


def test_every_kind_is_tested():
    assert METHODS.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_correct_gradient_passes(kind):
    f, df = METHODS[kind]
    [proof] = prove(differentiable(f, dx=df), {"x": x}, {"x": kind})
    assert proof.passed, proof
    assert proof.method == KINDS[kind].name


@pytest.mark.parametrize("kind", KINDS)
def test_a_relative_error_of_a_millionth_fails(kind):
    f, df = METHODS[kind]

    def wrong_linear(dy):
        return df(dy) * (1 + 1e-6)

    def wrong(dy, x):
        return df(dy, x) * (1 + 1e-6)

    dx = wrong_linear if kind == "linear" else wrong
    [proof] = prove(differentiable(f, dx=dx), {"x": x}, {"x": kind})
    assert not proof.passed, proof


@pytest.mark.parametrize("kind", KINDS)
def test_a_nan_fails(kind):
    f, _ = METHODS[kind]
    [proof] = prove(differentiable(f, dx=lambda dy: dy * np.nan), {"x": x}, {"x": kind})
    assert not proof.passed
    assert proof.error == float("inf")


def test_random_cotangents_reveal_a_missing_kernel_flip():
    w = np.random.default_rng(1).standard_normal((3, 3, 4, 2))
    unflipped = differentiable(
        lambda x: ops.convolution(x, w),
        dx=lambda dy, x_shape: ops.convolution(dy, w.swapaxes(2, 3), padding=2),
    )
    [proof] = prove(unflipped, {"x": x}, {"x": "linear"})
    assert not proof.passed


def test_a_zero_gradient_is_correct_for_a_constant():
    [proof] = prove(lambda x: x * 0.0, {"x": x}, {"x": "linear"})
    assert proof.error == 0


def test_float32_is_refused():
    message = "x is float32; a proof needs float64, since float32 differences prove nothing"
    with pytest.raises(ArgumentError, match=message):
        prove(ops.tanh, {"x": x.astype(np.float32)}, {"x": "analytic"})


@pytest.mark.parametrize("f", [ops.absolute, lambda x: ops.absolute(x) * 2.0])
def test_the_complex_step_refuses_a_function_that_drops_the_imaginary_part(f):
    message = "a function that drops the imaginary part; prove it as 'smooth'"
    with pytest.raises(ArgumentError, match=message):
        prove(f, {"x": x}, {"x": "analytic"})


def test_an_unknown_kind_is_refused():
    with pytest.raises(ArgumentError, match="kind is 'cubic'; wanted one of 'linear', 'quadratic'"):
        prove(ops.tanh, {"x": x}, {"x": "cubic"})


def test_only_the_arguments_with_a_kind_are_proven():
    arguments = {"generated": x, "content": x + 1}
    proofs = prove(losses.content_loss, arguments, {"content": "quadratic"})
    assert [proof.argument for proof in proofs] == ["content"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_of_the_table_passes_as_in_the_command(row):
    proofs = run(row, cases=5)
    assert proofs.keys() == row.kinds.keys()
    assert all(proof.passed for proof in proofs.values()), proofs


def test_a_nan_error_counts_as_the_worst_proof():
    calls = iter([1.0, np.nan, 1.0])
    nan_once = differentiable(lambda x: x * 1.0, dx=lambda dy: dy * next(calls))
    row = Row("nan", nan_once, lambda choose: {"x": Shape((2,))}, {"x": "linear"})
    assert not run(row, cases=3)["x"].passed


def test_spaced_numbers_stay_clear_of_every_kink():
    row = next(row for row in ROWS if row.name == "maximum")
    for seed in range(20):
        filled = fill(row, row.draw(RandomChooser(seed)), seed)
        numbers = np.sort(np.concatenate([filled["a"].ravel(), filled["b"].ravel(), [0.0]]))
        assert np.diff(numbers).min() >= 0.5
