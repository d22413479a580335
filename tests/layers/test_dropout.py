"""Dropout: masks of different layers are independent, and the same program draws the same masks."""

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
    """Return the fraction of elements kept, and the number of dropouts of 1/2 that scaled them."""
    y = model(X)
    assert set(np.unique(y)) == {0.0, y.max()}
    return (y > 0).mean(), np.log2(y.max())


class Network(Module):
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
    "attributes": lambda: Network(Dropout(0.5)),
    "attributes that are sequences": lambda: Network(
        Sequential(Dropout(0.5)), layers={"a": Sequential(Dropout(0.5))}
    ),
    "a dict of sequences": lambda: Network(
        ReLU(), layers={name: Sequential(Dropout(0.5)) for name in "abc"}
    ),
    "a network in a network": lambda: Network(Network(Network(Dropout(0.5)))),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_layers_of_one_network_are_independent_and_reproducible(name):
    """n independent masks keep a fraction of 2^-n.

    With 20,000 elements, 0.02 is more than 5 standard deviations of that fraction.
    """
    model = NETWORKS[name]()
    fraction, count = kept(model)
    assert count >= 2
    assert fraction == pytest.approx(0.5**count, abs=0.02)
    again = NETWORKS[name]()  # while the first network still exists
    first = again(X)
    np.testing.assert_array_equal(first, NETWORKS[name]()(X))
    assert not np.array_equal(again(X), first)


def test_layers_outside_networks_are_independent_and_reproducible():
    def masks():
        a, b = Dropout(0.5), Dropout(0.5)
        return mask(a), mask(b), mask(a)

    first, second, third = masks()
    for one, other in ((first, second), (first, third), (second, third)):
        assert (one & other).mean() == pytest.approx(0.25, abs=0.02)
    np.testing.assert_array_equal([first, second, third], masks())


def test_a_layer_outside_a_network_is_independent_of_its_layers():
    outside, model = [Dropout(0.5) for _ in range(3)], Sequential(Dropout(0.5), Dropout(0.5))
    of_model = mask(model)
    for layer in outside:
        assert (mask(layer) & of_model).mean() == pytest.approx(0.125, abs=0.02)


def test_a_layer_that_is_added_to_a_dict_later_is_independent():
    model = Network(Dropout(0.5))
    model.layers["late"] = Dropout(0.5)
    assert kept(model) == (pytest.approx(0.125, abs=0.02), 3)


@pytest.mark.parametrize("seed", [0, 7])
def test_a_network_does_not_change_an_explicit_seed(seed):
    wanted = mask(Dropout(0.5, seed=seed))
    np.testing.assert_array_equal(mask(Sequential(Dropout(0.5, seed=seed))), wanted)
    nested = Sequential(ReLU(), Sequential(Dropout(0.5, seed=seed)))
    np.testing.assert_array_equal(mask(nested), wanted)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_continues_with_the_same_masks(copied):
    for model in (Sequential(Dropout(0.5), Dropout(0.5)), Dropout(0.5)):
        model(X)
        other = copied(model)
        np.testing.assert_array_equal(other(X), model(X))


def test_a_module_may_contain_itself():
    model = Network(Dropout(0.5))
    model.first.parent = model
    assert mask(model).any()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_restored_network_continues_with_the_same_masks(name):
    """A training that is resumed from a checkpoint therefore gives the same bytes."""
    model = NETWORKS[name]()
    model(X)
    other = NETWORKS[name]().restore(model.state())
    np.testing.assert_array_equal(other(X), model(X))


@pytest.mark.parametrize("seed", [-1, 1.5, "a", True, (1, -1), [0.5], np.ones(2)])
def test_an_invalid_seed_is_refused(seed):
    with pytest.raises(ArgumentError, match=r"seed is .* wanted an integer from 0"):
        Dropout(0.5, seed=seed)


@pytest.mark.parametrize("seed", [0, np.int64(3), 2**70, (1, 2), [3]])
def test_integers_and_sequences_of_integers_are_seeds(seed):
    np.testing.assert_array_equal(mask(Dropout(0.5, seed=seed)), mask(Dropout(0.5, seed=seed)))
