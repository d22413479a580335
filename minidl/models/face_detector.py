"""The tiny face detector predicts boxes around faces, after YOLO (Redmon & Farhadi 2016, arXiv
1612.08242).

    conv0            3x3 of 16 channels, no padding
    conv1 .. conv5   separable 3x3 of 32, 64, 128, 256, 512 channels, padding 1
        each of conv0 .. conv5 with leaky ReLU of slope 0.1 and 2x2 max-pooling that rounds odd
        lengths up, of stride 2, or stride 1 after conv5
    conv8            1x1 of 25 channels: x, y, w, h and score for each of 5 anchors in each cell

The picture is divided into m rows of n cells of 32 x 32 pixels. Cell (row, column) predicts for
each anchor (width, height), in cells:

    centre (column + σ(x), row + σ(y))      size (e^w·width, e^h·height)      score σ(score)

Divided by n and m, these are fractions of the width and height of the picture.

Leaky ReLU is increasing, so it commutes with max-pooling. It is computed after max-pooling here,
which leaves a quarter of the numbers where its stride is 2.
"""

from typing import Any

from minidl.backend import array_module
from minidl.checkpoints import Architecture, Preprocessing
from minidl.errors import ShapeError
from minidl.layers import LeakyReLU, MaxPool
from minidl.models.pretrained import (
    Pretrained,
    convolution,
    convolution_shapes,
    restored,
    separable_shapes,
)
from minidl.ops import sigmoid
from minidl.typing import Array, Operand, Path

CHANNELS = (16, 32, 64, 128, 256, 512)  # of conv0 .. conv5
ANCHORS = (  # (width, height) in cells
    (1.603231, 2.094468),
    (6.041143, 7.080126),
    (2.882459, 3.518061),
    (4.266906, 5.178857),
    (9.041765, 10.66308),
)
CELL = 32  # pixels a side
SLOPE = 0.1


def _shapes():
    shapes = convolution_shapes("conv0", 3, 3, CHANNELS[0])
    for number in range(1, len(CHANNELS)):
        shapes |= separable_shapes(f"conv{number}", 3, CHANNELS[number - 1], CHANNELS[number])
    return shapes | convolution_shapes("conv8", 1, CHANNELS[-1], 5 * len(ANCHORS))


ARCHITECTURE = Architecture(
    name="face_detector",
    shapes=_shapes(),
    preprocessing={
        "face-api": Preprocessing("RGB", mean=(117.001, 114.697, 97.404), std=(255.0, 255.0, 255.0))
    },
)


def face_detector(weights: Path | None = None) -> "FaceDetector":
    """Return the detector with its weights, frozen, on the current device.

    weights: the path of a file in minidl's form, or None for the shipped one. Raise FileError if
    the file is missing, damaged, or of another network.
    """
    return restored(FaceDetector, ARCHITECTURE, weights)


class FaceDetector(Pretrained):
    """(N, H, W, 3), RGB, 0..255 -> (N, m, n, 5, 5): the numbers x, y, w, h and score for each cell
    (row, column) and anchor.

    H and W are multiples of 32; a call raises ShapeError otherwise. arrays: by the names of
    ARCHITECTURE.shapes. preprocessing: of the weights.
    """

    def __init__(self, arrays: dict[str, Array], preprocessing: Preprocessing) -> None:
        super().__init__(preprocessing)
        self.layers: dict[str, Any] = {}
        for number in range(len(CHANNELS)):
            name, last = f"conv{number}", number == len(CHANNELS) - 1
            self.layers[name] = convolution(arrays, name, padding=1 if number else 0)
            self.layers[f"pool{number}"] = MaxPool(2, stride=1 if last else 2, padding="same")
            self.layers[f"leaky{number}"] = LeakyReLU(SLOPE)
        self.layers["conv8"] = convolution(arrays, "conv8")

    def _of(self, image):
        x = self.preprocess(image)
        height, width = x.shape[1:3]
        if height % CELL or width % CELL or not height * width:
            raise ShapeError(f"the picture is {width}x{height}; wanted multiples of {CELL} pixels")
        for layer in self.layers.values():
            x = layer(x)
        return x.reshape(*x.shape[:3], len(ANCHORS), 5)

    def boxes(self, pictures: Operand) -> Operand:
        """Return the boxes `(N, m·n·5, 5)` of all cells and anchors in pictures (N, H, W, 3).

        The columns are x and y of the upper left corner, width and height, as fractions of the
        width and height of the picture, and the score from 0 to 1.
        """
        return boxes(self(pictures))


def boxes(output: Array) -> Array:
    """Return the boxes `(N, m·n·5, 5)` of an output (N, m, n, 5, 5) of the network.

    They follow the formulas of the module's docstring, with corners instead of centres.
    """
    xp, (rows, columns) = array_module(output), output.shape[1:3]
    across, down = (xp.arange(count, dtype=output.dtype) for count in (columns, rows))
    size = xp.exp(output[..., 2:4]) * xp.asarray(ANCHORS, output.dtype)
    x = across[:, None] + sigmoid(output[..., 0]) - size[..., 0] / 2
    y = down[:, None, None] + sigmoid(output[..., 1]) - size[..., 1] / 2
    score = sigmoid(output[..., 4])
    width, height = size[..., 0] / columns, size[..., 1] / rows
    stacked = xp.stack([x / columns, y / rows, width, height, score], axis=-1)
    return stacked.reshape(output.shape[0], -1, 5)
