"""VGG19 on CIFAR-10: the original settings, invalid settings, and what a checkpoint must hold."""

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
        records = official.records(*official.photographs(8, number))
        (tmp_path / f"data_batch_{number}.bin").write_bytes(records)
    return tmp_path


def test_the_original_settings(data):
    original = cifar10.PRESETS["original"]
    assert original["head"] == "4096-4096-10" and original["batch"] == 128
    assert original["weight_decay"] == 2 * 1e-4
    task = cifar10.task(data, **original | {"head": "16-10", "batch": 8})
    optimizer = task.optimizer
    assert isinstance(optimizer, SGD) and optimizer.momentum == 0.9 and optimizer.nesterov is True
    assert optimizer.momentum_form == "keras"
    rates = [task.schedule(epoch) for epoch in (0, 79.9, 80, 160)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.001])
    notes = task.notes["ImageNet's weights"]
    assert {group: len(names) for group, names in notes.items()} == {
        "taken": 32,
        "of another shape": 0,
        "not in the file": 32 + 4 + 2,
    }


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"head": "16-20"}, "the head 16-20 ends with 20 classes; wanted CIFAR-10's 10"),
        ({"limit": 9}, "9 pictures are too few to hold some out; wanted at least 10: raise --lim"),
        ({"imagenet": True}, "none of ImageNet's weights fits a network of this width"),
    ],
)
def test_invalid_settings_are_refused_at_once(data, changed, message):
    with pytest.raises(ArgumentError, match=message):
        cifar10.task(data, **SMALL | changed)


def test_the_tiny_network_has_only_convolutions_and_one_dense_layer(data):
    task = cifar10.task(data, **cifar10.PRESETS["tiny"] | {"batch": 8})
    assert sum(p.data.size for p in task.model.parameters()) == 9420
    assert list(task.model.layers)[-3:] == ["block2_pool", "flatten", "predictions"]


@pytest.fixture
def saved(data):
    """The path of a checkpoint, and its task"""
    task = cifar10.task(data, **SMALL)
    path = data / "checkpoint.h5"
    settings = task.settings | {"mean": (1, 2, 3), "std": (4, 5, 6)}
    save(path, {"model": task.model.state(), "settings": settings})
    return path, task


def test_a_checkpoint_determines_the_normalization_and_the_names_of_the_classes(saved):
    path, task = saved
    model, classes, mean, std = cifar10.trained(path)
    assert (tuple(mean), tuple(std), tuple(classes)) == ((1, 2, 3), (4, 5, 6), cifar10.CLASSES)
    pictures, _ = official.photographs()
    normalized = (pictures - np.float32([1, 2, 3])) / np.float32([4, 5, 6])
    wanted = task.model.train(False)(normalized.astype(np.float32))
    np.testing.assert_allclose(cifar10.scores(model, pictures, mean, std), wanted.data, rtol=1e-5)


def test_a_checkpoint_does_not_hold_that_the_network_is_vgg19(saved, data):
    path, task = saved
    assert not task.settings.keys() & cifar10.USUAL.keys()
    assert cifar10.trained(path).model.state().keys() == task.model.state().keys()
    tiny = cifar10.task(data, **cifar10.PRESETS["tiny"] | {"batch": 8})
    assert tiny.settings.items() >= {"blocks": "2x10-2x10", "norm": False}.items()


@pytest.mark.parametrize(
    ("changed", "message"),
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
        ({"blocks": "9x9999-" * 99}, "the blocks are '9x9999"),
        ({"norm": False}, "lacks|unknown"),
        (None, "holds no network of `minidl train cifar10`"),
    ],
)
def test_a_checkpoint_with_invalid_settings_is_refused(saved, changed, message):
    path, _ = saved
    state = load(path)
    save(path, {**state, "settings": changed and {**state["settings"], **changed}})
    with pytest.raises(FileError, match=message) as caught:
        cifar10.trained(path)
    assert str(caught.value).startswith(str(path))
