"""Animated pictures (GIF, WebP and APNG), frame by frame, decoded by Pillow."""

import pathlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import NamedTuple

from PIL import Image

from minidl.data.decoding import decoded
from minidl.data.images import fit, upright_size, within_memory
from minidl.errors import FileError, MinidlError
from minidl.files import must_exist
from minidl.typing import Array, Path

FORMATS = ("GIF", "WEBP", "PNG")
INSTANT = 100  # milliseconds that a frame of 0 ms is shown, as in browsers


class Frame(NamedTuple):
    """A frame. number: from 0. seconds: the time at which it begins. pixels: (H, W, 3), float32,
    0 to 255, as `read_image` reads a picture. scale: the factor from its lengths to those in the
    file. milliseconds: how long it is shown, or None if the file does not say so."""

    number: int
    seconds: float
    pixels: Array
    scale: float
    milliseconds: int | None = None


class Animation:
    """The frames of an animated picture; a still one has one frame.

    path: of the file. file: its contents, if they were read already. Raise FileError if it is no
    GIF, WebP or PNG file, or is damaged.

    size: (width, height), with the EXIF orientation applied. count: the number of frames.
    """

    def __init__(self, path: Path, file: bytes | None = None) -> None:
        self.path, self._file = pathlib.Path(path), file
        with self._opened() as picture:
            self.size, self.count = upright_size(picture), getattr(picture, "n_frames", 1)

    def frames(self, every: int = 1, longest: int | None = None) -> Iterator[Frame]:
        """Yield each n-th frame, with n = `every`, beginning with the first.

        longest: the most pixels of the longer side, to which larger frames are reduced. Raise
        FileError for a damaged frame.
        """
        size, milliseconds = fit(*self.size, longest), 0
        scale = max(self.size) / max(size)
        with self._opened() as picture:
            for number in range(self.count):
                with self._errors():
                    picture.seek(number)
                    frame = picture.copy()
                    shown = round(picture.info.get("duration") or 0) or INSTANT
                    if number % every == 0:
                        pixels, _, _ = decoded(frame, self.path, self.size, size, self.size)
                if number % every == 0:
                    yield Frame(number, milliseconds / 1000, pixels, scale, shown)
                milliseconds += shown

    @contextmanager
    def _opened(self):
        source = must_exist(self.path, "animation") if self._file is None else BytesIO(self._file)
        with self._errors(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's about the size
            picture = Image.open(source, formats=FORMATS)
        with picture:
            yield picture

    @contextmanager
    def _errors(self):
        """Turn errors of Pillow in the block into FileErrors."""
        try:
            with within_memory(self.path):
                yield
        except MinidlError:
            raise
        except Exception as error:  # decoders raise many types of errors for damaged files
            raise FileError(
                f"{self.path} cannot be read as an animation ({error}); fetch or save it again"
            ) from error


def is_animated(file: bytes) -> bool:
    """Return whether the contents of a file are an animated GIF, WebP or PNG."""
    try:
        with Image.open(BytesIO(file), formats=FORMATS) as picture:
            return getattr(picture, "n_frames", 1) > 1
    except Exception:  # the reader of pictures reports what is wrong
        return False
