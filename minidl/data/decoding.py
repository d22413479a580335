"""Decode a picture to (H, W, 3): upright, in sRGB, of the requested size, with at most 12 bytes of
memory per pixel."""

from math import ceil

import numpy as np
from PIL import Image
from PIL.Image import Transpose

from minidl.data.profiles import STRIP, converter
from minidl.errors import FileError
from minidl.typing import Array, Path

ORIENTATION = 0x0112  # EXIF and TIFF tag
TURNS = {  # by the value of the tag; all others mean upright
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
GAP = 3  # a picture is reduced in two steps; the first one leaves at least GAP times the size


def decoded(
    picture: Image.Image,
    path: Path,
    full_size: tuple[int, int],
    size: tuple[int, int],
    part: tuple[float, float],
    straight: bool = False,
) -> tuple[Array, Array | None, str | None]:
    """Return the pixels (H, W, 3) float32 of an opened Pillow picture, its alpha channel (H, W)
    float32 or None, and a complaint or None. The picture is closed.

    path       the name of the file, for messages
    full_size  (width, height) of the upright picture
    size       (width, height) of the result
    part       (width, height) of the centred part of the picture that is read
    straight   whether the alpha channel is returned; else the pixels are composited on white, and
               it is None

    The complaint states why the colour profile was ignored.
    """
    profile = picture.info.get("icc_profile")
    share = max(n / p for n, p in zip(size, part, strict=True))
    picture, scale = _upright(picture, path, share)
    # Rounding may make the part larger than the picture by a few ulp.
    begin = [max(0.0, scale * (w - p) / 2) for w, p in zip(full_size, part, strict=True)]
    end = [min(n, scale * w - b) for n, w, b in zip(picture.size, full_size, begin, strict=True)]
    box = (begin[0], begin[1], end[0], end[1])
    if picture.size != size or box != (0, 0, *size):
        resized = picture.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=GAP)
        picture = _replaced(picture, resized)
    convert, complaint = converter(picture.mode, profile, straight)
    has_alpha = straight and picture.mode.endswith("A")
    alpha = np.asarray(picture.getchannel("A"), np.float32) if has_alpha else None
    return _as_floats(picture, convert), alpha, complaint


def _upright(picture, path, share):
    """Return the decoded picture, upright and in a mode that `converter` accepts, and its pixels
    per pixel of the file.

    share: requested pixels per pixel of the file. A JPEG is decoded at 1/2, 1/4 or 1/8 of its size
    if that suffices.
    """
    width, height = picture.size
    reduced = picture.draft(None, [max(1, ceil(min(1, GAP * share) * n)) for n in (width, height)])
    picture.load()
    picture = _replaced(picture, _plain(picture, path))
    turn = TURNS.get(picture.getexif().get(ORIENTATION))
    if turn is not None:
        picture = _replaced(picture, picture.transpose(turn))
    return picture, reduced[1][2] / width if reduced else 1


def _plain(picture, path):
    """Convert the picture to mode L, LA, RGB, RGBA, CMYK or LAB."""
    mode = picture.mode
    if mode.startswith("I"):
        return _eight_bits(picture, path)
    if mode == "F":
        raise FileError(
            f"{path} holds floating-point pixels, whose value for white is unknown; save it with 8 "
            "or 16 bits first"
        )
    if picture.has_transparency_data:
        wanted = "LA" if mode in ("1", "L", "LA", "La") else "RGBA"
    elif mode in ("L", "CMYK", "LAB"):
        wanted = mode
    else:
        wanted = "L" if mode == "1" else "RGB"
    return picture if mode == wanted else picture.convert(wanted)


def _eight_bits(picture, path):
    """Convert 16-bit grey to mode L."""
    grey = np.empty(picture.size[::-1], np.uint8)
    for rows, strip in _strips(picture):
        levels = np.asarray(strip)
        if levels.max() > 65535:
            raise FileError(
                f"{path} holds 32-bit pixels, whose value for white is unknown; save it with 8 or "
                "16 bits first"
            )
        grey[rows] = np.clip(np.rint(levels / 257), 0, 255)
    plain = Image.fromarray(grey)
    plain.info = picture.info
    return plain


def _as_floats(picture, convert):
    """Return the pixels (H, W, 3) float32 of a picture, and close it.

    convert: converts a strip of the picture to RGB.

    The 8-bit levels of all n numbers fill the last quarter of the memory of the result. They are
    converted to float32 from the first to the last. Float i ends at byte 4 i + 4, and level j is at
    byte 3 n + j. Therefore the floats of a strip overwrite only levels of earlier strips and of
    this strip, which is copied first.
    """
    array = np.empty((*picture.size[::-1], 3), np.float32)
    levels = array.reshape(-1).view(np.uint8)[-array.size :]
    for rows, strip in _strips(picture):
        levels.reshape(array.shape)[rows] = np.asarray(convert(strip))
    picture.close()
    flat = array.reshape(-1)
    for begin in range(0, array.size, STRIP):
        flat[begin : begin + STRIP] = levels[begin : begin + STRIP].copy()
    return array


def _strips(picture):
    """Yield (slice of rows, the picture in these rows), of about STRIP pixels each."""
    width, height = picture.size
    rows = max(1, STRIP // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        yield slice(top, bottom), picture.crop((0, top, width, bottom))


def _replaced(picture, other):
    """Return the other picture, and free the memory of the first one."""
    if other is not picture:
        picture.close()
    return other
