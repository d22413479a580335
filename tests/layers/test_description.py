"""Networks as data: every layer can be described and made again, and nothing else can be made."""

import copy
import json
import pickle
import tracemalloc
import weakref

import numpy as np
import pytest

from minidl import layers
from minidl.autograd import Tensor
from minidl.errors import ArgumentError
from minidl.layers import (
    ELU,
    GELU,
    AdaptiveAvgPool,
    AdaptiveMaxPool,
    AvgPool,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LeakyReLU,
    LocalResponseNorm,
    MaxPool,
    Pad,
    PReLU,
    ReLU,
    SeparableConvolution,
    Sequential,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
    TransposedConvolution,
    Upsample,
)
from minidl.layers.activations import UnitLength
from minidl.layers.description import LAYERS, built, described

RNG = np.random.default_rng(0)
PICTURES = RNG.standard_normal((2, 8, 8, 4)).astype(np.float32)


def kernel(*shape):
    return RNG.standard_normal(shape).astype(np.float32)


# A layer with other options than its defaults, where it has any.
MADE = {
    "AdaptiveAvgPool": lambda: AdaptiveAvgPool((3, None)),
    "AdaptiveMaxPool": lambda: AdaptiveMaxPool(5),
    "AvgPool": lambda: AvgPool(3, stride=2, padding=1, count_padding=False),
    "BatchNorm": lambda: BatchNorm(4, momentum=0.5, epsilon=0.1),
    "Convolution": lambda: Convolution.new(RNG, (3, 3), 4, 6, stride=2, padding="same", groups=2),
    "Dense": lambda: Sequential(Flatten(), Dense.new(RNG, 256, 3, bias=False)),
    "Dropout": lambda: Dropout(0.5, seed=(1, 2)),
    "ELU": lambda: ELU(0.5),
    "Flatten": Flatten,
    "GELU": lambda: GELU("tanh"),
    "GlobalAvgPool": lambda: GlobalAvgPool(keepdims=True),
    "GlobalMaxPool": lambda: GlobalMaxPool(keepdims=True),
    "GroupNorm": lambda: GroupNorm(4, groups=2, epsilon=0.1),
    "InstanceNorm": lambda: InstanceNorm(4, affine=True),
    "LayerNorm": lambda: LayerNorm((8, 4), epsilon=0.1),
    "LeakyReLU": lambda: LeakyReLU(slope=0.2),
    "LocalResponseNorm": lambda: LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0),
    "MaxPool": lambda: MaxPool((2, 3), stride=2, ceil=True),
    "PReLU": lambda: PReLU(4, initial=0.1),
    "Pad": lambda: Pad(((1, 2), (3, 0)), mode="reflect"),
    "ReLU": ReLU,
    "SeparableConvolution": lambda: SeparableConvolution(
        kernel(3, 3, 1, 4), kernel(1, 1, 4, 6), kernel(6), padding=1
    ),
    "SiLU": SiLU,
    "Sigmoid": Sigmoid,
    "Softmax": lambda: Softmax(axis=1),
    "Softplus": lambda: Softplus(2.0),
    "Tanh": Tanh,
    "TransposedConvolution": lambda: TransposedConvolution.new(RNG, (2, 2), 4, 3, stride=2),
    "UnitLength": UnitLength,
    "Upsample": lambda: Upsample(size=(11, 5), method="linear", align_corners=True),
}
OTHERS = {"Embedding", "Sequential"}


def test_every_layer_is_tested():
    assert MADE.keys() | OTHERS == LAYERS.keys()
    assert LAYERS.keys() - {"UnitLength"} == set(layers.__all__) - {"Module"}


def through_json(network):
    """The network made again from its description and its state, through JSON."""
    return built(json.loads(json.dumps(described(network)))).restore(network.state())


def check(network, x):
    again = through_json(network)
    assert type(again) is type(network) and again is not network
    np.testing.assert_array_equal(_output(again, x), _output(network, x))


def _output(network, x):
    y = network.train(False)(x)
    return y.data if isinstance(y, Tensor) else y


@pytest.mark.parametrize("name", MADE)
def test_a_layer_is_made_again(name):
    network = MADE[name]()
    for parameter in network.parameters():
        parameter.data = RNG.standard_normal(parameter.shape).astype(np.float32)
    check(network, PICTURES)


def test_an_embedding_is_made_again():
    check(Embedding.new(RNG, 10, 3), np.array([[1, 2], [3, 9]]))


def test_a_network_with_names_parts_and_a_shared_layer_is_made_again():
    shared = Convolution.new(RNG, (3, 3), 4, 4, padding=1)
    network = Sequential(
        {
            "begin": shared,
            "norm": BatchNorm(4),
            "part": Sequential(ReLU(), shared, Dropout(0.5)),
            "again": shared,
            "pool": MaxPool(2),
        }
    )
    network.layers["norm"].mean = np.arange(4, dtype=np.float32)
    check(network, PICTURES)
    again = through_json(network)
    assert list(again.layers) == list(network.layers)
    assert again.layers["part"].layers["convolution1"] is again.layers["begin"]
    assert again.state().keys() == network.state().keys()


def test_a_description_is_readable():
    network = Sequential(Convolution.new(RNG, (3, 3), 3, 32, padding="same"), ReLU(), MaxPool(4))
    assert described(network) == {
        "layer": "Sequential",
        "layers": {
            "convolution1": {
                "layer": "Convolution",
                "kernel": {"shape": [3, 3, 3, 32], "dtype": "float32"},
                "bias": {"shape": [32], "dtype": "float32"},
                "padding": "same",
            },
            "relu1": {"layer": "ReLU"},
            "maxpool1": {"layer": "MaxPool", "window": 4},
        },
    }


@pytest.mark.parametrize("again", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_is_described_as_well(again):
    network = Sequential(Convolution.new(RNG, (3, 3), 3, 2, stride=2), ReLU())
    assert described(again(network)) == described(network)


def test_a_layer_does_not_keep_the_arrays_that_it_was_made_with():
    tracemalloc.start()
    dense = Dense(np.zeros((1000, 1000), np.float32))
    dense.kernel.data = np.zeros((1, 1), np.float32)
    assert tracemalloc.get_traced_memory()[0] < 1 << 20
    tracemalloc.stop()


def test_a_model_does_not_keep_the_arrays_of_a_dict_that_it_was_made_with():
    class Model(layers.Module):
        def __init__(self, arrays):
            self.dense = Dense(arrays["kernel"])

    array = np.zeros((3, 2), np.float32)
    kept = weakref.ref(array)
    model = Model({"kernel": array}).freeze()
    del array
    assert kept() is None and model.dense.kernel.shape == (3, 2)


class Doubled(Dense):
    def __call__(self, x):
        return super().__call__(x) * 2


class Residual(layers.Module):
    def __init__(self, layer):
        self.layer = layer

    def __call__(self, x):
        return x + self.layer(x)


@pytest.mark.parametrize("make", [lambda d: Residual(d), lambda d: Doubled(d.kernel.data)])
def test_layers_that_are_not_of_minidl_are_refused(make):
    network = Sequential(Flatten(), make(Dense.new(RNG, 2, 2)))
    name = type(network.layers[next(reversed(network.layers))]).__name__
    message = f"{name.lower()}1 is a {name}; wanted a Sequential of layers of minidl.layers"
    with pytest.raises(ArgumentError, match=message):
        described(network)


def changed_option(convolution):
    convolution.options["stride"] = 2


def changed_kernel(convolution):
    convolution.kernel = Tensor(np.zeros((1, 1, 3, 2), np.float32), requires_grad=True)


def changed_attribute(convolution):
    convolution.scale = 3


@pytest.mark.parametrize("change", [changed_option, changed_kernel, changed_attribute])
def test_a_layer_that_was_changed_after_it_was_made_is_refused(change):
    network = Sequential(Convolution.new(RNG, (3, 3), 3, 2))
    change(network.layers["convolution1"])
    with pytest.raises(ArgumentError, match=r"convolution1/.* was changed after the layer"):
        described(network)


DENSE = {"layer": "Dense", "kernel": {"shape": [2, 3], "dtype": "float32"}}


@pytest.mark.parametrize(
    "description",
    [
        None,
        3,
        [],
        {},
        "Dense",
        {"layer": "Module"},
        {"layer": "os.system"},
        {"layer": ["Dense"]},
        {"layer": "Sequential"},
        {"layer": "Sequential", "layers": {}},
        {"layer": "Sequential", "layers": [DENSE]},
        {"layer": "Sequential", "layers": {"a": 3}},
        {"same": "a"},
        {"same": ["a"]},
        DENSE | {"kernel": {"shape": [-1], "dtype": "float32"}},
        DENSE | {"kernel": {"shape": [10**30], "dtype": "float32"}},
        DENSE | {"kernel": {"shape": [2], "dtype": "object"}},
        DENSE | {"other": 1},
        DENSE | {"__class__": 1},
        {"layer": "MaxPool", "window": 10**400},
        {"layer": "MaxPool", "window": "x" * 10**6},
        {"layer": "MaxPool", "window": [1] * 100},
    ],
)
def test_invalid_descriptions_are_refused(description):
    with pytest.raises((ArgumentError, TypeError)) as caught:
        built(description)
    assert len(str(caught.value)) < 1000


def test_a_description_takes_no_memory_for_its_arrays():
    tracemalloc.start()
    large = {"shape": [10**6, 10**6], "dtype": "float32"}
    network = built({"layer": "Dense", "kernel": large})
    assert network.kernel.shape == (10**6, 10**6)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
