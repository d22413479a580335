"""The pictures and masks of a painting, read in the sizes in which the network processes them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl.data.images import (
    DEEP,
    Picture,
    as_picture,
    fit,
    image_size,
    picture_form,
    read_picture,
    resize,
)
from minidl.errors import ArgumentError, ShapeError, brief
from minidl.models import VGG19
from minidl.style_transfer.masks import feathered, read_mask, regions
from minidl.style_transfer.objective import Masks, shares_of
from minidl.style_transfer.record import identity
from minidl.style_transfer.settings import Settings
from minidl.typing import Array
from minidl.typing import Path as PathLike

Source = PathLike | Array  # a picture: the path of a file, or an array (H, W, 3), RGB, 0..255


class Form(NamedTuple):
    """What the file of a painting keeps of the file of the photograph."""

    alpha: Array | None = None  # (H, W), 0..255
    profile: bytes | None = None  # the colour profile
    depth: int = 8  # bits per channel

    def options(self, path: PathLike) -> dict[str, Any]:
        """Return the options of `write_image` for a file whose format its ending gives."""
        depth = self.depth if picture_form(path) in DEEP else 8
        return self._asdict() | {"depth": depth}


PLAIN = Form()


class MaskFiles(NamedTuple):
    """Where the content and the styles count: paths of grey pictures, white where they count.

    Each has the proportions of its picture. Without a file, the whole picture counts.
    """

    content: PathLike | None = None  # where the painting keeps to the photograph
    regions: Sequence[PathLike | None] = ()  # where each style is painted
    parts: Sequence[PathLike | None] = ()  # the part of each style picture that is used
    # semantic maps of the photograph and of the style: the same flat colour is the same region
    maps: tuple[PathLike, PathLike] | None = None
    feather: int = 0  # radius in pixels of the painting, by which the regions get soft edges

    def names(self) -> list[PathLike]:
        """Return the paths of all files."""
        given = [self.content, *self.regions, *self.parts, *(self.maps or ())]
        return [path for path in given if path is not None]

    def describe(self) -> dict[str, Any]:
        """Return the identity of each file, and the radius, for the record of a painting."""

        def known(path):
            return None if path is None else identity(path)

        return {
            "content": known(self.content),
            "regions": [*map(known, self.regions)],
            "parts": [*map(known, self.parts)],
            "maps": [*map(known, self.maps or ())],
            "feather": self.feather,
        }


class Inputs(NamedTuple):
    """What a painting is made from."""

    content: Picture
    styles: list[Array]
    weights: list[float]  # of the styles
    masks: Masks


def read_inputs(
    content: Source,
    styles: Sequence[Source],
    settings: Settings,
    model: VGG19,
    style_weights: Sequence[float] | None = None,
    files: MaskFiles | None = None,
) -> Inputs:
    """Return the pictures and masks of a painting.

    The longer side of the content has at most settings.size pixels. That of a style has at most a
    number of settings.style_scale times that of the painting, once for each number. Raise
    ShapeError, with the name of the picture, if one is too small for the layers that are computed
    for it, and ArgumentError if the number of masks is not that of the styles.
    """
    files, shares = files or MaskFiles(), shares_of(style_weights, len(styles))
    _must_be_enough(files, len(styles))
    style_layers = settings.layers_read
    layers = [*settings.weighted_content, *style_layers]
    photograph = _read(content, "the content", settings.size, model, layers)
    size = photograph.pixels.shape[:2]
    content_mask = None if files.content is None else read_mask(files.content, size)
    pictures, weights, own_regions, own_parts = [], [], [], []
    for number, source in enumerate(styles):
        region = _read_mask(files.regions, number, size)
        if region is not None:
            region = feathered(region, files.feather)
        for scale in settings.style_scale:
            longest = max(1, round(scale * max(size)))
            name = f"style {number + 1}"
            style = _read(source, name, longest, model, style_layers, scale).pixels
            pairs = [(region, _read_mask(files.parts, number, style.shape[:2]))]
            if files.maps:
                pairs = regions(*files.maps, size, style.shape[:2])
                pairs = [(feathered(mask, files.feather), part) for mask, part in pairs]
            for own_region, part in pairs:
                pictures.append(style)
                weights.append(shares[number])
                own_regions.append(own_region)
                own_parts.append(part)
    masks = Masks(content_mask, own_regions, own_parts)
    return Inputs(photograph, pictures, weights, masks)


def _read(source, name, longest, model, layers, scale=1.0):
    """Return a Picture. Raise ShapeError if it is too small for the layers. longest: `scale` times
    the size of the painting."""
    is_path = isinstance(source, (str, Path))
    if is_path:
        name = str(source)
        picture = read_picture(source, longest)
    else:
        picture = Picture(_reduced(as_picture(source, name), longest), None, None, 8)
    try:
        model.check_size(picture.pixels.shape, layers)
    except ShapeError as error:
        original = image_size(source)[::-1] if is_path else np.shape(source)[:2]
        try:  # whether the picture is large enough in its own size
            model.check_size((*original, 3), layers)
        except ShapeError as unscaled:
            raise ShapeError(f"{name}: {unscaled}") from None
        raise ShapeError(f"{name}: {error}, or a size above {longest / scale:.0f}") from None
    return picture


def _reduced(picture, longest):
    """Return a picture whose longer side has at most `longest` pixels."""
    width, height = fit(picture.shape[1], picture.shape[0], longest)
    return picture if (height, width) == picture.shape[:2] else resize(picture, height, width)


def _read_mask(paths, number, size):
    """Return the mask of a style, or None without one."""
    path = paths[number] if paths else None
    return None if path is None else read_mask(path, size)


def _must_be_enough(files, count):
    """Raise ArgumentError if there is not one mask for each style."""
    for name, given in (("masks of regions", files.regions), ("masks of styles", files.parts)):
        if given and len(given) != count:
            raise ArgumentError(
                f"the number of {name} is {len(given)}, and that of the styles is {count}; wanted "
                "one for each style: on the command line, repeat the option before each mask"
            )
    if files.maps and (count != 1 or files.regions or files.parts):
        raise ArgumentError(
            f"found semantic maps with {count} styles and {len(files.names()) - 2} masks; wanted "
            "one style, and no other masks of regions and styles"
        )
    if files.feather and not (files.regions or files.maps):
        raise ArgumentError(
            f"feather is {brief(files.feather)} without a region; wanted a mask of a region too"
        )
