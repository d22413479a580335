"""Faces from files: all that a picture shows, and one of each picture in a folder that has a
subfolder for each person."""

import math
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl.data.folders import class_files
from minidl.data.images import DIM, image_size, read_image, resize, within_memory
from minidl.errors import FileError
from minidl.faces.identification import between

MOST = 16_000_000  # pixels of a picture in which faces are detected; a larger one is read smaller
DOUBTFUL = 0.7  # a box with a lower score may show no face
FLOOR = 56, 46  # height, width of the pictures that are compared pixel by pixel: half of ORL's


class Album(NamedTuple):
    """The portraits of a folder, people by people; N: the pictures that could be read."""

    folder: Path
    people: list  # their names
    labels: np.ndarray  # (N,): the number of the person
    paths: list  # (N,)
    embeddings: np.ndarray  # (N, D), NaN where no face was found
    pixels: np.ndarray  # (N, P): each picture as a whole, grey
    several: list  # the paths of pictures with several faces, of which the largest was taken
    unreadable: list  # FileErrors: of pictures, and of people who have none

    @property
    def found(self):
        """(N,): whether there is a face"""
        return np.isfinite(self.embeddings).all(axis=1)

    @property
    def faceless(self):
        """The paths of pictures in which no face was found"""
        return [path for path, found in zip(self.paths, self.found, strict=True) if not found]


def read_faces(path, reader, embed=True, file=None):
    """The Faces of a picture file, the best score first, in pixels of the file's picture. reader: a
    FaceReader; file: its bytes, where they are read already."""
    return _faces(path, *_read(path, file), reader, embed)


def _read(path, file=None):
    """(picture of at most MOST pixels, scale): scale: pixels of the file per pixel of the
    picture"""
    size = image_size(path, file)
    longest = (
        max(size)
        if math.prod(size) <= MOST
        else max(1, int(max(size) * (MOST / math.prod(size)) ** 0.5))
    )
    picture = read_image(path, longest, file)
    return picture, max(size) / max(picture.shape[:2])


def _faces(path, picture, scale, reader, embed=True):
    if picture.max() < DIM:  # white is 255 in a file, but unknown in floats this dark
        picture = picture.astype(np.uint8)
    with within_memory(path):
        faces = reader.faces(picture, embed=embed)
    if scale == 1:
        return faces
    return [
        replace(face, box=tuple(scale * n for n in face.box), landmarks=scale * face.landmarks)
        for face in faces
    ]


def certain(faces):
    """The faces with a score of at least DOUBTFUL; all faces where no score is that high."""
    return [face for face in faces if face.score >= DOUBTFUL] or list(faces)


def main_face(faces):
    """The face of a portrait: the largest of the `certain` faces."""
    return max(certain(faces), key=lambda face: face.box[2] * face.box[3])


def nearest_pair(faces, others):
    """The pair of faces, one of each picture, with the smallest distance; of equal distances the
    pair that comes first."""
    return min(
        product(faces, others), key=lambda pair: between(pair[0].embedding, pair[1].embedding)
    )


def read_album(folder, reader, watch=lambda paths: paths):
    """The Album of a folder PERSON/PICTURE. reader: a FaceReader; watch: is given the paths and
    gives them back one by one."""
    folder, unreadable = Path(folder), []
    files = class_files(folder, unreadable.append)
    persons = {path: number for number, paths in enumerate(files.values()) for path in paths}
    labels, paths, embeddings, pixels, several = [], [], [], [], []
    for path in watch(list(persons)):
        try:
            picture, scale = _read(path)
            faces = _faces(path, picture, scale, reader)
        except FileError as error:
            unreadable.append(error)
            continue
        labels.append(persons[path])
        paths.append(path)
        embeddings.append(main_face(faces).embedding if faces else None)
        pixels.append(resize(picture, *FLOOR).mean(axis=2).ravel())
        if len(faces) > 1:
            several.append(path)
    if all(embedding is None for embedding in embeddings):
        raise FileError(
            f"no face was found in any of the {len(persons)} files in {folder}; name a folder PERSON/PICTURE of faces"
        )
    missing = np.full_like(
        next(embedding for embedding in embeddings if embedding is not None), np.nan
    )
    embeddings = np.stack([missing if embedding is None else embedding for embedding in embeddings])
    return Album(
        folder,
        list(files),
        np.array(labels),
        paths,
        embeddings,
        np.stack(pixels),
        several,
        unreadable,
    )
