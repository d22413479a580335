"""What an embedding is trained with: options, members, triplets that are missing, and words on its
health."""

import csv

import numpy as np

from minidl import Tensor
from minidl.layers import Module
from minidl.losses.triplet import DIVISORS
from minidl.models.embedding import Committee
from minidl.ops import l2_normalize
from minidl.recipes import embeddings, faces
from minidl.recipes.faces import held_out
from minidl.training import train
from tests.recipes.people import SMALL, people, small_task


def test_options_reach_the_loss():
    class Points(Module):
        def __call__(self, x):
            return Tensor(np.asarray(x, np.float32))

    x, labels = np.random.default_rng(0).standard_normal((6, 3)), np.repeat(np.arange(3), 2)
    task = small_task()
    task.batches.batch = 1  # as if a first batch had been made
    losses = {}
    for reduction in DIVISORS:
        for squared in (True, False):
            for soft in (True, False):
                settings = SMALL | {
                    "reduction": reduction,
                    "squared": squared,
                    "soft": soft,
                    "triplets": "all",
                }
                value, told = embeddings.of_triplets(task.batches, 0, settings)(Points(), x, labels)
                losses[reduction, squared, soft] = float(value)
                count = {
                    "sum": 24,
                    "mean": 1,
                    "mean_active": 1 / told["active"] if not soft else 1,
                }[reduction]
                np.testing.assert_allclose(
                    float(value), told["all_triplets_loss"] * count, rtol=1e-5
                )
    assert len(set(losses.values())) > 8


def test_each_member_learns_by_its_own_triplets():
    """Of a committee the loss is the mean of what its members' would be, were each alone with its
    batch"""

    class Points(Module):
        def __call__(self, x):
            return l2_normalize(Tensor(np.asarray(x, np.float32)))

    class Two(Module):
        embedding = Committee({"member1": Points(), "member2": Points()})

    rng, labels, task = np.random.default_rng(0), np.repeat(np.arange(4), 3), small_task()
    task.batches.batch = 1  # as if a first batch had been made
    batches = [(rng.standard_normal((12, 5)), labels), (rng.standard_normal((12, 5)), labels[::-1])]
    loss = embeddings.of_triplets(task.batches, 0, SMALL | {"triplets": "batch-hard"})
    alone = [loss(Points(), *batch) for batch in batches]
    value, told = loss(Two(), *batches[0], *batches[1])
    np.testing.assert_allclose(float(value), np.mean([float(each) for each, _ in alone]), rtol=1e-5)
    assert float(alone[0][0]) != float(alone[1][0])
    assert told["spread"] == np.mean([each["spread"] for _, each in alone])


# ---- health
# ---------------------------------------------------------------------------------------------------------


class Constant(Module):
    """A network that has collapsed, to a point on the sphere"""

    head = None

    def __init__(self):
        self.kernel = Tensor(np.zeros((1, 4), np.float32), requires_grad=True)

    def __call__(self, x):
        return Tensor(np.ones((len(x), 1), np.float32)) @ self.kernel + Tensor(
            np.full(4, 0.5, np.float32)
        )


def test_a_collapse_is_said(tmp_path):
    task = small_task(triplets="all")
    model = Constant()
    value, told = task.loss(model, *next(iter(task.batches)))
    np.testing.assert_allclose(float(value), 0.2, rtol=1e-6)
    assert told["active"] == 1 and told["spread"] == told["near"] == told["far"] == 0
    value.backward()
    assert not model.kernel.grad.any()
    assert task.remark({"loss": float(value), **told}).startswith(
        "collapsed: all vectors are nearly equal"
    )


def test_a_network_that_really_collapses_is_noticed(tmp_path):
    """The hardest triplets from the first step on, at a high rate: all is nearest to all where all
    is one. The choice, not the network, is to blame: half-hard ones at a low rate keep it apart."""
    small = SMALL | {"people": 5, "pictures": 4, "epochs": 3, "schedule": "constant"}
    hardest = faces.task(
        held_out(people(), "3"), **small | {"triplets": "batch-hard", "learning_rate": 0.1}
    )
    assert train(hardest, 3, tmp_path).rows[-1]["spread"] < embeddings.COLLAPSED
    with (tmp_path / "log.csv").open(newline="") as file:
        first, *_, last = csv.DictReader(file)
    assert first["remark"] == "" and last["remark"].startswith(
        "collapsed: all vectors are nearly equal, with a spread of 0.0"
    )
    assert (
        max(float(last["near"]), float(last["far"]))
        < 0.01
        < 0.19
        < float(last["all_triplets_loss"])
    )
    healthy = train(faces.task(held_out(people(), "3"), **small), 3).rows
    assert healthy[-1]["spread"] > 0.5 and not any("remark" in row for row in healthy)


def test_words_on_health():
    remark = small_task().remark
    fine = {"loss": 0.1, "spread": 0.9, "all_triplets_loss": 0.05, "empty_batches": 0.5}
    assert remark(fine) is None
    assert remark({**fine, "spread": 0.01}).startswith("collapsed")
    told = remark({**fine, "all_triplets_loss": 0.21})
    assert (
        told == "no better than constant: a loss of 0.2100, where one distance for all has 0.2000"
    )
    assert (
        remark({**fine, "empty_batches": 1})
        == "no batch had a triplet to train on: all are easy at this margin"
    )
    pairs = small_task(head="absolute").remark
    assert "0.7000, where one logit for all pairs has 0.6931" in pairs(
        {"loss": 0.7, "spread": 0.5, "accuracy": 0.5}
    )
    assert pairs({"loss": 0.3, "spread": 0.5, "accuracy": 0.9}) is None


def test_a_batch_without_triplets_is_counted_and_moves_nothing():
    task = small_task()
    pictures, labels = next(iter(task.batches))
    # everybody once: no positives
    loss, told = task.loss(task.model, pictures, np.arange(len(labels)))
    assert (float(loss), told["empty_batches"]) == (0, 1)
    loss.backward()
    assert all(p.grad is not None and not p.grad.any() for p in task.model.parameters())
    _, told = task.loss(task.model, pictures, labels)
    assert told["empty_batches"] == 0


def test_pairs_of_one_kind_alone_are_trained_on_too():
    task = small_task(head="absolute")
    pictures, labels = next(iter(task.batches))
    for whose in (np.arange(len(labels)), labels * 0):
        loss, told = task.loss(task.model, pictures, whose)
        assert np.isfinite(float(loss)) and 0 <= told["accuracy"] <= 1


def test_spread():
    assert embeddings.spread(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 1
    assert embeddings.spread(np.array([[3.0, 4.0], [3.0, 4.0]])) == 0
    assert embeddings.spread(np.zeros((2, 2))) == 0
    np.testing.assert_allclose(embeddings.spread(np.array([[1.0, 0.0], [0.0, 1.0]])), 0.5**0.5)
