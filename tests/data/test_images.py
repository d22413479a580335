"""Pictures in any common form are read as RGB 0..255, upright; what is damaged is said to be; nothing is half-written."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minidl.data import read_image, read_metadata, resize, shipped_picture, write_image
from minidl.data.images import image_size
from minidl.errors import FileError, MinidlError, NonFiniteError

RED, GREEN = (200, 30, 10), (20, 150, 60)


@pytest.fixture
def two_colours():
    """Red on the left, green on the right, 12 wide and 8 high."""
    picture = Image.new("RGB", (12, 8), RED)
    picture.paste(GREEN, (6, 0, 12, 8))
    return picture


def saved(folder, picture, name="picture.png", **options):
    picture.save(folder / name, **options)
    return folder / name


def test_a_picture_is_rgb_float32_height_first(tmp_path, two_colours):
    image = read_image(saved(tmp_path, two_colours))
    assert image.shape == (8, 12, 3) and image.dtype == np.float32
    np.testing.assert_array_equal(image[3, 2], RED)
    np.testing.assert_array_equal(image[3, 9], GREEN)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"])
def test_every_readable_form_is_told_by_content_not_by_name(tmp_path, two_colours, form):
    image = read_image(saved(tmp_path, two_colours, "picture.dat", format=form))
    assert abs(image[4, 1] - RED).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_followed(tmp_path, orientation):
    pixels = np.zeros((8, 12, 3), np.uint8)
    pixels[:2, :3] = 255  # a bright corner, at the top left
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, Image.fromarray(pixels), exif=exif)
    turned = {
        1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1], 5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, -1), 7: np.rot90(pixels, 2).transpose(1, 0, 2), 8: np.rot90(pixels),
    }  # fmt: skip
    np.testing.assert_array_equal(read_image(path), turned[orientation])
    assert image_size(path) == turned[orientation].shape[1::-1]


@pytest.mark.parametrize("orientation", [0, 9, 90])
def test_an_orientation_that_is_none_turns_nothing(tmp_path, two_colours, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, two_colours, exif=exif)
    assert read_image(path).shape == (8, 12, 3) and image_size(path) == (12, 8)


def test_grey_16_bit_cmyk_palette_and_transparent_pictures(tmp_path, two_colours):
    grey = np.array([[0, 32896, 65535]], np.uint16)
    np.testing.assert_array_equal(read_image(saved(tmp_path, Image.fromarray(grey)))[0, :, 0], [0, 128, 255])
    np.testing.assert_array_equal(read_image(saved(tmp_path, two_colours.convert("L")))[0, 0], [79] * 3)
    palette = two_colours.convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(read_image(saved(tmp_path, palette))[0, 0], RED)
    cmyk = read_image(saved(tmp_path, two_colours.convert("CMYK"), "picture.jpg", quality=95))
    assert abs(cmyk[4, 2] - RED).max() < 12
    two_colours.putalpha(Image.new("L", (12, 8), 0))
    np.testing.assert_array_equal(read_image(saved(tmp_path, two_colours)), np.full((8, 12, 3), 255))


def test_floating_point_pixels_are_refused(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.ones((4, 4), np.float32)), "picture.tiff")
    with pytest.raises(FileError, match="floating-point pixels"):
        read_image(path)


def test_pictures_are_made_smaller_and_never_larger(tmp_path, two_colours):
    path = saved(tmp_path, two_colours)
    assert read_image(path, longest=6).shape == (4, 6, 3)
    assert read_image(path, longest=100).shape == (8, 12, 3)
    assert resize(read_image(path), 5, 3).shape == (5, 3, 3)


@pytest.mark.parametrize("name", ["painted.png", "painted.jpg", "painted.JPEG", "painted.webp"])
def test_what_is_written_can_be_read_with_its_metadata(tmp_path, name):
    image = np.full((20, 30, 3), (300.0, -5.0, 99.6))
    metadata = {"settings": {"steps": 3, "layers": {"conv1_1": 0.2}}, "name": "Café"}
    write_image(tmp_path / name, image, metadata)
    assert abs(read_image(tmp_path / name)[10, 10] - (255, 0, 100)).max() < 5
    assert read_metadata(tmp_path / name) == metadata
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_nan_never_reaches_a_file(tmp_path):
    image = np.zeros((4, 4, 3))
    image[1, 2, 0] = np.nan
    with pytest.raises(NonFiniteError):
        write_image(tmp_path / "painted.png", image)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["painted.gif", "painted", "painted.txt"])
def test_unknown_endings_are_refused(tmp_path, name):
    with pytest.raises(FileError, match=r"writes \.png, \.jpg"):
        write_image(tmp_path / name, np.zeros((4, 4, 3)))


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
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


def test_what_is_no_picture_is_said_to_be_none(tmp_path):
    files = {"missing.png": None, "empty.png": b"", "text.png": b"this is no picture\n", "folder": None}
    (tmp_path / "folder").mkdir()
    for name, content in files.items():
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(FileError, match=name):
            read_image(tmp_path / name)
        with pytest.raises(FileError, match=name):
            image_size(tmp_path / name)
    with pytest.raises(FileError, match="carries no settings"):
        read_metadata(shipped_picture("chelsea"))


def test_a_truncated_picture_is_said_to_be_damaged(tmp_path):
    whole = shipped_picture("rocket").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"half\.jpg is damaged .*truncated"):
        read_image(tmp_path / "half.jpg")


@pytest.mark.parametrize("use", [read_image, read_metadata])
def test_too_little_memory_is_no_damage(tmp_path, monkeypatch, two_colours, use):
    def full(picture):
        raise MemoryError

    path = saved(tmp_path, two_colours)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", full)
    with pytest.raises(FileError, match=r"picture\.png: there is not enough memory for this picture; scale it down"):
        use(path)


def test_bytes_that_are_read_already_are_the_picture(tmp_path, two_colours):
    path = saved(tmp_path, two_colours)
    file = path.read_bytes()
    saved(tmp_path, two_colours.rotate(90, expand=True))
    assert read_image(path, file=file).shape == (8, 12, 3) and image_size(path, file) == (12, 8)
    with pytest.raises(FileError, match=r"picture\.png is no picture"):
        read_image(path, file=b"words")


def test_absurdly_large_pictures_are_refused_before_they_fill_memory(tmp_path, monkeypatch, two_colours):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    with pytest.raises(FileError, match="more than 0 million pixels; scale it down"):
        read_image(saved(tmp_path, two_colours))


def test_a_large_picture_is_nothing_to_warn_of(tmp_path, monkeypatch, two_colours, recwarn):
    path = saved(tmp_path, two_colours)
    width, height = image_size(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", width * height - 1)
    assert read_image(path).shape == (height, width, 3) and image_size(path) == (width, height)
    assert not recwarn.list


def _small_files():
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (16, 24, 3), np.uint8))
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010E: "{}"})
    files = []
    for form in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"):
        buffer = io.BytesIO()
        picture.save(buffer, form, **({"exif": exif} if form in ("PNG", "JPEG", "WEBP", "TIFF") else {}))
        files.append(buffer.getvalue())
    return files


@settings(max_examples=30 * settings().max_examples)
@given(
    whole=st.sampled_from(_small_files()),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    length=st.one_of(st.just(1.0), st.floats(0, 1)),
)
@pytest.mark.filterwarnings("ignore")
def test_mutated_pictures_are_read_or_refused_in_words(tmp_path_factory, whole, changes, length):
    mutated = bytearray(whole)
    for place, value in changes:
        mutated[int(place * len(mutated))] = value
    path = tmp_path_factory.getbasetemp() / "mutated"
    path.write_bytes(mutated[: int(length * len(mutated))])
    for use in (read_image, image_size, read_metadata):
        try:
            use(path)
        except MinidlError as error:
            assert "mutated" in str(error)
