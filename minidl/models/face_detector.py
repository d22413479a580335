"""Where the faces of a picture are: the tiny face detector's network, after YOLO (Redmon & Farhadi
2016, arXiv 1612.08242).

    conv0            3x3 of 16, no padding
    conv1 .. conv5   separable 3x3 of 32, 64, 128, 256, 512, padding 1
        each with leaky ReLU of 0.1 and 2x2 max-pool of stride 2, after conv5 of stride 1, that
        rounds odd lengths up
    conv8            1x1 of 25: in each cell for each of 5 anchors x, y, w, h and score

The picture is divided into m rows of n cells of 32 x 32 pixels. Cell (row, column) predicts for
each anchor (width, height), in cells:

    centre (column + σ(x), row + σ(y))      size (e^w width, e^h height)      score σ(score)

Divided by n and m, these are fractions of the width and height of the picture.

Leaky ReLU rises, so the largest of what it makes of four numbers is what it makes of the largest:
it comes after the max-pool here, where a quarter of the numbers is left.
"""

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

CHANNELS = (16, 32, 64, 128, 256, 512)  # of conv0 .. conv5
ANCHORS = (  # (width, height) in cells
    (1.603231, 2.094468), (6.041143, 7.080126), (2.882459, 3.518061), (4.266906, 5.178857), (9.041765, 10.66308),
)  # fmt: skip
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


def face_detector(weights=None):
    """The detector, frozen, on the current device. weights: the path of a file in minidl's form;
    None: the shipped one."""
    return restored(FaceDetector, ARCHITECTURE, weights)


class FaceDetector(Pretrained):
    """(N, H, W, 3) -> (N, m, n, 5, 5): for each cell (row, column) and anchor the numbers x, y, w,
    h,
    score. H and W are multiples of 32."""

    def __init__(self, arrays, preprocessing):
        super().__init__(preprocessing)
        self.layers = {}
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

    def boxes(self, pictures):
        """(N, H, W, 3) -> (N, m·n·5, 5): x and y of the upper left corner, width and height, as
        fractions of the width and height of the picture, and score, 0..1"""
        return boxes(self(pictures))


def boxes(found):
    """(N, m, n, 5, 5), the output of the network -> (N, m·n·5, 5) by the formulas of the module's
    docstring, with corners instead of centres"""
    xp, (rows, columns) = array_module(found), found.shape[1:3]
    across, down = (xp.arange(count, dtype=found.dtype) for count in (columns, rows))
    size = xp.exp(found[..., 2:4]) * xp.asarray(ANCHORS, found.dtype)
    x = across[:, None] + sigmoid(found[..., 0]) - size[..., 0] / 2
    y = down[:, None, None] + sigmoid(found[..., 1]) - size[..., 1] / 2
    score = sigmoid(found[..., 4])
    width, height = size[..., 0] / columns, size[..., 1] / rows
    placed = xp.stack([x / columns, y / rows, width, height, score], axis=-1)
    return placed.reshape(found.shape[0], -1, 5)
