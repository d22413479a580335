"""A small random network with every kind of layer, and the page of an exploration as files."""

from functools import cache

import numpy as np

from minidl.book.network import DATA, SCRIPT, STYLE, body, exploration, files, shipped_exploration
from minidl.layers import (
    AvgPool,
    BatchNorm,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    MaxPool,
    ReLU,
    Sequential,
)

CLASSES = [f"class {number}" for number in range(13)]
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A network, explored</title>
<style>:root { --paper: #fcfbf8; --surface: #f4f2ec; --ink: #1c1c1f; --faint: #63625e;
--line: #dcd9d0; --first: #1b5e9e; --second: #ae4a12; --third: #22703f; --plain: sans-serif; }
</style><link rel="stylesheet" href="STYLE">
<script src="DATA" defer></script><script src="SCRIPT" defer></script></head>
<body><main><h1>A network, explored</h1>BODY</main></body></html>"""


def random_network(seed=0):
    """Return a Sequential for pictures (11, 13, 3) with 13 scores, and more than 12 units in most
    layers."""
    rng = np.random.default_rng(seed)
    layers = {
        "strided": Convolution.new(rng, (3, 2), 3, 14, stride=(1, 2), padding="same"),
        "norm": BatchNorm(14),
        "relu1": ReLU(),
        "average": AvgPool(3, stride=2, padding=1, ceil=True, count_padding=False),
        "dilated": Convolution.new(
            rng, (3, 3), 14, 16, padding=2, dilation=2, groups=2, bias=False
        ),
        "relu2": ReLU(),
        "largest": MaxPool(3, stride=2, padding=1),
        "flatten": Flatten(),
        "dropout": Dropout(0.5),
        "hidden": Dense.new(rng, 3 * 2 * 16, 15),
        "hidden_norm": BatchNorm(15),
        "relu3": ReLU(),
        "dropout2": Dropout(0.5),
        "scores": Dense.new(rng, 15, 13),
    }
    for name in ("norm", "hidden_norm"):
        layer = layers[name]
        for parameter in (layer.gamma, layer.beta):
            parameter.data = rng.uniform(0.2, 1.5, parameter.shape).astype(np.float32)
        layer.mean = rng.standard_normal(layer.mean.shape).astype(np.float32)
        layer.variance = rng.uniform(0.5, 2, layer.variance.shape).astype(np.float32)
    for name in ("strided", "hidden"):
        bias = layers[name].bias
        bias.data = rng.standard_normal(bias.shape).astype(np.float32)
    return Sequential(layers)


@cache
def random_exploration():
    picture = np.random.default_rng(1).integers(0, 256, (11, 13, 3)).astype(np.float32)
    moments = {"mean": (120, 110, 100), "std": (60, 50, 40)}
    return exploration(random_network(), picture, CLASSES, **moments)


@cache
def of_the_shipped_network():
    return shipped_exploration()


def write_page(folder, explored):
    """Write the page and its files into a folder. Return its address."""
    for name, content in files(explored).items():
        (folder / name).write_text(content, encoding="utf-8")
    page = PAGE.replace("BODY", body(explored))
    for word, name in (("STYLE", STYLE), ("DATA", DATA), ("SCRIPT", SCRIPT)):
        page = page.replace(f'"{word}"', f'"{name}"')
    (folder / "index.html").write_text(page, encoding="utf-8")
    return (folder / "index.html").as_uri()
