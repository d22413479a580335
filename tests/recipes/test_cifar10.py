"""VGG19 on CIFAR-10: the original settings, what is refused at once, and what a checkpoint must hold
to classify with."""

import numpy as np
import pytest

from minidl.errors import ArgumentError, FileError
from minidl.optim import SGD
from minidl.recipes import cifar10
from minidl.training import load, save
from tests.data import official

SMALL = cifar10.PRESETS["fast"] | {"head": "16-10", "width": 1 / 16, "batch": 8}


@pytest.fixture
def data(tmp_path):
    for number in range(1, 6):
        (tmp_path / f"data_batch_{number}.bin").write_bytes(
            official.records(*official.photographs(8, number))
        )
    return tmp_path


def test_the_original_settings(data):
    original = cifar10.PRESETS["original"]
    task = cifar10.task(data, **original | {"head": "16-10", "batch": 8})
    assert isinstance(task.optimizer, SGD)
    assert (task.optimizer.momentum, task.optimizer.nesterov, task.optimizer.momentum_form) == (
        0.9,
        True,
        "keras",
    )
    assert (original["head"], original["batch"], original["weight_decay"]) == (
        "4096-4096-10",
        128,
        2 * 1e-4,
    )
    assert [task.schedule(epoch) for epoch in (0, 79.9, 80, 160)] == pytest.approx(
        [0.1, 0.1, 0.01, 0.001]
    )
    assert {word: len(names) for word, names in task.notes["ImageNet's weights"].items()} == {
        "taken": 32, "of another shape": 0, "not in the file": 32 + 4 + 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"head": "16-20"}, "the head 16-20 ends with 20 classes; wanted CIFAR-10's 10"),
        ({"limit": 9}, "9 pictures are too few to hold some out; wanted at least 10: raise --limit"),
        ({"imagenet": True}, "none of ImageNet's weights fits a network of this width"),
    ],
)
def test_what_cannot_be_trained_is_refused_at_once(data, changed, wanted):
    with pytest.raises(ArgumentError, match=wanted):
        cifar10.task(data, **SMALL | changed)


@pytest.fixture
def kept(data):
    task = cifar10.task(data, **SMALL)
    path = data / "checkpoint.h5"
    save(
        path,
        {
            "model": task.model.state(),
            "settings": task.settings | {"mean": (1, 2, 3), "std": (4, 5, 6)},
        },
    )
    return path, task


def test_a_checkpoint_says_what_its_network_wants_to_see(kept):
    path, task = kept
    found = cifar10.trained(path)
    assert (tuple(found.mean), tuple(found.std), tuple(found.classes)) == (
        (1, 2, 3),
        (4, 5, 6),
        cifar10.CLASSES,
    )
    pictures, _ = official.photographs()
    wanted = task.model.train(False)(
        ((pictures - np.float32([1, 2, 3])) / np.float32([4, 5, 6])).astype(np.float32)
    )
    np.testing.assert_allclose(
        cifar10.scores(found.model, pictures, found.mean, found.std), wanted.data, rtol=1e-5
    )


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"network": "siamese"}, "holds a network 'siamese'; wanted one of `minidl train cifar10`"),
        (
            {"classes": ["cat"]},
            r"its 10 classes have the names \['cat'\]; wanted a list of 10 texts",
        ),
        ({"classes": dict.fromkeys("0123456789", "cat")}, "wanted a list of 10 texts"),
        ({"classes": "0123456789"}, "wanted a list of 10 texts"),
        ({"mean": None}, "holds no network of `minidl train cifar10`"),
        ({"mean": [10**400] * 3}, "int too large to convert to float"),
        ({"mean": [0, 0]}, "wanted three means"),
        ({"head": 5}, "lacks|unknown"),
        ({"width": "wide"}, "holds no network of `minidl train cifar10`"),
        ({"head": "1" * 5000}, "the head is '111"),
        (None, "holds no network of `minidl train cifar10`"),
    ],
)
def test_what_does_not_name_classes_is_refused(kept, changed, wanted):
    path, _ = kept
    state = load(path)
    save(path, {**state, "settings": changed and {**state["settings"], **changed}})
    with pytest.raises(FileError, match=wanted) as caught:
        cifar10.trained(path)
    assert str(caught.value).startswith(str(path))
