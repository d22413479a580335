"""Only the same run resumes, and a checkpoint with invalid values is refused with one message."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from minidl import get_threads, machine
from minidl.data import Batches
from minidl.errors import ArgumentError, FileError, MinidlError
from minidl.optim import SGD, Adam, Steps
from minidl.training import load, save, train
from tests.running import using_threads
from tests.training.small import pictures, small_task


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    train(small_task(), 1, folder)
    return folder


def resume(folder, **changes):
    task = small_task()
    for name, value in changes.items():
        setattr(task, name, value(task) if callable(value) else value)
    train(task, 1, folder, resume=True)


def batches(size=16, seed=3, count=60, **options):
    return lambda task: Batches(
        pictures(count), size, seed, transform=task.batches.transform, **options
    )


def sgd(momentum=0.9, weight_decay=1e-3, **options):
    return lambda task: SGD(
        task.model.named_parameters(), 0.1, momentum, weight_decay=weight_decay, **options
    )


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"batches": batches(size=15)}, "batch_size"),
        ({"batches": batches(seed=4)}, "batch_seed"),
        ({"batches": batches(count=61)}, "examples"),
        ({"batches": batches(shuffle=False)}, "shuffle"),
        ({"optimizer": sgd(momentum=0.8)}, "momentum"),
        ({"optimizer": sgd(weight_decay=1e-4)}, "decays"),
        ({"optimizer": sgd(nesterov=True)}, "nesterov"),
        ({"optimizer": lambda task: Adam(task.model.named_parameters())}, "optimizer"),
        ({"schedule": None}, "learning_rate, schedule"),
        ({"schedule": lambda task: Steps(0.05, {3: 0.5})}, "schedule"),
        ({"clip": 1.0}, "clip"),
    ],
)
def test_a_run_with_other_rules_does_not_resume(changes, names, begun):
    message = rf"was trained with other settings \(.*{names}.*\); resume with the same ones"
    with pytest.raises(ArgumentError, match=message):
        resume(begun, **changes)


def test_a_run_with_another_constant_learning_rate_does_not_resume(tmp_path):
    def task(rate):
        task = small_task()
        task.schedule, task.optimizer = None, SGD(task.model.named_parameters(), rate)
        return task

    train(task(0.1), 1, tmp_path)
    train(task(0.1), 2, tmp_path, resume=True)
    with pytest.raises(ArgumentError, match=r"other settings \(learning_rate\)"):
        train(task(0.01), 3, tmp_path, resume=True)


def test_the_same_task_object_resumes(tmp_path):
    task = small_task("adam")
    train(task, 1, tmp_path)
    assert len(train(task, 2, tmp_path, resume=True).rows) == 2


def test_another_number_of_threads_is_reported(begun):
    threads, events = get_threads(), []
    with using_threads(threads + 1):
        train(small_task(), 1, begun, resume=True, watch=events.append)
    assert events[0].startswith(
        f"the run was begun elsewhere (threads {threads}, now {threads + 1}): its results will"
    )
    train(small_task(), 1, begun, resume=True, watch=events.append)
    assert len(events) == 1


def test_another_processor_is_reported(begun, monkeypatch):
    events, processor = [], machine.kind()
    monkeypatch.setattr(machine, "kind", lambda: "another-kind")
    train(small_task(), 1, begun, resume=True, watch=events.append)
    assert events[0].startswith(
        f"the run was begun elsewhere (processor {processor}, now another-kind): its"
    )


def test_a_checkpoint_without_the_name_of_its_processor_resumes(begun, tmp_path):
    state, events = load(begun / "checkpoint.h5"), []
    del state["machine"]["processor"], state["machine"]["BLAS"]
    save(tmp_path / "checkpoint.h5", state)
    train(small_task(), 1, tmp_path, resume=True, watch=events.append)
    assert not [event for event in events if "elsewhere" in str(event)]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("progress/rows", 5),
        ("progress/rows", [5]),
        ("progress/rows", []),
        ("progress/rows", [{"epoch": 1}]),
        ("progress/step", "one"),
        ("progress/step", np.ones(2)),
        ("progress/sums", [1]),
        ("progress/seconds", None),
        ("progress/other", 1),
        ("progress", 3),
        ("model", 3),
        ("model/dense1/kernel", "text"),
        ("model/dense1/kernel", np.ones(2)),
        ("optimizer", {}),
        ("optimizer/learning_rate", "fast"),
        ("optimizer/velocity/dense1/bias", 3),
        ("batches", 3),
        ("batches/epoch", "two"),
        ("settings", 3),
        ("rules", 3),
        ("machine", 3),
    ],
)
def test_invalid_values_are_refused_with_a_message_of_one_line(path, value, begun, tmp_path):
    state = load(begun / "checkpoint.h5")
    part, _, name = path.partition("/")
    if name:
        state[part][name] = value
    else:
        state[part] = value
    save(tmp_path / "checkpoint.h5", state)
    with pytest.raises(MinidlError) as caught:
        train(small_task(), 2, tmp_path, resume=True)
    assert isinstance(caught.value, FileError | ArgumentError)
    assert str(caught.value).count("\n") == 0


def test_a_full_disk_does_not_destroy_the_checkpoint(tmp_path, monkeypatch):
    """The run resumes from it once the disk has space again."""

    def write_to_a_full_disk(path, contents):
        with open(path, "wb") as file:
            file.write(bytes(contents)[:1000])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    train(small_task(), 1, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(Path, "write_bytes", write_to_a_full_disk)
    message = (
        r"cannot write .*checkpoint\.h5: no space left on device; choose another place or make"
    )
    with pytest.raises(FileError, match=message):
        train(small_task(), 2, tmp_path, resume=True)
    monkeypatch.undo()
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert after.keys() == before.keys() and after["checkpoint.h5"] == before["checkpoint.h5"]
    assert [row["epoch"] for row in train(small_task(), 2, tmp_path, resume=True).rows] == [1, 2]
