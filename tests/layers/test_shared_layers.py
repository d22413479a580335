"""A layer that a network contains twice, and a parameter that two layers share, count once."""

import copy
import pickle

import numpy as np
import pytest

from minidl import Tensor
from minidl.data import Batches
from minidl.layers import BatchNorm, Dense, Dropout, Module, ReLU, Sequential
from minidl.optim import SGD
from minidl.training import Task, train
from tests.devices import GPUS, at

NAMES = ["dense1/kernel", "dense1/bias", "batchnorm1/gamma", "batchnorm1/beta"]


def dense(inputs, outputs, seed=0):
    return Dense.new(np.random.default_rng(seed), inputs, outputs)


def repeated():
    """A network that computes two layers twice."""
    layer, normalization = dense(4, 4), BatchNorm(4)
    return Sequential(layer, normalization, ReLU(), layer, normalization)


class Tied(Module):
    """An autoencoder whose decoder has the kernel of its encoder, transposed."""

    def __init__(self):
        self.encoder, self.decoder = dense(4, 3), dense(3, 4, seed=1)
        self.decoder.kernel = self.encoder.kernel

    def __call__(self, x):
        return self.encoder(x) @ self.decoder.kernel.T + self.decoder.bias


def error(model, x):
    return ((model(x) - x) ** 2).mean()


def examples():
    return np.random.default_rng(2).standard_normal((8, 4)).astype(np.float32)


def test_names_states_and_lists_have_each_parameter_once():
    model, tied = repeated(), Tied()
    assert list(model.named_parameters()) == NAMES
    assert list(model.state()) == [*NAMES, "batchnorm1/mean", "batchnorm1/variance"]
    assert list(model.named_modules()) == ["", "dense1/", "batchnorm1/", "relu1/"]
    assert list(tied.named_parameters()) == ["encoder/kernel", "encoder/bias", "decoder/bias"]
    assert len(tied.parameters()) == len(tied.state()) == 3


def test_a_gradient_is_the_sum_over_all_uses():
    kernel = np.array([[2.0]])
    layer = Dense(kernel)
    x = Tensor(np.array([[3.0]]))
    Sequential(layer, layer)(x).backward()
    assert layer.kernel.grad.tolist() == [[2 * 2 * 3]]  # y = w² x


@pytest.mark.parametrize("build", [repeated, Tied])
def test_a_step_moves_a_shared_parameter_once(build):
    model, x = build(), examples()
    optimizer = SGD(model.named_parameters(), 0.1, momentum=0.9, weight_decay=0.01)
    before = {name: p.data for name, p in model.named_parameters().items()}
    error(model, x).backward()
    optimizer.step()
    for name, parameter in model.named_parameters().items():
        decay = 0.01 * before[name] if name.endswith("kernel") else 0
        wanted = before[name] - 0.1 * (parameter.grad + decay)
        np.testing.assert_allclose(parameter.data, wanted, rtol=1e-5, atol=1e-7)
    assert len(optimizer.state()) == 1 + len(before)


@pytest.mark.parametrize("build", [repeated, Tied])
def test_a_state_restores_and_a_copy_shares(build):
    model, x = build(), examples()
    error(model, x).backward()
    SGD(model.named_parameters(), 0.1).step()
    copies = build().restore(model.state()), copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    y = model.train(False)(x).data
    for other in copies:
        assert list(other.named_parameters()) == list(model.named_parameters())
        np.testing.assert_array_equal(other.train(False)(x).data, y)
        other.parameters()[0].data = other.parameters()[0].data * 2
        assert not np.array_equal(other(x).data, y)
    tied = Tied().restore(Tied().state())
    assert tied.decoder.kernel is tied.encoder.kernel


def test_freezing_training_and_moving():
    model = repeated().freeze()
    assert not any(p.requires_grad for p in model.parameters())
    x = Tensor(examples(), requires_grad=True)
    model.train(False)(x).sum().backward()
    assert x.grad is not None and model.layers["dense2"].kernel.grad is None
    model.freeze(False).train()
    assert model.layers["batchnorm2"].training and model.layers["dense2"].kernel.requires_grad


@pytest.mark.parametrize("place", GPUS)
def test_moving_to_a_gpu(place):
    with at(place):
        tied = Tied().to("gpu")
        assert tied.decoder.kernel is tied.encoder.kernel
        assert {p.device for p in tied.parameters()} == {"gpu"}
        assert repeated().to("gpu").layers["batchnorm2"].mean.shape == (4,)


def test_a_summary_counts_shared_parameters_once():
    lines = repeated().summary((4,))
    assert [line.parameters for line in lines] == [20, 8, 0, 0, 0]
    assert [line.multiply_adds for line in lines] == [16, 0, 0, 16, 0]


def test_a_repeated_dropout_draws_other_numbers_in_each_place():
    layer = Dropout(0.5)
    ones = np.ones(200, np.float32)
    assert np.count_nonzero(Sequential(layer, layer)(ones)) < 80
    assert layer.calls == 2


def test_a_run_of_training_resumes(tmp_path):
    def task():
        model = repeated()
        optimizer = SGD(model.named_parameters(), 0.05, momentum=0.9)

        def loss(model, x):
            return error(model, x), {}

        return Task(model, optimizer, Batches((examples(),), size=4, seed=0), loss)

    whole, parts = task(), task()
    train(whole, epochs=3)
    train(parts, epochs=1, folder=tmp_path)
    parts = task()
    train(parts, epochs=3, folder=tmp_path, resume=True)
    for name, value in whole.model.state().items():
        assert value.tobytes() == parts.model.state()[name].tobytes(), name
