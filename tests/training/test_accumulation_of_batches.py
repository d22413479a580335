"""Several batches per step act as one large batch."""

import os
import signal

import numpy as np
import pytest

from minidl.data import Batches
from minidl.errors import ArgumentError
from minidl.layers import Dense, Flatten, ReLU, Sequential
from minidl.optim import SGD, Steps
from minidl.training import Task, train
from tests.training.small import bytes_of, loss, pictures, small_task


def plain_task(size, accumulate, clip=None, loss=loss):
    """A task without batch normalization, whose batches therefore do not differ from their sum."""
    rng = np.random.default_rng(0)
    dense = Dense.new(rng, 64, 8), Dense.new(rng, 8, 3)
    model = Sequential(Flatten(), dense[0], ReLU(), dense[1])
    return Task(
        model,
        SGD(model.named_parameters(), 0.1, 0.9),
        Batches(pictures(), size, seed=3),
        loss,
        schedule=Steps(0.05, {0.5: 0.5, 1: 0.1}),
        accumulate=accumulate,
        clip=clip,
    )


@pytest.mark.parametrize("clip", [None, 0.01])
@pytest.mark.parametrize(("size", "accumulate"), [(8, 2), (4, 4), (1, 16)])
def test_the_steps_are_those_of_large_batches(size, accumulate, clip):
    small, large = plain_task(size, accumulate, clip), plain_task(16, 1, clip)
    rows, wanted = train(small, 2).rows, train(large, 2).rows
    assert [row["step"] for row in rows] == [4, 8]  # 60 examples: the last step of an epoch has 12
    for row, other in zip(rows, wanted, strict=True):
        for name in ("loss", "accuracy", "learning_rate"):
            assert row[name] == pytest.approx(other[name], rel=1e-5)
    for name, array in small.model.state().items():
        np.testing.assert_allclose(array, large.model.state()[name], rtol=1e-4, atol=1e-6)


def test_a_group_that_does_not_fill_the_epoch_is_smaller():
    task = plain_task(16, 3)
    assert train(task, 1).rows[0]["step"] == 2  # of 3 batches and of 1


def test_a_parameter_that_one_batch_does_not_reach_moves_by_the_others():
    calls = []

    def loss_of_some_parameters(model, x, labels):
        calls.append(0)
        value, measures = loss(model, x, labels)
        if len(calls) == 2:
            value = (model.layers["dense2"].bias * 0.0).sum()
        return value, measures

    def moves(loss):
        task = plain_task(30, 2, loss=loss)
        before = task.model.layers["dense1"].kernel.data
        train(task, 1)
        return task.model.layers["dense1"].kernel.data - before

    first_half = moves(loss_of_some_parameters)
    assert np.abs(first_half).max() > 0 and not np.allclose(first_half, moves(loss))


@pytest.mark.parametrize("batch", [1, 3, 5])
def test_a_run_stops_between_steps_and_resumes_to_the_same_bytes(batch, tmp_path):
    whole, calls = small_task(accumulate=3), []
    train(whole, 3)

    def interrupting(model, *arrays):
        calls.append(0)
        if len(calls) == batch:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(model, *arrays)

    assert train(small_task(accumulate=3, loss=interrupting), 3, tmp_path).stopped
    assert len(calls) == {1: 3, 3: 3, 5: 7}[batch]
    resumed = small_task(accumulate=3)
    train(resumed, 3, tmp_path, resume=True)
    assert bytes_of(resumed.model.state()) == bytes_of(whole.model.state())


def test_a_run_resumes_only_with_the_same_number(tmp_path):
    train(small_task(accumulate=2), 1, tmp_path)
    with pytest.raises(ArgumentError, match=r"was trained with other settings \(accumulate\)"):
        train(small_task(), 2, tmp_path, resume=True)


@pytest.mark.parametrize("accumulate", [0, -1, 1.5, None])
def test_an_invalid_number_is_refused(accumulate):
    with pytest.raises(ArgumentError, match=r"the task accumulates .* batches; wanted a whole"):
        train(small_task(accumulate=accumulate), 1)
