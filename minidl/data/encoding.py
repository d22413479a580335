"""Write the bytes of a picture file: pixels, alpha channel, colour profile and text."""

import zlib
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from minidl.data.profiles import SRGB, converted, from_srgb
from minidl.extras import need
from minidl.typing import Array, Path

SOFTWARE, DESCRIPTION, PREDICTOR = 0x0131, 0x010E, 0x013D  # EXIF and TIFF tags
HORIZONTAL = 2  # PREDICTOR: the differences of neighbours are compressed
HEADER = 33  # bytes of a PNG file before the chunks that may follow IHDR
OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95},
    "WEBP": {"quality": 95},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def write_shallow(
    path: Path,
    form: str,
    image: Array,
    alpha: Array | None,
    profile: bytes | None,
    text: str | None,
) -> None:
    """Write a picture with 8 bits per channel.

    path     of the file
    form     PNG, JPEG, WEBP or TIFF
    image    (H, W, 3) in sRGB, clipped to 0..255 and rounded
    alpha    (H, W), clipped and rounded, or None
    profile  an RGB profile that `from_srgb` accepts, to which the colours are converted; None is
             sRGB
    text     stored in the file, or None
    """
    picture = to_pillow(image)
    if profile and (transform := from_srgb(profile)):
        picture = transform.apply(picture)
    if alpha is not None:
        picture.putalpha(to_pillow(alpha))
    options = OPTIONS[form] | {"icc_profile": profile or SRGB}
    if form == "PNG":
        options["pnginfo"] = _png_text(text)
    else:
        options["exif"] = Image.Exif()
        if form == "TIFF":
            options["exif"][PREDICTOR] = HORIZONTAL
        if text is not None:
            options["exif"].update({SOFTWARE: "minidl", DESCRIPTION: text})
    picture.save(path, form, **options)


def write_deep(
    path: Path,
    form: str,
    image: Array,
    alpha: Array | None,
    profile: bytes | None,
    text: str | None,
) -> None:
    """Write a picture with 16 bits per channel, as `write_shallow` does. form: PNG or TIFF. White
    is 65535. Raises ExtraError without the libraries of the extra `deep`."""
    if profile:
        image = converted(np.clip(np.ascontiguousarray(image, np.float32), 0, 255), SRGB, profile)
    levels = _sixteen_bits(image if alpha is None else np.dstack([image, alpha]))
    profile = profile or SRGB
    if form == "PNG":
        _write_deep_png(path, levels, profile, text)
    else:
        tifffile = need("tifffile", "deep", "writing 16 bits per channel")
        tifffile.imwrite(
            path,
            levels,
            photometric="rgb",
            extrasamples=None if alpha is None else ["unassalpha"],
            compression="zlib",
            predictor=True,
            iccprofile=profile,
            description=text,
            software="minidl",
            metadata=None,
        )


def _write_deep_png(path, levels, profile, text):
    imagecodecs = need("imagecodecs", "deep", "writing 16 bits per channel")
    encoded = imagecodecs.png_encode(levels)
    with open(path, "wb") as file:
        file.write(encoded[:HEADER])
        PngImagePlugin.putchunk(file, b"iCCP", b"ICC Profile\0\0", zlib.compress(profile))
        for name, content, *_ in _png_text(text).chunks:
            PngImagePlugin.putchunk(file, name, content)
        file.write(encoded[HEADER:])


def _png_text(text):
    info = PngImagePlugin.PngInfo()
    if text is not None:
        info.add_itxt("minidl", text)
    return info


def to_pillow(image: Array) -> Image.Image:
    """Return a Pillow picture of (H, W) or (H, W, 3), rounded and clipped to 0..255."""
    levels = np.rint(image)
    return Image.fromarray(np.clip(levels, 0, 255, out=levels).astype(np.uint8))


def _sixteen_bits(image):
    levels = np.rint(np.multiply(image, 257, dtype=np.float32))
    return np.clip(levels, 0, 65535, out=levels).astype(np.uint16, order="C")
