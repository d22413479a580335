"""The network that the book explores: so small that all its numbers can be shown.

    block1_conv1, block1_conv2   3x3 of 10 channels, each with ReLU; then 2x2 max-pooling
    block2_conv1, block2_conv2   the same
    predictions                  dense, one unit for each class of CIFAR-10

`minidl train cifar10 --preset tiny` trains it.
"""

from minidl.checkpoints import Architecture, Preprocessing
from minidl.data.cifar10 import CLASSES
from minidl.layers import Sequential
from minidl.models.pretrained import Pretrained, convolution_shapes, must_be_square, restored
from minidl.models.vgg import SIDE, vgg
from minidl.typing import Array, Path

BLOCKS, CHANNELS = "2x10-2x10", 10
SHAPES = {
    **convolution_shapes("block1_conv1", 3, 3, CHANNELS),
    **convolution_shapes("block1_conv2", 3, CHANNELS, CHANNELS),
    **convolution_shapes("block2_conv1", 3, CHANNELS, CHANNELS),
    **convolution_shapes("block2_conv2", 3, CHANNELS, CHANNELS),
    "predictions/kernel": ((SIDE // 4) ** 2 * CHANNELS, len(CLASSES)),
    "predictions/bias": (len(CLASSES),),
}
ARCHITECTURE = Architecture(
    name="tiny_cifar10",
    shapes=SHAPES,
    preprocessing={
        "cifar10": Preprocessing("RGB", mean=(125.3, 123.0, 113.9), std=(63.0, 62.1, 66.7))
    },
)


def tiny_cifar10(weights: Path | None = None) -> "TinyCifar10":
    """Return the network with its weights, frozen, on the current device.

    weights: the path of a file in minidl's form, or None for the shipped one. Raise FileError if
    the file is missing, damaged, or of another network.
    """
    return restored(TinyCifar10, ARCHITECTURE, weights)


class TinyCifar10(Pretrained):
    """(N, 32, 32, 3), RGB, 0..255 -> logits (N, 10) of `minidl.data.CIFAR10_CLASSES`.

    A call raises ShapeError for pictures of another size. network: the Sequential, which takes
    pictures after the preprocessing. arrays: by the names of ARCHITECTURE.shapes.
    """

    def __init__(self, arrays: dict[str, Array], preprocessing: Preprocessing) -> None:
        super().__init__(preprocessing)
        head = str(len(CLASSES))
        self.network: Sequential = vgg(BLOCKS, head, norm=False).restore(arrays).train(False)

    def _of(self, image):
        x = self.preprocess(image)
        must_be_square(x, SIDE)
        return self.network(x)
