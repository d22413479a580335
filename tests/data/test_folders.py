"""picture_folder: one subfolder per class. picture_files, files_within: the pictures of one folder,
without or with its subfolders."""

import numpy as np
import pytest
from PIL import Image

from minidl.data import picture_folder
from minidl.data.folders import files_within, picture_files
from minidl.errors import ArgumentError, FileError


def put(folder, name, colour, size=(12, 8), **options):
    (folder / name).parent.mkdir(exist_ok=True)
    Image.new("RGB", size, colour).save(folder / name, **options)


@pytest.fixture
def animals(tmp_path):
    put(tmp_path, "dog/2.png", (0, 0, 200))
    put(tmp_path, "dog/1.jpg", (0, 200, 0))
    put(tmp_path, "cat/1.png", (200, 0, 0), size=(30, 30))
    (tmp_path / "dog/.DS_Store").touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / "README").touch()
    return tmp_path


def test_classes_and_pictures_are_sorted(animals):
    pictures, labels, classes = picture_folder(animals, (8, 12))
    assert classes == ["cat", "dog"] and labels.tolist() == [0, 1, 1]
    assert pictures.shape == (3, 8, 12, 3) and pictures.dtype == np.uint8
    np.testing.assert_allclose(pictures[:, 4, 6], [(200, 0, 0), (0, 200, 0), (0, 0, 200)], atol=4)
    assert picture_folder(animals, 5)[0].shape == (3, 5, 5, 3)


def test_a_picture_of_the_requested_size_is_only_turned_upright(tmp_path):
    (tmp_path / "noise").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.fromarray(pixels).save(tmp_path / "noise/1.png", exif=exif)
    np.testing.assert_array_equal(picture_folder(tmp_path, (8, 12))[0][0], pixels[::-1, ::-1])


def test_the_error_names_the_files_that_are_no_pictures(animals):
    (animals / "cat/notes.txt").write_text("no picture")
    (animals / "dog/3.png").write_bytes((animals / "dog/2.png").read_bytes()[:40])
    with pytest.raises(
        FileError,
        match=r"2 files that cannot be read as pictures: cat/notes\.txt, dog/3\.png; "
        r"the first: .*convert",
    ):
        picture_folder(animals, 8)


def test_files_that_cannot_be_read_are_skipped_on_request(animals):
    (animals / "dog/1.jpg").write_text("no picture")
    (animals / "bird").mkdir()
    skipped = []
    pictures, labels, classes = picture_folder(animals, 8, skipped.append)
    assert classes == ["cat", "dog"] and labels.tolist() == [0, 1]
    np.testing.assert_array_equal(pictures[1, 4, 4], (0, 0, 200))
    empty, unreadable = map(str, skipped)
    assert "has no pictures in bird" in empty and "1.jpg is no picture" in unreadable
    (animals / "dog/2.png").write_text("no picture")
    (animals / "cat/1.png").write_text("no picture")
    with pytest.raises(FileError, match="has 3 files that cannot be read as pictures"):
        picture_folder(animals, 8, skipped.append)


def test_folders_without_pictures_are_refused(animals):
    (animals / "bird").mkdir()
    with pytest.raises(FileError, match="no pictures in bird"):
        picture_folder(animals, 8)
    with pytest.raises(FileError, match="has no subfolders"):
        picture_folder(animals / "cat", 8)
    with pytest.raises(FileError, match="is no folder"):
        picture_folder(animals / "cow", 8)


@pytest.mark.parametrize("size", [0, 1.5, (8,), (8, 0), "ab", None, (1, 2, 3)])
def test_invalid_sizes_are_refused(animals, size):
    with pytest.raises(ArgumentError, match="the size is"):
        picture_folder(animals, size)


def test_the_pictures_of_a_folder_are_in_natural_order(tmp_path):
    for name in ("b10.png", "b9.JPG", "notes.txt", ".hidden.png", "a.tif"):
        (tmp_path / name).touch()
    put(tmp_path, "more/1.png", (0, 0, 0))
    (tmp_path / "folder.png").mkdir()
    pictures, others = picture_files(tmp_path)
    assert [path.name for path in pictures] == ["a.tif", "b9.JPG", "b10.png"]
    assert [path.name for path in others] == ["notes.txt"]
    with pytest.raises(FileError, match="is no folder; name a folder of pictures"):
        picture_files(tmp_path / "missing")


def test_the_files_of_all_subfolders_are_in_natural_order(tmp_path):
    names = ["10/2.png", "10/a/1.JPG", "9/1.png", "9/b.txt", ".hidden/1.png", "9/.1.png", "c.webp"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "9" / "loop").symlink_to(tmp_path)
    pictures, others = files_within(tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in pictures] == [
        "9/1.png",
        "10/2.png",
        "10/a/1.JPG",
        "c.webp",
    ]
    assert others == [tmp_path / "9" / "b.txt"]
    with pytest.raises(FileError, match="is no folder"):
        files_within(tmp_path / "missing")
