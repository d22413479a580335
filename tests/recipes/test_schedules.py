"""The schedules that `minidl train` offers, with what the tasks of the recipes measure."""

import pytest

from minidl.optim import Exponential, Plateau
from minidl.recipes import cifar10, faces, siamese, signals
from minidl.training import train
from tests.recipes.people import small_task
from tests.recipes.test_cifar10 import data  # noqa: F401  a fixture


def of_signals(**settings):
    return signals.task(**signals.PRESETS["fast"] | {"examples": 160} | settings)


@pytest.mark.parametrize("make", [of_signals, small_task])
def test_a_plateau_reads_what_the_task_validates(make):
    task = make(schedule="plateau")
    assert isinstance(task.schedule, Plateau)
    [row] = train(task, 1).rows
    assert task.schedule.measure in row
    assert row["learning_rate"] == task.schedule.schedule.rate


def test_a_plateau_of_cifar10_reads_what_it_validates(data):  # noqa: F811
    settings = cifar10.PRESETS["tiny"] | {"batch": 8, "schedule": "plateau"}
    task = cifar10.task(data, **settings)
    assert task.schedule.measure == "validation_loss" and "loss" in task.validate(task.model)


def test_an_exponential_schedule_ends_at_a_hundredth():
    task = of_signals(schedule="exponential", epochs=7, learning_rate=0.5)
    assert isinstance(task.schedule, Exponential)
    assert (task.schedule(0), task.schedule(7)) == pytest.approx((0.5, 0.005))


def test_all_recipes_offer_both():
    for recipe in (cifar10, faces, siamese, signals):
        assert {"exponential", "plateau"} <= recipe.SCHEDULES.keys()
