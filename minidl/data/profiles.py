"""Colour profiles (ICC.1:2010), which define the colours that the numbers of a picture mean. minidl
computes in sRGB (IEC 61966-2-1)."""

import struct
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

# of Pillow's modes
SPACES = {"L": "GRAY", "LA": "GRAY", "RGB": "RGB", "RGBA": "RGB", "CMYK": "CMYK"}
# a profile that changes no colour by more counts as sRGB; programs round its numbers differently
LEVEL = 1


def converter(mode, profile):
    """(convert, complaint): convert(picture) turns a Pillow picture of this mode into RGB in sRGB.

    mode: L, LA, RGB, RGBA, CMYK or LAB; an alpha channel is composited on white. profile: the bytes
    of
    an ICC profile, or None. complaint: why the profile is ignored, or None. Without a profile, or
    where
    it is ignored, the numbers count as sRGB.
    """
    transform, complaint = None, None
    if profile and profile != SRGB and mode in SPACES:
        try:
            transform = _transform(mode.removesuffix("A"), profile)
        except ImportError:
            complaint = "needs LittleCMS, which this Pillow lacks"
        except _WrongSpaceError as error:
            complaint = str(error)
        except Exception:  # LittleCMS raises many types of errors for damaged profiles
            complaint = "is damaged"

    def in_colour(picture):
        return transform.apply(picture) if transform else picture.convert("RGB")

    def convert(picture):
        if not mode.endswith("A"):
            return in_colour(picture)
        on_white = Image.new("RGB", picture.size, "white")
        on_white.paste(
            in_colour(picture.convert(mode.removesuffix("A"))), mask=picture.getchannel("A")
        )
        return on_white

    return convert, complaint


class _WrongSpaceError(Exception):
    """The profile is for another colour space than that of the picture."""


def _transform(mode, profile):
    """The transform of ImageCms from a profile to sRGB; None where the profile is sRGB"""
    source = ImageCms.ImageCmsProfile(BytesIO(profile))
    space = source.profile.xcolor_space.strip()
    if space == "RGB" and _is_identity(ImageCms.buildTransform(source, _srgb(), "RGB", "RGB")):
        return None  # in mode L too: a grey level of sRGB means the same grey
    if space != SPACES[mode]:
        raise _WrongSpaceError(f"is for {space}, but the pixels are {SPACES[mode]}")
    return ImageCms.buildTransform(source, _srgb(), mode, "RGB")


def _srgb():
    return ImageCms.ImageCmsProfile(BytesIO(SRGB))


def _is_identity(transform):
    levels = np.linspace(0, 255, 9).round().astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(27, 27, 3)
    found = np.asarray(transform.apply(Image.fromarray(colours)))
    return abs(found.astype(int) - colours).max() <= LEVEL


def rgb_profile(description, white, adaptation, primaries, curve):
    """The bytes of an RGB profile of three primaries and one curve (ICC.1:2010, 8.3.3).

    white, and the rows of primaries: XYZ relative to D50; adaptation: the matrix that brought them
    there;
    curve: (g, a, b, c, d) of y = (a x + b)^g from x = d on, and y = c x below (10.16, type 3).
    """
    numbers = {
        "wtpt": ("XYZ ", white), "chad": ("sf32", sum(adaptation, ())), "rXYZ": ("XYZ ", primaries[0]),
        "gXYZ": ("XYZ ", primaries[1]), "bXYZ": ("XYZ ", primaries[2]),
    }  # fmt: skip
    elements = {
        name: kind.encode() + bytes(4) + _fixed(values) for name, (kind, values) in numbers.items()
    }
    elements |= {"desc": _text(description), "cprt": _text("CC0")}
    elements["TRC"] = b"para" + bytes(4) + struct.pack(">HH", 3, 0) + _fixed(curve)
    names = {name: [name] for name in elements} | {"TRC": ["rTRC", "gTRC", "bTRC"]}
    begin = 128 + 4 + 12 * sum(map(len, names.values()))
    table, data = b"", b""
    for element, tags in names.items():
        for tag in tags:
            table += tag.encode() + struct.pack(">II", begin + len(data), len(elements[element]))
        data += elements[element] + bytes(-len(elements[element]) % 4)
    head = struct.pack(">I4sI12s", begin + len(data), b"", 0x04200000, b"mntrRGB XYZ ")
    # D50
    head += (
        struct.pack(">6H", 2000, 1, 1, 0, 0, 0)
        + b"acsp"
        + bytes(28)
        + _fixed((0.9642, 1.0, 0.8249))
    )
    return head.ljust(128, b"\0") + struct.pack(">I", len(table) // 12) + table + data


def _fixed(values):
    """s15Fixed16Number: signed, in 65536ths"""
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _text(text):
    """multiLocalizedUnicodeType with one record"""
    encoded = text.encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(encoded), 28) + encoded


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
