"""Convert pictures to sRGB (IEC 61966-2-1), in which minidl computes.

The colour profile of a picture (ICC.1:2010) defines which colours its numbers mean.
"""

import struct
from collections.abc import Callable, Sequence
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from minidl.extras import need
from minidl.typing import Array

# {mode of Pillow: colour space in a profile}
SPACES = {"L": "GRAY", "LA": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
STRIP = 1 << 18  # pixels, or numbers, that are converted together
# A profile that changes no colour by more than this counts as sRGB, because programs round the
# numbers of the sRGB profile differently.
LEVEL = 1


def converter(
    mode: str, profile: bytes | None, straight: bool = False
) -> tuple[Callable[[Image.Image], Image.Image], str | None]:
    """Return (convert, complaint). convert(picture) returns a Pillow picture of this mode as RGB in
    sRGB.

    mode      L, LA, RGB, RGBA, CMYK or LAB; an alpha channel is composited on white
    profile   the bytes of an ICC profile, or None
    straight  whether only pixels of alpha 0 become white, and all others keep their colours

    The complaint states why the profile is ignored, or is None. Without a profile, or if it is
    ignored, the numbers count as sRGB.
    """
    transform, complaint = to_srgb(mode, profile)

    def in_colour(picture):
        return transform.apply(picture) if transform else picture.convert("RGB")

    def convert(picture):
        if not mode.endswith("A"):
            return in_colour(picture)
        opaque = in_colour(picture.convert(mode.removesuffix("A")))
        mask = picture.getchannel("A")
        on_white = Image.new("RGB", picture.size, "white")
        on_white.paste(opaque, mask=mask.point([0] + 255 * [255]) if straight else mask)
        return on_white

    return convert, complaint


def to_srgb(
    mode: str, profile: bytes | None
) -> tuple[ImageCms.ImageCmsTransform | None, str | None]:
    """Return (transform, complaint): the transform of ImageCms from a profile to sRGB in 8 bits, or
    None if the numbers count as sRGB, and why the profile is ignored, or None."""
    if not profile or profile == SRGB or mode not in SPACES:
        return None, None
    try:
        return _transform(mode.removesuffix("A"), profile), None
    except ImportError:
        return None, "needs LittleCMS, which this Pillow lacks"
    except _WrongSpaceError as error:
        return None, str(error)
    except Exception:  # LittleCMS raises many types of errors for damaged profiles
        return None, "is damaged"


def from_srgb(profile: bytes) -> ImageCms.ImageCmsTransform | None:
    """Return the transform of ImageCms from sRGB to a profile in 8 bits, or None if the profile is
    not for RGB or cannot be written."""
    try:
        target = ImageCms.ImageCmsProfile(BytesIO(profile))
        if target.profile.xcolor_space.strip() == "RGB":
            return ImageCms.buildTransform(_srgb(), target, "RGB", "RGB")
    except Exception:  # LittleCMS raises many types of errors for damaged profiles
        pass
    return None


def kept(profile: bytes | None) -> bytes | None:
    """Return a profile to which pictures can be converted from sRGB, or None if this one is None,
    unusable, for another space than RGB, or sRGB itself."""
    transform = from_srgb(profile) if profile else None
    return profile if transform and not _is_identity(transform) else None


def converted(colours: Array, source: bytes, target: bytes) -> Array:
    """(H, W, C) -> (H, W, 3), float32, 0 to 255: convert colours from a profile to an RGB profile
    without rounding. Colours outside the target are clipped.

    colours is C-contiguous. C is 1 for a profile of grey, and 3 for RGB, which is overwritten.
    Raises ExtraError without the library imagecodecs, because ImageCms has only 8 bits.
    """
    imagecodecs = need("imagecodecs", "deep", "converting 16 bits per channel")
    is_grey = colours.shape[2] == 1
    result = np.empty((*colours.shape[:2], 3), np.float32) if is_grey else colours
    pixels = colours.reshape(1, -1) if is_grey else colours.reshape(1, -1, 3)
    for begin in range(0, pixels.shape[1], STRIP):
        strip = slice(begin, begin + STRIP)
        # LittleCMS computes floats exactly, but approximates 16-bit integers by a coarse table.
        result.reshape(1, -1, 3)[:, strip] = imagecodecs.cms_transform(
            pixels[:, strip] / np.float32(255),
            source,
            target,
            colorspace="gray" if is_grey else "rgb",
            outcolorspace="rgb",
        )
    result *= 255
    return np.clip(result, 0, 255, out=result)


class _WrongSpaceError(Exception):
    """A profile is for another colour space than that of the picture."""


def _transform(mode, profile):
    """Return the transform of ImageCms from a profile to sRGB, or None if the profile is sRGB."""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if space == "RGB" and _is_identity(ImageCms.buildTransform(source, _srgb(), "RGB", "RGB")):
        return None  # also in mode L, because a grey level of sRGB means the same grey
    if space != SPACES[mode]:
        raise _WrongSpaceError(f"is for {space}, but the pixels are {SPACES[mode]}")
    return ImageCms.buildTransform(source, _srgb(), mode, "RGB")


def _srgb():
    return ImageCms.ImageCmsProfile(BytesIO(SRGB))


def _is_identity(transform):
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    transformed = np.asarray(transform.apply(Image.fromarray(colours)))
    return abs(transformed.astype(int) - colours).max() <= LEVEL


def rgb_profile(
    description: str,
    white: Sequence[float],
    adaptation: Sequence[Sequence[float]],
    primaries: Sequence[Sequence[float]],
    curve: Sequence[float],
) -> bytes:
    """Return an RGB profile of three primaries and one curve (ICC.1:2010, 8.3.3).

    white       XYZ relative to D50
    adaptation  (3, 3): the matrix that adapted white and primaries to D50
    primaries   (3, 3): XYZ of red, green and blue, relative to D50
    curve       (g, a, b, c, d) of y = (a x + b)^g for x ≥ d, and y = c x below (10.16, type 3)
    """
    red, green, blue = primaries
    elements = {
        "wtpt": _element("XYZ ", _fixed(white)),
        "chad": _element("sf32", b"".join(map(_fixed, adaptation))),
        "rXYZ": _element("XYZ ", _fixed(red)),
        "gXYZ": _element("XYZ ", _fixed(green)),
        "bXYZ": _element("XYZ ", _fixed(blue)),
        "desc": _text(description),
        "cprt": _text("CC0"),
        "TRC": _element("para", struct.pack(">HH", 3, 0) + _fixed(curve)),
    }
    tags = {name: [name] for name in elements} | {"TRC": ["rTRC", "gTRC", "bTRC"]}
    begin = 128 + 4 + 12 * sum(map(len, tags.values()))
    table, data = b"", b""
    for name, element in elements.items():
        for tag in tags[name]:
            table += tag.encode() + struct.pack(">II", begin + len(data), len(element))
        data += element + bytes(-len(element) % 4)
    head = struct.pack(">I4sI12s", begin + len(data), b"", 0x04200000, b"mntrRGB XYZ ")
    date, d50 = struct.pack(">6H", 2000, 1, 1, 0, 0, 0), (0.9642, 1.0, 0.8249)
    head += date + b"acsp" + bytes(28) + _fixed(d50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(table) // 12) + table + data


def _element(kind, content):
    return kind.encode() + bytes(4) + content


def _fixed(values):
    """Encode as s15Fixed16Number: signed, in units of 1/65536."""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _text(text):
    """Encode as multiLocalizedUnicodeType with one record."""
    encoded = text.encode("utf-16-be")
    return _element("mluc", struct.pack(">II4sII", 1, 12, b"enUS", len(encoded), 28) + encoded)


# The primaries of ITU-R BT.709 under D65, adapted to D50 by Bradford's matrix.
SRGB = rgb_profile(
    "sRGB IEC61966-2.1",
    white=(0.9642, 1.0, 0.8249),
    adaptation=((1.0479, 0.0229, -0.0502), (0.0296, 0.9905, -0.0171), (-0.0092, 0.0151, 0.7517)),
    primaries=(
        (0.43607, 0.22249, 0.01392),
        (0.38515, 0.71687, 0.09708),
        (0.14307, 0.06061, 0.71410),
    ),
    curve=(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
)
