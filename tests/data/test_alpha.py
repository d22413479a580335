"""The alpha channel of a picture is read and written."""

import numpy as np
import pytest
from PIL import Image

from minidl.data import read_image, read_metadata, read_picture, write_image
from minidl.data.images import picture_form
from minidl.errors import FileError, NonFiniteError, ShapeError

RED = (200, 30, 10)


def shades(height, width):
    """Return an alpha channel (height, width) of all values, with 0 and 255."""
    return np.linspace(0, 255, height * width).round().reshape(height, width)


def saved(folder, picture, name="picture.png", **options):
    picture.save(folder / name, **options)
    return folder / name


def red_with(alpha):
    picture = Image.new("RGB", alpha.shape[::-1], RED)
    picture.putalpha(Image.fromarray(alpha.astype(np.uint8)))
    return picture


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_pixels_have_straight_colours_and_transparent_ones_are_white(tmp_path, name):
    alpha = shades(8, 12)
    options = {"lossless": True, "exact": True} if name == "a.webp" else {}
    picture = read_picture(saved(tmp_path, red_with(alpha), name, **options))
    assert picture.alpha.dtype == np.float32 and picture.depth == 8
    np.testing.assert_array_equal(picture.alpha, alpha)
    wanted = np.where(alpha[..., None] > 0, RED, 255)
    np.testing.assert_array_equal(picture.pixels, wanted)


def test_every_mode_with_transparency(tmp_path):
    grey = Image.new("LA", (4, 4), (100, 51))
    picture = read_picture(saved(tmp_path, grey))
    assert (picture.alpha == 51).all() and (picture.pixels == 100).all()
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, *RED])
    palette.putpixel((0, 0), 0)
    for name in ("a.png", "a.gif"):
        picture = read_picture(saved(tmp_path, palette, name, transparency=0))
        assert picture.alpha[0, 0] == 0 and picture.alpha.sum() == 15 * 255
        np.testing.assert_array_equal(picture.pixels[0, :2], [(255, 255, 255), RED])
    picture = read_picture(saved(tmp_path, Image.new("RGB", (4, 4), RED), transparency=RED))
    assert not picture.alpha.any()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "CMYK"])
def test_an_opaque_picture_has_no_alpha_channel(tmp_path, mode):
    path = saved(tmp_path, Image.new("RGB", (4, 4), RED).convert(mode), "a.tif")
    picture = read_picture(path)
    assert picture.alpha is None
    np.testing.assert_array_equal(picture.pixels, read_image(path))


def test_alpha_is_turned_and_reduced_with_the_pixels(tmp_path):
    alpha = np.zeros((64, 96))
    alpha[:, :40] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, red_with(alpha), exif=exif)
    assert read_picture(path).alpha.shape == (96, 64)
    picture = read_picture(path, longest=24)
    assert picture.alpha.shape == (24, 16) == picture.pixels.shape[:2]
    assert (picture.alpha[:6] == 255).all() and (picture.alpha[14:] == 0).all()


def test_transparent_colours_do_not_affect_visible_ones(tmp_path):
    """A reduced picture contains no green of the transparent part, but red and white."""
    picture = Image.new("RGBA", (64, 64), (0, 255, 0, 0))
    picture.paste((*RED, 255), (0, 0, 31, 64))
    found = read_picture(saved(tmp_path, picture), longest=16)
    partly = (found.alpha > 20) & (found.alpha < 235)
    assert partly.any()
    assert abs(found.pixels[partly] - RED).max() <= 255 / 20
    np.testing.assert_array_equal(found.pixels[found.alpha == 0], 255)


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.tif"])
def test_alpha_is_written_with_the_metadata(tmp_path, name):
    alpha = shades(16, 24)
    image = np.full((16, 24, 3), (180.0, 90.0, 20.0))
    write_image(tmp_path / name, image, {"a": 1}, alpha=alpha)
    picture = read_picture(tmp_path / name)
    np.testing.assert_array_equal(picture.alpha, alpha)
    assert abs(picture.pixels - image)[alpha > 30].max() <= (12 if name == "a.webp" else 0)
    assert read_metadata(tmp_path / name) == {"a": 1}


def test_alpha_is_clipped_and_rounded(tmp_path):
    alpha = np.array([[-3.0, 0.4], [99.6, 300.0]])
    write_image(tmp_path / "a.png", np.full((2, 2, 3), 50), alpha=alpha)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").alpha, [[0, 0], [100, 255]])


def test_a_picture_is_the_same_on_white_after_reading_and_writing(tmp_path):
    source = saved(tmp_path, red_with(shades(16, 24)))
    pixels, alpha, _, _ = read_picture(source)
    write_image(tmp_path / "a.tif", pixels, alpha=alpha)
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), read_image(source))


def test_invalid_alpha_is_refused(tmp_path):
    image = np.zeros((4, 5, 3))
    with pytest.raises(FileError, match=r"a\.jpg: JPEG holds no alpha.*PNG, WEBP or TIFF"):
        write_image(tmp_path / "a.jpg", image, alpha=np.zeros((4, 5)))
    with pytest.raises(FileError, match="holds no alpha channel"):
        picture_form("a.jpeg", has_alpha=True)
    with pytest.raises(ShapeError, match=r"has shape \(5, 4\); wanted \(4, 5\)"):
        write_image(tmp_path / "a.png", image, alpha=np.zeros((5, 4)))
    with pytest.raises(NonFiniteError):
        write_image(tmp_path / "a.png", image, alpha=np.full((4, 5), np.nan))
    assert not list(tmp_path.iterdir())
