"""Read faces from files: all faces of a picture, and one face of each picture in a folder that has
a subfolder for each person."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np

from minidl.data.folders import class_files
from minidl.data.images import DIM, image_size, read_image, resize, within_memory
from minidl.errors import FileError
from minidl.faces.identification import between
from minidl.faces.looking import look
from minidl.faces.reader import Face, FaceReader
from minidl.typing import Array
from minidl.typing import Path as PathLike

MOST = 16_000_000  # pixels of a picture in which faces are detected; a larger picture is reduced
DOUBTFUL = 0.7  # a box with a lower score may show no face
FLOOR = 56, 46  # height, width of the pictures that are compared by pixels: half of ORL's


class Album(NamedTuple):
    """The N pictures of a folder of people that could be read, ordered by people."""

    folder: Path
    people: list[str]  # their names
    labels: Array  # (N,): the index of the person in `people`
    paths: list[Path]  # (N,)
    embeddings: Array  # (N, D), NaN where no face was found
    pixels: Array  # (N, P): the complete pictures, grey and reduced to FLOOR
    several: list[Path]  # the pictures with several faces, of which the main face was taken
    unreadable: list[FileError]  # for pictures that could not be read, and people without pictures

    @property
    def found(self) -> Array:
        """(N,): whether a face was found."""
        return np.all(np.isfinite(self.embeddings), axis=1)

    @property
    def faceless(self) -> list[Path]:
        """The pictures in which no face was found."""
        return [path for path, found in zip(self.paths, self.found, strict=True) if not found]


def read_faces(
    path: PathLike,
    reader: FaceReader,
    embed: bool = True,
    file: bytes | None = None,
    *,
    again: bool = False,
    turn: bool = False,
) -> list[Face]:
    """Return the faces of a picture file, the one with the highest score first.

    Boxes and landmarks are in pixels of the picture in the file. path: of the file. reader: finds
    and embeds the faces. embed: whether to compute embeddings. file: the contents of the file, if
    they have been read already. again, turn: as in `minidl.faces.look`, except that
    a picture is looked at once by default. Raise FileError if the file is no picture, or memory is
    insufficient.
    """
    picture, scale = read_reduced(path, file)
    return faces_in(path, picture, scale, reader, embed, again=again, turn=turn)


def read_reduced(path: PathLike, file: bytes | None = None) -> tuple[Array, float]:
    """Return a picture (H, W, 3) of at most MOST pixels, and the factor from its lengths to those
    in the file.

    file: the contents of the file, if they have been read already. Raise the errors of
    `read_image`.
    """
    size = image_size(path, file)
    picture = read_image(path, longest_of(size), file)
    return picture, max(size) / max(picture.shape[:2])


def longest_of(size: tuple[int, int]) -> int:
    """Return the pixels of the longer side of a picture of this size after it is reduced to at most
    MOST pixels."""
    pixels, longest = math.prod(size), max(size)
    return longest if pixels <= MOST else max(1, int(longest * (MOST / pixels) ** 0.5))


def faces_in(
    path: PathLike,
    picture: Array,
    scale: float,
    reader: FaceReader,
    embed: bool = True,
    **looking: bool,
) -> list[Face]:
    """Return the faces of a picture (H, W, 3) that was read from a file.

    path: of the file, for messages. scale: the factor from the lengths of the picture to those of
    the result. reader, embed: as `read_faces` takes them. looking: as `minidl.faces.look` takes it.
    Raise FileError if memory is insufficient.
    """
    if picture.max() < DIM:
        # FaceReader refuses floats this small, because 1 might be meant as white. In a file white
        # is 255.
        picture = picture.astype(np.uint8)
    with within_memory(path):
        faces = look(picture, reader, embed, **looking)
    return faces if scale == 1 else [scaled(face, scale) for face in faces]


def scaled(face: Face, scale: float) -> Face:
    """Return a face with its place in a picture whose lengths are `scale` times as large."""
    box = tuple(scale * number for number in face.box)
    return replace(face, box=box, landmarks=scale * face.landmarks)


def certain(faces: Sequence[Face]) -> list[Face]:
    """Return the faces with a score of at least DOUBTFUL, or all faces if there are none."""
    return [face for face in faces if face.score >= DOUBTFUL] or list(faces)


def main_face(faces: Sequence[Face]) -> Face:
    """Return the largest of the `certain` faces of a portrait."""
    return max(certain(faces), key=lambda face: face.box[2] * face.box[3])


def central_face(faces: Sequence[Face], width: float, height: float) -> Face:
    """Return the one of the `certain` faces that is nearest to the centre of a picture of this
    size, in pixels."""

    def distance(face):
        x, y, wide, high = face.box
        return math.hypot(x + wide / 2 - width / 2, y + high / 2 - height / 2)

    return min(certain(faces), key=distance)


def nearest_pair(faces: Iterable[Face], others: Iterable[Face]) -> tuple[Face, Face]:
    """Return the pair with the smallest distance: one of the faces and one of the others.

    faces, others: of two pictures. Of several such pairs the first is returned.
    """

    def distance(pair):
        return between(pair[0].embedding, pair[1].embedding)

    return min(product(faces, others), key=distance)


def read_album(
    folder: PathLike,
    reader: FaceReader,
    watch: Callable[[list[Path]], Iterable[Path]] = lambda paths: paths,
    *,
    again: bool = False,
    turn: bool = False,
) -> Album:
    """Return the Album of a folder PERSON/PICTURE.

    reader: finds and embeds the faces. watch: a function that takes the list of paths and yields
    each, such as a progress bar. again, turn: as in `read_faces`. Raise FileError if there is no
    folder, or no face in it.
    """
    folder = Path(folder)
    unreadable: list[FileError] = []
    files = class_files(folder, unreadable.append)
    persons = {path: number for number, paths in enumerate(files.values()) for path in paths}
    labels, paths, embeddings, pixels, several = [], [], [], [], []
    for path in watch(list(persons)):
        try:
            picture, scale = read_reduced(path)
            faces = faces_in(path, picture, scale, reader, again=again, turn=turn)
        except FileError as error:
            unreadable.append(error)
            continue
        labels.append(persons[path])
        paths.append(path)
        embeddings.append(main_face(faces).embedding if faces else None)
        pixels.append(resize(picture, *FLOOR).mean(axis=2).ravel())
        if len(faces) > 1:
            several.append(path)
    known = [embedding for embedding in embeddings if embedding is not None]
    if not known:
        raise FileError(
            f"no face was found in any of the {len(persons)} files in {folder}; "
            "name a folder PERSON/PICTURE of faces"
        )
    missing = np.full_like(known[0], np.nan)
    return Album(
        folder=folder,
        people=list(files),
        labels=np.array(labels),
        paths=paths,
        embeddings=np.stack([missing if one is None else one for one in embeddings]),
        pixels=np.stack(pixels),
        several=several,
        unreadable=unreadable,
    )
