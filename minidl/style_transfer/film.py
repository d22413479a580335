"""A film of a painting as it is painted: an animated GIF or WebP, or an MP4 video."""

import pathlib
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from itertools import accumulate, pairwise
from tempfile import TemporaryFile

from PIL import Image

from minidl.backend import to_numpy
from minidl.data.images import fit, to_pillow
from minidl.errors import ArgumentError, FileError, ShapeError, printable
from minidl.files import must_be_writable, replacing
from minidl.typing import Array, Path

FORMS = {".gif": "GIF", ".webp": "WEBP", ".mp4": "MP4"}
RATE = 20  # ticks per second; every picture is shown for a whole number of ticks
HOLD = 2 * RATE  # ticks for which the last picture is shown
MOST = 100  # pictures of a film before its last one
LONGEST = 1024  # pixels of the longer side of a film
LONGEST_TIME = 600  # seconds; a GIF shows no picture for longer than 655
QUALITY = 90  # of a WebP, from 0 to 100
CRF = 18  # the constant rate factor of H.264, from 0 (lossless) to 51; 18 looks like the original
SAMPLE = 128  # pixels of the longer side of the sample from which a palette is computed

Shown = Iterable[tuple[Image.Image, int]]  # pictures, and for how many ticks each is shown


def write_film(
    path: Path, pictures: Sequence[Array], ticks: Sequence[int], rate: Fraction | int
) -> None:
    """Write pictures of one size as a film, each as long as it is to be shown.

    path: of the film, whose ending is the format. pictures: (H, W, 3), 0..255. ticks: for how many
    ticks each is shown. rate: ticks per second; a GIF stores hundredths of a second. Raise
    FileError as `film_form` does, and if the film cannot be written.
    """
    form, shown = film_form(path), zip(map(to_pillow, pictures), ticks, strict=True)
    with replacing(path) as temporary:
        if form == "MP4":
            size = pictures[0].shape[1::-1]
            _write_video(temporary, size, shown, path, rate)
        else:
            _write_animation(temporary, form, shown, rate)


def film_form(path: Path) -> str:
    """Return the format for the ending of a name: "GIF", "WEBP" or "MP4". Call this before a long
    computation.

    Raise FileError for another ending, for an MP4 if the program ffmpeg is not on the PATH, and if
    the file cannot be written.
    """
    form = FORMS.get(pathlib.Path(path).suffix.lower())
    if form is None:
        raise FileError(
            f"{path}: minidl writes films as {', '.join(FORMS)}; give the film a name that ends in "
            "one of these"
        )
    if form == "MP4" and not shutil.which("ffmpeg"):
        raise FileError(
            f"{path}: an MP4 needs the program ffmpeg, which is not on the PATH; install it, or "
            "give the film a name that ends in .gif or .webp"
        )
    must_be_writable(path)
    return form


class Film:
    """Collects the pictures of a painting, and writes them as a film.

    path: of the film, whose ending is the format. size: (width, height) of the painting; a film
    whose longer side would exceed LONGEST pixels is reduced. seconds: from the first picture to the
    last one, which then stays for 2 seconds.

    Memory: at most MOST + 1 pictures of 8 bits, 317 MB if they are square and of LONGEST pixels.
    When there are more, every second one is dropped, and from then on only half as many of the new
    ones are kept. The pictures are therefore evenly spaced over the steps, however many there are.

    >>> film = Film("painting.gif", size=(384, 256))  # doctest: +SKIP
    >>> stylize(..., callback=lambda step: film.add(step.image))  # doctest: +SKIP
    >>> film.save()  # doctest: +SKIP

    Raise FileError as `film_form` does, and ArgumentError for an invalid time.
    """

    def __init__(self, path: Path, size: tuple[int, int], seconds: float = 6.0) -> None:
        if not 0 < seconds <= LONGEST_TIME:
            raise ArgumentError(
                f"the film is to last {seconds} seconds; wanted a number above 0, at most "
                f"{LONGEST_TIME}"
            )
        self.path, self.form = path, film_form(path)
        self.size = fit(*size, LONGEST)
        self.ticks = max(1, round(seconds * RATE))
        self._kept: list[Image.Image] = []  # the pictures 0, every, 2 every, ...
        self._every = 1
        self._count = 0  # of the pictures that were added
        self._last: Image.Image | None = None

    def add(self, image: Array) -> None:
        """Add a picture (H, W, 3), 0..255, of any size. It is shown at the size of the film.

        Raise ShapeError for another shape.
        """
        if image.ndim != 3 or image.shape[-1] != 3 or 0 in image.shape:
            raise ShapeError(f"a picture of the film has shape {image.shape}; wanted (H, W, 3)")
        self._last = to_pillow(to_numpy(image)).resize(self.size, Image.Resampling.LANCZOS)
        if self._count % self._every == 0:
            self._kept.append(self._last)
        self._count += 1
        if len(self._kept) > min(MOST, self.ticks):
            self._kept = self._kept[::2]
            self._every *= 2

    def save(self) -> None:
        """Write the film, also of a painting that ended early. The file is complete or not changed.

        Raise ArgumentError if no picture was added, and FileError if the file cannot be written.
        """
        if self._last is None:
            raise ArgumentError("the film has no pictures; add at least one before it is saved")
        with replacing(self.path) as temporary:
            if self.form == "MP4":
                _write_video(temporary, self.size, self._shown(self._last), self.path)
            else:
                _write_animation(temporary, self.form, self._shown(self._last))

    def _shown(self, last) -> Shown:
        """Yield each picture and its ticks."""
        earlier = self._kept[:-1] if self._kept[-1] is last else self._kept
        for n, picture in enumerate(earlier):
            begin, end = (self.ticks * m // len(earlier) for m in (n, n + 1))
            yield picture, end - begin
        yield last, HOLD


def _write_animation(
    path: pathlib.Path, form: str, shown: Shown, rate: Fraction | int = RATE
) -> None:
    """Write a GIF or WebP that is repeated without end."""
    pictures, ticks = zip(*shown, strict=True)
    if form == "GIF":
        pictures = tuple(map(_with_palette, pictures))
    unit = 10 if form == "GIF" else 1  # milliseconds
    ends = [unit * round(Fraction(1000, unit) * n / rate) for n in accumulate(ticks, initial=0)]
    pictures[0].save(
        path,
        form,
        save_all=True,
        append_images=pictures[1:],
        duration=[end - begin for begin, end in pairwise(ends)],
        loop=0,
        quality=QUALITY,  # which a GIF ignores
    )


def _with_palette(picture: Image.Image) -> Image.Image:
    """Reduce a picture to its own 256 colours.

    A palette for the whole film would contain the colours of the photograph and of the painting,
    and render both less well. Dithering is left out because its pattern would change from picture
    to picture.
    """
    sample = picture.copy()
    sample.thumbnail((SAMPLE, SAMPLE), Image.Resampling.NEAREST)
    palette = sample.quantize(256, Image.Quantize.MEDIANCUT, kmeans=2)
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _write_video(
    temporary: pathlib.Path,
    size: tuple[int, ...],
    shown: Shown,
    path: Path,
    rate: Fraction | int = RATE,
) -> None:
    """Write an MP4 with H.264 in yuv420p, which all players show. It stores colour for blocks of 2
    x 2 pixels, so that an odd width or height loses its last column or row.

    path: the name of the film, for the message.
    """
    width, height = size
    command = [
        "ffmpeg", "-loglevel", "error", "-y",
        "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate),
        "-i", "pipe:0",
        "-vf", "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0,scale=out_color_matrix=bt709,format=yuv420p",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-c:v", "libx264", "-crf", str(CRF), "-movflags", "+faststart", "-f", "mp4", str(temporary),
    ]  # fmt: skip
    # In a session of its own, ffmpeg does not receive the Ctrl-C of a terminal, which would end the
    # film early. If this process is killed, the pipe is closed and ffmpeg ends.
    with (
        TemporaryFile() as complaints,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
            start_new_session=True,
        ) as ffmpeg,
    ):
        assert ffmpeg.stdin is not None
        try:
            with suppress(BrokenPipeError), ffmpeg.stdin as pipe:  # ffmpeg may end early, failing
                for picture, ticks in shown:
                    for _ in range(ticks):
                        pipe.write(picture.tobytes())
            ffmpeg.wait()
        except BaseException:
            ffmpeg.kill()
            raise
        if ffmpeg.returncode:
            complaints.seek(0)
            reason = printable(complaints.read().decode(errors="replace").strip(), 500)
            raise FileError(
                f"ffmpeg could not write {path}: {reason}; give the film a name that ends in .gif "
                "or .webp"
            )
