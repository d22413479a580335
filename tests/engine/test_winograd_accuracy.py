"""The rounding errors of Winograd's F(4, 3) for the activations of VGG19."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.data import read_image, shipped_picture
from minidl.engine import convolution
from minidl.engine.convolution import ALGORITHMS, im2col
from minidl.layers import Convolution
from minidl.models import vgg19
from minidl.models.vgg19 import VGG19
from minidl.style_transfer import Settings
from minidl.style_transfer.objective import Objective
from tests.algorithms import by
from tests.checks import FLOAT32_C
from tests.engine.helpers import three_maps


@pytest.fixture(scope="module")
def model():
    return vgg19()


@pytest.fixture(scope="module")
def photograph():
    return read_image(shipped_picture("chelsea"), 64)


def largest_error(result, expected):
    """Return the largest error relative to the largest number."""
    assert result.dtype == np.float32
    return abs(result - expected).max() / abs(expected).max()


@pytest.mark.parametrize("block", [1, 2, 3, 4])
def test_float32_is_within_5e_5_of_float64(block, model, photograph):
    [x] = model.features(photograph, [f"block{block}_conv1"]).values()
    w = model.layers[f"block{block}_conv2"].kernel.data
    rng = np.random.default_rng(block)
    dy = rng.standard_normal((*x.shape[:-1], w.shape[-1])).astype(np.float32)
    results = three_maps(x, w, dy, 1, "winograd")
    expected = three_maps(*(array.astype(float) for array in (x, w, dy)), 1, "im2col")
    errors = [largest_error(one, other) for one, other in zip(results, expected, strict=True)]
    assert all(error <= 5e-5 for error in errors)


def test_float32_is_within_5e_5_of_the_definition(model, photograph):
    [x] = model.features(photograph[:24, :32], ["block4_conv1"]).values()
    w = model.layers["block4_conv2"].kernel.data
    expected = by("textbook")(x.astype(float), w.astype(float), padding=1)
    assert largest_error(by("winograd")(x, w, padding=1), expected) <= 5e-5


@pytest.fixture
def calls(monkeypatch):
    """Record the maps of winograd and winograd_runs that are called."""
    calls = []

    def recorded(kind, function):
        return lambda *args: calls.append(kind) or function(*args)

    for name in ("winograd", "winograd_runs"):
        algorithm = ALGORITHMS[name]
        maps = {kind: recorded(kind, getattr(algorithm, kind)) for kind in ("forward", "dx")}
        monkeypatch.setitem(ALGORITHMS, name, algorithm._replace(**maps))
    return calls


def test_the_gradient_of_a_style_transfer_is_that_of_im2col_in_float64(
    model, photograph, calls, monkeypatch
):
    """Both are differentiated in the linear region of the network that float32 selects: if the
    input of a ReLU is nearly 0, its sign may differ between the precisions."""
    style = read_image(shipped_picture("van-gogh-cafe-terrace"), 64)
    noise = np.random.default_rng(0).uniform(-40, 40, photograph.shape)
    start = photograph + noise.astype(np.float32)

    def gradient(model, dtype):
        pictures = photograph.astype(dtype), [style.astype(dtype)]
        image = Tensor(start.astype(dtype), requires_grad=True)
        Objective(model, *pictures, Settings())(image)[0].backward()
        return image.grad

    masks, rectified = [], Convolution.rectified

    def recording_masks(layer, x):
        y = rectified(layer, x)
        masks.append(y.data > 0)
        return y

    with monkeypatch.context() as patch:
        patch.setattr(Convolution, "rectified", recording_masks)
        result = gradient(model, np.float32)
    assert min(calls.count("forward"), calls.count("dx")) >= 3, "im2col is compared with itself"
    parameters = {name: p.data.astype(float) for name, p in model.named_parameters().items()}
    wide = VGG19(parameters, model.preprocessing).freeze()
    monkeypatch.setattr(convolution, "choose", lambda problem: im2col.IM2COL)
    monkeypatch.setattr(
        Convolution, "rectified", lambda layer, x: layer(x) * masks.pop(0).astype(float)
    )
    expected = gradient(wide, np.float64)
    assert result.dtype == np.float32 and expected.dtype == np.float64
    assert not masks
    # Forward and backward are at most 2 * 13 convolutions. The relative error of each has a norm of
    # at most c eps sqrt(9 * 512). The squares of independent errors add up.
    layers, longest = 2 * 13, 9 * 512
    tolerance = FLOAT32_C * np.finfo(np.float32).eps * np.sqrt(layers * longest)
    assert np.linalg.norm(result - expected) <= tolerance * np.linalg.norm(expected)
