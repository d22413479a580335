"""Faces of picture files, and of a folder PERSON/PICTURE."""

import numpy as np
import pytest
from PIL import Image

from minidl.data import read_image, resize, shipped_picture, write_image
from minidl.errors import FileError
from minidl.faces import Face, FaceReader, portraits
from minidl.faces.portraits import FLOOR, read_album, read_faces
from tests.faces.fake import FakeReader, embedding, write_people, write_portrait


def test_an_album_holds_faces_people_and_errors(tmp_path):
    write_people(tmp_path, 3, 2)
    write_portrait(tmp_path / "person-00" / "0.png")  # no face
    # The largest of three faces is the main face.
    write_portrait(tmp_path / "person-02" / "1.png", (8, 0, 10), (2, 1, 30), (9, 0, 20))
    (tmp_path / "person-01" / "0.png").write_text("no picture")
    (tmp_path / "person-01" / ".hidden").write_text("no picture")
    (tmp_path / "nobody").mkdir()
    watched = []
    album = read_album(tmp_path, FakeReader(), lambda paths: watched.extend(paths) or paths)
    assert album.people == ["person-00", "person-01", "person-02"]
    assert album.labels.tolist() == [0, 0, 1, 2, 2]
    assert [str(path.relative_to(tmp_path)) for path in watched] == [
        f"person-0{p}/{n}.png" for p in range(3) for n in range(2)
    ]
    assert album.paths == [*watched[:2], *watched[3:]]
    assert album.found.tolist() == [False, True, True, True, True]
    np.testing.assert_array_equal(
        album.embeddings[1:], [embedding(0, 1), embedding(1, 1), embedding(2, 0), embedding(2, 1)]
    )
    assert album.faceless == [watched[0]] and album.several == [watched[5]]
    without_pictures, no_picture = map(str, album.unreadable)
    assert "no pictures in nobody" in without_pictures and str(watched[2]) in no_picture
    assert album.pixels.shape == (5, FLOOR[0] * FLOOR[1]) and 0 < album.pixels.std() < 128


def test_faces_of_a_reduced_picture_are_located_in_the_original(tmp_path, monkeypatch):
    write_portrait(tmp_path / "a.png", (0, 0, 20), (1, 0, 10))  # 64x48
    faces = read_faces(tmp_path / "a.png", FakeReader())
    monkeypatch.setattr(portraits, "MOST", 32 * 24)
    monkeypatch.setattr(
        portraits,
        "read_image",
        lambda path, longest, file: read_image(path)[: 48 * longest // 64, :longest],
    )
    of_reduced = read_faces(tmp_path / "a.png", FakeReader())
    for face, larger in zip(faces, of_reduced, strict=True):
        assert larger.box == tuple(2 * n for n in face.box) and larger.score == face.score
        np.testing.assert_array_equal(larger.landmarks, 2 * face.landmarks)
        np.testing.assert_array_equal(larger.embedding, face.embedding)


@pytest.mark.parametrize("ending", ["tif", "png", "webp", "jpg"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_are_located_in_the_upright_picture_in_every_format(
    tmp_path, monkeypatch, ending, orientation
):
    """The box and landmarks equal those of a picture without an EXIF orientation, also if it is
    reduced."""

    class Corner(FakeReader):
        """Finds the bright quarter of a picture: its box, and its centre as a landmark."""

        def faces(self, picture, embed=True):
            y, x = np.argwhere(picture.mean(axis=2) > 128).T
            box = tuple(float(n) for n in (x.min(), y.min(), np.ptp(x) + 1, np.ptp(y) + 1))
            return [Face(box, 0.9, np.array([[x.mean() + 0.5, y.mean() + 0.5]]), None)]

    upright = np.zeros((64, 96, 3), np.uint8)
    upright[:32, 48:] = 255
    stored = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: np.rot90(upright),
        7: np.rot90(upright, 2).transpose(1, 0, 2),
        8: np.rot90(upright, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{ending}"
    Image.fromarray(np.ascontiguousarray(stored)).save(path, exif=exif)
    for pixels in (96 * 64, 48 * 32):
        monkeypatch.setattr(portraits, "MOST", pixels)
        [face] = read_faces(path, Corner())
        assert face.box == (48, 0, 48, 32)
        np.testing.assert_allclose(face.landmarks, [[72, 16]])


def test_a_picture_that_exceeds_the_memory_is_reported_and_the_others_are_read(tmp_path):
    write_people(tmp_path, 2, 2)

    class WithoutMemory(FakeReader):
        def faces(self, picture, embed=True):
            if picture[0, 1, 1] == 1:  # the second picture of each person
                raise MemoryError
            return super().faces(picture, embed)

    album = read_album(tmp_path, WithoutMemory())
    assert [path.name for path in album.paths] == ["0.png", "0.png"] and len(album.unreadable) == 2
    error = str(album.unreadable[0])
    assert "person-00/1.png: there is not enough memory for this picture" in error


def test_small_faces_of_a_panorama(tmp_path):
    """The faces have 58 of 5,000 pixels. The picture is divided into tiles and not reduced."""
    portrait = resize(read_image(shipped_picture("astronaut"))[30:230, 120:320], 100, 100)
    picture = np.full((160, 5000, 3), 90, np.float32)
    for x in (20, 1040, 2500, 4880):
        picture[30:130, x : x + 100] = portrait
    write_image(tmp_path / "panorama.png", picture)
    faces = read_faces(tmp_path / "panorama.png", FaceReader(), embed=False)
    left = sorted(face.box[0] for face in faces)
    np.testing.assert_allclose(left, np.array([20, 1040, 2500, 4880]) + 21.5, atol=12)


def test_a_file_that_is_nearly_black_has_no_face(tmp_path):
    """It is not refused, because white is 255 in a file."""
    write_image(tmp_path / "dark.png", np.ones((48, 64, 3)))
    assert read_faces(tmp_path / "dark.png", FaceReader()) == []


def test_embeddings_are_computed_only_on_request(tmp_path):
    write_portrait(tmp_path / "a.png", (0, 0, 20))
    [face] = read_faces(tmp_path / "a.png", FakeReader(), embed=False)
    assert face.embedding is None


def test_folders_without_people_pictures_or_faces(tmp_path):
    with pytest.raises(FileError, match="is no folder"):
        read_album(tmp_path / "missing", FakeReader())
    with pytest.raises(FileError, match="has no subfolders"):
        read_album(tmp_path, FakeReader())
    (tmp_path / "ann").mkdir()
    with pytest.raises(FileError, match="has no pictures in ann"):
        read_album(tmp_path, FakeReader())
    (tmp_path / "ann" / "0.png").write_text("no picture")
    with pytest.raises(FileError, match="no face was found in any of the 1 files"):
        read_album(tmp_path, FakeReader())
    write_portrait(tmp_path / "ann" / "0.png")
    with pytest.raises(FileError, match="no face was found in any of the 1 files"):
        read_album(tmp_path, FakeReader())
