"""The task of the faces: who is held out, what is trained with which end, and that it learns and
resumes."""

import numpy as np
import pytest

from minidl.backend import current_device, is_array, to_device, to_numpy
from minidl.errors import ArgumentError, FileError
from minidl.models.embedding import HEADS
from minidl.recipes import embeddings, faces
from minidl.recipes.faces import People, held_out
from minidl.training import save, train
from tests.devices import GPUS, at
from tests.recipes.people import SMALL, people, small_task
from tests.training.small import everything

# ---- who is held out
# ------------------------------------------------------------------------------------------------


def names_of(some):
    return [some.names[label] for label in np.unique(some.labels)]


def test_the_last_people_are_held_out_in_the_order_of_their_numbers():
    everybody = People(
        np.zeros((24, 2, 2, 1)), np.repeat(np.arange(12), 2), sorted(f"s{n}" for n in range(1, 13))
    )
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
        ("7", "1 people are left to train on and 7 to test on; to train on, .*: hold out fewer"),
        ("99", "0 people are left to train on"), ("9" * 5000, "there is nobody named 9{200} ... to hold out"),
        ("0", "to test on, wanted at least two"),
    ],
)  # fmt: skip
def test_too_few_people_are_refused(wanted, words):
    with pytest.raises(ArgumentError, match=words):
        held_out(people(), wanted)


def test_who_has_no_picture_left_is_not_counted():
    everybody = people(5, 2)
    with pytest.raises(
        ArgumentError, match="3 people are left to train on and 1 to test on; to test on"
    ):
        held_out(everybody.of(everybody.labels != 4), "2")  # as where no face was found


def test_settings_tell_pictures_apart_and_not_vectors():
    def digest(everybody):
        return faces.task(held_out(everybody, "3"), **SMALL | {"on_top": True}).settings[
            "digest_of_pictures"
        ]

    vectors = np.random.default_rng(0).random((32, 5), np.float32)
    some = people()._replace(vectors=vectors)
    assert digest(some) == digest(some._replace(vectors=vectors + np.float32(1e-7)))
    for others in (people(seed=1), people()._replace(labels=some.labels[::-1])):
        assert digest(others._replace(vectors=vectors)) != digest(some)


def test_vectors_are_split_as_pictures_are():
    everybody = people(4, 2)
    vectors = np.arange(16.0).reshape(8, 2)
    kept, held = held_out(everybody._replace(vectors=vectors), "2")
    np.testing.assert_array_equal(kept.examples, vectors[:4])
    np.testing.assert_array_equal(held.vectors, vectors[4:])
    assert everybody.examples is everybody.pictures


# ---- training
# -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "head", ["triplet", *(pytest.param(head, marks=pytest.mark.thorough) for head in HEADS[1:])]
)
def test_it_learns_to_tell_people_that_it_has_not_seen(head):
    split = held_out(people(30, 6), "10")
    task = faces.task(split, **SMALL | {"head": head, "people": 10, "pictures": 3, "epochs": 12})
    outcome = train(task, 12)
    found = faces.report(task.model, *faces.for_report(split))
    assert found["equal_error_rate"] < found["pixels_equal_error_rate"] - 0.05
    assert found["one_shot"] > found["pixels_one_shot"] + 0.05
    row = outcome.rows[-1]
    assert (
        row["validation_equal_error_rate"] == found["equal_error_rate"]
        and row["validation_one_shot"] == found["one_shot"]
    )
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


@pytest.mark.parametrize(
    ("members", "triplets"),
    [
        (1, "all,0.5:batch-hard"),
        pytest.param(2, "violating", marks=pytest.mark.thorough),
        pytest.param(1, "violating", marks=pytest.mark.thorough),
        pytest.param(2, "all,0.5:batch-hard", marks=pytest.mark.thorough),
    ],
)
def test_a_resumed_run_is_the_same(triplets, members, tmp_path):
    """Its random choices and its schedule too"""
    whole, first, second = (
        small_task(triplets=triplets, members=members, epochs=4) for _ in range(3)
    )
    train(whole, 4)
    train(first, 1, tmp_path)
    train(second, 4, tmp_path, resume=True)
    assert everything(whole) == everything(second)


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
        told = {
            name: float(to_numpy(value) if is_array(value) else value)
            for name, value in told.items()
        }
        return float(loss), told, gradients, faces.distances(task.model, points)

    wanted = numbers()
    with at(place):
        found = numbers()
    assert found[0] == pytest.approx(wanted[0], rel=1e-4) and found[1] == pytest.approx(
        wanted[1], rel=1e-3
    )
    for one, other in zip(found[2], wanted[2], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3 * abs(other).max() + 1e-6)
    np.testing.assert_allclose(found[3], wanted[3], atol=1e-3)


# ---- what was trained
# -----------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    "settings", [{}, {"head": "chi-square"}, {"head": "absolute", "on_top": True}]
)
def test_what_was_trained_comes_back(settings, tmp_path):
    split = held_out(
        people()._replace(vectors=np.random.default_rng(0).random((32, 5), np.float32)), "3"
    )
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
    with pytest.raises(
        FileError, match="holds a network 'cifar10'; wanted one of `minidl train faces`"
    ):
        faces.trained(tmp_path / "a.h5")
    save(tmp_path / "b.h5", {"settings": {"network": "faces", "on_top": False}, "model": {}})
    with pytest.raises(FileError, match="holds no network of `minidl train faces`"):
        faces.trained(tmp_path / "b.h5")
