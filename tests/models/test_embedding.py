"""The small network for faces: its layers, heads and initial values."""

import numpy as np
import pytest

from minidl import no_grad
from minidl.errors import ArgumentError
from minidl.layers.initializers import unfilled
from minidl.models.embedding import HEADS, verifier, verifier_on_top
from tests.random_numbers import begun_anew

rng = np.random.default_rng(0)
begin = begun_anew(rng)


def test_layers_and_parameters():
    lines = verifier((56, 46, 1)).summary((56, 46, 1))
    with_kernel = [line.name for line in lines if line.multiply_adds]
    assert with_kernel == ["conv1", "conv2", "conv3", "conv4", "embedding"]
    shapes = [line.shape for line in lines if line.name.endswith("pool")]
    assert shapes == [(28, 23, 32), (14, 11, 64), (7, 5, 128), (3, 2, 128)]
    parameters = 9 * (32 + 32 * 64 + 64 * 128 + 128 * 128) + 2 * 352 + 768 * 64 + 64
    assert sum(line.parameters for line in lines) == parameters
    assert lines[-1].shape == (64,)
    assert verifier((16, 16, 3), dimensions=7).summary((16, 16, 3))[-1].shape == (7,)


def test_the_seed_determines_the_initial_values():
    one, other, same = (
        verifier((16, 16, 1), seed=seed).state()["embedding/embedding/kernel"] for seed in (0, 1, 0)
    )
    assert (one != other).any() and (one == same).all()


@no_grad()
@pytest.mark.parametrize("head", HEADS)
def test_vectors_and_distances_of_each_head(head):
    model = verifier((16, 16, 1), head).train(False)
    points = model(rng.standard_normal((5, 16, 16, 1)).astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(points.data, axis=1), 1, rtol=1e-6)
    if head == "triplet":
        distances = np.linalg.norm(points.data[:, None] - points.data, axis=2)
        np.testing.assert_allclose(model.distances(points.data), distances, atol=1e-6)
    else:
        assert (points.data >= 0).all() == (head == "chi-square")
        logits = model.head(points.data[:, None], points.data).data
        np.testing.assert_array_equal(model.distances(points.data).data, -logits)
    assert ("head/weights" in model.named_parameters()) == (head != "triplet")


@no_grad()
def test_a_network_on_top_of_vectors_initially_keeps_them():
    x = rng.standard_normal((6, 4)).astype(np.float32)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(verifier_on_top(4)(x).data, unit, rtol=1e-6)
    np.testing.assert_array_equal(verifier_on_top(4, "absolute")(x).data, x)
    positive, negative = np.split(verifier_on_top(4, "chi-square")(x).data, 2, axis=1)
    np.testing.assert_array_equal(positive - negative, x)
    assert min(positive.min(), negative.min()) == 0
    # With the initial weights of the head, the distance is the mean of all differences.
    absolute = verifier_on_top(4, "absolute").distances(x).data
    np.testing.assert_allclose(absolute, abs(x[:, None] - x).mean(axis=2), atol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_an_unfilled_network_needs_no_memory_for_any_number_of_features(head):
    with unfilled():
        model = verifier_on_top(10**9, head)
    assert model.embedding.layers["embedding"].kernel.data.strides == (0, 0)


@no_grad()
@pytest.mark.parametrize("head", HEADS[1:])
@pytest.mark.parametrize("dimensions", [16, 64, 256])
def test_a_head_is_initially_steep_and_balanced_in_every_dimension(head, dimensions):
    """A point is certainly the same as itself. Most points are different from each other, but not
    so certainly that the gradient vanishes."""
    logits = verifier((16, 16, 1), head, dimensions).head
    points = rng.standard_normal((30, dimensions))
    if head == "chi-square":  # the output of a ReLU
        points = abs(points) * (rng.random((30, dimensions)) < 0.5)
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    different = logits(points[:, None], points).data[np.triu_indices(30, 1)]
    assert (logits(points, points).data > 10).all() and -20 < np.median(different) < 0


@no_grad()
def test_a_committee_concatenates_the_vectors_of_its_members():
    model = verifier((16, 16, 1), dimensions=8, members=3).train(False)
    x = rng.standard_normal((5, 16, 16, 1)).astype(np.float32)
    points, members = model(x).data, model.embedding.members.values()
    vectors = [member(x).data for member in members]
    np.testing.assert_allclose(points * 3**0.5, np.concatenate(vectors, axis=1), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-6)
    kernels = {member.state()["embedding/kernel"].tobytes() for member in members}
    assert len(kernels) == 3
    single = verifier((16, 16, 1), dimensions=8).train(False)
    np.testing.assert_array_equal(vectors[0], single(x).data)
    names = [line.name for line in model.summary((16, 16, 1))]
    assert names[0] == "member1/conv1"
    assert len(names) == 3 * len(single.summary((16, 16, 1)))


def test_invalid_options_are_refused():
    with pytest.raises(ArgumentError, match="there are 0 members; wanted 1 to"):
        verifier((16, 16, 1), members=0)
    with pytest.raises(
        ArgumentError, match="the pictures are 15x40; wanted at least 16 pixels a side"
    ):
        verifier((15, 40, 1))
    with pytest.raises(ArgumentError, match="head"):
        verifier((16, 16, 1), "quadruplet")
    with pytest.raises(ArgumentError, match="dropout keeps"):
        verifier((16, 16, 1), keep=0)
