"""The small network for faces: what it is, how it ends, and how it begins on top of another's
vectors."""

import numpy as np
import pytest

from minidl import no_grad
from minidl.errors import ArgumentError
from minidl.layers.initializers import unfilled
from minidl.models.embedding import HEADS, verifier, verifier_on_top
from tests.random_numbers import begun_anew

rng = np.random.default_rng(0)
begin = begun_anew(rng)


def test_it_is_the_network_that_it_is_said_to_be():
    lines = verifier((56, 46, 1)).summary((56, 46, 1))
    assert [line.name for line in lines if line.multiply_adds] == [
        "conv1",
        "conv2",
        "conv3",
        "conv4",
        "embedding",
    ]
    shapes = [line.shape for line in lines if line.name.endswith("pool")]
    assert shapes == [(28, 23, 32), (14, 11, 64), (7, 5, 128), (3, 2, 128)]
    assert (
        sum(line.parameters for line in lines)
        == 9 * (32 + 32 * 64 + 64 * 128 + 128 * 128) + 2 * 352 + 768 * 64 + 64
    )
    assert lines[-1].shape == (64,)
    assert verifier((16, 16, 3), dimensions=7).summary((16, 16, 3))[-1].shape == (7,)


def test_no_two_seeds_are_alike():
    one, other, same = (
        verifier((16, 16, 1), seed=seed).state()["embedding/embedding/kernel"] for seed in (0, 1, 0)
    )
    assert (one != other).any() and (one == same).all()


@no_grad()
@pytest.mark.parametrize("head", HEADS)
def test_how_it_ends(head):
    model = verifier((16, 16, 1), head).train(False)
    points = model(rng.standard_normal((5, 16, 16, 1)).astype(np.float32))
    np.testing.assert_allclose(np.linalg.norm(points.data, axis=1), 1, rtol=1e-6)
    if head == "triplet":
        np.testing.assert_allclose(
            model.distances(points.data),
            np.linalg.norm(points.data[:, None] - points.data, axis=2),
            atol=1e-6,
        )
    else:
        assert (points.data >= 0).all() == (head == "chi-square")
        logits = model.head(points.data[:, None], points.data).data
        np.testing.assert_array_equal(model.distances(points.data).data, -logits)
    assert ("head/weights" in model.named_parameters()) == (head != "triplet")


@no_grad()
def test_on_top_of_vectors_nothing_is_lost():
    x = rng.standard_normal((6, 4)).astype(np.float32)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(verifier_on_top(4)(x).data, unit, rtol=1e-6)
    np.testing.assert_array_equal(verifier_on_top(4, "absolute")(x).data, x)
    positive, negative = np.split(verifier_on_top(4, "chi-square")(x).data, 2, axis=1)
    np.testing.assert_array_equal(positive - negative, x)
    assert min(positive.min(), negative.min()) == 0
    # With the head's first weights the distance is the mean of all differences
    absolute = verifier_on_top(4, "absolute").distances(x).data
    np.testing.assert_allclose(absolute, abs(x[:, None] - x).mean(axis=2), atol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_on_top_of_a_strangers_word_for_how_many_vectors_nothing_is_claimed(head):
    with unfilled():
        model = verifier_on_top(10**9, head)
    assert model.embedding.layers["embedding"].kernel.data.strides == (0, 0)


@no_grad()
@pytest.mark.parametrize("head", HEADS[1:])
@pytest.mark.parametrize("dimensions", [16, 64, 256])
def test_a_head_begins_steep_and_balanced_in_every_dimension(head, dimensions):
    """Sure that a point is the same as itself, and that most are different from each other; not so
    sure that nothing moves."""
    logits = verifier((16, 16, 1), head, dimensions).head
    points = (
        abs(rng.standard_normal((30, dimensions)))
        if head == "chi-square"
        else rng.standard_normal((30, dimensions))
    )
    # as a ReLU leaves them
    points *= rng.random((30, dimensions)) < 0.5 if head == "chi-square" else 1
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    found = logits(points[:, None], points).data[np.triu_indices(30, 1)]
    assert (logits(points, points).data > 10).all() and -20 < np.median(found) < 0


@no_grad()
def test_a_committees_vector_is_those_of_its_members_side_by_side():
    model = verifier((16, 16, 1), dimensions=8, members=3).train(False)
    x = rng.standard_normal((5, 16, 16, 1)).astype(np.float32)
    points = model(x).data
    of_each = [member(x).data for member in model.embedding.members.values()]
    np.testing.assert_allclose(points * 3**0.5, np.concatenate(of_each, axis=1), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-6)
    assert (
        len(
            {
                member.state()["embedding/kernel"].tobytes()
                for member in model.embedding.members.values()
            }
        )
        == 3
    )
    # as if alone
    np.testing.assert_array_equal(
        of_each[0], verifier((16, 16, 1), dimensions=8).train(False)(x).data
    )
    names = [line.name for line in model.summary((16, 16, 1))]
    assert names[0] == "member1/conv1" and len(names) == 3 * len(
        verifier((16, 16, 1)).summary((16, 16, 1))
    )


def test_what_makes_no_sense_is_refused():
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
