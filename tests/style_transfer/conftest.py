"""A VGG19 with four channels per layer, which paints in milliseconds, and small pictures."""

import numpy as np
import pytest

from minidl.checkpoints import Preprocessing
from minidl.models.vgg19 import BLOCKS, VGG19


@pytest.fixture(scope="session")
def small_model():
    rng = np.random.default_rng(0)
    arrays, channels = {}, 3
    for block, count, _ in BLOCKS:
        for number in range(1, count + 1):
            kernel = rng.standard_normal((3, 3, channels, 4)) * np.sqrt(2 / (9 * channels))
            arrays[f"block{block}_conv{number}/kernel"] = kernel.astype(np.float32)
            arrays[f"block{block}_conv{number}/bias"] = np.zeros(4, np.float32)
            channels = 4
    preprocessing = Preprocessing("BGR", (104.0, 117.0, 124.0), (1.0, 1.0, 1.0))
    return VGG19(arrays, preprocessing, pooling="avg").freeze()


@pytest.fixture
def paint_with_the_small_model(monkeypatch, small_model):
    monkeypatch.setattr(
        "minidl.style_transfer.painting.vgg19", lambda *weights, pooling: small_model
    )


@pytest.fixture
def small_scales(monkeypatch):
    """Scales begin at 64 pixels of the shorter side, so that small pictures have several."""
    monkeypatch.setattr("minidl.style_transfer.scales.SMALLEST", 64)


@pytest.fixture(scope="session")
def content():
    return np.random.default_rng(1).uniform(0, 255, (20, 28, 3)).astype(np.float32)


@pytest.fixture(scope="session")
def style():
    return np.random.default_rng(2).uniform(0, 255, (24, 18, 3)).astype(np.float32)
