"""Guides: the masks of regions at the layers of VGG19 (Gatys, Ecker, Bethge, Hertzmann, Shechtman
2017, "Controlling Perceptual Factors in Neural Style Transfer", section 4).

A mask (H, W) states for each pixel, from 0 to 1, how much it belongs to a region. A guide (h, w)
states the same for each position of a layer. The mask is carried through the layers in order, with
the windows of VGG19: 3x3 with stride 1 and padding 1 at a convolution, and 2x2 with stride 2 at a
pooling, which drops an odd last row or column. WAYS lists what a position takes from its window:

            convolution   pooling       the resulting guide
"simple"    its centre    the mean      the mean of the mask over the cell of the position
"all"       the maximum   the maximum   the largest number of the mask in the receptive field
"inside"    the minimum   the minimum   the smallest number of the mask in the receptive field

The cell of a position is the square of pixels that the poolings reduce to it. For a mask of zeros
and ones, "all" therefore selects the positions whose receptive field touches the region, and
"inside" those whose receptive field is entirely in it. The padding takes no part in the maximum or
minimum, so the border of the picture is no border of a region.
"""

from collections.abc import Callable, Iterable, Iterator

from minidl import ops
from minidl.backend import read_numbers
from minidl.errors import ArgumentError, ShapeError, one_of
from minidl.models import VGG19
from minidl.models.vgg19 import ALIASES
from minidl.typing import Array


def _unchanged(x, window, **options):
    return x


def _smallest(x, window, **options):
    return -ops.max_pool(-x, window, **options)


# {way: (operation at a convolution, operation at a pooling)}
WAYS: dict[str, tuple[Callable, Callable]] = {
    "simple": (_unchanged, ops.avg_pool),
    "all": (ops.max_pool, ops.max_pool),
    "inside": (_smallest, _smallest),
}


def guides(
    model: VGG19, mask: Array, layers: Iterable[str], way: str = "simple"
) -> dict[str, Array]:
    """Return the guides (h, w) of a mask (H, W) at some layers, by the given names.

    model: the network. mask: floating-point numbers from 0 to 1. layers: convolutions and poolings
    by the names that `VGG19.features` accepts. way: one of WAYS.

    Raise ArgumentError for another layer or way, or if the mask or a guide is 0 everywhere. Raise
    ShapeError if the mask has no two axes or is too small for one of the layers.
    """
    one_of("way", way, WAYS)
    if mask.ndim != 2:
        raise ShapeError(f"a mask has shape {mask.shape}; wanted (H, W)")
    names = {layer: model.canonical(layer).removesuffix(".pre") for layer in layers}
    if dense := [layer for layer, name in names.items() if name not in ALIASES]:
        raise ArgumentError(f"{dense[0]} has no positions; wanted a convolution or a pooling")
    model.check_size((*mask.shape, 3), names)
    by_name: dict[str, Array] = {}
    steps = carried(mask, way)
    while not by_name.keys() >= set(names.values()):
        name, guide = next(steps)
        by_name[name] = guide
    found = {layer: by_name[name] for layer, name in names.items()}
    _must_not_vanish(mask, found, way)
    return found


def carried(mask: Array, way: str) -> Iterator[tuple[str, Array]]:
    """Yield (name, guide) of VGG19's convolutions and poolings in order.

    >>> steps = carried(np.array([[1., 0., 0., 0., 0.], [1., 0., 0., 0., 0.]]), "all")
    >>> next(steps)
    ('block1_conv1', array([[1., 1., 0., 0., 0.],
           [1., 1., 0., 0., 0.]]))
    >>> next(steps)
    ('block1_conv2', array([[1., 1., 1., 0., 0.],
           [1., 1., 1., 0., 0.]]))
    >>> next(steps)                                       # the pooling drops the last column
    ('block1_pool', array([[1., 1.]]))
    """
    at_convolution, at_pooling = WAYS[way]
    x = mask[None, :, :, None]
    for name in ALIASES:
        x = at_pooling(x, 2) if "pool" in name else at_convolution(x, 3, stride=1, padding=1)
        yield name, x[0, :, :, 0]


def _must_not_vanish(mask, found, way):
    """Raise ArgumentError if the mask or a guide is 0 everywhere."""
    largest, *maxima = read_numbers(mask.max(), *(guide.max() for guide in found.values()))
    if not largest:
        raise ArgumentError("a mask is 0 everywhere; wanted numbers above 0 in the region")
    empty = [layer for layer, maximum in zip(found, maxima, strict=True) if not maximum]
    if empty:
        other = "the way 'simple', " if way == "inside" else ""
        raise ArgumentError(
            f"by the way {way!r}, no position of {empty[0]} belongs to the region; take {other}a "
            "larger region, fewer scales or a shallower layer"
        )
