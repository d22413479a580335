"""Pictures of people for `minidl train faces`, and the vectors that the shipped network for faces
makes of them."""

import numpy as np

from minidl.cli.faces.pictures import album_of
from minidl.cli.output import warn
from minidl.data import picture_folder
from minidl.faces import FaceReader
from minidl.faces.portraits import FLOOR
from minidl.recipes.faces import SIZE, People


def read_people(folder, on_top):
    """The People of a folder PERSON/PICTURE. on_top: with the vectors of the face in each picture.
    Files that cannot be read, and here pictures without a face, are said and left out."""
    if not on_top:
        pictures, labels, names = picture_folder(folder, SIZE, skip=warn)
        return People(pictures.mean(axis=-1, keepdims=True, dtype=np.float32), labels, names)
    album = album_of(folder, FaceReader())
    pictures, vectors = (
        album.pixels.reshape(-1, *FLOOR, 1),
        np.asarray(album.embeddings, np.float32),
    )
    return People(pictures, album.labels, album.people, vectors).of(album.found)
