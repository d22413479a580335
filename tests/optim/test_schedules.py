"""Schedules of the learning rate: by hand, and compared with PyTorch."""

import pickle

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.optim.schedules import (
    Constant,
    Cosine,
    Exponential,
    OneCycle,
    Plateau,
    Steps,
    Warmup,
)

EVERY = [
    Constant(0.1),
    Steps(0.1, {80: 0.1, 160: 0.01}),
    Cosine(0.1, 20, last=0.1),
    Exponential(0.1, 0.9, length=3),
    Warmup(5, Cosine(0.1, 20)),
    OneCycle(0.1, 20, rise=0.25),
]


def rates(schedule, times):
    return [schedule(t) for t in times]


def test_steps_in_any_order():
    wanted = [2, 2, 0.2, 0.2, 0.02, 0.02]
    assert rates(Steps(2.0, {160: 0.01, 80: 0.1}), (0, 79.9, 80, 159, 160, 1000)) == wanted
    assert rates(Steps(2.0, {}), (0, 5)) == [2, 2]
    assert Steps(2.0, {0: 0.5})(0) == 1


def test_cosine_by_hand():
    """cos 60° = 1/2: after a third of the steps, three quarters of the difference remain."""
    wanted = [2, 1.6, 1.2, 0.8, 0.4, 0.4]
    cosine = Cosine(2.0, 30, last=0.2)
    np.testing.assert_allclose(rates(cosine, (0, 10, 15, 20, 30, 40)), wanted, rtol=1e-12)


def test_warmup_by_hand():
    np.testing.assert_allclose(rates(Warmup(5, Constant(1.0)), (0, 1, 5, 50)), [0, 0.2, 1, 1])
    steps = Warmup(4, Steps(2.0, {2: 0.1}), first=0.2)
    np.testing.assert_allclose(rates(steps, (0, 1, 2, 4, 9)), [0.4, 0.8, 0.12, 0.2, 0.2])


def test_one_cycle_by_hand():
    cycle, wanted = OneCycle(3.0, 10, rise=0.4, first=0.2, last=0.1), [0.6, 1.8, 3, 1.65, 0.3, 0.3]
    np.testing.assert_allclose(rates(cycle, (0, 2, 4, 7, 10, 11)), wanted, rtol=1e-12)


def test_exponential_by_hand():
    wanted = [2, 2 * 0.25**0.5, 0.5, 0.125]
    np.testing.assert_allclose(rates(Exponential(2.0, 0.25, 4), (0, 2, 4, 8)), wanted, rtol=1e-12)


@pytest.mark.parametrize("schedule", EVERY, ids=lambda schedule: type(schedule).__name__)
def test_schedules_compare_print_and_pickle_as_values(schedule):
    from_repr = eval(repr(schedule))
    assert from_repr == schedule == pickle.loads(pickle.dumps(schedule))
    assert rates(from_repr, range(30)) == rates(schedule, range(30))
    assert all(type(rate) is float for rate in rates(schedule, range(30)))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (Steps(1.0, {3: 0.1, 6: 0.1 * 0.1}), lambda s, o: s.MultiStepLR(o, [3, 6], 0.1)),
        (Exponential(1.0, 0.7), lambda s, o: s.ExponentialLR(o, 0.7)),
        (Cosine(1.0, 10), lambda s, o: s.CosineAnnealingLR(o, 10)),
        (Warmup(4, Constant(1.0), first=0.25), lambda s, o: s.LinearLR(o, 0.25, 1.0, 4)),
        (
            OneCycle(1.0, 9, rise=2 / 9),
            lambda s, o: s.OneCycleLR(o, 1.0, 10, pct_start=0.3, cycle_momentum=False),
        ),
    ],
    ids=["steps", "exponential", "cosine", "warmup", "one cycle"],
)
def test_schedules_equal_pytorchs(ours, theirs):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    schedule, wanted = theirs(torch.optim.lr_scheduler, optimizer), []
    for _ in range(10):
        wanted.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    np.testing.assert_allclose(rates(ours, range(10)), wanted, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Cosine(0.1, 0),
        lambda: Warmup(-1, Constant(0.1)),
        lambda: OneCycle(0.1, float("nan")),
        lambda: OneCycle(0.1, 10, rise=1.0),
        lambda: Steps(0.1, {80: 0.1, 160: 0.1}),
        lambda: Steps(0.1, {10: 1}),
        lambda: Exponential(0.1, 0.0),
        lambda: Exponential(0.1, float("nan")),
        lambda: Exponential(0.1, 0.9, length=0),
        lambda: Plateau(Constant(0.1), factor=1.0),
        lambda: Plateau(Constant(0.1), patience=-1),
        lambda: Plateau(Constant(0.1), threshold=float("nan")),
        lambda: Plateau(Constant(0.1), rest=-1),
        lambda: Plateau(Constant(0.1), least=-0.1),
        lambda: Plateau(Constant(0.1), better="min"),
        lambda: Plateau(Constant(0.1))(0),
    ],
)
def test_invalid_schedules_are_refused(make):
    with pytest.raises(ArgumentError):
        make()


# ---- plateaus ------------------------------------------------------------------------------------

PLATEAUS = {  # options of Plateau -> those of ReduceLROnPlateau
    "defaults": ({}, {}),
    "factor": ({"factor": 0.5}, {"factor": 0.5}),
    "patience": ({"patience": 2}, {"patience": 2}),
    "no patience": ({"patience": 0}, {"patience": 0}),
    "threshold": ({"patience": 1, "threshold": 0.1}, {"patience": 1, "threshold": 0.1}),
    "rest": ({"patience": 1, "rest": 3}, {"patience": 1, "cooldown": 3}),
    "least": ({"patience": 0, "least": 0.02}, {"patience": 0, "min_lr": 0.02}),
    "higher": ({"patience": 1, "better": "higher"}, {"patience": 1, "mode": "max"}),
}


@pytest.mark.parametrize("name", PLATEAUS)
@pytest.mark.parametrize("seed", range(3))
def test_plateaus_equal_pytorchs(name, seed):
    torch = pytest.importorskip("torch")
    ours, theirs = PLATEAUS[name]
    plateau = Plateau(Constant(1.0), **ours)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0, **theirs)
    values = (2 + np.random.default_rng(seed).standard_normal(60).cumsum() / 9).clip(0.1).tolist()
    for epoch in range(len(values)):
        rate = plateau(epoch, values[:epoch])
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-9)
        schedule.step(values[epoch])
    assert rate < 1


def test_a_plateau_prints_and_compares_as_a_value():
    plateau = Plateau(Warmup(2, Constant(0.1)), "accuracy", better="higher")
    assert eval(repr(plateau)) == plateau == pickle.loads(pickle.dumps(plateau))
    assert plateau != Plateau(Warmup(2, Constant(0.1)), "accuracy", better="higher", patience=3)


def test_a_measurement_that_is_nan_is_no_new_best():
    plateau = Plateau(Constant(1.0), factor=0.5, patience=1)
    assert plateau(3, [float("nan")] * 3) == 0.5
    assert plateau(3, [float("nan"), 1.0, 0.9]) == 1


def test_negative_measurements_improve_downwards():
    plateau = Plateau(Constant(1.0), factor=0.5, patience=0, threshold=0.1)
    assert plateau(2, [-1.0, -1.2]) == 1
    assert plateau(2, [-1.0, -1.05]) == 0.5
