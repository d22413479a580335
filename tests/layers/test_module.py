"""Modules name, freeze and move their parameters."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.errors import ArgumentError
from minidl.layers import AvgPool, Convolution, Dense, MaxPool, Module, Sequential


class Small(Module):
    def __init__(self):
        rng = np.random.default_rng(0)
        self.layers = {
            "first": Convolution(rng.standard_normal((3, 2, 4)), np.zeros(4), padding=1),
            "pool": MaxPool(2),
        }
        self.last = Dense(rng.standard_normal((12, 5)), np.zeros(5))

    def __call__(self, x):
        for layer in self.layers.values():
            x = layer(x)
        return self.last(x.reshape(x.shape[0], -1))


def test_parameters_are_named_by_their_path():
    names = ["first/kernel", "first/bias", "last/kernel", "last/bias"]
    assert list(Small().named_parameters()) == names


class Holder(Module):
    def __init__(self, held):
        self.held = held


@pytest.mark.parametrize(
    ("held", "location"),
    [
        ([Small()], "Holder.held, a list,"),
        ((1, [Small()]), "Holder.held, a tuple,"),
        ([Tensor([1.0], requires_grad=True)], "Holder.held, a list,"),
        ({"first": [Small()]}, "Holder.held['first'], a list,"),
        ({"w": Tensor([1.0], requires_grad=True)}, "Holder.held['w'], a Tensor,"),
    ],
)
def test_parameters_without_names_are_refused(held, location):
    for method in (Module.parameters, Module.train, Module.state):
        with pytest.raises(ArgumentError) as caught:
            method(Holder(held))
        assert str(caught.value) == (
            f"{location} holds parameters that have no names there; "
            "wanted layers in a Sequential or in a dict by name, and Tensors as attributes"
        )


@pytest.mark.parametrize(
    "layers", [([Small(), Small()],), ({"first": Small(), "list1": [Small()]},)]
)
def test_a_sequential_refuses_a_list_of_layers(layers):
    message = r"a Sequential found a list as 'list1'; wanted layers .*Sequential\(\*layers\)"
    with pytest.raises(ArgumentError, match=message):
        Sequential(*layers)


@pytest.mark.parametrize("layers", [(), ({},)])
def test_an_empty_sequential_is_refused(layers):
    with pytest.raises(ArgumentError, match="found no layers; wanted at least one"):
        Sequential(*layers)


def test_lists_without_parameters_are_allowed():
    held = [1, "two", np.ones(3), (), Tensor([1.0]), {"sizes": [3, 4]}]
    assert Holder(held).parameters() == []


def test_a_module_computes_outputs_and_gradients():
    model, x = Small(), np.random.default_rng(1).standard_normal((2, 6, 2))
    y = model(Tensor(x))
    assert y.shape == (2, 5)
    y.sum().backward()
    assert all(p.grad.shape == p.shape for p in model.parameters())
    np.testing.assert_allclose(model.last.bias.grad, np.full(5, 2.0))


def test_frozen_parameters_leave_no_tape():
    model = Small().freeze()
    assert not model(Tensor(np.ones((1, 6, 2)))).requires_grad
    assert model.freeze(False)(Tensor(np.ones((1, 6, 2)))).requires_grad


def test_frozen_arrays_cannot_be_written_to():
    model = Small().freeze().freeze()
    for parameter in model.parameters():
        with pytest.raises(ValueError, match="read-only"):
            parameter.data += 1


def test_a_change_of_unfrozen_arrays_changes_the_output():
    model, x = Small().freeze(), np.ones((1, 6, 2))
    before = model(x)
    for parameter in model.freeze(False).parameters():
        parameter.data *= 2  # the kernels of both layers, and their biases, which are 0
    np.testing.assert_allclose(model(x).data, 4 * before.data)
    model.freeze()
    np.testing.assert_allclose(model(x).data, 4 * before.data)


def test_unfreezing_a_module_that_is_not_frozen_copies_nothing():
    model = Small()
    before = [p.data for p in model.parameters()]
    assert model.freeze(False) is model
    for p, data in zip(model.parameters(), before, strict=True):
        assert p.data is data and p.requires_grad


def test_unfreezing_does_not_change_a_read_only_array_of_the_caller():
    kernel = np.ones((3, 2, 4))
    kernel.flags.writeable = False
    layer = Convolution(kernel).freeze().freeze(False)
    layer.kernel.data += 1
    assert np.all(kernel == 1)


def test_moving_to_the_same_device_changes_nothing():
    model = Small()
    before = [p.data for p in model.parameters()]
    assert model.to("cpu") is model
    assert all(p.data is data for p, data in zip(model.parameters(), before, strict=True))


def test_pooling_layers_hold_their_options():
    x = np.arange(6.0).reshape(1, 6, 1)
    np.testing.assert_array_equal(MaxPool(3, stride=2, padding=1)(x).ravel(), [1, 3, 5])
    np.testing.assert_array_equal(AvgPool(2)(x).ravel(), [0.5, 2.5, 4.5])
