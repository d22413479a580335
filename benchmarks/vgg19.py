"""VGG19's features up to conv5_4, and Winograd's error on the activations of the network."""

from functools import partial
from itertools import pairwise

import numpy as np

from benchmarks import twins
from benchmarks.cases import Case
from minidl.data import read_image, shipped_picture
from minidl.engine import using
from minidl.models import vgg19
from minidl.models.vgg19 import BLOCKS
from minidl.ops import convolution

LAYERS = [f"conv{block}_{number}" for block, count, _ in BLOCKS for number in range(1, count + 1)]


def cases(quick):
    """Return the Cases of batches of 8 pictures and of one. quick: of one small picture."""
    return [
        Case(f"VGG19's features, batch {n} at {side}x{side}", "VGG19",
             multiply_adds(n, side, LAYERS), partial(_pictures, n, side), _ours, _theirs,
             is_whole=True)
        for n, side in ([(1, 32)] if quick else [(8, 224), (1, 224)])
    ]  # fmt: skip


def multiply_adds(n, side, layers):
    """Return the multiply-adds of the named convolutions for n square pictures."""
    total, inputs = 0, 3
    for block, count, outputs in BLOCKS:
        for number in range(1, count + 1):
            if f"conv{block}_{number}" in layers:
                positions = n * (side >> (block - 1)) ** 2
                total += positions * 9 * inputs * outputs
            inputs = outputs
    return total


def more(arguments):
    """Return Winograd's largest error in float32 for each layer, relative to the largest output.

    The reference is im2col in float64, because the definition in loops would take hours.
    """
    model, errors = vgg19(), {}
    picture = read_image(shipped_picture("chelsea"), 48 if arguments.quick else 128)
    inputs = model.features(picture, list(model.layers))
    for before, name in pairwise(model.layers):
        if "conv" in name:
            parts = inputs[before], model.layers[name].kernel.data, model.layers[name].bias.data
            with using(convolution="im2col"):
                exact = convolution(*(part.astype(np.float64) for part in parts), padding=1)
            with using(convolution="winograd"):
                error = convolution(*parts, padding=1) - exact
            errors[name] = float(abs(error).max() / abs(exact).max())
    worst = max(errors.values())
    print(f"\nWinograd's error in float32: at most {worst:.1e} of a layer's largest output")
    return {"winograd_errors": errors}


def _pictures(n, side):
    pixels = np.random.default_rng(0).uniform(0, 255, (n, side, side, 3))
    return {"image": pixels.astype(np.float32)}


def _ours(arrays):
    model = vgg19()
    return {"features": lambda: list(model.features(arrays["image"], LAYERS).values())}


def _theirs(layout, arrays, device):
    features = twins.vgg19_features(vgg19(), layout, device)
    image = twins.tensor(arrays["image"], device)
    return {"features": twins.pytorch().no_grad()(lambda: list(features(image, LAYERS).values()))}
