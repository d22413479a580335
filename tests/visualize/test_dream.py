"""DeepDream: octaves of the right sizes, a step by hand, and pictures of every size."""

import numpy as np
import pytest

from minidl.backend import to_device
from minidl.errors import ArgumentError, MinidlError, NonFiniteError, ShapeError
from minidl.visualize import dream as module
from minidl.visualize.dream import FACTOR, LEAST, dream, enlarged, measure, octave_sizes
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (75, 101, 3)).astype(np.float32)
NEAR, FAR = Unit("near_relu"), Unit("far_relu")


def dreamt(network, units, picture=PICTURE, **options):
    *_, last = dream(network, picture, units, **options)
    return last.picture


def test_octaves_end_at_the_size_itself_and_begin_where_there_is_enough_to_see():
    assert octave_sizes((512, 341), 4) == [(187, 124), (261, 174), (366, 244), (512, 341)]
    assert octave_sizes((101, 75), 9) == [(72, 54), (101, 75)]
    for size in ((1, 1), (5, 3), (47, 900), (68, 67)):
        assert octave_sizes(size, 6)[-1] == size
        assert min(octave_sizes(size, 6)[0]) >= min(LEAST, *size)
    for small, large in zip(
        octave_sizes((801, 1207), 5), octave_sizes((801, 1207), 5)[1:], strict=False
    ):
        assert all(abs(n / m - FACTOR) < 0.005 for m, n in zip(small, large, strict=True))


@pytest.mark.parametrize(
    ("small", "large"), [((5, 7), (7, 10)), ((1, 1), (3, 2)), ((54, 39), (75, 55))]
)
def test_what_is_enlarged_keeps_its_place(small, large):
    """Each new pixel of a plane shows its own place, but for those beyond the middle of the
    outermost old ones"""

    def plane(size):
        return np.stack(
            np.meshgrid(*((np.arange(n) + 0.5) / n for n in size), indexing="ij"), axis=-1
        )

    ends = [np.array([0.5 / n, 1 - 0.5 / n]) for n in small]
    wanted = np.stack([np.clip(plane(large)[..., axis], *ends[axis]) for axis in (0, 1)], axis=-1)
    np.testing.assert_allclose(enlarged(plane(small), large), wanted, atol=1e-12)


def test_one_step_is_as_long_as_the_rate_says_and_goes_along_the_gradient(monkeypatch):
    """Of a layer that is the picture itself: F = log mean x², with a gradient along x"""
    monkeypatch.setattr(module, "JITTER", 0)
    picture = np.full((9, 7, 3), 20, np.float32)
    picture[3:, :, 1] = 40
    whole = dreamt(tiny.colours(), [Unit("relu")], picture, octaves=1, steps=1, rate=2.5)
    np.testing.assert_allclose(whole, picture + 2.5 * picture / picture.mean(), rtol=1e-5)
    one = dreamt(tiny.colours(), [Unit("relu", 1)], picture, octaves=1, steps=1, rate=2.5)
    np.testing.assert_allclose(one, picture + np.float32([0, 7.5, 0]), rtol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 5, 100])
def test_a_view_is_the_picture_moved_and_mirrored_beyond_its_borders(length):
    most, rng, seen = min(module.JITTER, length // 2), np.random.default_rng(0), set()
    mirrored = [*range(length)[::-1], *range(length), *range(length)[::-1]]
    for _ in range(400):
        view = module._moved(rng, length).tolist()
        [shift] = [n for n in range(-most, most + 1) if mirrored[length + n :][:length] == view]
        seen.add(shift)
    assert min(seen) == -most and max(seen) == most


def test_colours_stay_within_bounds(monkeypatch):
    monkeypatch.setattr(module, "JITTER", 0)
    picture = dreamt(
        tiny.colours(),
        [Unit("relu")],
        np.full((3, 4, 3), 250, np.float32),
        octaves=1,
        steps=2,
        rate=4.0,
    )
    np.testing.assert_array_equal(picture, 255)


@pytest.mark.parametrize(
    "units", [[NEAR], [FAR], [NEAR, FAR], [Unit("far_relu", 3)], [Unit("far", 0)]], ids=str
)
def test_what_was_asked_for_rises(units):
    network = tiny.two_convolutions()
    before, after = (
        measure(network, picture, units) for picture in (PICTURE, dreamt(network, units, steps=4))
    )
    assert all(after[unit] > before[unit] + 0.03 * abs(before[unit]) for unit in units)


def test_a_unit_that_does_not_fire_is_woken():
    unit, network = Unit("relu", 0), tiny.colours(bias=-0.9)
    before, after = (
        measure(network, picture, [unit])[unit]
        for picture in (PICTURE, dreamt(network, [unit], rate=20.0))
    )
    assert before < -0.3 and after > 0


def test_each_octave_begins_with_the_sharp_picture_and_carries_what_was_dreamt():
    """With steps of nearly no length the picture comes back as it was; with steps in the first
    octave alone, what they added"""
    np.testing.assert_allclose(
        dreamt(tiny.two_convolutions(), [FAR], steps=1, rate=1e-6), PICTURE, atol=1e-3
    )
    steps = list(dream(tiny.two_convolutions(), PICTURE, [FAR], octaves=2, steps=1))
    assert [(step.octave, step.number, step.picture.shape) for step in steps] == [
        (1, 1, (54, 72, 3)),
        (2, 1, (75, 101, 3)),
    ]
    alone = dreamt(tiny.two_convolutions(), [FAR], octaves=1, steps=1)
    assert abs(steps[1].picture - PICTURE).mean() > 1.2 * abs(alone - PICTURE).mean()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    first, again, other = (
        dreamt(tiny.two_convolutions(), [FAR], steps=2, seed=seed) for seed in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("size", [(2, 2), (3, 50), (2, 131)])
def test_tiny_pictures(size):
    picture = PICTURE[:1, :1] * np.ones((*size, 1), np.float32)
    assert dreamt(tiny.two_convolutions(), [FAR], picture, steps=2).shape == picture.shape


def test_the_given_picture_is_not_written_to():
    before = PICTURE.copy()
    dreamt(tiny.two_convolutions(), [FAR], steps=1)
    np.testing.assert_array_equal(PICTURE, before)


def test_what_cannot_be_dreamt_is_said():
    with pytest.raises(ArgumentError, match="far_relu has 8 channels; found far_relu:8"):
        dreamt(tiny.two_convolutions(), [Unit("far_relu", 8)])
    with pytest.raises(ShapeError, match="a picture of 1x2 is too small for pool: a window"):
        measure(tiny.two_convolutions(), PICTURE[:2, :1], [Unit("pool")])
    with pytest.raises(NonFiniteError, match="are not finite in octave 1"):
        dreamt(tiny.colours(bias=np.nan), [Unit("relu")])


@pytest.mark.parametrize("place", GPUS)
def test_on_a_gpu_the_same_dream(place):
    wanted = dreamt(tiny.two_convolutions(), [NEAR, FAR], steps=2)
    with at(place):
        found = dreamt(tiny.two_convolutions(), [NEAR, FAR], to_device(PICTURE, "gpu"), steps=2)
    np.testing.assert_allclose(found.get(), wanted, atol=0.5)


def test_what_is_no_picture_is_refused():
    for picture, words in (
        (PICTURE / 255, "if 1 is white"),
        (np.full_like(PICTURE, np.nan), "NaN"),
    ):
        with pytest.raises(MinidlError, match=words):
            next(dream(tiny.two_convolutions(), picture, [FAR], octaves=1, steps=1))
