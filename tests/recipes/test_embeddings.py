"""The losses of an embedding: their options, committees, batches without triplets, and remarks on
epochs that learned nothing."""

import csv

import numpy as np
import pytest

from minidl import Tensor
from minidl.layers import Module
from minidl.losses.triplet import DIVISORS
from minidl.models.embedding import Committee
from minidl.ops import l2_normalize
from minidl.recipes import embeddings, faces
from minidl.recipes.faces import held_out
from minidl.training import train
from tests.recipes.people import SMALL, people, small_task


class Identity(Module):
    """The vectors are the examples"""

    def __call__(self, x):
        return Tensor(np.asarray(x, np.float32))


class Normalized(Module):
    """The vectors are the examples, scaled to length 1"""

    def __call__(self, x):
        return l2_normalize(Tensor(np.asarray(x, np.float32)))


def test_options_reach_the_loss():
    x, labels = np.random.default_rng(0).standard_normal((6, 3)), np.repeat(np.arange(3), 2)
    task = small_task()
    task.batches.batch = 1  # as after the first batch
    losses = set()
    for reduction in DIVISORS:
        for squared in (True, False):
            for soft in (True, False):
                options = {"reduction": reduction, "squared": squared, "soft": soft}
                settings = SMALL | options | {"triplets": "all"}
                loss = embeddings.of_triplets(task.batches, 0, settings)
                value, measures = loss(Identity(), x, labels)
                losses.add(float(value))
                mean_active = 1 if soft else 1 / measures["active"]
                factor = {"sum": 24, "mean": 1, "mean_active": mean_active}[reduction]
                wanted = measures["all_triplets_loss"] * factor
                np.testing.assert_allclose(float(value), wanted, rtol=1e-5)
    assert len(losses) > 8


def test_each_member_learns_from_its_own_triplets():
    """The loss of a committee is the mean of the losses of its members with their own batches."""

    class TwoMembers(Module):
        embedding = Committee({"member1": Normalized(), "member2": Normalized()})

    rng, labels, task = np.random.default_rng(0), np.repeat(np.arange(4), 3), small_task()
    task.batches.batch = 1  # as after the first batch
    batches = [(rng.standard_normal((12, 5)), labels), (rng.standard_normal((12, 5)), labels[::-1])]
    loss = embeddings.of_triplets(task.batches, 0, SMALL | {"triplets": "batch-hard"})
    (first, first_measures), (second, second_measures) = (
        loss(Normalized(), *batch) for batch in batches
    )
    value, measures = loss(TwoMembers(), *batches[0], *batches[1])
    np.testing.assert_allclose(float(value), (float(first) + float(second)) / 2, rtol=1e-5)
    assert float(first) != float(second)
    assert measures["spread"] == np.mean([first_measures["spread"], second_measures["spread"]])


def test_a_batch_without_triplets_is_counted_and_has_zero_gradients():
    task = small_task()
    pictures, labels = next(iter(task.batches))
    # one picture of each person: no positives
    loss, measures = task.loss(task.model, pictures, np.arange(len(labels)))
    assert (float(loss), measures["empty_batches"]) == (0, 1)
    loss.backward()
    assert all(p.grad is not None and not p.grad.any() for p in task.model.parameters())
    _, measures = task.loss(task.model, pictures, labels)
    assert measures["empty_batches"] == 0


def test_batches_with_only_same_or_only_different_pairs_have_a_loss():
    task = small_task(head="absolute")
    pictures, labels = next(iter(task.batches))
    for batch_labels in (np.arange(len(labels)), labels * 0):
        loss, measures = task.loss(task.model, pictures, batch_labels)
        assert np.isfinite(float(loss)) and 0 <= measures["accuracy"] <= 1


# ---- collapse and other failures


class Collapsed(Module):
    """A network whose vectors are all equal"""

    head = None

    def __init__(self):
        self.kernel = Tensor(np.zeros((1, 4), np.float32), requires_grad=True)

    def __call__(self, x):
        ones = Tensor(np.ones((len(x), 1), np.float32))
        return ones @ self.kernel + Tensor(np.full(4, 0.5, np.float32))


def test_a_collapsed_network_gets_a_remark():
    task = small_task(triplets="all")
    model = Collapsed()
    value, measures = task.loss(model, *next(iter(task.batches)))
    np.testing.assert_allclose(float(value), 0.2, rtol=1e-6)
    assert measures["active"] == 1
    assert measures["spread"] == measures["near"] == measures["far"] == 0
    value.backward()
    assert not model.kernel.grad.any()
    remark = task.remark({"loss": float(value), **measures})
    assert remark.startswith("collapsed: all vectors are nearly equal")


@pytest.mark.thorough
def test_a_network_that_collapses_in_training_gets_a_remark(tmp_path):
    """It collapses with the hardest triplets and a high rate, but not with semi-hard triplets and a
    low rate."""
    small = SMALL | {"people": 5, "pictures": 4, "epochs": 3, "schedule": "constant"}
    split = held_out(people(), "3")
    hardest = faces.task(split, **small | {"triplets": "batch-hard", "learning_rate": 0.1})
    assert train(hardest, 3, tmp_path).rows[-1]["spread"] < embeddings.COLLAPSED
    with (tmp_path / "log.csv").open(newline="") as file:
        first, *_, last = csv.DictReader(file)
    assert first["remark"] == ""
    assert last["remark"].startswith(
        "collapsed: all vectors are nearly equal, with a spread of 0.0"
    )
    assert max(float(last["near"]), float(last["far"])) < 0.01
    assert float(last["all_triplets_loss"]) > 0.19
    healthy = train(faces.task(split, **small), 3).rows
    assert healthy[-1]["spread"] > 0.5 and not any("remark" in row for row in healthy)


def test_the_remarks():
    remark = small_task().remark
    healthy = {"loss": 0.1, "spread": 0.9, "all_triplets_loss": 0.05, "empty_batches": 0.5}
    assert remark(healthy) is None
    assert remark({**healthy, "spread": 0.01}).startswith("collapsed")
    no_better = "no better than constant: a loss of 0.2100, where one distance for all has 0.2000"
    assert remark({**healthy, "all_triplets_loss": 0.21}) == no_better
    empty = "no batch had a triplet to train on: all are easy at this margin"
    assert remark({**healthy, "empty_batches": 1}) == empty
    remark_on_pairs = small_task(head="absolute").remark
    no_better = remark_on_pairs({"loss": 0.7, "spread": 0.5, "accuracy": 0.5})
    assert "0.7000, where one logit for all pairs has 0.6931" in no_better
    assert remark_on_pairs({"loss": 0.3, "spread": 0.5, "accuracy": 0.9}) is None


def test_spread():
    assert embeddings.spread(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 1
    assert embeddings.spread(np.array([[3.0, 4.0], [3.0, 4.0]])) == 0
    assert embeddings.spread(np.zeros((2, 2))) == 0
    np.testing.assert_allclose(embeddings.spread(np.array([[1.0, 0.0], [0.0, 1.0]])), 0.5**0.5)
