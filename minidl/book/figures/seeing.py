"""What activates a network in a picture: feature maps of three depths, and the pixels that activate
one channel, by four methods."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from minidl.book.figures.canvas import Canvas, number
from minidl.book.figures.figure import Figure, Frame
from minidl.data import read_image, resize, shipped_picture
from minidl.typing import Array
from minidl.visualize.drawing.heat import as_picture
from minidl.visualize.network import Network
from minidl.visualize.opening import open_network
from minidl.visualize.saliency.methods import saliency
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit

PICTURE = "chelsea"
SIZE = (80, 120)  # height and width
LAYERS = ("block1_conv2", "block3_conv1", "block5_conv1")
CHANNELS = 4  # of each layer
METHODS = {
    "gradient": "The gradient of the channel with respect to each pixel.",
    "guided": "The guided gradient, which passes only positive gradients through each ReLU.",
    "smoothgrad": "The mean of the gradients of pictures with noise.",
    "grad-cam": "Grad-CAM: the maps of the layer, weighted with their mean gradients.",
}
WIDTH, HEIGHT, GAP, HEAD = 180, 120, 12, 22  # units, of one picture; HEAD: for its title


class Strongest(NamedTuple):
    """The channels of a layer with the largest means, and their maps (H, W, CHANNELS)."""

    layer: str
    channels: list[int]
    maps: Array


def draw() -> Figure:
    """Return the figure."""
    network = open_network()
    picture = resize(read_image(shipped_picture(PICTURE)), *SIZE).astype(np.float32)
    return Figure(
        "What activates VGG19 in a picture",
        "The first frames show the channels that are most active. Maps of the first layers show "
        "edges and colours at all places; those of later layers are active at parts of objects. "
        "The last frames show on which pixels the strongest channel of the last layer depends.",
        {"": [*_layers(network, picture), *_methods(network, picture)]},
        stills=(0, 2, 4),
    )


def strongest(network: Network, picture: Array, layer: str) -> Strongest:
    """Return the strongest channels of a layer for a picture (H, W, 3)."""
    [maps] = network.activations(picture[None], [layer])[layer]
    channels = np.argsort(-maps.mean(axis=(0, 1)))[:CHANNELS]
    return Strongest(layer, channels.tolist(), maps[..., channels])


def _layers(network: Network, picture: Array) -> Iterator[Frame]:
    for layer in LAYERS:
        found = strongest(network, picture, layer)
        tiles = {
            f"channel {channel}": as_picture(found.maps[..., place], found.maps.max())
            for place, channel in enumerate(found.channels)
        }
        height, width, _ = found.maps.shape
        words = (
            f"The maps of {layer} have {height}x{width} positions. Light places are active. The "
            f"largest activation is {number(found.maps.max())}."
        )
        yield Frame(_drawing({"the picture": picture, **tiles}), words)


def _methods(network: Network, picture: Array) -> Iterator[Frame]:
    found = strongest(network, picture, LAYERS[-1])
    scalar = Scalar(network, Unit(found.layer, found.channels[0]))
    for made in saliency(scalar, picture, METHODS):
        drawn = as_picture(made.values, float(abs(made.values).max()))
        words = f"{METHODS[made.method]} The channel is {scalar.unit}."
        yield Frame(_drawing({"the picture": picture, made.method: drawn}), words)


def _drawing(tiles: dict[str, Array]) -> str:
    columns = min(len(tiles), 2)
    rows = -(-len(tiles) // columns)
    canvas = Canvas(columns * (WIDTH + GAP) - GAP, rows * (HEIGHT + HEAD))
    for place, (title, picture) in enumerate(tiles.items()):
        row, column = divmod(place, columns)
        left, top = column * (WIDTH + GAP), row * (HEIGHT + HEAD)
        canvas.text(left, top + 10, title)
        canvas.picture(picture, left, top + HEAD, WIDTH, HEIGHT)
    return canvas.svg()
