"""Receptive fields: the pixels that one unit of each layer of VGG19 depends on.

The unit's gradient is computed by minidl's `backward`, and the pixels where it is not 0 are the
receptive field. The formula beside it uses only the windows of the layers. The network has VGG19's
layers, but one channel in each, and positive random kernels, so that no gradient cancels or is
stopped by a ReLU.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from minidl import engine
from minidl.autograd import Tensor
from minidl.book.figures.canvas import Canvas
from minidl.book.figures.figure import Figure, Frame
from minidl.checkpoints import Preprocessing
from minidl.data import read_image, resize, shipped_picture
from minidl.models.vgg19 import ARCHITECTURE, VGG19
from minidl.shapes import Windows
from minidl.typing import Array, Shape

PICTURE = "chelsea"
PIXEL = (140, 170)  # each unit is the one whose field has its centre nearest to this row and column

WIDTH, HEIGHT = 400.0, 586.0  # of the drawing
LEFT, SIDE = 8.0, 188.0  # the left edge; the side of an enlarged field
SMALL, STORED = 180, 96  # pixels: the width of the picture, and the largest side of a field
POINTED = 12.0  # the width of a frame, in units, below which an arrow points at it
FEW = 24 * 24  # pixels that are drawn as squares


class Field(NamedTuple):
    """The receptive field of a layer, the same along both axes, without the ends of the picture.

    size: r, in pixels. stride: j, the distance of the fields of two adjacent units. below, step: r
    and j of the layer below. offset: the first pixel of unit 0. windows: of the layer.
    """

    below: int
    step: int
    size: int
    stride: int
    offset: int
    windows: Windows

    def unit(self, pixel: Shape) -> Shape:
        """Return the unit whose field has its centre nearest to a pixel."""
        middle = self.offset + (self.size - 1) / 2
        return tuple(round((position - middle) / self.stride) for position in pixel)

    def seen(self, unit: Shape) -> tuple[slice, ...]:
        """Return the slices of the picture that contain the receptive field of a unit, if no end of
        the picture is near."""
        starts = [self.offset + position * self.stride for position in unit]
        return tuple(slice(start, start + self.size) for start in starts)


def draw() -> Figure:
    """Return the figure: a frame for each layer."""
    image = read_image(shipped_picture(PICTURE))
    network = narrow_vgg19()
    own = fields(network, image.shape[:2])
    units = {name: field.unit(PIXEL) for name, field in own.items()}
    found = gradients(network, image, units)
    small = resize(image, round(SMALL * image.shape[0] / image.shape[1]), SMALL)
    return Figure(
        title="Receptive fields of VGG19",
        caption=(
            "The frame shows the receptive field of a unit: the pixels that it depends on. The "
            "picture below on the left enlarges them. The picture on the right shows the size of "
            "the gradient of the unit with respect to each of them: the square root of its share "
            "of the largest, from black for 0 to white. A layer with k taps reads k units of the "
            "layer below. Their fields are j pixels apart, so the size r of the field grows by "
            "(k - 1)·j pixels. A stride of s multiplies j by s. Pixels in the middle lie on more "
            "paths to the unit, so their gradients are larger. The network has VGG19's layers, "
            "with one channel each and positive random kernels."
        ),
        variants={
            "": [_frame(name, own[name], units[name], image, small, found[name]) for name in own]
        },
        stills=(0, 5, 11, 20),
    )


def narrow_vgg19(seed: int = 0) -> VGG19:
    """Return VGG19 with one channel in each layer, positive random kernels and no biases."""
    rng, arrays = np.random.default_rng(seed), dict[str, Array]()
    for name, shape in ARCHITECTURE.shapes.items():
        if name.endswith("/kernel") and len(shape) == 4:
            kernel = rng.uniform(0.5, 1.0, (*shape[:2], 1 if arrays else shape[2], 1))
            arrays[name] = kernel / kernel.sum()
            arrays[name.replace("kernel", "bias")] = np.zeros(1)
    return VGG19(arrays, Preprocessing("RGB", mean=(0, 0, 0), std=(1, 1, 1)))


def fields(network: VGG19, extent: Shape) -> dict[str, Field]:
    """Return the Fields of the layers. extent: height and width of the picture."""
    found, size, stride, offset = {}, 1, 1, 0
    for name, layer in network.layers.items():
        windows = layer.windows(extent)
        below, step = size, stride
        size += (windows.reach[0] - 1) * step
        stride *= windows.stride[0]
        offset -= windows.before[0] * step
        found[name] = Field(below, step, size, stride, offset, windows)
        extent = windows.out
    return found


def gradients(network: VGG19, image: Array, units: Mapping[str, Shape]) -> dict[str, Array]:
    """Return {layer: Σ |∂(unit)/∂(pixel)| over the colours (H, W)}.

    Winograd's algorithm would leave rounding errors instead of zeros around the field.
    """
    found = {}
    with engine.using(convolution="runs"):
        x = Tensor(image.astype(np.float64), requires_grad=True)
        for name, y in network.features(x, units).items():
            dy = np.zeros(y.shape)
            dy[(0, *units[name], 0)] = 1
            y.backward(dy)
            assert x.grad is not None
            found[name] = abs(x.grad).sum(axis=-1)
    return found


def extent_of(gradient: Array) -> tuple[slice, ...]:
    """Return the slices of the smallest rectangle that contains all numbers that are not 0."""
    places = np.nonzero(gradient)
    return tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in places)


def _frame(
    name: str, field: Field, unit: Shape, image: Array, small: Array, gradient: Array
) -> Frame:
    rows, columns = seen = extent_of(gradient)
    canvas = Canvas(WIDTH, HEIGHT)
    scale = (WIDTH - 2 * LEFT) / image.shape[1]
    canvas.photograph(small, LEFT, LEFT, scale * image.shape[1], scale * image.shape[0])
    x, y = LEFT + scale * columns.start, LEFT + scale * rows.start
    wide, high = (scale * (axis.stop - axis.start) for axis in (columns, rows))
    canvas.outline(x, y, wide, high, "first")
    if wide < POINTED:
        canvas.arrow((x - 36, y + high + 36), (x - 4, y + high + 4), "first", 3)
    share = (gradient[seen] / gradient.max()) ** 0.5
    y = LEFT + scale * image.shape[0] + 32
    right = WIDTH - LEFT - SIDE
    titles = [(LEFT, y - 14, "the receptive field"), (right, y - 14, "the gradient")]
    canvas.labels(titles, size=13)
    for x, part in ((LEFT, image[seen]), (right, 255 * share)):
        _enlarged(canvas, part, x, y)
        canvas.outline(x, y, SIDE, SIDE, "first")
    height, width = (axis.stop - axis.start for axis in seen)
    window, step = field.windows.reach[0], field.windows.stride[0]
    y += SIDE + 22
    canvas.text(LEFT, y, name, size=14, bold=True)
    labels = [
        f"size of the field: r = {field.below} + ({window} - 1)·{field.step} = {field.size}",
        f"distance of the fields: j = {field.step}·{step} = {field.stride}",
        f"pixels with a gradient: {height} x {width}",
    ]
    canvas.labels([(LEFT, y + 20 * (i + 1), line) for i, line in enumerate(labels)], size=14)
    words = (
        f"In {name}, a field has {field.below} + ({window} - 1)·{field.step} = {field.size} pixels "
        f"along each axis, and the gradient of the unit at {unit} is not 0 in {height} x {width} "
        f"pixels, from row {rows.start} to {rows.stop - 1} and from column {columns.start} to "
        f"{columns.stop - 1}."
    )
    return Frame(canvas.svg(), words)


def _enlarged(canvas: Canvas, part: Array, x: float, y: float) -> None:
    """Draw a part of the picture in a square. A few pixels stay visible as squares."""
    height, width = (min(length, STORED) for length in part.shape[:2])
    if height * width <= FEW:
        canvas.picture(part, x, y, SIDE, SIDE)
    else:
        canvas.photograph(resize(part, height, width), x, y, SIDE, SIDE)
