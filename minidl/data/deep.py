"""Decode pictures with 16 bits per channel in full precision. Pillow reads them with 8 bits."""

import mmap

import numpy as np
from PIL import Image

from minidl.data.decoding import GAP, ORIENTATION, TURNS
from minidl.data.profiles import SRGB, converted, to_srgb
from minidl.extras import need
from minidl.typing import Array, Path

# TIFF tags
WIDTH, HEIGHT, BITS, PHOTOMETRIC, SAMPLES, LAYOUT = 256, 257, 258, 262, 277, 284
EXTRA, SAMPLE_FORMAT = 338, 339
# Values of these tags
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB = 0, 1, 2  # PHOTOMETRIC
PLANES = 2  # LAYOUT: one channel after the other
PREMULTIPLIED, STRAIGHT = 1, 2  # EXTRA: alpha channels
UNSIGNED = 1  # SAMPLE_FORMAT

PNG_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")  # those that describe the pixels
WHITE = 65535


def is_deep(picture: Image.Image, path: Path) -> bool:
    """Return whether an opened Pillow picture is a PNG or TIFF file of grey or RGB, with or without
    alpha, that has 16 bits per channel. path: of the file."""
    if picture.format == "PNG":
        with open(path, "rb") as file:
            return file.read(25)[24] == 16
    if picture.format != "TIFF":
        return False
    tags = picture.tag_v2
    return (
        set(tags.get(BITS, ())) == {16}
        and set(tags.get(SAMPLE_FORMAT, (UNSIGNED,))) == {UNSIGNED}
        and tags.get(PHOTOMETRIC) in (WHITE_IS_ZERO, BLACK_IS_ZERO, RGB)
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
        if picture.format == "PNG":
            levels = imagecodecs.png_decode(_essential(contents))
            levels, is_premultiplied = levels.reshape(*levels.shape[:2], -1), False
        else:
            levels, is_premultiplied = _tiff(imagecodecs, contents, picture.tag_v2)
    turn = TURNS.get(picture.getexif().get(ORIENTATION))
    colours, alpha = _reduced(levels, is_premultiplied, turn, size)
    pixels, complaint = _in_srgb(colours, picture.info.get("icc_profile"))
    if alpha is not None:
        pixels[alpha == 0] = 255
    return pixels, alpha, complaint


def _essential(contents):
    """Return a PNG file with only the chunks that describe its pixels, because libpng prints
    complaints about others."""
    chunks, position = [contents[:8]], 8
    while position < len(contents):
        end = position + 12 + int.from_bytes(contents[position : position + 4], "big")
        if contents[position + 4 : position + 8] in PNG_CHUNKS:
            chunks.append(contents[position:end])
        position = end
    return b"".join(chunks)


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

    def channel(values):
        plane = Image.fromarray(values)
        if turn is not None:
            plane = plane.transpose(turn)
        if plane.size != size:
            plane = plane.resize(size, Image.Resampling.LANCZOS, reducing_gap=GAP)
        return np.asarray(plane)

    height, width, count = levels.shape
    has_alpha = count in (2, 4)
    opacity = levels[..., -1] / np.float32(WHITE) if has_alpha else None
    must_weight = has_alpha and not is_premultiplied and max(size) < max(width, height)
    colours = np.empty((*size[::-1], count - has_alpha), np.float32)
    for number in range(colours.shape[2]):
        values = np.divide(levels[..., number], 257, dtype=np.float32)
        colours[..., number] = channel(values * opacity if must_weight else values)
    alpha = channel(opacity * 255) if has_alpha else None
    if is_premultiplied or must_weight:
        colours /= np.where(alpha > 0, alpha / 255, 1)[..., np.newaxis]
    # Lanczos' filter exceeds the range at edges.
    return colours.clip(0, 255, out=colours), alpha.clip(0, 255) if has_alpha else None


def _in_srgb(colours, profile):
    """Return colours (H, W, 1 or 3) as RGB in sRGB, and why the profile is ignored, or None."""
    is_grey = colours.shape[2] == 1
    transform, complaint = to_srgb("L" if is_grey else "RGB", profile)
    if transform:
        return converted(colours, profile, SRGB), complaint
    return np.repeat(colours, 3, axis=2) if is_grey else colours, complaint
