"""The network that locates 68 landmarks of a face: eyes, brows, nose, mouth and jaw.

    3 dense blocks of 32, 64, 128 channels, each of which halves height and width:
        a = ReLU(conv0(x)), stride 2      b = conv1(a)      c = conv2(ReLU(a + b))
        y = ReLU(a + b + c)
    14x14 average pooling
    fc of 136: x and y of each landmark, as fractions of the side of the picture

The convolutions are 3x3. All are separable except the first. Their padding is TensorFlow's "same",
which puts an odd position at the end. The landmarks follow the jaw (0 to 16), the brows (17 to 26),
the nose downwards (27 to 35), the outline of the eye at the left of the picture (36 to 41) and of
the eye at its right (42 to 47), and the outlines of the lips (48 to 67), as in the iBUG 300-W data.
"""

import itertools
from typing import Any

from minidl import ops
from minidl.checkpoints import Architecture, Preprocessing
from minidl.layers import AvgPool, Dense, Module
from minidl.layers.activations import rectified
from minidl.models.pretrained import (
    FACE,
    Pretrained,
    convolution,
    convolution_shapes,
    must_be_square,
    restored,
    separable_shapes,
)
from minidl.typing import Array, Operand, Path, Shape

SIDE = 112  # pixels
POINTS = 68
CHANNELS = (3, 32, 64, 128)
CONVOLUTIONS = 3  # in a block


def _shapes():
    shapes: dict[str, Shape] = {}
    for block, (inputs, outputs) in enumerate(itertools.pairwise(CHANNELS)):
        for number in range(CONVOLUTIONS):
            name = f"dense{block}/conv{number}"
            shapes_of = convolution_shapes if block == number == 0 else separable_shapes
            shapes |= shapes_of(name, 3, outputs if number else inputs, outputs)
    return shapes | {"fc/kernel": (CHANNELS[-1], 2 * POINTS), "fc/bias": (2 * POINTS,)}


ARCHITECTURE = Architecture(
    name="face_landmarks",
    shapes=_shapes(),
    preprocessing={"face-api": FACE},
)


def face_landmarks(weights: Path | None = None) -> "FaceLandmarks":
    """Return the network with its weights, frozen, on the current device.

    weights: the path of a file in minidl's form, or None for the shipped one. Raise FileError if
    the file is missing, damaged, or of another network.
    """
    return restored(FaceLandmarks, ARCHITECTURE, weights)


class FaceLandmarks(Pretrained):
    """(N, 112, 112, 3), RGB, 0..255 -> (N, 68, 2): x and y, as fractions of the side.

    The picture is the square around the box of a face. A call raises ShapeError for another size.
    arrays: by the names of ARCHITECTURE.shapes. preprocessing: of the weights.
    """

    def __init__(self, arrays: dict[str, Array], preprocessing: Preprocessing) -> None:
        super().__init__(preprocessing)
        names = [f"dense{block}" for block in range(len(CHANNELS) - 1)]
        self.layers: dict[str, Any] = {name: DenseBlock(arrays, name) for name in names}
        self.layers["pool"] = AvgPool(SIDE // 2 ** len(names))
        self.layers["fc"] = Dense(arrays["fc/kernel"], arrays["fc/bias"])

    def _of(self, image):
        x = self.preprocess(image)
        must_be_square(x, SIDE)
        *others, fc = self.layers.values()
        for layer in others:
            x = layer(x)
        return fc(x.reshape(x.shape[0], -1)).reshape(-1, POINTS, 2)


class DenseBlock(Module):
    """y = ReLU(a + b + ...), where a = ReLU(conv0(x)), and each further convolution is applied to
    the ReLU of the sum of the previous terms."""

    def __init__(self, arrays: dict[str, Array], name: str) -> None:
        self.convolutions: dict[str, Any] = {}
        for number in range(CONVOLUTIONS):
            path, stride = f"{name}/conv{number}", 1 if number else 2
            layer = convolution(arrays, path, stride=stride, padding="same")
            self.convolutions[f"conv{number}"] = layer

    def __call__(self, x: Operand) -> Operand:
        """Return (N, H/2, W/2, K) for an input (N, H, W, C)."""
        first, *others = self.convolutions.values()
        total = active = rectified(first, x)
        for layer in others:
            total = total + layer(active)
            active = ops.relu(total)
        return active
