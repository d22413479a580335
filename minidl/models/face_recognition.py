"""This network maps a face to 128 numbers, which are similar for pictures of the same person.

It is Davis King's residual network (dlib 2017), after He et al. 2015 (arXiv 1512.03385), trained on
three million faces.

    conv32_down  7x7 of 32 channels, stride 2, no padding; ReLU; 3x3 max-pooling, stride 2
    14 blocks    `BLOCKS`, each with two 3x3 convolutions with padding 1 and a shortcut
    mean         over all positions
    fc           from 256 numbers to 128, without a bias

A block computes

    y = ReLU(conv2(ReLU(conv1(x))) + shortcut(x))

The shortcut is x itself. In a "_down" block, conv1 has stride 2 and no padding, and the shortcut is
a 2x2 average pooling, extended with channels of zeros. If the branch has one row and column less
than the shortcut, zeros are appended to it.

Two faces belong to the same person if the Euclidean distance of their numbers is small.
"""

from typing import Any

from minidl import ops
from minidl.checkpoints import Architecture, Preprocessing
from minidl.layers import AvgPool, Convolution, Dense, MaxPool, Module
from minidl.layers.activations import rectified
from minidl.models.pretrained import (
    FACE,
    Pretrained,
    convolution_shapes,
    must_be_square,
    restored,
)
from minidl.typing import Array, Operand, Path

SIDE = 150  # pixels
NUMBERS = 128
BLOCKS = {  # name: channels
    "conv32_1": 32,
    "conv32_2": 32,
    "conv32_3": 32,
    "conv64_down": 64,
    "conv64_1": 64,
    "conv64_2": 64,
    "conv64_3": 64,
    "conv128_down": 128,
    "conv128_1": 128,
    "conv128_2": 128,
    "conv256_down": 256,
    "conv256_1": 256,
    "conv256_2": 256,
    "conv256_down_out": 256,
}


def _shapes():
    shapes, inputs = _scaled_shapes("conv32_down", 7, 3, 32), 32
    for name, channels in BLOCKS.items():
        shapes |= _scaled_shapes(f"{name}/conv1", 3, inputs, channels)
        shapes |= _scaled_shapes(f"{name}/conv2", 3, channels, channels)
        inputs = channels
    return shapes | {"fc/kernel": (inputs, NUMBERS)}


def _scaled_shapes(name, side, inputs, outputs):
    scales = {f"{name}/{part}": (outputs,) for part in ("scale", "shift")}
    return convolution_shapes(name, side, inputs, outputs) | scales


ARCHITECTURE = Architecture(
    name="face_recognition",
    shapes=_shapes(),
    preprocessing={"face-api": FACE},
)


def face_recognition(weights: Path | None = None) -> "FaceRecognition":
    """Return the network with its weights, frozen, on the current device.

    weights: the path of a file in minidl's form, or None for the shipped one. Raise FileError if
    the file is missing, damaged, or of another network.
    """
    return restored(FaceRecognition, ARCHITECTURE, weights)


class FaceRecognition(Pretrained):
    """(N, 150, 150, 3), RGB, 0..255 -> (N, 128).

    The picture shows a face, upright and centred. A call raises ShapeError for another size.
    arrays: by the names of ARCHITECTURE.shapes. preprocessing: of the weights.
    """

    def __init__(self, arrays: dict[str, Array], preprocessing: Preprocessing) -> None:
        super().__init__(preprocessing)
        self.layers: dict[str, Any] = {
            "conv32_down": _scaled(arrays, "conv32_down", stride=2),
            "pool": MaxPool(3, stride=2),
        }
        self.layers |= {name: Residual(arrays, name) for name in BLOCKS}
        self.layers["fc"] = Dense(arrays["fc/kernel"])

    def _of(self, image):
        x = self.preprocess(image)
        must_be_square(x, SIDE)
        first, *others, fc = self.layers.values()
        x = rectified(first, x)
        for layer in others:
            x = layer(x)
        return fc(x.mean(axis=(1, 2)))


class Residual(Module):
    """y = ReLU(conv2(ReLU(conv1(x))) + shortcut(x))"""

    def __init__(self, arrays: dict[str, Array], name: str) -> None:
        self.down = "down" in name
        options = {"stride": 2} if self.down else {"padding": 1}
        self.conv1 = _scaled(arrays, f"{name}/conv1", **options)
        self.conv2 = _scaled(arrays, f"{name}/conv2", padding=1)
        self.pool = AvgPool(2)

    def __call__(self, x: Operand) -> Operand:
        """Return (N, H, W, C), or in a "_down" block (N, ⌊H/2⌋, ⌊W/2⌋, K), for x (N, H, W, C)."""
        y = self.conv2(rectified(self.conv1, x))
        if self.down:
            x = self.pool(x)
            x, y = _extended(x, y.shape), _extended(y, x.shape)
        return ops.relu(x + y)


def _scaled(arrays, name, **options):
    """Return scale·(convolution(x, kernel) + bias) + shift as one convolution with the kernel
    scale·kernel and the bias scale·bias + shift."""
    parts = ("kernel", "bias", "scale", "shift")
    kernel, bias, scale, shift = (arrays[f"{name}/{part}"] for part in parts)
    return Convolution(scale * kernel, scale * bias + shift, **options)


def _extended(x, shape):
    """Return x with zeros appended along every axis that is shorter than in `shape`."""
    missing = [(0, max(0, target - length)) for length, target in zip(x.shape, shape, strict=True)]
    return ops.pad(x, missing) if any(after for _, after in missing) else x
