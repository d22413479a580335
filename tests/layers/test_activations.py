"""Activations as layers: each with its options, alone, in a network and in training."""

import numpy as np
import pytest

from minidl import Tensor, layers, ops
from minidl.layers import Dense, PReLU, Sequential
from minidl.optim import SGD

X = np.random.default_rng(0).standard_normal((4, 3))
LAYERS = {  # words -> (layer, the same function)
    "leaky": (layers.LeakyReLU(0.5), lambda x: np.where(x > 0, x, x / 2)),
    "elu": (layers.ELU(), lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    "elu with alpha": (layers.ELU(0.5), lambda x: np.where(x > 0, x, (np.exp(x) - 1) / 2)),
    "softplus": (layers.Softplus(), lambda x: np.log(1 + np.exp(x))),
    "softplus with beta": (layers.Softplus(2.0), lambda x: np.log(1 + np.exp(2 * x)) / 2),
    "silu": (layers.SiLU(), lambda x: x / (1 + np.exp(-x))),
    "gelu": (layers.GELU(), ops.gelu),
    "gelu with tanh": (layers.GELU("tanh"), lambda x: ops.gelu(x, "tanh")),
    "sigmoid": (layers.Sigmoid(), lambda x: 1 / (1 + np.exp(-x))),
    "tanh": (layers.Tanh(), np.tanh),
    "softmax": (layers.Softmax(), lambda x: np.exp(x) / np.exp(x).sum(axis=1, keepdims=True)),
    "softmax of columns": (layers.Softmax(axis=0), lambda x: np.exp(x) / np.exp(x).sum(axis=0)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_computes_its_function_and_has_no_parameters(name):
    layer, function = LAYERS[name]
    np.testing.assert_allclose(layer(X), function(X), rtol=1e-13)
    assert not layer.parameters() and not layer.state()
    [line] = Sequential(layer).summary((3,))
    assert (line.shape, line.parameters, line.multiply_adds) == ((3,), 0, 0)


def test_the_slopes_of_prelu_are_parameters():
    layer = PReLU(3, initial=0.1)
    assert layer.named_parameters()["slope"].dtype == np.float32
    np.testing.assert_allclose(layer(X).data, np.where(X > 0, X, 0.1 * X), rtol=1e-6)
    assert PReLU().slope.shape == (1,)
    [line] = Sequential(layer).summary((3,))
    assert (line.parameters, line.multiply_adds) == (3, 0)
    restored = PReLU(3).restore({"slope": np.array([0.1, 0.2, 0.3])})
    np.testing.assert_allclose(restored(-np.ones((1, 3))).data, [[-0.1, -0.2, -0.3]], rtol=1e-6)


def test_prelu_learns_the_absolute_value():
    layer, x = PReLU(1, dtype=np.float64), Tensor(X)
    optimizer = SGD(layer.named_parameters(), 1.0)
    for _ in range(100):
        error = layer(x) - abs(X)
        (error * error).mean().backward()
        optimizer.step()
    np.testing.assert_allclose(layer.slope.data, [-1], rtol=1e-6)


def test_a_new_dense_layer_without_bias():
    rng = np.random.default_rng(0)
    layer, with_bias = Dense.new(rng, 3, 2, bias=False), Dense.new(rng, 3, 2)
    assert list(layer.named_parameters()) == ["kernel"]
    assert list(with_bias.named_parameters()) == ["kernel", "bias"]
    np.testing.assert_allclose(layer(X).data, X @ layer.kernel.data, rtol=1e-6)
