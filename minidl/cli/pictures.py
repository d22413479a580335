"""Pictures one after the other, of which a bad one does not stop the others."""

import sys

from tqdm import tqdm

from minidl.cli.output import warn
from minidl.errors import FileError
from minidl.faces.portraits import read_faces


def watched(paths):
    """The paths, with a bar where there are several, and a terminal"""
    somebody_looks = sys.stderr and sys.stderr.isatty()
    return tqdm(paths, unit="picture", leave=False, disable=not somebody_looks or len(paths) < 2)


class Pictures:
    """Pictures and their faces. A file that cannot be read, or that the command refuses, is said on the standard error, and the
    exit code is then 2."""

    def __init__(self, paths):
        self._paths, self.exit_code = paths, 0

    def faces(self, reader, embed=True):
        """(path, [Face]) of each that can be read"""
        for path in watched(self._paths):
            try:
                faces = read_faces(path, reader, embed)
            except FileError as error:
                self.refuse(error)
            else:
                yield path, faces

    def refuse(self, reason):
        self.exit_code = 2
        warn(reason)
