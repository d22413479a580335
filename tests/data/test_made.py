"""The generated signals and volumes depend only on the seed, are balanced, and are as
described."""

import numpy as np
import pytest

from minidl.data import signals as keys
from minidl.data import volumes as solids
from minidl.data.signals import KEYS, RATE, SAMPLES, TONES, signals
from minidl.data.volumes import CLASSES, SIZE, SOLIDS, volumes
from minidl.errors import ArgumentError

MADE = {
    "signals": (signals, (SAMPLES, 1), KEYS),
    "volumes": (volumes, (SIZE, SIZE, SIZE, 1), CLASSES),
}


@pytest.fixture(params=MADE)
def made(request):
    return MADE[request.param]


def test_examples_depend_on_the_seed_and_classes_are_balanced(made):
    make, shape, classes = made
    count = 10 * len(classes) + 1
    examples, labels = make(count, seed=3)
    assert (examples.shape, examples.dtype, labels.shape) == ((count, *shape), np.float32, (count,))
    counts = np.bincount(labels)
    assert len(counts) == len(classes) and counts.sum() == count and counts.min() == 10
    assert np.isfinite(examples).all() and not np.array_equal(labels, np.sort(labels))
    again, other = make(count, seed=3), make(count, seed=(3, 1))
    assert examples.tobytes() == again[0].tobytes() and labels.tobytes() == again[1].tobytes()
    assert not np.array_equal(examples, other[0])


@pytest.mark.parametrize("count", [0, -1, 5, 2.5, "many"])
def test_fewer_than_one_example_per_class_are_refused(made, count):
    make, _, classes = made
    with pytest.raises(ArgumentError, match=f"wanted at least {len(classes)}, one for each"):
        make(count)


def test_each_signal_has_the_two_tones_of_its_key(monkeypatch):
    """The strongest tone of each group identifies the key, as in a telephone exchange."""
    monkeypatch.setattr(keys, "NOISE", (0.0, 0.1))
    x, labels = signals(320, seed=1)
    wave = np.exp(2j * np.pi * np.outer(TONES, np.arange(SAMPLES)) / RATE)
    rows, columns = np.split(abs(x[..., 0] @ wave.T), 2, axis=1)
    assert (4 * rows.argmax(axis=1) + columns.argmax(axis=1) == labels).mean() > 0.99
    assert "".join(KEYS) == "123A456B789C*0#D"


def test_the_mean_signal_of_each_key_is_zero():
    x, labels = signals(1600, seed=1)
    means = np.stack([x[labels == label].mean(axis=0) for label in range(len(KEYS))])
    assert abs(means).max() < 5 * x.std() / np.sqrt(100)


AXIS = (np.arange(160) + 0.5) / 80 * 1.6 - 1.6  # of a fine grid that contains all solids


@pytest.mark.parametrize("solid", SOLIDS)
def test_solids_have_the_stated_volumes(solid):
    inside = solid(*np.meshgrid(AXIS, AXIS, AXIS, indexing="ij")) < 0
    assert inside.sum() * (AXIS[1] - AXIS[0]) ** 3 == pytest.approx(SOLIDS[solid], rel=0.02)
    assert not any(
        face.any() for axis in range(3) for face in (inside.take(0, axis), inside.take(-1, axis))
    )


@pytest.mark.parametrize(
    ("solid", "inside", "outside"),
    [
        ("ball", [(0.5, 0.5, 0.5), (0, 0, -0.9)], [(0.6, 0.6, 0.6)]),
        ("cube", [(0.9, -0.9, 0.9)], [(1.1, 0, 0), (0, 0, -1.1)]),
        ("torus", [(1, 0, 0), (0, -1.4, 0)], [(0, 0, 0), (1.6, 0, 0), (1, 0, 0.6)]),
        ("cone", [(0.9, 0, -0.95), (0, 0, 0.9)], [(0.9, 0, 0.9), (0, 0, -1.1), (0, 0, 1.1)]),
        ("cylinder", [(0.6, 0.6, 0.9)], [(0.9, 0.9, 0), (0, 0, 1.1)]),
        (
            "cross",
            [(0.9, 0, 0), (0, -0.9, 0.3), (0.3, 0.3, 0.9)],
            [(0.5, 0.5, 0), (1.1, 0, 0), (0.5, 0.5, 0.5)],
        ),
    ],
)
def test_points_inside_and_outside_of_the_solids(solid, inside, outside):
    f = getattr(solids, solid)
    assert (f(*np.array(inside, float).T) < 0).all() and (f(*np.array(outside, float).T) > 0).all()


def test_neither_volume_nor_mean_scan_identifies_a_solid(monkeypatch):
    monkeypatch.setattr(solids, "NOISE", (0.0, 0.01))
    monkeypatch.setattr(solids, "SLOPE", 0.0)
    x, labels = volumes(1200, seed=1)
    filled = np.array(
        [abs(x[labels == label].sum(axis=(1, 2, 3, 4))).mean() for label in range(len(CLASSES))]
    )
    assert filled.max() / filled.min() < 1.1
    means = np.stack([x[labels == label].mean(axis=0) for label in range(len(CLASSES))])
    assert abs(means).max() < 5 / np.sqrt(200)


def test_rotations_are_uniformly_distributed():
    """A rotated axis has no preferred direction: each coordinate has the mean 0, and its square the
    mean 1/3."""
    turns = solids.turns(np.random.default_rng(0), 20_000)
    np.testing.assert_allclose(
        turns @ turns.mT, np.broadcast_to(np.eye(3), turns.shape), atol=1e-12
    )
    assert np.linalg.det(turns) == pytest.approx(1)
    assert abs(turns.mean(axis=0)).max() < 0.02
    assert np.square(turns).mean(axis=0) == pytest.approx(1 / 3, abs=0.01)
    # The trace of a rotation by θ is 1 + 2 cos θ, whose mean is 0.
    assert abs(np.trace(turns, axis1=1, axis2=2).mean()) < 0.03
