"""Read and write pictures: RGB, float32, 0 to 255, (H, W, 3)."""

import json
import pathlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from minidl.autograd import Tensor
from minidl.backend import is_array, to_numpy
from minidl.data.decoding import ORIENTATION, decoded
from minidl.data.jpeg import must_have_few_scans
from minidl.data.profiles import SRGB
from minidl.errors import (
    ArgumentError,
    FileError,
    MinidlError,
    MinidlWarning,
    NonFiniteError,
    ShapeError,
    brief,
)
from minidl.files import must_exist, replacing, write_somewhere
from minidl.shapes import is_int
from minidl.typing import Array, Path

READABLE = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
ENDINGS = (  # of the names of READABLE files
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif",
    ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip
WRITABLE = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
LARGEST = {"PNG": 2**31 - 1, "JPEG": 65500, "WEBP": 16383}  # pixels of a side
SOFTWARE, DESCRIPTION = 0x0131, 0x010E  # EXIF tags
WIDTH, HEIGHT = 0x0100, 0x0101  # TIFF tags
TRANSPOSED = (5, 6, 7, 8)  # orientations that swap width and height
DIM = 2  # floats below it may be meant as 0..1 or -1..1, slightly exceeded by resampling
LEVEL = 0.5  # the largest change by rounding to a whole level
PICTURES = pathlib.Path(__file__).parent / "pictures"


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
    with _opened(path, file) as picture:
        if picture.format in ("JPEG", "MPO"):
            must_have_few_scans(path, file)
        full_size = _upright_size(picture)
        array, complaint = decoded(picture, path, full_size, *plan(*full_size))
    if complaint:
        ignored = "it was ignored, so colours may be off: convert the picture to sRGB"
        warnings.warn(
            f"the colour profile of {path} {complaint}; {ignored}", MinidlWarning, stacklevel=3
        )
    return array


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
    with _opened(path, file) as picture:
        return _upright_size(picture)


def _upright_size(picture):
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


def write_image(path: Path, image: Array, metadata: Any = None) -> None:
    """Write an image (H, W, 3) as PNG, JPEG or WebP, by the ending of the path.

    The numbers are clipped to 0..255 and rounded. The file contains an sRGB profile.

    metadata: what `read_metadata` returns, anything that JSON can store; None means nothing.

    Raises ShapeError for another shape, NonFiniteError for NaN or infinity, and FileError if the
    file cannot be written.
    """
    path = pathlib.Path(path)
    image = to_numpy(image) if is_array(image) else np.asarray(image)
    if image.ndim != 3 or image.shape[-1] != 3 or 0 in image.shape:
        raise ShapeError(f"the picture for {path} has shape {image.shape}; wanted (H, W, 3)")
    form = picture_form(path, image.shape[1::-1])
    if not np.isfinite(image).all():
        raise NonFiniteError(
            f"the picture for {path} holds NaN or infinite pixels and was not written; take "
            "shorter steps"
        )
    picture = to_pillow(image)
    options: dict[str, Any] = {"icc_profile": SRGB} | ({"quality": 95} if form != "PNG" else {})
    if metadata is not None:
        text = json.dumps(metadata)
        if form == "PNG":
            options["pnginfo"] = PngImagePlugin.PngInfo()
            options["pnginfo"].add_itxt("minidl", text)
        else:
            options["exif"] = Image.Exif()
            options["exif"].update({SOFTWARE: "minidl", DESCRIPTION: text})
    with replacing(path) as temporary:
        try:
            picture.save(temporary, form, **options)
        except ValueError as error:
            raise FileError(f"{path} cannot be written as {form} ({error}); write a PNG") from error


def save_image(path: Path, image: Array, metadata: Any = None) -> None:
    """Write a picture that took long to compute, as `write_image` does. If that fails, as on a full
    disk, write it into another folder and raise a FileError that names it."""
    written, error = write_somewhere(path, lambda place: write_image(place, image, metadata))
    if error is not None:
        raise FileError(f"{error}; the picture is in {written}") from error


def read_metadata(path: Path) -> Any:
    """Return the metadata that `write_image` stored in a picture. Raises FileError if there is
    none."""
    with _opened(path) as picture:
        picture.load()
        try:
            return json.loads(picture.info.get("minidl") or picture.getexif()[DESCRIPTION])
        except (KeyError, TypeError, ValueError, RecursionError):
            raise FileError(
                f"{path} carries no settings of minidl; only pictures that minidl wrote do"
            ) from None


def picture_form(path: Path, size: tuple[int, ...] = (1, 1)) -> str:
    """Return the file format for the ending of a name. Raises FileError if minidl does not write
    it, or if it cannot store a picture of this size (width, height)."""
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
    return form


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
def _opened(path, file=None):
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


def to_pillow(image: Array) -> Image.Image:
    """Return a Pillow picture of (H, W) or (H, W, 3), rounded and clipped to 0..255."""
    levels = np.rint(image)
    return Image.fromarray(np.clip(levels, 0, 255, out=levels).astype(np.uint8))


def as_png(image: Array) -> bytes:
    """Return a picture (H, W, 3), rounded and clipped to 0..255, as the contents of a PNG file."""
    with BytesIO() as file:
        to_pillow(image).save(file, "PNG", compress_level=1, icc_profile=SRGB)
        return file.getvalue()
