"""Masks: which pixels belong to a region, as arrays (H, W) from 0 to 1."""

import numpy as np

from minidl import ops
from minidl.data.images import image_size, read_at_size, read_image, resize
from minidl.errors import ArgumentError, FileError, ShapeError, brief
from minidl.shapes import is_int
from minidl.style_transfer.colour import luma
from minidl.typing import Array, Path

MOST_REGIONS = 16
LEAST_SHARE = 0.005  # of the pixels of a map; a colour with less is part of an edge between regions
LEAST_DISTANCE = 16  # in levels; colours at a smaller distance are one, as after JPEG


def read_mask(path: Path, size: tuple[int, int]) -> Array:
    """Return the mask (*size) float32 of a picture file: 0 for black, 1 for white.

    path: of a grey picture, of any size; of a picture in colour, the luma is taken. size: (H, W) of
    the picture whose region it is. Raise FileError if the file cannot be read or is black
    everywhere, and ShapeError if its proportions are not those of `size`, up to one pixel.
    """
    _must_have_proportions(path, size)
    mask = (luma(read_at_size(path, size, stretch=True)) / 255).astype(np.float32)
    if not mask.any():
        raise FileError(f"{path} is black everywhere; wanted white in the region")
    return mask


def feathered(mask: Array, radius: int) -> Array:
    """(H, W) -> (H, W): the mask with soft edges

    A mean over 2r + 1 pixels, r: radius, is taken along both axes, three times. Pixels outside the
    picture do not count. This is nearly a Gaussian filter: one mean has the variance ((2r + 1)² -
    1) / 12, so three have the standard deviation (r (r + 1))^(1/2).

    Raise ArgumentError if the radius is no whole number of at least 0, or if the mask does not hold
    floating-point numbers.

    >>> feathered(np.array([[0., 0., 0., 0., 27., 0., 0., 0., 0.]]), 1)
    array([[0., 1., 3., 6., 7., 6., 3., 1., 0.]])
    """
    if not (is_int(radius) and radius >= 0):
        raise ArgumentError(
            f"the radius is {brief(radius)} pixels; wanted a whole number of at least 0"
        )
    x, width = mask[None, :, :, None], 2 * radius + 1
    for _ in range(3):
        for window, padding in (((width, 1), (radius, 0)), ((1, width), (0, radius))):
            x = ops.avg_pool(x, window, stride=1, padding=padding, count_padding=False)
    return x[0, :, :, 0]


def regions(
    content_map: Path, style_map: Path, content_size: tuple[int, int], style_size: tuple[int, int]
) -> list[tuple[Array, Array]]:
    """Return two masks for each region of two semantic maps: (*content_size) and (*style_size).

    content_map, style_map: paths of pictures of any size, in which each region has one flat colour,
    the same in both (Champandard 2016, "Semantic Style Transfer and Turning Two-Bit Doodles into
    Fine Artworks"). Colours that cover less than LEAST_SHARE of both maps, as at the edges of
    regions, belong to the region of the nearest colour. content_size, style_size: (H, W) of the
    pictures whose regions the maps show.

    Raise FileError if a file cannot be read, if there are not 2 to MOST_REGIONS regions, or if one
    covers less than LEAST_SHARE of a map. Raise ShapeError if the proportions of a map are not
    those of its picture, up to one pixel.
    """
    _must_have_proportions(content_map, content_size)
    _must_have_proportions(style_map, style_size)
    content, style = _read_map(content_map), _read_map(style_map)
    colours = _main_colours(content, style)
    if not 2 <= len(colours) <= MOST_REGIONS:
        raise FileError(
            f"the number of colours that cover at least {LEAST_SHARE:.1%} of {content_map} or "
            f"{style_map} is {len(colours)}; wanted 2 to {MOST_REGIONS}: paint each region in one "
            "flat colour, and save the maps as PNG"
        )
    of_content, of_style = _labels(content, colours), _labels(style, colours)
    pairs = []
    for k, colour in enumerate(colours):
        in_content, in_style = of_content == k, of_style == k
        share, other = in_content.mean(), in_style.mean()
        if min(share, other) < LEAST_SHARE:
            raise FileError(
                f"the colour #{bytes(colour.tolist()).hex()} covers {share:.1%} of {content_map} "
                f"and {other:.1%} of {style_map}; wanted at least {LEAST_SHARE:.1%} of both: paint "
                "each region in both maps, with sharp edges"
            )
        pairs.append((_resized(in_content, content_size), _resized(in_style, style_size)))
    return pairs


def _read_map(path):
    """Return the codes of the colours of a picture: (H, W) int32, R 2¹⁶ + G 2⁸ + B."""
    red, green, blue = np.moveaxis(read_image(path).astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue


def _colours(codes):
    """(...) -> (..., 3): R, G and B of codes"""
    return codes[..., None] >> np.array([16, 8, 0]) & 255


def _main_colours(*maps):
    """Return the colours of the regions, in descending order of their shares of a map."""
    found = [np.unique(codes, return_counts=True) for codes in maps]
    shares = np.concatenate([counts / counts.sum() for _, counts in found])
    colours = _colours(np.concatenate([codes for codes, _ in found]))
    main: list[Array] = []
    for number in np.argsort(-shares, kind="stable")[: np.sum(shares >= LEAST_SHARE)]:
        if all(np.linalg.norm(colours[number] - other) >= LEAST_DISTANCE for other in main):
            main.append(colours[number])
    return main


def _labels(codes, colours):
    """Return the number of the nearest of the colours for each pixel, (H, W)."""
    occurring = np.unique(codes)
    squares = [((_colours(occurring) - colour) ** 2).sum(-1) for colour in colours]
    nearest = np.empty(1 << 24, np.uint8)  # for each possible code
    nearest[occurring] = np.argmin(squares, axis=0)
    return nearest[codes]


def _resized(mask, size):
    return resize(np.float32(255) * mask, *size) / 255


def _must_have_proportions(path, size):
    """Raise ShapeError if the proportions of a picture file differ from those of `size` by more
    than one pixel of the smaller one."""
    (width, height), (high, wide) = image_size(path), size
    if abs(width * high - height * wide) > max(width, height, wide, high):
        raise ShapeError(
            f"{path} is {width}x{height} and its picture {wide}x{high}; wanted the same "
            "proportions: crop or scale it like the picture"
        )
