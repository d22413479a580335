"""Inversion: an objective that is what it says and falls, and pictures that come back from shallow
layers."""

import numpy as np
import pytest

from minidl import Tensor, value_and_grad
from minidl.backend import current_device, to_device
from minidl.data import read_image, shipped_picture
from minidl.errors import ArgumentError, MinidlError, NonFiniteError
from minidl.losses import gram_matrix
from minidl.models import vgg19
from minidl.visualize.inversion import MATCHES, WEIGHT_OF_BOUNDS, Objective, Settings, invert
from minidl.visualize.network import of_vgg19
from tests.devices import GPUS, at
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (12, 16, 3)).astype(np.float32)
LAYERS = {"content": ["far_relu"], "style": ["near_relu", "far_relu"]}


def correlation(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


# ---- the objective
# --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("match", MATCHES)
def test_with_the_picture_itself_only_the_prior_is_left(match):
    total, distance = Objective(tiny.two_convolutions(), PICTURE, LAYERS[match], match)(
        Tensor(PICTURE[None])
    )
    assert 0 <= float(distance) < 1e-12 < float(total)


@pytest.mark.parametrize("match", MATCHES)
def test_weights_that_are_damaged_are_named(match):
    with pytest.raises(NonFiniteError, match="relu makes NaN or infinite numbers"):
        Objective(tiny.colours(bias=np.nan), PICTURE, ["relu"], match)


def test_the_objective_is_the_formula():
    x, settings = PICTURE[None, ::-1].astype(np.float64), Settings(smoothness=0.7)
    network = tiny.two_convolutions()
    total, distance = Objective(
        network, PICTURE.astype(np.float64), ["far_relu"], settings=settings
    )(Tensor(x))
    one, other = (
        network.activations(each, ["far_relu"])["far_relu"]
        for each in (x, PICTURE[None].astype(np.float64))
    )
    wanted = ((one - other) ** 2).sum() / (other**2).sum()
    down, right = x[:, 1:, :-1] - x[:, :-1, :-1], x[:, :-1, 1:] - x[:, :-1, :-1]
    variation = (((down**2 + right**2) / (127.5 / 6.5) ** 2) ** 1.25).sum() / x.size
    bounds = (((x - 127.5) / 127.5) ** 6).mean()
    np.testing.assert_allclose(float(distance), wanted, rtol=1e-6)
    np.testing.assert_allclose(
        float(total), wanted + WEIGHT_OF_BOUNDS * bounds + 0.7 * variation, rtol=1e-6
    )


def test_the_style_is_a_mean_over_layers_that_knows_no_places():
    network, layers = tiny.two_convolutions(), LAYERS["style"]
    x = PICTURE[None, :, ::-1].copy()
    _, distance = Objective(network, PICTURE, layers, "style")(Tensor(x))
    one, other = (
        [gram_matrix(y, "positions") for y in network.activations(each, layers).values()]
        for each in (x, PICTURE[None])
    )
    wanted = np.mean([((g - a) ** 2).sum() / (a**2).sum() for g, a in zip(one, other, strict=True)])
    np.testing.assert_allclose(float(distance), wanted, rtol=1e-4)
    moved = Objective(tiny.colours(), PICTURE, ["relu"], "style")(Tensor(x))[1]
    assert float(moved) < 1e-10 < float(distance)  # of single pixels the style is their colours


@pytest.mark.parametrize("match", MATCHES)
def test_its_gradient_is_that_of_differences(match):
    network = tiny.two_convolutions()
    objective = Objective(
        network, PICTURE.astype(np.float64), LAYERS[match], match, Settings(smoothness=0.5)
    )
    rng = np.random.default_rng(2)
    x, step = rng.uniform(0, 255, (1, *PICTURE.shape)), rng.standard_normal((1, *PICTURE.shape))
    _, [gradient] = value_and_grad(lambda x: objective(x)[0])(x)
    up, down = (float(objective(Tensor(x + sign * 1e-3 * step))[0]) for sign in (1, -1))
    np.testing.assert_allclose((gradient * step).sum(), (up - down) / 2e-3, rtol=1e-5)


def test_content_of_several_layers_and_unknown_words_are_refused():
    for layers, match in ((LAYERS["style"], "content"), (LAYERS["content"], "colour")):
        with pytest.raises(ArgumentError, match=r"wanted that of one|match is 'colour'"):
            invert(tiny.two_convolutions(), PICTURE, layers, match)
    with pytest.raises(ArgumentError, match="wanted at least 1"):
        invert(tiny.two_convolutions(), PICTURE, ["far_relu"], settings=Settings(steps=0))


# ---- inversions
# -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("match", MATCHES)
def test_the_loss_falls_and_the_same_seed_gives_the_same_bytes(match):
    network, seen = tiny.two_convolutions(), []
    first, again, other = (
        invert(network, PICTURE, LAYERS[match], match, Settings(steps=12, seed=seed), seen.append)
        for seed in (0, 0, 1)
    )
    assert min(first.losses) < 0.3 * first.losses[0] and first.distance <= min(first.losses)
    assert seen[: len(first.losses)] == first.losses
    assert first.image.tobytes() == again.image.tobytes() != other.image.tobytes()
    assert first.image.shape == PICTURE.shape and 0 <= first.image.min() <= first.image.max() <= 255


def test_what_a_layer_kept_comes_back_and_what_it_lost_does_not():
    """Three channels that are the colours, whole and through a ReLU that cuts off all below 51.
    (The bounds pull a little.)"""
    whole = invert(tiny.colours(), PICTURE, ["colours"], settings=Settings(smoothness=0.0))
    np.testing.assert_allclose(whole.image, PICTURE, atol=5)
    half = invert(tiny.colours(bias=-0.2), PICTURE, ["relu"], settings=Settings(smoothness=0.0))
    bright = PICTURE > 60
    np.testing.assert_allclose(half.image[bright], PICTURE[bright], atol=8)
    assert abs(half.image[~bright] - PICTURE[~bright]).mean() > 15


@pytest.fixture(scope="module")
def vgg():
    return of_vgg19(vgg19(pooling="max"))


@pytest.mark.parametrize(("layer", "least"), [("conv1_1", 0.97), ("conv2_1", 0.9)])
def test_shallow_layers_of_vgg19_give_the_picture_back(vgg, layer, least):
    picture = read_image(shipped_picture("chelsea"), 64)
    found = invert(vgg, picture, [layer], settings=Settings(steps=40))
    assert correlation(found.image, picture) > least
    assert found.losses[-1] < 0.1 * found.losses[0]


def test_the_style_of_vgg19_comes_back_without_the_places(vgg):
    picture = read_image(shipped_picture("chelsea"), 64)
    found = invert(vgg, picture, ["conv1_1", "conv2_1"], "style", Settings(steps=40))
    assert found.losses[-1] < 0.2 * found.losses[0]
    assert abs(found.image.mean(axis=(0, 1)) - picture.mean(axis=(0, 1))).max() < 12
    assert correlation(found.image, picture) < 0.6


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("match", MATCHES)
def test_inversion_on_a_gpu_is_that_of_the_cpu(place, match):
    here = invert(tiny.two_convolutions(), PICTURE, LAYERS[match], match, Settings(steps=3))
    with at(place):
        there = invert(
            tiny.two_convolutions(),
            to_device(PICTURE, current_device()),
            LAYERS[match],
            match,
            Settings(steps=3),
        )
    np.testing.assert_allclose(there.image, here.image, atol=0.5)


def test_layers_that_do_not_fire_are_matched_by_not_firing():
    found = invert(tiny.colours(bias=-9), PICTURE, ["relu"], settings=Settings(steps=3))
    assert found.distance == 0 and np.isfinite(found.losses).all()


def test_the_distance_is_that_of_the_image_which_is_clipped(monkeypatch):
    # so that the noise leaves 0..255
    monkeypatch.setattr("minidl.visualize.inversion.SPREAD", 400.0)
    network = tiny.colours()
    found = invert(network, PICTURE, ["colours"], settings=Settings(steps=1))
    assert found.image.min() == 0 and found.image.max() == 255
    objective = Objective(network, PICTURE, ["colours"])
    assert float(objective(Tensor(found.image[None]))[1].data) == pytest.approx(
        found.distance, rel=1e-6
    )


def test_what_is_no_picture_is_refused():
    for picture, words in (
        (PICTURE / 255, "if 1 is white"),
        (np.full_like(PICTURE, np.nan), "NaN"),
    ):
        with pytest.raises(MinidlError, match=words):
            invert(tiny.colours(), picture, ["colours"])
