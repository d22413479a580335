"""Read and write pictures: RGB, float32, 0 to 255, (H, W, 3)."""

import json
import pathlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from minidl.autograd import Tensor
from minidl.backend import is_array, to_numpy
from minidl.data.decoding import ORIENTATION, decoded
from minidl.data.deep import decoded_deep, is_deep
from minidl.data.encoding import DESCRIPTION, to_pillow, write_deep, write_shallow
from minidl.data.jpeg import must_have_few_scans
from minidl.data.profiles import SRGB, from_srgb, kept
from minidl.errors import (
    ArgumentError,
    FileError,
    MinidlError,
    MinidlWarning,
    NonFiniteError,
    ShapeError,
    brief,
)
from minidl.extras import ExtraError, need
from minidl.files import must_exist, replacing, write_somewhere
from minidl.shapes import is_int
from minidl.typing import Array, Path

READABLE = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
ENDINGS = (  # of the names of READABLE files
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif",
    ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip
WRITABLE = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP",
    ".tif": "TIFF", ".tiff": "TIFF",
}  # fmt: skip
LARGEST = {"PNG": 2**31 - 1, "JPEG": 65500, "WEBP": 16383, "TIFF": 2**31 - 1}  # pixels of a side
DEEP = ("PNG", "TIFF")  # formats that store 16 bits per channel
TRANSPARENT = ("PNG", "WEBP", "TIFF")  # formats that store an alpha channel
WIDTH, HEIGHT = 0x0100, 0x0101  # TIFF tags
TRANSPOSED = (5, 6, 7, 8)  # orientations that swap width and height
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
DIM = 2  # floats below it may be meant as 0..1 or -1..1, slightly exceeded by resampling
LEVEL = 0.5  # the largest change by rounding to a whole level
PICTURES = pathlib.Path(__file__).parent / "pictures"


class Picture(NamedTuple):
    """What a picture file contains.

    pixels   (H, W, 3): sRGB, float32, 0 to 255, with straight colours (not multiplied by alpha)
    alpha    (H, W): float32, 0 (transparent) to 255 (opaque), or None if all pixels are opaque
    profile  the RGB colour profile from which the colours were converted, or None if it is sRGB,
             none, ignored, for grey or CMYK, or if colours cannot be converted to it
    depth    16 if the pixels were read with 16 bits per channel, else 8
    """

    pixels: Array
    alpha: Array | None
    profile: bytes | None
    depth: int


def read_picture(path: Path, longest: int | None = None) -> Picture:
    """Return all that `write_image` can write of a picture file, upright.

    path     of the file
    longest  the largest length of the longer side, to which a larger picture is reduced

    A PNG or TIFF file of grey or RGB with 16 bits per channel is read with all of them: pixels =
    levels / 257, as floats, also while the picture is reduced and its colours are converted. That
    needs the extra "deep". Without it, the picture is read with 8 bits and a MinidlWarning. Other
    files are read as by `read_image`.

    Pixels of alpha 0 are white, whatever their colour in the file. Colours are weighted by alpha
    while a picture is reduced, so transparent pixels do not change the colours of visible ones.

    Reading needs at most 5 bytes of memory per pixel more than `read_image`, or, with 16 bits, 32
    in all. Raises the errors of `read_image`.
    """
    with opened(path) as picture:
        full_size = width, height = upright_size(picture)
        size = fit(width, height, longest)
        profile = picture.info.get("icc_profile")
        depth, missing = _depth(picture, path)
        if depth == 16:
            pixels, alpha, complaint = decoded_deep(picture, path, size)
        else:
            _check_scans(picture, path)
            pixels, alpha, complaint = decoded(
                picture, path, full_size, size, full_size, straight=True
            )
    if missing:
        loss = f"{path} is read with 8 of its 16 bits per channel"
        warnings.warn(f"{loss}: {missing}", MinidlWarning, stacklevel=2)
    if complaint:
        _warn_of_profile(path, complaint)
    is_opaque = alpha is None or (alpha > 255 - 1 / 514).all()  # to half a level of 16 bits
    return Picture(
        pixels, None if is_opaque else alpha, None if complaint else kept(profile), depth
    )


def _depth(picture, path):
    """Return the bits per channel with which a picture is read, and the error that prevents more,
    or None."""
    if not is_deep(picture, path):
        return 8, None
    try:
        need("imagecodecs", "deep", "reading all of them")
    except ExtraError as error:
        return 8, error
    return 16, None


def read_image(path: Path, longest: int | None = None, file: bytes | None = None) -> Array:
    """Return the pixels (H, W, 3) of a picture file, upright as its EXIF orientation states.

    path     of the file
    longest  the largest length of the longer side, to which a larger picture is reduced
    file     the contents of the file, if they were read already

    Grey becomes RGB, 16 bits become 8, and transparent pixels are composited on white. Colours are
    converted to sRGB by the colour profile of the file. A profile that is damaged or for other
    pixels is ignored with a MinidlWarning. Reading needs at most 12 bytes of memory per pixel (20
    for a WebP, most of them in Pillow).

    Raises FileError if the file does not exist, is not a picture, is damaged, is too large for the
    memory, or has more than Pillow's limit of 179 million pixels.
    """
    return _read(path, file, lambda width, height: (fit(width, height, longest), (width, height)))


def read_at_size(path: Path, size: tuple[int, int], stretch: bool = False) -> Array:
    """Return the pixels (*size, 3) of a picture file: of its largest centred part of these
    proportions or, with stretch=True, of the whole picture.

    The result is that of `read_image` and then `to_size` (or `resize`), but less memory is needed.
    """
    high, wide = size

    def plan(width, height):
        scale = min(height / high, width / wide)
        return (wide, high), (width, height) if stretch else (scale * wide, scale * high)

    return _read(path, None, plan)


def _read(path, file, plan):
    """plan(width, height) -> (width, height) of the result, and of the centred part of the picture
    that is read"""
    with opened(path, file) as picture:
        _check_scans(picture, path, file)
        full_size = upright_size(picture)
        pixels, _, complaint = decoded(picture, path, full_size, *plan(*full_size))
    if complaint:
        _warn_of_profile(path, complaint)
    return pixels


def _check_scans(picture, path, file=None):
    if picture.format in ("JPEG", "MPO"):
        must_have_few_scans(path, file)


def _warn_of_profile(path, complaint):
    ignored = "it was ignored, so colours may be off: convert the picture to sRGB"
    warnings.warn(
        f"the colour profile of {path} {complaint}; {ignored}", MinidlWarning, stacklevel=4
    )


def as_picture(array: Any, name: str = "the picture") -> Array:
    """(H, W, 3), RGB -> (H, W, 3) float32, 0 to 255, on the host

    White is 65535 in uint16, which is divided by 257, and 255 in all other dtypes.

    name: what the array is, for messages.

    Raises ShapeError for another shape, NonFiniteError for NaN or infinity, and ArgumentError for

    - floats that are all below 2, unless all are 0: they are probably meant as 0..1
    - uint16 of at most 255, unless all are 0: they are probably meant as 8 bits
    - numbers outside 0..255; floats may exceed it by half a level, which rounding removes
    - booleans, complex numbers, text, Tensors and other types

    >>> as_picture(np.full((1, 1, 3), 65535, np.uint16))
    array([[[255., 255., 255.]]], dtype=float32)
    """
    wanted = "wanted (H, W, 3), RGB"
    if isinstance(array, Tensor):
        raise ArgumentError(f"{name} is a Tensor; {wanted}: take its .data")
    given = array
    try:
        array = to_numpy(array) if is_array(array) else np.asarray(array)
    except ValueError:
        raise ShapeError(f"{name} has rows of different lengths; {wanted}") from None
    if not array.ndim and array.dtype.kind not in "uif":
        raise ShapeError(f"{name} is {brief(given)}; {wanted}")
    if array.ndim != 3 or array.shape[-1] != 3 or not array.size:
        raise ShapeError(f"{name} has shape {array.shape}; {wanted}")
    if array.dtype.kind not in "uif":
        raise ArgumentError(
            f"{name} holds {array.dtype}; wanted uint8, uint16 or floats from 0 to 255: convert it"
        )
    low, high = float(array.min()), float(array.max())  # both are NaN if a pixel is
    if not np.isfinite([low, high]).all():
        raise NonFiniteError(f"{name} holds NaN or infinite pixels; wanted numbers from 0 to 255")
    content = f"{name} holds {array.dtype} from {low:g} to {high:g}"
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:
        if 0 < high <= 255:
            raise ArgumentError(
                f"{content}; wanted 0 to 65535: if 255 is white, make it uint8, else multiply it "
                "by 257"
            )
        return np.divide(array, 257, dtype=np.float32)
    if array.dtype.kind == "f" and low > -DIM and high < DIM and (low or high):
        raise ArgumentError(f"{content}; wanted 0 to 255: if 1 is white, multiply it by 255")
    if low < -LEVEL or high > 255 + LEVEL:
        raise ArgumentError(f"{content}; wanted 0 to 255: scale it, or use numpy.clip")
    return array.astype(np.float32, copy=False)


def fit(width: int, height: int, longest: int | None = None) -> tuple[int, int]:
    """Return the (width, height) of a picture that is reduced so that its longer side has at most
    `longest` pixels. None leaves it as it is.

    Raises ArgumentError if `longest` is no int of at least 1.

    >>> fit(400, 300, 100), fit(40, 30, 100)
    ((100, 75), (40, 30))
    """
    if longest is not None and not (is_int(longest) and longest > 0):
        raise ArgumentError(
            f"the longer side is to be {brief(longest)} pixels; wanted a whole number of at least 1"
        )
    scale = min(1, (longest or max(width, height)) / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def image_size(path: Path, file: bytes | None = None) -> tuple[int, int]:
    """Return the (width, height) that `read_image` would give a picture, from the header of the
    file.

    path: of the file. file: the contents of the file, if they were read already. Raises FileError
    as `read_image` does.
    """
    with opened(path, file) as picture:
        return upright_size(picture)


def upright_size(picture: Any) -> tuple[int, int]:
    """Return the (width, height) of an opened picture after its EXIF orientation is applied."""
    width, height = picture.size
    if picture.format == "TIFF":  # some versions of Pillow have already swapped its size
        width, height = picture.tag_v2[WIDTH], picture.tag_v2[HEIGHT]
    is_transposed = picture.getexif().get(ORIENTATION) in TRANSPOSED
    return (height, width) if is_transposed else (width, height)


def resize(image: Array, height: int, width: int) -> Array:
    """Return an image (H, W, 3) or (H, W) in the size (height, width), with Lanczos' filter and
    rounded to whole levels."""
    resized = to_pillow(image).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized, dtype=np.float32)


def to_size(image: Array, size: tuple[int, int]) -> Array:
    """Return the largest centred part of an image (H, W, 3) that has the proportions of `size`,
    resized to (*size, 3)."""
    (height, width), (high, wide) = image.shape[:2], size
    scale = min(height / high, width / wide)
    h, w = max(1, round(scale * high)), max(1, round(scale * wide))
    top, left = (height - h) // 2, (width - w) // 2
    return resize(image[top : top + h, left : left + w], high, wide)


def write_image(
    path: Path,
    image: Array,
    metadata: Any = None,
    *,
    depth: int = 8,
    alpha: Array | None = None,
    profile: bytes | None = None,
) -> None:
    """Write an image (H, W, 3) as PNG, JPEG, WebP or TIFF, by the ending of the path.

    The numbers are clipped to 0..255 and rounded to whole levels. The file contains its colour
    profile.

    metadata  what `read_metadata` returns, anything that JSON can store; None means nothing
    depth     bits per channel: 8, or 16 for a PNG or TIFF file, which needs the extra "deep"
    alpha     (H, W), 0 (transparent) to 255 (opaque), for a PNG, WebP or TIFF file; the colours of
              `image` are stored as they are, not multiplied by alpha
    profile   an RGB profile, such as that of `read_picture`, to which the colours are converted;
              None means sRGB

    The colours of 8 bits are converted after rounding, which may change them by about one more
    level. Those of 16 bits are converted as floats. Colours outside the profile are clipped.

    Raises ShapeError for another shape, NonFiniteError for NaN or infinity, ArgumentError for
    another depth or a profile that is not usable, ExtraError without the extra, and FileError if
    the file cannot be written.
    """
    path = pathlib.Path(path)
    image = _on_host(image)
    if image.ndim != 3 or image.shape[-1] != 3 or 0 in image.shape:
        raise ShapeError(f"the picture for {path} has shape {image.shape}; wanted (H, W, 3)")
    size = image.shape[1::-1]
    form = picture_form(path, size, depth=depth, has_alpha=alpha is not None)
    alpha = alpha if alpha is None else _on_host(alpha)
    if alpha is not None and alpha.shape != image.shape[:2]:
        raise ShapeError(
            f"the alpha channel for {path} has shape {alpha.shape}; wanted {image.shape[:2]}, one "
            "number per pixel"
        )
    if not all(np.isfinite(part).all() for part in (image, alpha) if part is not None):
        raise NonFiniteError(
            f"the picture for {path} holds NaN or infinite pixels and was not written; take "
            "shorter steps"
        )
    if profile and from_srgb(profile) is None:
        raise ArgumentError(
            f"the colour profile for {path} cannot be written; wanted the bytes of an RGB profile: "
            "leave it out for sRGB"
        )
    text = None if metadata is None else json.dumps(metadata)
    write = write_deep if depth == 16 else write_shallow
    with replacing(path) as temporary:
        try:
            write(temporary, form, image, alpha, profile, text)
        except ValueError as error:
            raise FileError(f"{path} cannot be written as {form} ({error}); write a PNG") from error


def _on_host(array):
    return to_numpy(array) if is_array(array) else np.asarray(array)


def save_image(path: Path, image: Array, metadata: Any = None, **options: Any) -> None:
    """Write a picture that took long to compute, as `write_image` does with these options. If that
    fails, as on a full disk, write it into another folder and raise a FileError that names it."""
    written, error = write_somewhere(
        path, lambda place: write_image(place, image, metadata, **options)
    )
    if error is not None:
        raise FileError(f"{error}; the picture is in {written}") from error


def read_metadata(path: Path) -> Any:
    """Return the metadata that `write_image` stored in a picture. Raises FileError if there is
    none."""
    with opened(path) as picture:
        picture.load()
        try:
            return json.loads(picture.info.get("minidl") or picture.getexif()[DESCRIPTION])
        except (KeyError, TypeError, ValueError, RecursionError):
            raise FileError(
                f"{path} carries no settings of minidl; only pictures that minidl wrote do"
            ) from None


def picture_form(
    path: Path, size: tuple[int, ...] = (1, 1), *, depth: int = 8, has_alpha: bool = False
) -> str:
    """Return the file format for the ending of a name.

    size       (width, height) of the picture
    depth      bits per channel: 8 or 16
    has_alpha  whether the picture has an alpha channel

    Raises FileError if minidl does not write the format, or if the format cannot store such a
    picture, ArgumentError for another depth, and ExtraError if 16 bits need a library that is not
    installed.
    """
    form = WRITABLE.get(pathlib.Path(path).suffix.lower())
    if form is None:
        raise FileError(
            f"{path}: minidl writes {', '.join(WRITABLE)}; give the output a name that ends in one "
            "of these"
        )
    if max(size) > LARGEST[form]:
        raise FileError(
            f"{path}: {form} holds at most {LARGEST[form]} pixels a side, not {max(size)}; write a "
            "PNG"
        )
    if has_alpha and form not in TRANSPARENT:
        raise FileError(
            f"{path}: {form} holds no alpha channel; write {_listed(TRANSPARENT)} to keep "
            "transparent pixels"
        )
    if depth not in (8, 16):
        raise ArgumentError(
            f"{path} is to have {brief(depth)} bits per channel; wanted 8 or 16 bits"
        )
    if depth == 16 and form not in DEEP:
        raise FileError(
            f"{path}: {form} holds 8 bits per channel, not 16; write {_listed(DEEP)}, or 8 bits"
        )
    if depth == 16:
        for module in ("imagecodecs", "tifffile"):
            need(module, "deep", "writing 16 bits per channel")
    return form


def _listed(forms):
    return " or ".join([", ".join(forms[:-1]), forms[-1]])


def shipped_picture(name: str) -> pathlib.Path:
    """Return the path of a picture that is part of minidl, such as "chelsea". Raises FileError,
    which lists the names, if there is none of this name."""
    paths = sorted(PICTURES.glob(f"{name}.*"))
    if not paths:
        names = ", ".join(sorted(p.stem for p in PICTURES.iterdir() if p.suffix != ".md"))
        raise FileError(f"minidl ships no picture {name!r}; it ships {names}")
    return paths[0]


@contextmanager
def within_memory(path: Path) -> Iterator[None]:
    """Turn a MemoryError of the block into a FileError that names the picture."""
    try:
        yield
    except MemoryError:
        raise FileError(
            f"{path}: there is not enough memory for this picture; scale it down with another "
            "program"
        ) from None


@contextmanager
def opened(path, file=None):
    """Open a Pillow picture for a block. Errors of Pillow in the block become FileErrors, and its
    warnings are ignored: above 89 million pixels it warns, but only above twice that it raises an
    error."""
    source = must_exist(path, "picture") if file is None else BytesIO(file)
    try:
        with within_memory(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(source, formats=READABLE) as picture:
                yield picture
    except MinidlError:
        raise
    except Image.UnidentifiedImageError:
        if _is_tiff(source):
            raise FileError(
                f"{path} is a TIFF file of a kind that minidl cannot read, such as floating-point "
                "pixels or a rare compression; save it as RGB with 8 or 16 bits"
            ) from None
        raise FileError(
            f"{path} is no picture that minidl can read; wanted one of {', '.join(READABLE)}: "
            "convert it"
        ) from None
    except Image.DecompressionBombError:
        limit = f"{2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6} million pixels"
        raise FileError(
            f"{path} holds more than {limit}; scale it down with another program first"
        ) from None
    except Exception as error:  # decoders raise many types of errors for damaged files
        raise FileError(
            f"{path} is damaged and cannot be read ({error}); fetch or save it again"
        ) from error


def _is_tiff(source):
    """Return whether a file begins as a TIFF file does. source: its path, or its open file."""
    if isinstance(source, BytesIO):
        return source.getvalue().startswith(TIFF_STARTS)
    with open(source, "rb") as file:
        return file.read(4).startswith(TIFF_STARTS)


def as_png(image: Array) -> bytes:
    """Return a picture (H, W, 3), rounded and clipped to 0..255, as the contents of a PNG file."""
    with BytesIO() as file:
        to_pillow(image).save(file, "PNG", compress_level=1, icc_profile=SRGB)
        return file.getvalue()
