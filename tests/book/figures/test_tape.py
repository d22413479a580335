"""The figure of the tape: its order, its gradients, and what is kept."""

import numpy as np
import pytest

from minidl.book.figures import tape
from minidl.errors import ArgumentError


@pytest.fixture(params=tape.NETWORKS)
def make(request):
    return tape.NETWORKS[request.param]


def loss(x, w, b):
    """The loss of the chain, in NumPy."""
    return (np.maximum(x @ w + b, 0) ** 2).mean()


def test_the_parts_add_up_to_the_gradients_of_backward(make):
    network, plain = make(), make()
    plain.values["L"].backward()
    sums = dict.fromkeys(network.values, 0.0)
    for pull in network.backward():
        sums[pull.input] = sums[pull.input] + pull.part
    for name in network.leaves:
        np.testing.assert_allclose(sums[name], plain.values[name].grad)
        np.testing.assert_allclose(network.values[name].grad, plain.values[name].grad)


def test_the_last_frame_has_all_gradients(make):
    *_, last = tape.moments(make())
    network = make()
    network.values["L"].backward()
    assert last.gradients.keys() == network.values.keys()
    for name in network.leaves:
        np.testing.assert_allclose(last.gradients[name], network.values[name].grad)


def test_the_gradients_of_the_chain_are_its_derivatives():
    *_, last = tape.moments(tape.chain())
    arrays = {"x": tape.X, "w": tape.W, "b": tape.B}
    assert loss(**arrays) == tape.chain().values["L"].data
    for name, array in arrays.items():
        for place in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[place] = 1e-5
            after, before = (loss(**(arrays | {name: array + s})) for s in (step, -step))
            np.testing.assert_allclose(last.gradients[name][place], (after - before) / 2e-5)


def test_a_gradient_is_shown_only_after_those_that_it_needs(make):
    before = set()
    for moment in tape.moments(make()):
        if isinstance(moment.now, tape.Pull):
            assert moment.now.call.output in before
        before = {*moment.gradients}


def test_a_value_that_is_used_twice_gets_two_parts():
    network = tape.shortcut()
    parts = [pull for pull in network.backward() if pull.input == "x"]
    assert network.uses("x") == len(parts) == 2
    assert {pull.call.output for pull in parts} == {"r", "h"}
    y = np.maximum(tape.X @ tape.W, 0)
    dr = 2 * (y + tape.X) / 4
    expected = {"r": dr, "h": (dr * (y > 0)) @ tape.W.T}
    for pull in parts:
        np.testing.assert_allclose(pull.part, expected[pull.call.output])


def test_what_is_kept_must_not_be_overwritten(make):
    kept = {name for call in make().calls for name in call.kept()}
    for name in {*make().values} - {"L"}:
        network = make()
        array = network.values[name].data
        original = array.copy()
        try:
            array += 1
            if name in kept:
                with pytest.raises(ArgumentError):
                    network.values["L"].backward()
            else:
                network.values["L"].backward()
        finally:
            array[...] = original


def test_an_op_keeps_what_its_gradients_read():
    kept = {call.op.__name__: call.kept() for call in tape.chain().calls}
    assert kept == {
        "matmul": ["x", "w"], "add": [], "relu": ["y"], "multiply": ["y"], "mean": [],
    }  # fmt: skip


def test_the_sentences_have_the_calls_and_the_numbers():
    words = [moment.words for moment in tape.moments(tape.chain())]
    assert "matmul of x and w is h = [2, 1; -0.5, 2]" in words[1]
    assert "multiply_db(∂L/∂s, y, shape of y) is [0.375, 0.5; 0, 0.75]" in words[7 + 1]
    assert "so that ∂L/∂y = [0.75, 1; 0, 1.5]." in words[9]
