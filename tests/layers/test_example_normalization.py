"""Group, instance and layer normalization, local response normalization and embedding as layers:
compared with PyTorch's, in the features of Module, and trained."""

import copy
import pickle

import numpy as np
import pytest

from minidl import Tensor, layers, textbook
from minidl.backend import device_of, to_numpy
from minidl.errors import ArgumentError, ShapeError
from minidl.layers import (
    BatchNorm,
    Convolution,
    Dense,
    Embedding,
    Flatten,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LocalResponseNorm,
    ReLU,
    Sequential,
)
from minidl.optim import SGD
from tests.devices import GPUS, PLACES, at

SHAPE = (3, 4, 5, 6)
PAIRS = {  # name -> (layer, function that makes the same layer of PyTorch)
    "group": (GroupNorm(6, groups=3), lambda nn: nn.GroupNorm(3, 6)),
    "group, plain": (
        GroupNorm(6, groups=2, affine=False, epsilon=0.1),
        lambda nn: nn.GroupNorm(2, 6, eps=0.1, affine=False),
    ),
    "instance": (InstanceNorm(6), lambda nn: nn.InstanceNorm2d(6)),
    "instance, affine": (
        InstanceNorm(6, affine=True, epsilon=0.1),
        lambda nn: nn.InstanceNorm2d(6, affine=True, eps=0.1),
    ),
    "layer": (LayerNorm(6), lambda nn: nn.LayerNorm(6)),
    "layer, two axes": (LayerNorm((5, 6), epsilon=0.1), lambda nn: nn.LayerNorm((5, 6), eps=0.1)),
    "layer, plain": (
        LayerNorm(6, affine=False), lambda nn: nn.LayerNorm(6, elementwise_affine=False)
    ),
    "local response": (LocalResponseNorm(4), lambda nn: nn.LocalResponseNorm(4)),
    "local response, options": (
        LocalResponseNorm(3, 0.5, beta=0.5, k=2.0), lambda nn: nn.LocalResponseNorm(3, 0.5, 0.5, 2)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_layers_equal_pytorchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = copy.deepcopy(PAIRS[name][0]), PAIRS[name][1](torch.nn)
    rng = np.random.default_rng(0)
    pairs = [*zip(ours.parameters(), theirs.parameters(), strict=True)]
    for parameter, torch_parameter in pairs:
        parameter.data = rng.standard_normal(parameter.shape).astype(np.float32)
        torch_parameter.data = torch.tensor(parameter.data)
    x = Tensor(rng.standard_normal(SHAPE).astype(np.float32) * 2 + 1, requires_grad=True)
    torch_x, is_last = torch.tensor(x.data, requires_grad=True), name.startswith("layer")
    y = ours(x)
    torch_y = theirs(torch_x if is_last else torch_x.movedim(-1, 1))
    torch_y = torch_y if is_last else torch_y.movedim(1, -1)
    dy = rng.standard_normal(y.shape).astype(np.float32)
    y.backward(dy)
    torch_y.backward(torch.tensor(dy))
    np.testing.assert_allclose(y.data, torch_y.detach().numpy(), atol=1e-5)
    np.testing.assert_allclose(x.grad, torch_x.grad.numpy(), atol=1e-5)
    for parameter, torch_parameter in pairs:
        wanted = torch_parameter.grad.numpy()
        np.testing.assert_allclose(parameter.grad, wanted, rtol=1e-5, atol=2e-5)


def test_an_embedding_equals_pytorchs():
    """With padding, PyTorch's vector of the padding is 0."""
    torch = pytest.importorskip("torch")
    ours = Embedding.new(np.random.default_rng(0), 7, 4, padding=2)
    ours.weights.data[2] = 0
    theirs = torch.nn.Embedding.from_pretrained(
        torch.tensor(ours.weights.data), freeze=False, padding_idx=2
    )
    indices = np.array([[0, 2, 6], [6, 6, 2]])
    y, torch_y = ours(indices), theirs(torch.tensor(indices))
    dy = np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)
    y.backward(dy)
    torch_y.backward(torch.tensor(dy))
    np.testing.assert_array_equal(y.data, torch_y.detach().numpy())
    np.testing.assert_allclose(ours.weights.grad, theirs.weight.grad.numpy(), atol=1e-6)


# ---- the features of Module ----------------------------------------------------------------------


def network():
    """Return a network for sentences (N, 8) of words from 0 to 10."""
    rng = np.random.default_rng(0)
    return Sequential(
        Embedding.new(rng, 11, 6, padding=0),
        LayerNorm((8, 6)),
        Convolution.new(rng, (3,), 6, 8),
        GroupNorm(8, groups=2),
        ReLU(),
        LocalResponseNorm(3),
        Convolution.new(rng, (2,), 8, 4),
        InstanceNorm(4, affine=True),
        InstanceNorm(4),
        Flatten(),
        Dense.new(rng, 20, 3),
    )


WORDS = np.random.default_rng(1).integers(0, 11, (4, 8))
NAMES = [
    "embedding1/weights", "layernorm1/gamma", "layernorm1/beta", "convolution1/kernel",
    "convolution1/bias", "groupnorm1/gamma", "groupnorm1/beta", "convolution2/kernel",
    "convolution2/bias", "instancenorm1/gamma", "instancenorm1/beta", "dense1/kernel",
    "dense1/bias",
]  # fmt: skip


def test_parameters_are_named_and_are_the_whole_state():
    model = network()
    assert [*model.named_parameters()] == [*model.state()] == NAMES


def test_the_summary_by_hand():
    lines = network().summary((8,), dtype=int)
    assert [line.shape for line in lines[:4]] == [(8, 6), (8, 6), (6, 8), (6, 8)]
    assert [line.parameters for line in lines[:4]] == [66, 96, 3 * 6 * 8 + 8, 16]
    assert [line.multiply_adds for line in lines[:4]] == [0, 0, 6 * 3 * 6 * 8, 0]
    assert [line.receptive_field for line in lines[:7]] == [(1,)] * 2 + [(3,)] * 4 + [(4,)]


def test_training_changes_nothing_in_these_layers():
    model = network()
    in_training = model(WORDS).data
    np.testing.assert_array_equal(model.train(False)(WORDS).data, in_training)
    alone = np.concatenate([model(words[None]).data for words in WORDS])
    np.testing.assert_allclose(alone, in_training, atol=1e-5)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_used_network_can_be_copied(copied):
    model = network()
    model(WORDS).sum().backward()
    other = copied(model)
    np.testing.assert_array_equal(other(WORDS).data, model(WORDS).data)


def test_a_network_can_be_frozen_and_restored():
    model, other = network().freeze(), network()
    assert not model(WORDS).requires_grad
    for parameter in other.parameters():
        parameter.data += 1
    assert abs(other(WORDS).data - model(WORDS).data).max() > 0.1
    np.testing.assert_array_equal(other.restore(model.state())(WORDS).data, model(WORDS).data)


@pytest.mark.parametrize("place", PLACES)
def test_the_textbook_and_the_engine_train_alike(place):
    with at(place):
        trained = network()
        with textbook():
            wanted = network()
            losses = descend(wanted)
        np.testing.assert_allclose(descend(trained), losses, rtol=1e-3)
        assert losses[-1] < 0.5 * losses[0]
        for p, q in zip(trained.parameters(), wanted.parameters(), strict=True):
            np.testing.assert_allclose(to_numpy(p.data), to_numpy(q.data), atol=1e-3)


def descend(model):
    """Return the losses of some steps of descent towards outputs of 1."""
    optimizer, losses = SGD(model.named_parameters(), 0.02, momentum=0.5), []
    for _ in range(8):
        difference = model(WORDS) - 1.0
        loss = (difference * difference).mean()
        loss.backward()
        losses.append(float(loss))
        optimizer.step()
    return losses


@pytest.mark.parametrize("place", GPUS)
def test_to_moves_the_layers(place):
    model = network()
    wanted = model(WORDS).data
    with at(place):
        model.to("gpu")
        assert all(device_of(array) == "gpu" for array in model.state().values())
        np.testing.assert_allclose(to_numpy(model(WORDS).data), wanted, atol=1e-5)


def test_float16_layers():
    x = (100 * np.random.default_rng(0).standard_normal((4, 9, 6))).astype(np.float16)
    for layer in (GroupNorm(6, groups=2, dtype=np.float16), LayerNorm(6, dtype=np.float16)):
        y = layer(x).data
        assert y.dtype == layer.gamma.dtype == np.float16
        assert abs(float(y.astype(float).std()) - 1) < 0.01


# ---- refusals ------------------------------------------------------------------------------------

X = np.ones((2, 3, 6), np.float32)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: GroupNorm(6, groups=4), ArgumentError, "6 channels in 4 groups; wanted a number"),
        (lambda: GroupNorm(6, groups=2.0), ArgumentError, "in 2.0 groups"),
        (lambda: GroupNorm(6, groups=0), ArgumentError, "in 0 groups"),
        (lambda: GroupNorm(3, groups=3)(X), ShapeError, r"of 3 channels found x \(2, 3, 6\)"),
        (lambda: InstanceNorm(3)(X), ShapeError, r"wanted \(N, \*spatial, 3\)"),
        (lambda: InstanceNorm(6)(X[:, :1]), ShapeError, "at least two numbers in each group"),
        (lambda: GroupNorm(6, groups=6)(X[:, 0]), ShapeError, "at least two numbers in each group"),
        (lambda: LayerNorm((3, 5))(X), ShapeError, r"over \(3, 5\) found x \(2, 3, 6\); wanted"),
        (lambda: LayerNorm(()), ArgumentError, r"a LayerNorm over \(\); wanted the lengths"),
        (lambda: LayerNorm(0), ArgumentError, "a LayerNorm over 0; wanted the lengths"),
        (lambda: LayerNorm(2.5), ArgumentError, "a LayerNorm over 2.5; wanted the lengths"),
        (lambda: Embedding(np.ones((3, 2)))([3]), ArgumentError, "wanted integers from 0 to 2"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_batch_and_instance_normalization_are_equal_for_one_picture_in_training():
    x = np.random.default_rng(0).standard_normal((1, 4, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(BatchNorm(3)(x).data, InstanceNorm(3)(x), atol=1e-6)


def test_an_empty_batch_gives_an_empty_batch():
    empty = np.zeros((0, 3, 6), np.float32)
    for layer in (GroupNorm(6, groups=2), InstanceNorm(6), LayerNorm(6), LocalResponseNorm(3)):
        assert layer(empty).shape == empty.shape
    assert layers.Embedding(np.ones((3, 2)))(np.zeros((0, 4), int)).shape == (0, 4, 2)
