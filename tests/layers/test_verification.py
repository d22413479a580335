"""The verification heads, and the layer that normalizes to unit length."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.errors import ArgumentError, ShapeError
from minidl.gradcheck import prove
from minidl.layers.activations import UnitLength
from minidl.layers.verification import DIFFERENCES, Verification
from minidl.losses import sigmoid_cross_entropy
from minidl.ops import sigmoid
from minidl.optim import Adam
from tests.devices import GPUS, at
from tests.random_numbers import begun_anew

rng = np.random.default_rng(0)
begin = begun_anew(rng)


def test_by_hand():
    f, g = np.array([[3.0, 0.0], [1.0, 2.0]]), np.array([[1.0, 0.0], [1.0, 6.0]])
    for difference, wanted in (
        ("absolute", [2 * 2 + 0.5, -4 + 0.5]),
        ("chi-square", [2 * 1 + 0.5, -16 / 8 + 0.5]),
    ):
        head = Verification(difference, 2, np.float64)
        head.weights.data[:], head.bias.data[:] = [2, -1], 0.5
        assert head(f, g).data.tolist() == wanted
        assert head(g, f).data.tolist() == wanted
        assert head(f, f).data.tolist() == [0.5, 0.5]
        assert head(f[:, None], g).data.shape == (2, 2)
        np.testing.assert_array_equal(np.diag(head(f[:, None], g).data), wanted)


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_gradients_through_head_and_cross_entropy(difference):
    # |f - g| is larger than the steps of the stencil, which therefore do not cross its kink. f + g
    # is so large that the error of the stencil, step⁴ times the fifth derivative, is negligible.
    f = rng.uniform(1, 2, (6, 3))
    g = f + rng.uniform(0.1, 0.5, (6, 3)) * rng.choice([-1, 1], (6, 3))
    same = np.arange(6) % 2
    head, numbers = Verification(difference, 3, np.float64), rng.standard_normal(4)

    def loss(f, g, weights, bias):
        head.weights, head.bias = weights, bias
        return sigmoid_cross_entropy(head(f, g), same)

    arguments = {"f": f, "g": g, "weights": numbers[:3], "bias": numbers[3:]}
    for proof in prove(loss, arguments, dict.fromkeys(arguments, "smooth")):
        assert proof.passed, proof


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_a_head_starts_as_a_distance_and_learns_the_relevant_feature(difference):
    """Only the first of the two features depends on the person.

    It separates pairs of one person from pairs of two people clearly, so no pair is near the
    threshold.
    """
    rng = np.random.default_rng(4)
    head, people = Verification(difference, 2, np.float64), 2 * rng.integers(1, 5, 400)
    features = np.stack([people + rng.normal(0, 0.1, 400), rng.uniform(0, 8, 400)], axis=1)
    f, g = features[:200], features[200:]
    same = (people[:200] == people[200:]).astype(float)
    assert (head(f, g).data <= 0).all()
    optimizer = Adam(head.named_parameters(), 0.05)
    for _ in range(800):
        loss = sigmoid_cross_entropy(head(f, g), same)
        loss.backward()
        optimizer.step(loss)
    probabilities = sigmoid(head(f, g)).data
    assert ((probabilities > 0.5) == same).all() and abs(probabilities - 0.5).min() > 0.1
    assert head.weights.data[0] < -10 * abs(head.weights.data[1])


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("difference", DIFFERENCES)
def test_on_a_gpu(difference, place):
    f, g = (rng.uniform(0, 1, (4, 3)).astype(np.float32) for _ in "fg")
    wanted = Verification(difference, 3)(f, g).data
    with at(place):
        head = Verification(difference, 3)
        pair = [Tensor(x).to("gpu").data for x in (f, g)]
        np.testing.assert_allclose(head(*pair).numpy(), wanted, rtol=1e-6)


def test_invalid_arguments_are_refused():
    with pytest.raises(ShapeError, match=r"a head over 3 features found \(2, 4\) and \(2, 4\)"):
        Verification("absolute", 3)(np.ones((2, 4)), np.ones((2, 4)))
    with pytest.raises(ArgumentError, match="found numbers below 0"):
        Verification("chi-square", 3)(np.ones((2, 3)), -np.ones((2, 3)))
    with pytest.raises(ArgumentError, match="difference"):
        Verification("relative", 3)


def test_unit_length():
    y = UnitLength()(Tensor(np.array([[3.0, 4.0], [0.0, 0.0]]))).data
    np.testing.assert_allclose(y, [[0.6, 0.8], [0, 0]], rtol=1e-15)
