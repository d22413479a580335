"""Where eyes, brows, nose, mouth and jaw of a face are: 68 points.

    three dense blocks of 32, 64, 128 channels, each halving height and width:
        a = ReLU(conv0(x)), stride 2      b = conv1(a)      c = conv2(ReLU(a + b))      y = ReLU(a + b + c)
    14x14 average pool
    fc of 136: x and y of each point, in parts of the square

The convolutions are 3x3 and separable, but for the first of all; their border of zeros is
TensorFlow's "same", whose odd position comes after. The points go around the jaw (0 to 16), the
brows (17 to 26), down the nose (27 to 35), around the eye at the left of the picture (36 to 41) and
at its right (42 to 47), and around the lips (48 to 67), as in the iBUG 300-W data.
"""

import itertools

from minidl import ops
from minidl.checkpoints import Architecture, Preprocessing
from minidl.layers import AvgPool, Dense, Module
from minidl.layers.activations import rectified
from minidl.models.pretrained import (
    Pretrained,
    convolution,
    convolution_shapes,
    must_be_square,
    restored,
    separable_shapes,
)

SIDE = 112  # pixels
POINTS = 68
CHANNELS = (3, 32, 64, 128)
CONVOLUTIONS = 3  # in a block


def _shapes():
    shapes = {}
    for block, (inputs, outputs) in enumerate(itertools.pairwise(CHANNELS)):
        for number in range(CONVOLUTIONS):
            of_kind = convolution_shapes if block == number == 0 else separable_shapes
            shapes |= of_kind(
                f"dense{block}/conv{number}", 3, outputs if number else inputs, outputs
            )
    return shapes | {"fc/kernel": (CHANNELS[-1], 2 * POINTS), "fc/bias": (2 * POINTS,)}


ARCHITECTURE = Architecture(
    name="face_landmarks",
    shapes=_shapes(),
    preprocessing={
        "face-api": Preprocessing(
            "RGB", mean=(122.782, 117.001, 104.298), std=(255.0, 255.0, 255.0)
        )
    },
)


def face_landmarks(weights=None):
    """The network, frozen, on the current device. weights: the path of a file in minidl's form;
    None: the shipped one."""
    return restored(FaceLandmarks, ARCHITECTURE, weights)


class FaceLandmarks(Pretrained):
    """(N, 112, 112, 3) -> (N, 68, 2): x and y, in parts of the side. The picture is a face, as its
    box cuts it out."""

    def __init__(self, arrays, preprocessing):
        super().__init__(preprocessing)
        self.layers = {
            f"dense{block}": DenseBlock(arrays, f"dense{block}")
            for block in range(len(CHANNELS) - 1)
        }
        self.layers["pool"] = AvgPool(SIDE // 2 ** len(self.layers))
        self.layers["fc"] = Dense(arrays["fc/kernel"], arrays["fc/bias"])

    def _of(self, image):
        x = self.preprocess(image)
        must_be_square(x, SIDE)
        *others, fc = self.layers.values()
        for layer in others:
            x = layer(x)
        return fc(x.reshape(x.shape[0], -1)).reshape(-1, POINTS, 2)


class DenseBlock(Module):
    """y = ReLU(a + b + ...), where a = ReLU(conv0(x)) and every further convolution is of the ReLU
    of the sum before it."""

    def __init__(self, arrays, name):
        self.convolutions = {
            f"conv{number}": convolution(
                arrays, f"{name}/conv{number}", stride=1 if number else 2, padding="same"
            )
            for number in range(CONVOLUTIONS)
        }

    def __call__(self, x):
        """(N, H, W, C) -> (N, H/2, W/2, K)"""
        first, *others = self.convolutions.values()
        total = active = rectified(first, x)
        for layer in others:
            total = total + layer(active)
            active = ops.relu(total)
        return active
