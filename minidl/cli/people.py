"""Pictures of people for `minidl train faces`, and the vectors that the shipped network for faces makes of them."""

import numpy as np

from minidl.cli.output import warn
from minidl.cli.pictures import watched
from minidl.data import picture_folder
from minidl.faces import FaceReader
from minidl.faces.portraits import read_album
from minidl.training.faces import SIZE, People

SHOWN = 5  # paths in a message


def read_people(folder, on_top):
    """The People of a folder PERSON/PICTURE. on_top: with the vectors of the face in each picture, of which those without one
    are left out, which is said. Raises FileError where a file is no picture."""
    pictures, labels, names = picture_folder(folder, SIZE)
    people = People(pictures.mean(axis=-1, keepdims=True, dtype=np.float32), labels, names)
    if not on_top:
        return people
    album = read_album(folder, FaceReader(), watched)
    if album.faceless:
        shown = ", ".join(map(str, album.faceless[:SHOWN])) + (", ..." if len(album.faceless) > SHOWN else "")
        warn(f"no face was found in {len(album.faceless)} of {len(album.paths)} pictures, which are left out: {shown}")
    return people._replace(vectors=np.asarray(album.embeddings, np.float32)).of(album.found)
