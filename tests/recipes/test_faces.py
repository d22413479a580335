"""The task of the faces: who is held out, what is trained with which end, its health, and that it learns and resumes."""

import csv

import numpy as np
import pytest

from minidl import Tensor
from minidl.backend import current_device, is_array, to_device, to_numpy
from minidl.errors import ArgumentError, FileError
from minidl.layers import Module
from minidl.losses.triplet import DIVISORS
from minidl.models.embedding import HEADS
from minidl.ops import l2_normalize
from minidl.recipes import embeddings, faces
from minidl.recipes.faces import People, held_out
from minidl.training import save, train
from tests.devices import GPUS, at
from tests.recipes.people import people
from tests.training.small import everything

SMALL = faces.PRESETS["fast"] | {"hold_out": "3", "people": 3, "pictures": 2, "epochs": 2, "dimensions": 16, "members": 1}


def small_task(**settings):
    return faces.task(held_out(people(), "3"), **SMALL | settings)


# ---- who is held out ------------------------------------------------------------------------------------------------


def names_of(some):
    return [some.names[label] for label in np.unique(some.labels)]


def test_the_last_people_are_held_out_in_the_order_of_their_numbers():
    everybody = People(np.zeros((24, 2, 2, 1)), np.repeat(np.arange(12), 2), sorted(f"s{n}" for n in range(1, 13)))
    kept, held = held_out(everybody, "3")
    assert set(names_of(held)) == {"s10", "s11", "s12"} and len(names_of(kept)) == 9
    assert len(kept.labels) == len(kept.pictures) == 18
    kept, held = held_out(everybody, "s2, s10")
    assert set(names_of(held)) == {"s2", "s10"}
    assert not set(names_of(kept)) & set(names_of(held)) and len(names_of(kept)) == 10


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("p9", "there is nobody named p9 to hold out"), ("1", "to test on, wanted at least two"), ("p2,p2", "to test on"),
        ("7", "1 people are left to train on and 7 are held out; to train on"), ("99", "0 people are left to train on"),
        ("0", "to test on, wanted at least two"),
    ],
)  # fmt: skip
def test_too_few_people_are_refused(wanted, words):
    with pytest.raises(ArgumentError, match=words):
        held_out(people(), wanted)


def test_vectors_are_split_as_pictures_are():
    everybody = people(4, 2)
    vectors = np.arange(16.0).reshape(8, 2)
    kept, held = held_out(everybody._replace(vectors=vectors), "2")
    np.testing.assert_array_equal(kept.examples, vectors[:4])
    np.testing.assert_array_equal(held.vectors, vectors[4:])
    assert everybody.examples is everybody.pictures


# ---- training -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("head", HEADS)
def test_it_learns_to_tell_people_that_it_has_not_seen(head):
    split = held_out(people(30, 6), "10")
    task = faces.task(split, **SMALL | {"head": head, "people": 10, "pictures": 3, "epochs": 12})
    outcome = train(task, 12)
    found = faces.report(task.model, *faces.for_report(split))
    assert found["equal_error_rate"] < found["pixels_equal_error_rate"] - 0.05
    assert found["one_shot"] > found["pixels_one_shot"] + 0.05
    row = outcome.rows[-1]
    assert row["validation_equal_error_rate"] == found["equal_error_rate"] and row["validation_one_shot"] == found["one_shot"]
    assert row["loss"] < outcome.rows[0]["loss"] and row["spread"] > embeddings.COLLAPSED
    if head == "triplet":
        assert row["near"] < row["far"] and 0 <= row["active"] < outcome.rows[0]["active"]


@pytest.mark.parametrize("head", HEADS)
def test_on_top_of_vectors_it_begins_with_what_these_know(head):
    rng = np.random.default_rng(0)
    everybody = people(6, 4)
    middles = rng.standard_normal((6, 5))
    vectors = (middles[everybody.labels] + 0.1 * rng.standard_normal((24, 5))).astype(np.float32)
    split = held_out(everybody._replace(vectors=vectors), "3")
    task = faces.task(split, **SMALL | {"head": head, "on_top": True, "learning_rate": 1e-4})
    found = faces.report(task.model, *faces.for_report(split))
    assert found["one_shot"] == found["vectors_one_shot"] == 1 and found["pixels_one_shot"] < 1
    train(task, 2)
    assert faces.report(task.model, *faces.for_report(split))["one_shot"] == 1


@pytest.mark.parametrize("triplets", ["violating", "all,0.5:batch-hard"])
def test_a_resumed_run_is_the_same(triplets, tmp_path):
    """Its random choices and its schedule too"""
    whole, first, second = (small_task(triplets=triplets, epochs=4) for _ in range(3))
    train(whole, 4)
    train(first, 1, tmp_path)
    train(second, 4, tmp_path, resume=True)
    assert everything(whole) == everything(second)


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
                settings = SMALL | {"reduction": reduction, "squared": squared, "soft": soft, "triplets": "all"}
                value, told = embeddings.of_triplets(task.batches, 0, settings)(Points(), x, labels)
                losses[reduction, squared, soft] = float(value)
                count = {"sum": 24, "mean": 1, "mean_active": 1 / told["active"] if not soft else 1}[reduction]
                np.testing.assert_allclose(float(value), told["all_triplets_loss"] * count, rtol=1e-5)
    assert len(set(losses.values())) > 8


def test_each_member_learns_by_its_own_triplets():
    """Of a committee the loss is the mean of what its members' would be, were each alone"""

    class Points(Module):
        def __init__(self, points):
            self.points = points

        def __call__(self, x):
            return Tensor(self.points)

    rng, labels, task = np.random.default_rng(0), np.repeat(np.arange(4), 3), small_task()
    task.batches.batch = 1  # as if a first batch had been made
    of_each = l2_normalize(rng.standard_normal((2, 12, 5)).astype(np.float32))

    def loss(points, members):
        settings = SMALL | {"members": members, "triplets": "batch-hard"}
        value, told = embeddings.of_triplets(task.batches, 0, settings)(Points(points), labels[:, None], labels)
        return float(value), told

    together, told = loss(np.concatenate(of_each, axis=1) / 2**0.5, 2)
    alone = [loss(points, 1)[0] for points in of_each]
    np.testing.assert_allclose(together, np.mean(alone), rtol=1e-5)
    assert alone[0] != alone[1] and told["empty_batches"] == 0


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("head", HEADS)
def test_a_step_and_a_test_on_a_gpu_are_those_on_the_cpu(head, place):
    def numbers():
        task = small_task(head=head, people=2, dimensions=4)
        batch = [to_device(array, current_device()) for array in next(iter(task.batches))]
        loss, told = task.loss(task.model, *batch)
        loss.backward()
        gradients = [to_numpy(p.grad) for p in task.model.parameters()]
        points = faces.embed(task.model, people(2, 2).pictures)
        told = {name: float(to_numpy(value) if is_array(value) else value) for name, value in told.items()}
        return float(loss), told, gradients, faces.distances(task.model, points)

    wanted = numbers()
    with at(place):
        found = numbers()
    assert found[0] == pytest.approx(wanted[0], rel=1e-4) and found[1] == pytest.approx(wanted[1], rel=1e-3)
    for one, other in zip(found[2], wanted[2], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3 * abs(other).max() + 1e-6)
    np.testing.assert_allclose(found[3], wanted[3], atol=1e-3)


# ---- health ---------------------------------------------------------------------------------------------------------


class Constant(Module):
    """A network that has collapsed, to a point on the sphere"""

    head = None

    def __init__(self):
        self.kernel = Tensor(np.zeros((1, 4), np.float32), requires_grad=True)

    def __call__(self, x):
        return Tensor(np.ones((len(x), 1), np.float32)) @ self.kernel + Tensor(np.full(4, 0.5, np.float32))


def test_a_collapse_is_said(tmp_path):
    task = small_task(triplets="all")
    model = Constant()
    value, told = task.loss(model, *next(iter(task.batches)))
    np.testing.assert_allclose(float(value), 0.2, rtol=1e-6)
    assert told["active"] == 1 and told["spread"] == told["near"] == told["far"] == 0
    value.backward()
    assert not model.kernel.grad.any()
    assert task.remark({"loss": float(value), **told}).startswith("collapsed: all examples lie at one place")


def test_a_network_that_really_collapses_is_noticed(tmp_path):
    """The hardest triplets from the first step on, at a high rate: all is nearest to all where all is one. The choice, not the
    network, is to blame: half-hard ones at a low rate keep it apart."""
    small = SMALL | {"people": 5, "pictures": 4, "epochs": 3, "schedule": "constant"}
    hardest = faces.task(held_out(people(), "3"), **small | {"triplets": "batch-hard", "learning_rate": 0.1})
    assert train(hardest, 3, tmp_path).rows[-1]["spread"] < embeddings.COLLAPSED
    with (tmp_path / "log.csv").open(newline="") as file:
        first, *_, last = csv.DictReader(file)
    assert first["remark"] == "" and last["remark"].startswith("collapsed: all examples lie at one place, with a spread of 0.0")
    assert max(float(last["near"]), float(last["far"])) < 0.01 < 0.19 < float(last["all_triplets_loss"])
    healthy = train(faces.task(held_out(people(), "3"), **small), 3).rows
    assert healthy[-1]["spread"] > 0.5 and not any("remark" in row for row in healthy)


def test_words_on_health():
    remark = small_task().remark
    fine = {"loss": 0.1, "spread": 0.9, "all_triplets_loss": 0.05, "empty_batches": 0.5}
    assert remark(fine) is None
    assert remark({**fine, "spread": 0.01}).startswith("collapsed")
    told = remark({**fine, "all_triplets_loss": 0.21})
    assert told == "no better than constant: a loss of 0.2100, where one distance for all has 0.2000"
    assert remark({**fine, "empty_batches": 1}) == "no batch had a triplet to train on: all are easy at this margin"
    pairs = small_task(head="absolute").remark
    assert "0.7000, where one logit for all pairs has 0.6931" in pairs({"loss": 0.7, "spread": 0.5, "accuracy": 0.5})
    assert pairs({"loss": 0.3, "spread": 0.5, "accuracy": 0.9}) is None


def test_a_batch_without_triplets_is_counted_and_moves_nothing():
    task = small_task()
    pictures, labels = next(iter(task.batches))
    loss, told = task.loss(task.model, pictures, np.arange(len(labels)))  # everybody once: no positives
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


# ---- what was trained -----------------------------------------------------------------------------------------------


def test_distances_with_a_mirror_image_are_the_same():
    task = small_task()
    pictures = people().pictures[:6]
    points = faces.embed(task.model, pictures)
    np.testing.assert_allclose(points, faces.embed(task.model, pictures[:, :, ::-1]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_distances_are_symmetric_and_least_with_oneself(head):
    task = small_task(head=head)
    found = faces.distances(task.model, faces.embed(task.model, people().pictures))
    np.testing.assert_allclose(found, found.T, atol=1e-6)
    assert (found >= found.diagonal() - 1e-6).all()


@pytest.mark.parametrize("settings", [{}, {"head": "chi-square"}, {"head": "absolute", "on_top": True}])
def test_what_was_trained_comes_back(settings, tmp_path):
    split = held_out(people()._replace(vectors=np.random.default_rng(0).random((32, 5), np.float32)), "3")
    if not settings.get("on_top"):
        split = tuple(some._replace(vectors=None) for some in split)
    task = faces.task(split, **SMALL | settings)
    train(task, 1, tmp_path)
    model = faces.trained(tmp_path / "checkpoint.h5")
    examples = split[1].examples
    wanted = faces.distances(task.model, faces.embed(task.model, examples))
    np.testing.assert_array_equal(faces.distances(model, faces.embed(model, examples)), wanted)


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    save(tmp_path / "a.h5", {"settings": {"network": "cifar10"}})
    with pytest.raises(FileError, match="holds a network 'cifar10'; wanted one of `minidl train faces`"):
        faces.trained(tmp_path / "a.h5")
    save(tmp_path / "b.h5", {"settings": {"network": "faces", "on_top": False}, "model": {}})
    with pytest.raises(FileError, match="holds no network of `minidl train faces`"):
        faces.trained(tmp_path / "b.h5")
