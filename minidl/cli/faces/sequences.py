"""Videos and animated pictures among the pictures of a command: their frames, and their times."""

import argparse
import math

from minidl.cli.faces.pictures import Pictures, contents
from minidl.cli.faces.watching import watched
from minidl.data.animation import Animation, is_animated
from minidl.data.video import Video, is_video
from minidl.errors import FileError
from minidl.extras import ExtraError
from minidl.faces.portraits import faces_in, longest_of


class Sequences(Pictures):
    """Pictures, some of which may move. every: each how many frames one is looked at; None for a
    frame a second of a video, and every frame of an animated picture."""

    def __init__(self, paths, every=None, **looking):
        super().__init__(paths, **looking)
        self._every = every

    def shown(self, reader, embed=True):
        """Yield (path, faces, contents of the file, None) of each still picture that can be read,
        and (path, None, None, frames) of each sequence, where frames yields (Frame, faces)."""
        for path in watched(self.paths):
            try:
                if is_video(path):
                    frames = self._of_video(path, Video(path), reader, embed)
                    yield path, None, None, frames
                    continue
                file = contents(path)
                if is_animated(file):
                    frames = self._of_animation(path, Animation(path, file), reader, embed)
                    yield path, None, None, frames
                    continue
            except (FileError, ExtraError) as error:
                self.refuse(error)
                continue
            faces = self.faces_of(path, file, reader, embed)
            if faces is not None:
                yield path, faces, file, None

    def _of_video(self, path, video, reader, embed):
        pace = 1 if self._every is None else (video.rate or 0) / self._every
        total = math.ceil(video.seconds * pace) if video.seconds else None
        return self._faces(path, video, self._every, total or None, reader, embed)

    def _of_animation(self, path, animation, reader, embed):
        every = self._every or 1
        return self._faces(path, animation, every, -(-animation.count // every), reader, embed)

    def _faces(self, path, sequence, every, total, reader, embed):
        """Yield (Frame, faces) of the frames of a Video or an Animation."""
        frames = sequence.frames(every, longest_of(sequence.size))
        try:
            for frame in watched(frames, "frame", total):
                picture, scale = frame.pixels, frame.scale
                yield frame, faces_in(path, picture, scale, reader, embed, **self._looking)
        except FileError as error:
            self.refuse(error)


def add_every(action):
    action.add_argument(
        "--every",
        type=_positive,
        metavar="N",
        help="look at every N-th frame of videos and animated pictures (default: a frame a second "
        "of a video, and every frame of an animated picture)",
    )


def clock(seconds):
    """Return a time as minutes and seconds.

    >>> clock(0), clock(61.25), clock(3725.0)
    ('0:00.0', '1:01.2', '1:02:05.0')
    """
    tenths = int(10 * seconds + 1e-6)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    whole = f"{hours}:{minutes:02}" if hours else str(minutes)
    return f"{whole}:{rest / 10:04.1f}"


def _positive(text):
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; wanted a whole number of at least 1")
    return number
