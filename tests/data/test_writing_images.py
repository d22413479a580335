"""Pictures are written completely or not at all, with their metadata."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minidl.data import read_image, read_metadata, read_picture, write_image
from minidl.data.images import save_image
from minidl.errors import FileError, NonFiniteError


@pytest.mark.parametrize(
    "name",
    ["painted.png", "painted.jpg", "painted.JPEG", "painted.webp", "painted.tif", "painted.TIFF"],
)
def test_a_written_picture_is_read_with_its_metadata(tmp_path, name):
    image = np.full((20, 30, 3), (300.0, -5.0, 99.6))
    metadata = {"settings": {"steps": 3, "layers": {"conv1_1": 0.2}}, "name": "Café"}
    write_image(tmp_path / name, image, metadata)
    assert abs(read_image(tmp_path / name)[10, 10] - (255, 0, 100)).max() < 5
    assert read_metadata(tmp_path / name) == metadata
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_nan_is_not_written(tmp_path):
    image = np.zeros((4, 4, 3))
    image[1, 2, 0] = np.nan
    with pytest.raises(NonFiniteError):
        write_image(tmp_path / "painted.png", image)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["painted.gif", "painted", "painted.txt"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(FileError, match=r"writes \.png, \.jpg"):
        write_image(tmp_path / name, np.zeros((4, 4, 3)))


def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "painted.png"
    write_image(path, np.zeros((4, 4, 3)))
    before = path.read_bytes()

    def full(self, file, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(FileError, match=r"painted\.png: no space left on device"):
        write_image(path, np.ones((4, 4, 3)))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["painted.png"]


def test_save_image_uses_another_folder_on_a_full_disk(tmp_path, monkeypatch):
    (tmp_path / "full").mkdir()
    monkeypatch.chdir(tmp_path)
    save = Image.Image.save

    def save_elsewhere(picture, path, *args, **options):
        if "full" in Path(path).parts:
            raise OSError(28, "No space left on device")
        save(picture, path, *args, **options)

    monkeypatch.setattr(Image.Image, "save", save_elsewhere)
    with pytest.raises(
        FileError, match=rf"no space left on device; .*; the picture is in {tmp_path}/made\.png$"
    ):
        save_image("full/made.png", np.full((4, 4, 3), 9.0), {"a": 1})
    np.testing.assert_array_equal(read_image("made.png"), np.full((4, 4, 3), 9))
    assert read_metadata("made.png") == {"a": 1} and not list((tmp_path / "full").iterdir())


def test_a_tiff_is_compressed_without_loss(tmp_path):
    image = np.rint(np.linspace(0, 255, 100 * 100 * 3).reshape(100, 100, 3))
    write_image(tmp_path / "painted.tif", image)
    np.testing.assert_array_equal(read_image(tmp_path / "painted.tif"), image)
    assert (tmp_path / "painted.tif").stat().st_size < image.size / 4


def test_save_image_passes_the_options_of_write_image(tmp_path):
    save_image(tmp_path / "a.png", np.full((2, 2, 3), 9.0), {"a": 1}, alpha=np.full((2, 2), 7))
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").alpha, np.full((2, 2), 7))
    assert read_metadata(tmp_path / "a.png") == {"a": 1}
