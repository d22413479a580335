"""Pictures of people for `minidl train faces`, and the vectors that the shipped network for faces makes of them."""

import numpy as np

from minidl.cli.faces.pictures import album_of
from minidl.data import picture_folder
from minidl.faces import FaceReader
from minidl.recipes.faces import SIZE, People


def read_people(folder, on_top):
    """The People of a folder PERSON/PICTURE. on_top: with the vectors of the face in each picture; those without one are said,
    and left out. Raises FileError where a file is no picture."""
    pictures, labels, names = picture_folder(folder, SIZE)
    people = People(pictures.mean(axis=-1, keepdims=True, dtype=np.float32), labels, names)
    if not on_top:
        return people
    album = album_of(folder, FaceReader())
    return people._replace(vectors=np.asarray(album.embeddings, np.float32)).of(album.found)
