"""DeepDream: the sizes of octaves, a step by hand, and pictures of all sizes."""

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
    """Return the picture of the last step."""
    *_, last = dream(network, picture, units, **options)
    return last.picture


def test_octaves_end_at_the_given_size_and_begin_at_the_least_size():
    assert octave_sizes((512, 341), 4) == [(187, 124), (261, 174), (366, 244), (512, 341)]
    assert octave_sizes((101, 75), 9) == [(72, 54), (101, 75)]
    for size in ((1, 1), (5, 3), (47, 900), (68, 67)):
        assert octave_sizes(size, 6)[-1] == size
        assert min(octave_sizes(size, 6)[0]) >= min(LEAST, *size)
    sizes = np.array(octave_sizes((801, 1207), 5))
    np.testing.assert_allclose(sizes[1:] / sizes[:-1], FACTOR, rtol=0, atol=0.005)


@pytest.mark.parametrize(
    ("small", "large"), [((5, 7), (7, 10)), ((1, 1), (3, 2)), ((54, 39), (75, 55))]
)
def test_enlarging_keeps_coordinates(small, large):
    """An array of the coordinates of its pixels is enlarged to the coordinates of the new pixels,
    clipped to the centres of the outermost old ones."""

    def coordinates(size):
        axes = [(np.arange(n) + 0.5) / n for n in size]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)

    old = coordinates(small)
    wanted = np.clip(coordinates(large), old[0, 0], old[-1, -1])
    np.testing.assert_allclose(enlarged(old, large), wanted, atol=1e-12)


def test_a_step_goes_along_the_gradient_and_has_the_length_of_the_rate(monkeypatch):
    """If the layer is the picture, F = log mean x², whose gradient is a multiple of x."""
    monkeypatch.setattr(module, "JITTER", 0)
    picture = np.full((9, 7, 3), 20, np.float32)
    picture[3:, :, 1] = 40
    options = {"octaves": 1, "steps": 1, "rate": 2.5}
    of_layer = dreamt(tiny.colours(), [Unit("relu")], picture, **options)
    np.testing.assert_allclose(of_layer, picture + 2.5 * picture / picture.mean(), rtol=1e-5)
    of_channel = dreamt(tiny.colours(), [Unit("relu", 1)], picture, **options)
    np.testing.assert_allclose(of_channel, picture + np.float32([0, 7.5, 0]), rtol=1e-5)


@pytest.mark.parametrize("length", [1, 2, 5, 100])
def test_jitter_shifts_the_picture_and_mirrors_it_at_its_borders(length):
    most, rng, shifts = min(module.JITTER, length // 2), np.random.default_rng(0), set()
    mirrored = [*range(length)[::-1], *range(length), *range(length)[::-1]]
    for _ in range(400):
        view = module._jittered(rng, length).tolist()
        [shift] = [n for n in range(-most, most + 1) if mirrored[length + n :][:length] == view]
        shifts.add(shift)
    assert min(shifts) == -most and max(shifts) == most


def test_pixels_stay_within_bounds(monkeypatch):
    monkeypatch.setattr(module, "JITTER", 0)
    picture = np.full((3, 4, 3), 250, np.float32)
    result = dreamt(tiny.colours(), [Unit("relu")], picture, octaves=1, steps=2, rate=4.0)
    np.testing.assert_array_equal(result, 255)


@pytest.mark.parametrize(
    "units", [[NEAR], [FAR], [NEAR, FAR], [Unit("far_relu", 3)], [Unit("far", 0)]], ids=str
)
def test_the_strength_of_all_units_rises(units):
    network = tiny.two_convolutions()
    before = measure(network, PICTURE, units)
    after = measure(network, dreamt(network, units, steps=4), units)
    assert all(after[unit] > before[unit] + 0.03 * abs(before[unit]) for unit in units)


def test_an_inactive_unit_becomes_active():
    unit, network = Unit("relu", 0), tiny.colours(bias=-0.9)
    before = measure(network, PICTURE, [unit])[unit]
    after = measure(network, dreamt(network, [unit], rate=20.0), [unit])[unit]
    assert before < -0.3 and after > 0


def test_without_a_step_the_octaves_return_the_sharp_picture():
    result = dreamt(tiny.two_convolutions(), [FAR], steps=1, rate=1e-6)
    np.testing.assert_allclose(result, PICTURE, atol=1e-3)


def test_each_octave_keeps_the_changes_of_the_one_before():
    steps = list(dream(tiny.two_convolutions(), PICTURE, [FAR], octaves=2, steps=1))
    assert [(step.octave, step.number) for step in steps] == [(1, 1), (2, 1)]
    assert [step.picture.shape for step in steps] == [(54, 72, 3), (75, 101, 3)]
    alone = dreamt(tiny.two_convolutions(), [FAR], octaves=1, steps=1)
    assert abs(steps[1].picture - PICTURE).mean() > 1.2 * abs(alone - PICTURE).mean()


def test_results_are_reproducible_and_depend_on_the_seed():
    first, again, other = (
        dreamt(tiny.two_convolutions(), [FAR], steps=2, seed=seed) for seed in (1, 1, 2)
    )
    assert first.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize("size", [(2, 2), (3, 50), (2, 131)])
def test_tiny_pictures_keep_their_size(size):
    picture = PICTURE[:1, :1] * np.ones((*size, 1), np.float32)
    assert dreamt(tiny.two_convolutions(), [FAR], picture, steps=2).shape == picture.shape


def test_the_given_picture_is_not_changed():
    before = PICTURE.copy()
    dreamt(tiny.two_convolutions(), [FAR], steps=1)
    np.testing.assert_array_equal(PICTURE, before)


def test_unknown_channels_small_pictures_and_damaged_weights_are_refused():
    with pytest.raises(ArgumentError, match="far_relu has 8 channels; found far_relu:8"):
        dreamt(tiny.two_convolutions(), [Unit("far_relu", 8)])
    with pytest.raises(ShapeError, match="a picture of 1x2 is too small for pool: a window"):
        measure(tiny.two_convolutions(), PICTURE[:2, :1], [Unit("pool")])
    with pytest.raises(NonFiniteError, match="are not finite in octave 1"):
        dreamt(tiny.colours(bias=np.nan), [Unit("relu")])


def test_a_dream_without_steps_is_refused():
    with pytest.raises(ArgumentError, match="a dream of 0 steps; wanted at least 1"):
        dreamt(tiny.two_convolutions(), [NEAR], steps=0)


@pytest.mark.parametrize("place", GPUS)
def test_the_result_on_a_gpu_is_that_of_the_cpu(place):
    on_cpu = dreamt(tiny.two_convolutions(), [NEAR, FAR], steps=2)
    with at(place):
        on_gpu = dreamt(tiny.two_convolutions(), [NEAR, FAR], to_device(PICTURE, "gpu"), steps=2)
    np.testing.assert_allclose(on_gpu.get(), on_cpu, atol=0.5)


@pytest.mark.parametrize(
    ("picture", "message"),
    [(PICTURE / 255, "if 1 is white"), (np.full_like(PICTURE, np.nan), "NaN")],
)
def test_arrays_that_are_not_pictures_are_refused(picture, message):
    with pytest.raises(MinidlError, match=message):
        next(dream(tiny.two_convolutions(), picture, [FAR], octaves=1, steps=1))
