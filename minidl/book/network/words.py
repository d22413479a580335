"""The sentences of the page about each kind of layer, and the names of the layers."""

from collections.abc import Mapping
from typing import Any

# {kind: (how an output is made, where the gradient of an input comes from)}
SENTENCES = {
    "picture": ("This is a colour of the picture, from 0 to 255.", ""),
    "scale": (
        "The mean of the colour is subtracted from the pixel, and the result is divided by the "
        "standard deviation. Both are of the pictures on which the network was trained.",
        "The pixel was divided by the standard deviation, so the gradient is divided by it too.",
    ),
    "convolution": (
        "A window of each input map is multiplied by a kernel, number by number. The products of "
        "all inputs and the bias add up to the output.",
        "This number is in the windows of several outputs. Each output contains it with a weight "
        "as its factor. The gradient is the sum of the gradients of these outputs, each times this "
        "weight.",
    ),
    "dense": (
        "Each number of the inputs is multiplied by its own weight. The products and the bias add "
        "up to the output.",
        "Each output contains this number with a weight as its factor. The gradient is the sum of "
        "the gradients of all outputs, each times this weight.",
    ),
    "norm": (
        "The mean μ is subtracted, and the result is divided by the standard deviation σ, "
        "multiplied by γ and increased by β. μ and σ were measured in the training. The factor w "
        "is γ/σ.",
        "The output contains this number with the factor γ/σ, so the gradient of the output is "
        "multiplied by it.",
    ),
    "relu": (
        "A positive number stays as it is. Any other number becomes 0.",
        "Where the number is positive, the output changes with it, and the gradient of the output "
        "passes. Elsewhere the output stays 0, and the gradient is 0.",
    ),
    "max_pool": (
        "The output is the largest number of the window, and the first of several equal ones. It "
        "has the factor 1, and the others have the factor 0.",
        "The output of a window changes with its largest number only. If this number is the "
        "largest, it receives the gradient of the output. Otherwise it receives 0.",
    ),
    "avg_pool": (
        "The output is the mean of the numbers of the window. Each has the factor 1/n.",
        "The output of a window contains this number with the factor 1/n, and so the gradient of "
        "the output is multiplied by it.",
    ),
    "dropout": (
        "Dropout changes numbers in the training only. Here the output equals the input.",
        "Here dropout changes nothing, so the gradient of the output passes.",
    ),
    "softmax": (
        "Each score becomes a power of e, which is positive. A probability is the share of its "
        "power in the sum of all powers. The largest score m is subtracted first, which changes no "
        "share and keeps the powers small.",
        "",
    ),
}
START = {
    "score": "The way back starts here. The gradient of the chosen score with respect to itself is "
    "1, and with respect to any other score it is 0.",
    "loss": "The way back starts here. The loss is L = -ln p of the chosen class. Its gradient "
    "with respect to a score is the probability of the class, and for the chosen class the "
    "probability minus 1.",
}
NAMES = {
    "picture": "picture",
    "scale": "preparation",
    "dense": "dense",
    "norm": "batch normalization",
    "relu": "ReLU",
    "dropout": "dropout",
    "softmax": "softmax",
    "convolution": "{size} convolution",
    "max_pool": "{size} max-pooling",
    "avg_pool": "{size} average pooling",
}


def title(layer: Mapping[str, Any]) -> str:
    """Return what a layer is, such as "3×3 convolution"."""
    size = "×".join(map(str, layer.get("size", ())))
    return NAMES[layer["kind"]].format(size=size)


def extent(layer: Mapping[str, Any]) -> str:
    """Return the shape of the output of a layer, such as "32×32×10"."""
    return "×".join(map(str, layer["shape"]))


def sentences() -> dict[str, dict[str, str]]:
    """Return {kind: {"forward": .., "back": ..}}, and those about the start of the way back, by the
    key of the target."""
    words = {
        kind: {"forward": forward, "back": back} for kind, (forward, back) in SENTENCES.items()
    }
    return words | {key: {"forward": "", "back": text} for key, text in START.items()}
