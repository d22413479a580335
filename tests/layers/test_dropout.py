"""Dropout without seeds: masks of different layers are independent, and the same program draws the
same masks."""

import copy
import pickle

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.layers import Dropout, Module, ReLU, Sequential

X = np.ones(20_000)


def mask(layer):
    return layer(X) > 0


def kept(model):
    """How large a share passes, and of dropouts of 1/2 the number that it passed through"""
    y = model(X)
    assert set(np.unique(y)) == {0.0, y.max()}
    return (y > 0).mean(), np.log2(y.max())


class Net(Module):
    def __init__(self, first, *, layers=None):
        self.first = first
        self.last = Dropout(0.5)
        self.layers = layers or {}

    def __call__(self, x):
        for layer in (self.first, self.last, *self.layers.values()):
            x = layer(x)
        return x


NETWORKS = {
    "a sequence": lambda: Sequential(Dropout(0.5), Dropout(0.5)),
    "a sequence by names": lambda: Sequential(
        {"a": Dropout(0.5), "relu": ReLU(), "b": Dropout(0.5)}
    ),
    "a sequence of sequences": lambda: Sequential(
        Sequential(Dropout(0.5)), Sequential(Dropout(0.5))
    ),
    "two levels": lambda: Sequential(
        Dropout(0.5), Sequential(Dropout(0.5), Sequential(Dropout(0.5)))
    ),
    "attributes": lambda: Net(Dropout(0.5)),
    "attributes that are sequences": lambda: Net(
        Sequential(Dropout(0.5)), layers={"a": Sequential(Dropout(0.5))}
    ),
    "a dict of sequences": lambda: Net(
        ReLU(), layers={name: Sequential(Dropout(0.5)) for name in "abc"}
    ),
    "a network in a network": lambda: Net(Net(Net(Dropout(0.5)))),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_of_one_network_are_independent_and_built_again_the_same(name):
    """Independent masks pass a share of 2^-n: 20,000 numbers tell it to 0.02, more than 5 standard
    deviations."""
    model = NETWORKS[name]()
    share, count = kept(model)
    assert count >= 2
    assert share == pytest.approx(0.5**count, abs=0.02)
    again = NETWORKS[name]()  # while the first one is still there
    first = again(X)
    np.testing.assert_array_equal(first, NETWORKS[name]()(X))
    assert not np.array_equal(again(X), first)


def test_layers_outside_of_networks_are_independent_and_made_again_the_same():
    def masks():
        a, b = Dropout(0.5), Dropout(0.5)
        return mask(a), mask(b), mask(a)

    first, second, third = found = masks()
    for one, other in ((first, second), (first, third), (second, third)):
        assert (one & other).mean() == pytest.approx(0.25, abs=0.02)
    np.testing.assert_array_equal(found, masks())


def test_a_layer_outside_is_independent_of_those_of_a_network():
    alone, model = [Dropout(0.5) for _ in range(3)], Sequential(Dropout(0.5), Dropout(0.5))
    inside = mask(model)
    for layer in alone:
        assert (mask(layer) & inside).mean() == pytest.approx(0.125, abs=0.02)


def test_a_layer_that_is_put_into_a_dict_later_is_independent():
    model = Net(Dropout(0.5))
    model.layers["late"] = Dropout(0.5)
    assert kept(model) == (pytest.approx(0.125, abs=0.02), 3)


def test_a_seed_that_was_given_stays():
    layer = Dropout(0.5, seed=7)
    wanted = mask(Dropout(0.5, seed=7))
    np.testing.assert_array_equal(mask(Sequential(ReLU(), Sequential(layer))), wanted)
    np.testing.assert_array_equal(
        mask(Dropout(0.5, seed=0)), mask(Sequential(Dropout(0.5, seed=0)))
    )


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_goes_on_with_the_same_masks(copied):
    for model in (Sequential(Dropout(0.5), Dropout(0.5)), Dropout(0.5)):
        model(X)
        other = copied(model)
        np.testing.assert_array_equal(other(X), model(X))


def test_a_module_that_holds_itself_is_no_endless_walk():
    model = Net(Dropout(0.5))
    model.first.parent = model
    assert mask(model).any()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_is_built_again_and_restored_goes_on_with_the_same_masks(name):
    """A training that resumes from its checkpoint therefore gives the same bytes."""
    model = NETWORKS[name]()
    model(X)
    other = NETWORKS[name]().restore(model.state())
    np.testing.assert_array_equal(other(X), model(X))


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True, (1, -1), [0.5], np.ones(2)])
def test_a_seed_that_is_no_integer_from_0_is_refused(seed):
    with pytest.raises(ArgumentError, match=r"seed is .* wanted an integer from 0"):
        Dropout(0.5, seed=seed)


@pytest.mark.parametrize("seed", [0, np.int64(3), 2**70, (1, 2), [3]])
def test_integers_are_seeds(seed):
    np.testing.assert_array_equal(mask(Dropout(0.5, seed=seed)), mask(Dropout(0.5, seed=seed)))
