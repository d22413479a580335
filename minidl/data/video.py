"""Video files, frame by frame, decoded by PyAV (FFmpeg), which the extra `video` installs.

Only formats that contain their frames are opened. Playlists and lists of files, which could read
other files or addresses, are not.
"""

import pathlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from minidl.data.animation import Frame
from minidl.data.images import fit
from minidl.errors import FileError, MinidlError, printable
from minidl.extras import need
from minidl.files import must_exist
from minidl.typing import Path

ENDINGS = (  # of the names of video files
    ".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts",
    ".ts", ".wmv", ".asf", ".ogv", ".flv",
)  # fmt: skip
# FFmpeg's names of the formats
CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,asf,ogg,flv"
MOST = 2**26  # pixels of a frame; 8K has half as many


class Video:
    """The frames of a video file.

    path: of the file. Raise FileError if it is no video or is damaged, and ExtraError if PyAV is
    not installed.

    size: (width, height), with the rotation applied that phones store. seconds: how long it takes,
    or None if the file does not say so. rate: frames per second, or None.
    """

    def __init__(self, path: Path) -> None:
        self.path = must_exist(pathlib.Path(path), "video")
        self._av = need("av", "video", "reading a video")
        with self._opened() as (container, stream):
            first = next(container.decode(stream), None)
            if first is None:
                raise FileError(f"{self.path} has no frames that can be decoded; save it again")
            turns = _turns(first)
            sides = first.width, first.height
            self.size: tuple[int, int] = sides[::-1] if turns % 2 else sides
            self.seconds = None if container.duration is None else container.duration / 1e6
            self.rate = float(stream.average_rate) if stream.average_rate else None

    def frames(self, every: int | None = None, longest: int | None = None) -> Iterator[Frame]:
        """Yield each n-th frame, with n = `every`, beginning with the first; None for one frame a
        second.

        longest: the most pixels of the longer side, to which larger frames are reduced. Raise
        FileError if the file is damaged; the frames before the damage have been yielded then.
        """
        begin, due = None, 0.0
        with self._opened() as (container, stream):
            for number, frame in enumerate(container.decode(stream)):
                if begin is None:
                    begin = frame.time or 0.0
                seconds = number / (self.rate or 25) if frame.time is None else frame.time - begin
                if number % every if every else seconds < due:
                    continue
                due = seconds + 1 - 1e-6
                pixels = self._pixels(frame, longest)
                scale = max(frame.width, frame.height) / max(pixels.shape)
                yield Frame(number, seconds, pixels, scale)

    def _pixels(self, frame, longest):
        width, height = fit(frame.width, frame.height, longest)
        pixels = frame.to_ndarray(width=width, height=height, format="rgb24")
        return np.ascontiguousarray(np.rot90(pixels, _turns(frame))).astype(np.float32)

    @contextmanager
    def _opened(self):
        """Yield the container and the first video stream. Errors become FileErrors."""
        options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
        try:
            with self._av.open(str(self.path.absolute()), container_options=options) as container:
                if not container.streams.video:
                    raise FileError(
                        f"{self.path} has no pictures: it is cut off, or has only sound; fetch or "
                        "save it again"
                    )
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                size = stream.codec_context.width * stream.codec_context.height
                if size > MOST:
                    raise FileError(
                        f"{self.path} has frames of {size:,} pixels; wanted at most {MOST:,}: "
                        "scale it down with another program"
                    )
                yield container, stream
        except MinidlError:
            raise
        except (self._av.FFmpegError, ValueError) as error:
            reason = printable(str(error), 200)
            raise FileError(
                f"{self.path} cannot be read as a video ({reason}); fetch or save it again"
            ) from error


def is_video(path: Path) -> bool:
    """Return whether the name of a file says that it is a video."""
    return pathlib.Path(path).suffix.lower() in ENDINGS


def _turns(frame):
    """Return by how many quarter turns a frame is to be turned anticlockwise."""
    return round(frame.rotation / 90) % 4
