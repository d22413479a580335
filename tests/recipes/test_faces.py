"""The recipe for faces: who is held out, training with each head, resuming, and checkpoints."""

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


def names_of(group):
    return [group.names[label] for label in np.unique(group.labels)]


def test_the_last_people_in_the_natural_order_are_held_out():
    names = sorted(f"s{number}" for number in range(1, 13))
    group = People(np.zeros((24, 2, 2, 1)), np.repeat(np.arange(12), 2), names)
    kept, held = held_out(group, "3")
    assert set(names_of(held)) == {"s10", "s11", "s12"} and len(names_of(kept)) == 9
    assert len(kept.labels) == len(kept.pictures) == 18
    kept, held = held_out(group, "s2, s10")
    assert set(names_of(held)) == {"s2", "s10"}
    assert not set(names_of(kept)) & set(names_of(held)) and len(names_of(kept)) == 10


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("p9", "there is nobody named p9 to hold out"),
        ("9" * 5000, "there is nobody named 9{200} ... to hold out"),
        ("0", "to test on, wanted at least two"),
        ("1", "to test on, wanted at least two"),
        ("p2,p2", "to test on"),
        ("7", "1 people are left to train on and 7 to test on; to train on, .*: hold out fewer"),
        ("99", "0 people are left to train on"),
    ],
)
def test_too_few_people_are_refused(wanted, message):
    with pytest.raises(ArgumentError, match=message):
        held_out(people(), wanted)


def test_people_without_pictures_are_not_counted():
    group = people(5, 2)
    message = "3 people are left to train on and 1 to test on; to test on"
    with pytest.raises(ArgumentError, match=message):
        held_out(group.of(group.labels != 4), "2")  # as if no face was found in their pictures


def test_the_digest_depends_on_the_pictures_and_not_on_the_vectors():
    vectors = np.random.default_rng(0).random((32, 5), np.float32)

    def digest(group, vectors):
        split = held_out(group._replace(vectors=vectors), "3")
        return faces.task(split, **SMALL | {"on_top": True}).settings["digest_of_pictures"]

    group = people()
    assert digest(group, vectors) == digest(group, vectors + np.float32(1e-7))
    for other in (people(seed=1), people()._replace(labels=group.labels[::-1])):
        assert digest(other, vectors) != digest(group, vectors)


def test_vectors_are_split_as_pictures_are():
    group = people(4, 2)
    vectors = np.arange(16.0).reshape(8, 2)
    kept, held = held_out(group._replace(vectors=vectors), "2")
    np.testing.assert_array_equal(kept.examples, vectors[:4])
    np.testing.assert_array_equal(held.vectors, vectors[4:])
    assert group.examples is group.pictures


# ---- training

THOROUGH_HEADS = [pytest.param(head, marks=pytest.mark.thorough) for head in HEADS[1:]]


@pytest.mark.thorough
@pytest.mark.parametrize("head", ["triplet", *THOROUGH_HEADS])
def test_it_learns_to_distinguish_people_who_are_not_in_the_training(head):
    split = held_out(people(30, 6), "10")
    task = faces.task(split, **SMALL | {"head": head, "people": 10, "pictures": 3, "epochs": 12})
    outcome = train(task, 12)
    rates = faces.report(task.model, *faces.for_report(split))
    assert rates["equal_error_rate"] < rates["pixels_equal_error_rate"] - 0.05
    assert rates["one_shot"] > rates["pixels_one_shot"] + 0.05
    first, last = outcome.rows[0], outcome.rows[-1]
    assert last["validation_equal_error_rate"] == rates["equal_error_rate"]
    assert last["validation_one_shot"] == rates["one_shot"]
    assert last["loss"] < first["loss"] and last["spread"] > embeddings.COLLAPSED
    if head == "triplet":
        assert last["near"] < last["far"] and 0 <= last["active"] < first["active"]


@pytest.mark.parametrize("head", HEADS)
def test_a_network_on_top_of_vectors_begins_as_good_as_these(head):
    rng = np.random.default_rng(0)
    group = people(6, 4)
    centres = rng.standard_normal((6, 5))
    vectors = (centres[group.labels] + 0.1 * rng.standard_normal((24, 5))).astype(np.float32)
    split = held_out(group._replace(vectors=vectors), "3")
    task = faces.task(split, **SMALL | {"head": head, "on_top": True, "learning_rate": 1e-4})
    rates = faces.report(task.model, *faces.for_report(split))
    assert rates["one_shot"] == rates["vectors_one_shot"] == 1 and rates["pixels_one_shot"] < 1
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
def test_a_resumed_run_has_the_same_bytes(triplets, members, tmp_path):
    """This includes its random choices and its schedule of choices."""
    uninterrupted, stopped, resumed = (
        small_task(triplets=triplets, members=members, epochs=4) for _ in range(3)
    )
    train(uninterrupted, 4)
    train(stopped, 1, tmp_path)
    train(resumed, 4, tmp_path, resume=True)
    assert everything(uninterrupted) == everything(resumed)


@pytest.mark.thorough
@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("head", HEADS)
def test_a_step_and_a_test_on_a_gpu_are_those_on_the_cpu(head, place):
    def results():
        task = small_task(head=head, people=2, dimensions=4)
        batch = [to_device(array, current_device()) for array in next(iter(task.batches))]
        loss, measures = task.loss(task.model, *batch)
        loss.backward()
        gradients = [to_numpy(p.grad) for p in task.model.parameters()]
        points = faces.embed(task.model, people(2, 2).pictures)
        measures = {
            name: float(to_numpy(value) if is_array(value) else value)
            for name, value in measures.items()
        }
        return float(loss), measures, gradients, faces.distances(task.model, points)

    wanted_loss, wanted_measures, wanted_gradients, wanted_distances = results()
    with at(place):
        loss, measures, gradients, distances = results()
    assert loss == pytest.approx(wanted_loss, rel=1e-4)
    assert measures == pytest.approx(wanted_measures, rel=1e-3)
    for gradient, wanted in zip(gradients, wanted_gradients, strict=True):
        np.testing.assert_allclose(gradient, wanted, atol=1e-3 * abs(wanted).max() + 1e-6)
    np.testing.assert_allclose(distances, wanted_distances, atol=1e-3)


# ---- trained networks


def test_a_picture_and_its_mirror_image_have_the_same_vector():
    task = small_task()
    pictures = people().pictures[:6]
    points = faces.embed(task.model, pictures)
    np.testing.assert_allclose(points, faces.embed(task.model, pictures[:, :, ::-1]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("head", HEADS)
def test_distances_are_symmetric_and_smallest_between_equal_points(head):
    task = small_task(head=head)
    distances = faces.distances(task.model, faces.embed(task.model, people().pictures))
    np.testing.assert_allclose(distances, distances.T, atol=1e-6)
    assert (distances >= distances.diagonal() - 1e-6).all()


@pytest.mark.parametrize(
    "settings", [{}, {"head": "chi-square"}, {"head": "absolute", "on_top": True}]
)
def test_a_trained_network_is_restored(settings, tmp_path):
    group = people()
    if settings.get("on_top"):
        group = group._replace(vectors=np.random.default_rng(0).random((32, 5), np.float32))
    split = held_out(group, "3")
    task = faces.task(split, **SMALL | settings)
    train(task, 1, tmp_path)
    model = faces.trained(tmp_path / "checkpoint.h5")
    examples = split[1].examples
    wanted = faces.distances(task.model, faces.embed(task.model, examples))
    np.testing.assert_array_equal(faces.distances(model, faces.embed(model, examples)), wanted)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    save(tmp_path / "a.h5", {"settings": {"network": "cifar10"}})
    message = "holds a network 'cifar10'; wanted one of `minidl train faces`"
    with pytest.raises(FileError, match=message):
        faces.trained(tmp_path / "a.h5")
    save(tmp_path / "b.h5", {"settings": {"network": "faces", "on_top": False}, "model": {}})
    with pytest.raises(FileError, match="holds no network of `minidl train faces`"):
        faces.trained(tmp_path / "b.h5")
