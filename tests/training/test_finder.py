"""The learning-rate range test finds the rates at which a task learns, and changes nothing."""

import numpy as np
import pytest

from minidl.backend import device
from minidl.data import Batches
from minidl.errors import ArgumentError, NonFiniteError
from minidl.layers import Dense, Sequential
from minidl.optim import SGD
from minidl.training import Task, find_rate, train
from minidl.training.finder import draw_rates
from tests.devices import GPUS, at
from tests.training.small import everything, loss, small_task


def quadratic_task(curvature):
    """L = 1/2 mean((w x - t)²) for one weight w, with noise t.

    The mean of x² is the curvature: gradient descent diverges above the rate 2 / curvature.
    """
    rng = np.random.default_rng(0)
    x = np.sqrt(curvature) * rng.standard_normal((64, 1), np.float32)
    noise = rng.standard_normal((64, 1), np.float32)
    dense = Dense(np.full((1, 1), 9 / np.sqrt(curvature), np.float32), None)

    def loss(model, x, t):
        error = model(x) - t
        return (error * error).mean() * 0.5, {}

    optimizer = SGD({"kernel": dense.kernel}, 0.1)
    return Task(Sequential(dense), optimizer, Batches((np.float32(x), noise), 8, seed=0), loss)


@pytest.mark.parametrize("curvature", [1.0, 100.0])
def test_the_suggestion_is_below_the_rate_at_which_training_diverges(curvature):
    test = find_rate(quadratic_task(curvature))
    assert 0.01 / curvature < test.suggestion < 0.5 / curvature
    assert test.rates[-1] > 1 / curvature and len(test.rates) < 100  # it ended early
    assert len(test.rates) == len(test.losses) == len(test.smoothed)


def test_the_rates_are_those_of_the_steps():
    task, rates = small_task(), []
    step = task.optimizer.step

    def recording(loss):
        rates.append(task.optimizer.learning_rate)
        step(loss)

    task.optimizer.step = recording
    test = find_rate(task, first=1e-3, last=1e-1, steps=21)
    np.testing.assert_allclose(rates, 1e-3 * 10 ** (np.arange(21) / 10))
    np.testing.assert_array_equal(test.rates, rates)


def test_losses_are_smoothed_without_a_bias_to_zero():
    task = quadratic_task(1.0)
    task.batches = Batches(task.batches.arrays, 64, seed=0)
    test = find_rate(task, first=1e-9, last=1e-8)  # so low that the loss stays the same
    np.testing.assert_allclose(test.smoothed, test.losses[0], rtol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_task_is_as_before(optimizer):
    task, untouched = small_task(optimizer), small_task(optimizer)
    before = everything(task), task.optimizer.learning_rate
    find_rate(task)
    assert (everything(task), task.optimizer.learning_rate) == before
    train(task, 2)
    train(untouched, 2)
    assert everything(task) == everything(untouched)


def test_the_task_is_as_before_even_after_an_error():
    def failing(model, *arrays):
        calls.append(0)
        if len(calls) == 12:
            raise KeyboardInterrupt
        return loss(model, *arrays)

    calls, task = [], small_task(loss=failing)
    before = everything(task)
    with pytest.raises(KeyboardInterrupt):
        find_rate(task)
    assert everything(task) == before


def test_batches_are_accumulated():
    calls = []

    def counting(model, *arrays):
        calls.append(0)
        return loss(model, *arrays)

    find_rate(small_task(loss=counting, accumulate=2), last=1e-3, steps=10)
    assert len(calls) == 20


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_finds_the_same(place):
    wanted = find_rate(quadratic_task(1.0)).suggestion
    with at(place), device("gpu"):
        task = quadratic_task(1.0)
        task.model.to("gpu")
        task.optimizer = SGD({"kernel": task.model.layers["dense1"].kernel}, 0.1)
        assert find_rate(task).suggestion == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first": 0.0}, "the learning rates are to rise from 0.0 to 10.0; wanted a number above"),
        ({"first": 2.0, "last": 1.0}, "wanted a number above 0 and a larger one"),
        ({"last": float("inf")}, "wanted a number above 0 and a larger one"),
        ({"steps": 9}, "the test has 9 steps; wanted a whole number of at least 10"),
        ({"steps": 10.5}, "wanted a whole number of at least 10"),
    ],
)
def test_invalid_rates_and_steps_are_refused(options, message):
    with pytest.raises(ArgumentError, match=message):
        find_rate(small_task(), **options)


def test_a_loss_that_is_never_finite_is_an_error():
    task = small_task(loss=lambda *batch: (loss(*batch)[0] * float("nan"), {}))
    with pytest.raises(NonFiniteError, match="the loss is not finite after 0 steps of a learning"):
        find_rate(task)


def test_the_picture(tmp_path):
    pytest.importorskip("matplotlib")
    draw_rates(find_rate(quadratic_task(1.0)), tmp_path / "rates.png")
    assert (tmp_path / "rates.png").stat().st_size > 5000
