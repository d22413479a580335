"""Inversion: the objective is the formula and falls, and shallow layers give the picture back."""

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


@pytest.mark.parametrize("match", MATCHES)
def test_the_objective_of_the_picture_itself_is_the_prior(match):
    objective = Objective(tiny.two_convolutions(), PICTURE, LAYERS[match], match)
    total, distance = objective(Tensor(PICTURE[None]))
    assert 0 <= float(distance) < 1e-12 < float(total)


@pytest.mark.parametrize("match", MATCHES)
def test_damaged_weights_are_refused(match):
    with pytest.raises(NonFiniteError, match="relu makes NaN or infinite numbers"):
        Objective(tiny.colours(bias=np.nan), PICTURE, ["relu"], match)


def test_the_objective_is_the_formula():
    network, picture = tiny.two_convolutions(), PICTURE.astype(np.float64)
    x = picture[None, ::-1]
    objective = Objective(network, picture, ["far_relu"], settings=Settings(smoothness=0.7))
    total, distance = objective(Tensor(x))
    y = network.activations(x, ["far_relu"])["far_relu"]
    target = network.activations(picture[None], ["far_relu"])["far_relu"]
    wanted = ((y - target) ** 2).sum() / (target**2).sum()
    down, right = x[:, 1:, :-1] - x[:, :-1, :-1], x[:, :-1, 1:] - x[:, :-1, :-1]
    variation = (((down**2 + right**2) / (127.5 / 6.5) ** 2) ** 1.25).sum() / x.size
    bounds = (((x - 127.5) / 127.5) ** 6).mean()
    np.testing.assert_allclose(float(distance), wanted, rtol=1e-6)
    wanted += WEIGHT_OF_BOUNDS * bounds + 0.7 * variation
    np.testing.assert_allclose(float(total), wanted, rtol=1e-6)


def test_the_style_is_a_mean_over_layers():
    network, layers = tiny.two_convolutions(), LAYERS["style"]
    x = PICTURE[None, :, ::-1].copy()
    _, distance = Objective(network, PICTURE, layers, "style")(Tensor(x))
    grams, targets = (
        [gram_matrix(y, "positions") for y in network.activations(pictures, layers).values()]
        for pictures in (x, PICTURE[None])
    )
    pairs = zip(grams, targets, strict=True)
    wanted = np.mean([((G - A) ** 2).sum() / (A**2).sum() for G, A in pairs])
    np.testing.assert_allclose(float(distance), wanted, rtol=1e-4)
    assert float(distance) > 1e-10


def test_the_style_of_single_pixels_does_not_depend_on_their_positions():
    x = PICTURE[None, :, ::-1].copy()
    _, distance = Objective(tiny.colours(), PICTURE, ["relu"], "style")(Tensor(x))
    assert float(distance) < 1e-10


@pytest.mark.parametrize("match", MATCHES)
def test_the_gradient_of_the_objective_is_that_of_finite_differences(match):
    network, picture = tiny.two_convolutions(), PICTURE.astype(np.float64)
    objective = Objective(network, picture, LAYERS[match], match, Settings(smoothness=0.5))
    rng = np.random.default_rng(2)
    x, step = rng.uniform(0, 255, (1, *PICTURE.shape)), rng.standard_normal((1, *PICTURE.shape))
    _, [gradient] = value_and_grad(lambda x: objective(x)[0])(x)
    up, down = (float(objective(Tensor(x + sign * 1e-3 * step))[0]) for sign in (1, -1))
    np.testing.assert_allclose((gradient * step).sum(), (up - down) / 2e-3, rtol=1e-5)


@pytest.mark.parametrize(
    ("layers", "match", "steps", "message"),
    [
        (LAYERS["style"], "content", 1, "in 2 layers; wanted one"),
        (LAYERS["content"], "colour", 1, "match is 'colour'"),
        (LAYERS["content"], "content", 0, "wanted at least 1"),
    ],
)
def test_invalid_layers_matches_and_steps_are_refused(layers, match, steps, message):
    with pytest.raises(ArgumentError, match=message):
        invert(tiny.two_convolutions(), PICTURE, layers, match, Settings(steps=steps))


@pytest.mark.parametrize("match", MATCHES)
def test_the_loss_falls(match):
    network, watched = tiny.two_convolutions(), []
    inversion = invert(network, PICTURE, LAYERS[match], match, Settings(steps=12), watched.append)
    losses, image = inversion.losses, inversion.image
    assert min(losses) < 0.3 * losses[0] and inversion.distance <= min(losses)
    assert watched == losses
    assert image.shape == PICTURE.shape and 0 <= image.min() <= image.max() <= 255


@pytest.mark.parametrize("match", MATCHES)
def test_images_are_reproducible_and_depend_on_the_seed(match):
    def pixels(seed):
        settings = Settings(steps=12, seed=seed)
        inversion = invert(tiny.two_convolutions(), PICTURE, LAYERS[match], match, settings)
        return inversion.image.tobytes()

    assert pixels(0) == pixels(0) != pixels(1)


def test_a_layer_that_keeps_all_colours_gives_the_picture_back():
    inversion = invert(tiny.colours(), PICTURE, ["colours"], settings=Settings(smoothness=0.0))
    np.testing.assert_allclose(inversion.image, PICTURE, atol=5)  # the bounds have a small effect


def test_pixels_that_a_relu_drops_do_not_come_back():
    """The ReLU drops all numbers below 51."""
    network = tiny.colours(bias=-0.2)
    image = invert(network, PICTURE, ["relu"], settings=Settings(smoothness=0.0)).image
    is_bright = PICTURE > 60
    np.testing.assert_allclose(image[is_bright], PICTURE[is_bright], atol=8)
    assert abs(image[~is_bright] - PICTURE[~is_bright]).mean() > 15


@pytest.fixture(scope="module")
def vgg():
    return of_vgg19(vgg19(pooling="max"))


@pytest.mark.parametrize(("layer", "least"), [("conv1_1", 0.97), ("conv2_1", 0.9)])
def test_shallow_layers_of_vgg19_give_the_picture_back(vgg, layer, least):
    picture = read_image(shipped_picture("chelsea"), 64)
    inversion = invert(vgg, picture, [layer], settings=Settings(steps=40))
    assert correlation(inversion.image, picture) > least
    assert inversion.losses[-1] < 0.1 * inversion.losses[0]


def test_the_style_of_vgg19_gives_the_colours_back_but_not_their_positions(vgg):
    picture = read_image(shipped_picture("chelsea"), 64)
    inversion = invert(vgg, picture, ["conv1_1", "conv2_1"], "style", Settings(steps=40))
    assert inversion.losses[-1] < 0.2 * inversion.losses[0]
    assert abs(inversion.image.mean(axis=(0, 1)) - picture.mean(axis=(0, 1))).max() < 12
    assert correlation(inversion.image, picture) < 0.6


@pytest.mark.parametrize("place", GPUS)
@pytest.mark.parametrize("match", MATCHES)
def test_images_on_a_gpu_are_those_of_the_cpu(place, match):
    def image():
        network, picture = tiny.two_convolutions(), to_device(PICTURE, current_device())
        return invert(network, picture, LAYERS[match], match, Settings(steps=3)).image

    on_cpu = image()
    with at(place):
        np.testing.assert_allclose(image(), on_cpu, atol=0.5)


def test_the_distance_of_an_inactive_layer_is_0():
    inversion = invert(tiny.colours(bias=-9), PICTURE, ["relu"], settings=Settings(steps=3))
    assert inversion.distance == 0 and np.isfinite(inversion.losses).all()


def test_the_distance_is_that_of_the_clipped_image(monkeypatch):
    monkeypatch.setattr("minidl.visualize.inversion.SPREAD", 400.0)  # much noise exceeds 0..255
    network = tiny.colours()
    inversion = invert(network, PICTURE, ["colours"], settings=Settings(steps=1))
    image = inversion.image
    assert image.min() == 0 and image.max() == 255
    _, distance = Objective(network, PICTURE, ["colours"])(Tensor(image[None]))
    assert float(distance.data) == pytest.approx(inversion.distance, rel=1e-6)


@pytest.mark.parametrize(
    ("picture", "message"),
    [(PICTURE / 255, "if 1 is white"), (np.full_like(PICTURE, np.nan), "NaN")],
)
def test_arrays_that_are_not_pictures_are_refused(picture, message):
    with pytest.raises(MinidlError, match=message):
        invert(tiny.colours(), picture, ["colours"])
