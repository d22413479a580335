"""Decode pictures with 16 bits per channel in full precision. Pillow reads them with 8 bits."""

import mmap
import struct

import numpy as np
from PIL import Image, TiffImagePlugin

from minidl.data.decoding import GAP, ORIENTATION, TURNS
from minidl.data.profiles import SRGB, converted, to_srgb
from minidl.errors import FileError
from minidl.extras import need
from minidl.typing import Array, Path

# TIFF tags
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, SAMPLES, LAYOUT = 256, 257, 258, 259, 262, 277, 284
TILE_WIDTH, TILE_HEIGHT, EXTRA, SAMPLE_FORMAT, DEPTH, TILE_DEPTH = 322, 323, 338, 339, 32997, 32998
# Values of these tags
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # PHOTOMETRIC
PLANES = 2  # LAYOUT: one channel after the other
PREMULTIPLIED, STRAIGHT = 1, 2  # EXTRA: alpha channels
UNSIGNED = 1  # SAMPLE_FORMAT
LOSSLESS = (1, 5, 8, 32773, 32946, 34925, 50000)  # COMPRESSION: none, LZW, PackBits, ...

CLASSIC = (b"II*\0", b"MM\0*")  # the first bytes of a TIFF file that is no BigTIFF
LARGEST_TILE = 1 << 22  # pixels; or those of the picture, if it is larger

PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # those that describe the pixels
WHITE = 65535


def is_deep(picture: Image.Image, path: Path) -> bool:
    """Return whether an opened Pillow picture is a PNG or TIFF file of grey or RGB, with or without
    alpha, that has 16 bits per channel.

    path: of the file. A BigTIFF file, and one with lossy compression, is not deep.
    """
    with open(path, "rb") as file:
        head = file.read(25)
    if picture.format == "PNG":
        return head[24] == 16
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) or not head.startswith(CLASSIC):
        return False
    tags = picture.tag_v2
    return (
        set(tags.get(BITS, ())) == {16}
        and set(tags.get(SAMPLE_FORMAT, (UNSIGNED,))) == {UNSIGNED}
        and tags.get(PHOTOMETRIC) in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
        and tags.get(COMPRESSION, 1) in LOSSLESS
    )


def decoded_deep(
    picture: Image.Image, path: Path, size: tuple[int, int]
) -> tuple[Array, Array | None, str | None]:
    """Return the pixels (H, W, 3) float32, 0 to 255, of an opened Pillow picture that `is_deep`,
    its alpha channel (H, W) float32 or None, and a complaint or None.

    path  of the file
    size  (width, height) of the result

    The pixels have straight colours, and those of alpha 0 are white. The complaint states why the
    colour profile was ignored. Raises ExtraError without the library imagecodecs.
    """
    imagecodecs = need("imagecodecs", "deep", "reading all of them")
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as contents:
        if isinstance(picture, TiffImagePlugin.TiffImageFile):
            _check_tags(contents, path, picture.tag_v2)
            levels, is_premultiplied = _tiff(imagecodecs, contents, picture.tag_v2)
        else:
            levels = imagecodecs.png_decode(_essential(contents))
            levels, is_premultiplied = levels.reshape(*levels.shape[:2], -1), False
    turn = TURNS.get(picture.getexif().get(ORIENTATION, 1))
    colours, alpha = _reduced(levels, is_premultiplied, turn, size)
    pixels, complaint = _in_srgb(colours, picture.info.get("icc_profile"))
    if alpha is not None:
        pixels[alpha == 0] = 255
    return pixels, alpha, complaint


def _essential(contents):
    """Return a PNG file with only the chunks that describe its pixels, because libpng prints
    complaints about others."""
    essential, position = bytearray(contents[:8]), 8
    while position < len(contents):
        end = position + 12 + int.from_bytes(contents[position : position + 4], "big")
        if contents[position + 4 : position + 8] in PNG_CHUNKS:
            essential += contents[position:end]
        position = end
    return essential


def _check_tags(contents, path, tags):
    """Raise FileError if a TIFF file makes libtiff allocate much more memory than its pixels need.

    That is possible with huge tiles, or with tags that libtiff and Pillow understand differently.
    """
    order = "<" if contents[:2] == b"II" else ">"
    (begin,) = struct.unpack_from(f"{order}I", contents, 4)
    (count,) = struct.unpack_from(f"{order}H", contents, begin)
    entries = struct.iter_unpack(f"{order}H10x", contents[begin + 2 : begin + 2 + 12 * count])
    numbers = [number for (number,) in entries]
    is_tiled = TILE_WIDTH in numbers or TILE_HEIGHT in numbers
    tile = tags[TILE_WIDTH] * tags[TILE_HEIGHT] if is_tiled else 0
    if (
        len(set(numbers)) < count
        or {DEPTH, TILE_DEPTH} & set(numbers)
        or tile > max(LARGEST_TILE, tags[WIDTH] * tags[HEIGHT])
    ):
        raise FileError(
            f"{path} stores its pixels in huge tiles, in several layers, or in a way that is not "
            "unique; save it again as TIFF without tiles"
        )


def _tiff(imagecodecs, contents, tags):
    """Return the levels (H, W, C) uint16 of a TIFF file, and whether they are premultiplied with
    alpha."""
    height, width, count = tags[HEIGHT], tags[WIDTH], tags.get(SAMPLES, 1)
    if count > 1 and tags.get(LAYOUT) == PLANES:
        levels = np.empty((count, height, width), np.uint16)
        imagecodecs.tiff_decode(contents, out=levels)  # refuses a file of another size
        levels = levels.transpose(1, 2, 0)
    else:
        levels = np.empty((height, width, count), np.uint16)
        imagecodecs.tiff_decode(contents, out=levels if count > 1 else levels[..., 0])
    if tags[PHOTOMETRIC] == WHITE_IS_ZERO:
        levels[..., 0] = WHITE - levels[..., 0]
    colours = 3 if tags[PHOTOMETRIC] == RGB else 1
    kind = tags[EXTRA][0] if count > colours and EXTRA in tags else None
    has_alpha = kind in (PREMULTIPLIED, STRAIGHT)
    return levels[..., : colours + has_alpha], kind == PREMULTIPLIED


def _reduced(levels, is_premultiplied, turn, size):
    """Return the straight colours (H, W, 1 or 3) of levels (H, W, C) uint16, and alpha (H, W) or
    None: float32, 0 to 255, upright, of this size (width, height).

    A reduced picture is the mean of colours that are weighted by alpha, so transparent pixels do
    not change the colours of visible ones.
    """

    height, width, count = levels.shape
    is_reduced = max(size) < max(width, height)

    def channel(number, opacity=None):
        values = np.divide(levels[..., number], 257, dtype=np.float32)
        if opacity is not None:
            values *= opacity
        if turn is None and not is_reduced:
            return values
        plane = Image.fromarray(values)
        if turn is not None:
            plane = plane.transpose(turn)
        return np.asarray(plane.resize(size, Image.Resampling.LANCZOS, reducing_gap=GAP))

    alpha = channel(-1) if count in (2, 4) else None
    opacity = None
    if alpha is not None and is_reduced and not is_premultiplied:
        opacity = levels[..., -1] / np.float32(WHITE)
    colours = np.empty((*size[::-1], 3 if count > 2 else 1), np.float32)
    for number in range(colours.shape[2]):
        colours[..., number] = channel(number, opacity)
    # Lanczos' filter exceeds the range at edges.
    if alpha is not None:
        if is_premultiplied or is_reduced:
            colours /= np.where(alpha > 0, alpha / 255, 1)[..., np.newaxis]
        alpha = alpha.clip(0, 255)
    return colours.clip(0, 255, out=colours), alpha


def _in_srgb(colours, profile):
    """Return colours (H, W, 1 or 3) as RGB in sRGB, and why the profile is ignored, or None."""
    is_grey = colours.shape[2] == 1
    transform, complaint = to_srgb("L" if is_grey else "RGB", profile)
    if transform:
        return converted(colours, profile, SRGB), complaint
    return np.repeat(colours, 3, axis=2) if is_grey else colours, complaint
