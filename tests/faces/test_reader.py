"""The faces of a picture and their embeddings, from end to end."""

import re
import subprocess
import sys

import numpy as np
import pytest

from minidl.data import read_image, resize, shipped_picture
from minidl.errors import ArgumentError, NonFiniteError, ShapeError
from minidl.faces import Face, FaceReader, reader
from tests.devices import GPUS, at
from tests.models import face_definitions as definitions
from tests.models.test_face_networks import by_original_names

FAR, NEAR = 0.6, 0.3  # the least distance of two people, and the most of a slightly changed picture


@pytest.fixture(scope="module")
def astronaut():
    return read_image(shipped_picture("astronaut"))


@pytest.fixture(scope="module")
def faces():
    return FaceReader()


def turned(picture, degrees):
    """Return a picture rotated clockwise around its centre, with the nearest pixels."""
    angle, (height, width) = np.radians(degrees), picture.shape[:2]
    y, x = np.indices((height, width)) - np.array([height / 2, width / 2])[:, None, None]
    rows = np.clip(np.cos(angle) * y - np.sin(angle) * x + height / 2, 0, height - 1)
    columns = np.clip(np.sin(angle) * y + np.cos(angle) * x + width / 2, 0, width - 1)
    return picture[rows.astype(int), columns.astype(int)]


def distance(a, b):
    return np.linalg.norm(a.embedding - b.embedding)


def test_a_face(faces, astronaut):
    [face] = faces.faces(astronaut)
    assert isinstance(face, Face) and 0.9 < face.score <= 1
    assert face.landmarks.shape == (68, 2)
    assert face.embedding.shape == (128,) and face.embedding.dtype == np.float32
    x, y, width, height = face.box
    assert all(isinstance(number, float) for number in (x, y, width, height, face.score))
    parts = {(203, 101): slice(36, 42), (246, 103): slice(42, 48), (223, 145): slice(48, 68)}
    for place, part in parts.items():  # left eye, right eye, mouth
        assert np.hypot(*(face.landmarks[part].mean(axis=0) - place)) < 6


def test_the_embedding_is_the_definition(faces, astronaut):
    """It is the mean of those of the upright square and of its mirror image."""
    [face] = faces.faces(astronaut)
    crop = reader.upright(face.landmarks).cut(astronaut, 150).astype(float)
    arrays = by_original_names("face_recognition")
    expected = np.mean(
        [definitions.recognition(arrays, picture) for picture in (crop, crop[:, ::-1])], axis=0
    )
    np.testing.assert_allclose(face.embedding, expected, atol=1e-3 * np.ptp(expected))


@pytest.mark.parametrize("embed", [True, False])
def test_embeddings_are_computed_only_on_request(faces, astronaut, embed, monkeypatch):
    if not embed:
        monkeypatch.setattr(faces, "_recognition", None)
    [face] = faces.faces(astronaut, embed=embed)
    assert (face.embedding is not None) == embed


def brighter(picture):
    return np.clip(picture * 1.3 + 20, 0, 255)


CHANGES = {
    "mirrored": lambda picture: picture[:, ::-1],
    "half as large": lambda picture: resize(picture, 256, 256),
    "three times as large": lambda picture: resize(picture, 1536, 1536),
    "grey": lambda picture: np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2),
    "brighter": brighter,
    "rotated a little": lambda picture: turned(picture, 20),
    "cropped": lambda picture: picture[60:200, 150:290],
    "whole numbers": lambda picture: picture.astype(np.uint8),
    "whole numbers of 16 bits": lambda picture: picture.astype(np.uint16) * 257,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_picture_has_a_similar_embedding(faces, astronaut, change):
    [face], [other] = faces.faces(astronaut), faces.faces(CHANGES[change](astronaut))
    assert distance(face, other) < NEAR


def test_another_person_has_a_different_embedding(faces, astronaut):
    tanguy = read_image(shipped_picture("van-gogh-pere-tanguy"))
    [face], [other] = faces.faces(astronaut), faces.faces(tanguy)
    assert distance(face, other) > FAR


def test_each_of_several_faces_has_its_own_embedding(faces, astronaut, monkeypatch):
    tanguy = resize(read_image(shipped_picture("van-gogh-pere-tanguy")), 512, 404)
    both = np.concatenate([astronaut, tanguy], axis=1)
    [first], [second] = faces.faces(astronaut), faces.faces(tanguy)
    result = faces.faces(both)
    assert len(result) == 2 and result[0].score >= result[1].score
    by_place = sorted(result, key=lambda face: face.box[0])
    assert distance(by_place[0], first) < NEAR and distance(by_place[1], second) < NEAR
    monkeypatch.setattr(reader, "AT_ONCE", 1)
    for together, alone in zip(result, faces.faces(both), strict=True):
        assert distance(together, alone) < 1e-4


def test_no_face(faces):
    assert faces.faces(read_image(shipped_picture("coffee"))) == []
    assert faces.faces(np.zeros((1, 1, 3))) == []


def test_arrays_that_are_not_pictures_are_refused(faces):
    for shape in ((10, 10), (10, 10, 4), (0, 10, 3), (1, 10, 10, 3)):
        with pytest.raises(ShapeError, match=r"wanted \(H, W, 3\), RGB"):
            faces.faces(np.zeros(shape))
    with pytest.raises(NonFiniteError, match="NaN or infinite pixels"):
        faces.faces(np.full((10, 10, 3), np.nan))


def test_pictures_whose_white_is_not_255_are_refused(faces, astronaut):
    deep = astronaut.astype(int) * 257
    for picture in (astronaut / 255, astronaut / 127.5 - 1, deep, astronaut * 257):
        with pytest.raises(ArgumentError, match="wanted 0 to 255"):
            faces.faces(picture)


def test_the_picture_is_not_changed_and_the_result_is_reproducible(faces, astronaut):
    before = astronaut.copy()
    astronaut.flags.writeable = False
    [one], [other] = faces.faces(astronaut), faces.faces(astronaut)
    np.testing.assert_array_equal(astronaut, before)
    assert one.embedding.tobytes() == other.embedding.tobytes()


def test_the_identity_depends_on_the_steps(faces, monkeypatch):
    assert re.fullmatch("[0-9a-f]{16}", faces.identity) and FaceReader().identity == faces.identity
    monkeypatch.setattr(reader, "PREPROCESSING", 10**6)
    assert FaceReader().identity != faces.identity


def test_the_identity_depends_on_the_weights(faces, monkeypatch, tmp_path):
    changed = tmp_path / "face_landmarks.h5"
    changed.write_bytes(reader.shipped("face_landmarks").read_bytes() + b"\0")
    shipped = reader.shipped

    def replaced(name):
        return changed if name == "face_landmarks" else shipped(name)

    monkeypatch.setattr(reader, "shipped", replaced)
    assert FaceReader().identity != faces.identity


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_gives_the_same_faces(faces, astronaut, place):
    picture = astronaut[60:200, 150:290]
    [expected] = faces.faces(picture)
    with at(place):
        [result] = FaceReader().faces(picture)
    assert type(result.embedding) is np.ndarray and type(result.landmarks) is np.ndarray
    np.testing.assert_allclose(result.box, expected.box, atol=0.01)
    np.testing.assert_allclose(result.landmarks, expected.landmarks, atol=0.01)
    assert distance(result, expected) < 1e-3


def test_importing_faces_is_fast():
    """Large packages are not imported, so that a command starts quickly."""
    heavy = "['matplotlib', 'torch', 'cupy', 'minidl.training', 'minidl.proofs']"
    code = f"import sys, minidl.faces; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
