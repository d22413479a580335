"""Pictures in any common format are read as RGB 0..255, upright. Damaged files are refused."""

import io
import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from minidl.data import read_image, read_metadata, resize, shipped_picture, to_size
from minidl.data.images import image_size, read_at_size
from minidl.data.jpeg import MOST_SCANS, scans
from minidl.data.profiles import SRGB
from minidl.errors import FileError, MinidlError

RED, GREEN = (200, 30, 10), (20, 150, 60)


@pytest.fixture
def two_colours():
    """A picture, 12 wide and 8 high, that is red on the left and green on the right."""
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
def test_formats_are_recognised_by_content(tmp_path, two_colours, form):
    image = read_image(saved(tmp_path, two_colours, "picture.dat", format=form))
    assert abs(image[4, 1] - RED).max() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_orientation_is_applied(tmp_path, orientation):
    pixels = np.zeros((8, 12, 3), np.uint8)
    pixels[:2, :3] = 255  # the top left corner
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, Image.fromarray(pixels), exif=exif)
    turned = {
        1: pixels,
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, -1),
        7: np.rot90(pixels, 2).transpose(1, 0, 2),
        8: np.rot90(pixels),
    }
    np.testing.assert_array_equal(read_image(path), turned[orientation])
    assert image_size(path) == turned[orientation].shape[1::-1]


@pytest.mark.parametrize("orientation", [0, 9, 90])
def test_an_invalid_orientation_is_ignored(tmp_path, two_colours, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, two_colours, exif=exif)
    assert read_image(path).shape == (8, 12, 3) and image_size(path) == (12, 8)


def test_grey_16_bit_cmyk_palette_and_transparent_pictures(tmp_path, two_colours):
    grey = np.array([[0, 32896, 65535]], np.uint16)
    np.testing.assert_array_equal(
        read_image(saved(tmp_path, Image.fromarray(grey)))[0, :, 0], [0, 128, 255]
    )
    np.testing.assert_array_equal(
        read_image(saved(tmp_path, two_colours.convert("L")))[0, 0], [79] * 3
    )
    palette = two_colours.convert("P", palette=Image.Palette.ADAPTIVE)
    np.testing.assert_array_equal(read_image(saved(tmp_path, palette))[0, 0], RED)
    cmyk = read_image(saved(tmp_path, two_colours.convert("CMYK"), "picture.jpg", quality=95))
    assert abs(cmyk[4, 2] - RED).max() < 12
    two_colours.putalpha(Image.new("L", (12, 8), 0))
    np.testing.assert_array_equal(
        read_image(saved(tmp_path, two_colours)), np.full((8, 12, 3), 255)
    )


def test_floating_point_pixels_are_refused(tmp_path):
    path = saved(tmp_path, Image.fromarray(np.ones((4, 4), np.float32)), "picture.tiff")
    with pytest.raises(FileError, match="floating-point pixels"):
        read_image(path)


def test_pictures_are_reduced_and_never_enlarged(tmp_path, two_colours):
    path = saved(tmp_path, two_colours)
    assert read_image(path, longest=6).shape == (4, 6, 3)
    assert read_image(path, longest=100).shape == (8, 12, 3)
    assert resize(read_image(path), 5, 3).shape == (5, 3, 3)


def test_files_that_are_no_pictures_are_refused(tmp_path):
    files = {
        "missing.png": None,
        "empty.png": b"",
        "text.png": b"this is no picture\n",
        "folder": None,
    }
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


def test_a_truncated_picture_is_refused(tmp_path):
    whole = shipped_picture("rocket").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match=r"half\.jpg is damaged .*truncated"):
        read_image(tmp_path / "half.jpg")


@pytest.mark.parametrize("use", [read_image, read_metadata])
def test_the_error_for_too_little_memory_says_so(tmp_path, monkeypatch, two_colours, use):
    def full(picture):
        raise MemoryError

    path = saved(tmp_path, two_colours)
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", full)
    with pytest.raises(
        FileError, match=r"picture\.png: there is not enough memory for this picture; scale it down"
    ):
        use(path)


def test_a_picture_is_read_from_bytes(tmp_path, two_colours):
    path = saved(tmp_path, two_colours)
    file = path.read_bytes()
    saved(tmp_path, two_colours.rotate(90, expand=True))
    assert read_image(path, file=file).shape == (8, 12, 3) and image_size(path, file) == (12, 8)
    with pytest.raises(FileError, match=r"picture\.png is no picture"):
        read_image(path, file=b"words")


def test_pictures_that_are_too_large_are_refused(tmp_path, monkeypatch, two_colours):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40)
    with pytest.raises(FileError, match="more than 0 million pixels; scale it down"):
        read_image(saved(tmp_path, two_colours))


def test_a_jpeg_of_many_scans_is_refused_before_it_is_decoded(tmp_path):
    """Each scan of 50 bytes would take as much time as the whole picture."""
    path = tmp_path / "scans.jpg"
    thumbnail = io.BytesIO()
    Image.new("RGB", (8, 8)).save(thumbnail, "JPEG", progressive=True)
    Image.new("RGB", (64, 64)).save(path, progressive=True, exif=b"Exif\0\0" + thumbnail.getvalue())
    contents = path.read_bytes()
    assert scans(contents) == 10 == scans(contents + 500 * b"\xff\xda\0\2")
    read_image(path)
    *_, begin, end = (match.start() for match in re.finditer(rb"\xff\xda", contents))
    for count, is_read in (MOST_SCANS, True), (MOST_SCANS + 1, False):
        more = contents[begin:end] * (count - 10)
        path.write_bytes(contents[:end] + more + contents[end:])
        assert scans(path.read_bytes()) == count
        for file in (None, path.read_bytes()):
            if is_read:
                assert read_image(path, file=file).shape == (64, 64, 3)
            else:
                with pytest.raises(
                    FileError, match=f"in {count} scans; wanted at most {MOST_SCANS}"
                ):
                    read_image(path, file=file)


def test_the_warning_of_pillow_about_large_pictures_is_ignored(
    tmp_path, monkeypatch, two_colours, recwarn
):
    path = saved(tmp_path, two_colours)
    width, height = image_size(path)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", width * height - 1)
    assert read_image(path).shape == (height, width, 3) and image_size(path) == (width, height)
    assert not recwarn.list


ORIENTED = ("PNG", "JPEG", "TIFF", "WEBP")


@pytest.mark.parametrize("form", ORIENTED)
@pytest.mark.parametrize("orientation", [3, 6, 7])
def test_the_orientation_is_applied_in_every_format_and_size(tmp_path, form, orientation):
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:16, :24] = 255
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, Image.fromarray(pixels), "picture.dat", format=form, exif=exif)
    turned = {
        3: pixels[::-1, ::-1],
        6: np.rot90(pixels, -1),
        7: np.rot90(pixels, 2).transpose(1, 0, 2),
    }[orientation]
    assert image_size(path) == turned.shape[1::-1]
    assert abs(read_image(path) - turned).mean() < 4
    small = read_image(path, longest=12)  # a JPEG is decoded at half its size
    assert small.shape == (*(n // 8 for n in turned.shape[:2]), 3)
    assert abs(small - turned[4::8, 4::8]).mean() < 16


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("size", [(10, 30), (40, 10), (8, 8), (70, 90), (200, 100)])
@pytest.mark.parametrize("stretch", [False, True])
def test_reading_at_a_size_equals_reading_and_resizing(tmp_path, form, size, stretch):
    horizontal, vertical = np.linspace(0, 255, 90), np.linspace(0, 255, 70)[:, None]
    ramp = np.stack(np.broadcast_arrays(horizontal, vertical, 99.0), axis=-1)
    picture = Image.fromarray(ramp.astype(np.uint8))
    path = saved(tmp_path, picture, "picture.dat", format=form, quality=95)
    found, whole = read_at_size(path, size, stretch), read_image(path)
    wanted = resize(whole, *size) if stretch else to_size(whole, size)
    assert found.shape == (*size, 3) and found.dtype == np.float32
    # read_at_size may cut the centred part between two pixels, and to_size only at a pixel.
    assert abs(found - wanted).mean() < 3


def test_a_part_that_rounds_to_more_than_the_picture(tmp_path):
    """21 / 19 * 19 is larger than 21 in float64."""
    path = saved(tmp_path, Image.new("RGB", (2, 21), RED))
    np.testing.assert_array_equal(read_at_size(path, (19, 1)), np.broadcast_to(RED, (19, 1, 3)))


def test_strips_give_the_same_pixels_in_every_mode(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (37, 23, 3), np.uint8))
    clear = colours.copy()
    clear.putalpha(Image.fromarray(rng.integers(0, 256, (37, 23), np.uint8)))
    deep = Image.fromarray(rng.integers(0, 65536, (37, 23), np.uint16))
    opaque = [colours, *(colours.convert(mode) for mode in ("L", "P", "1")), deep]
    pictures = [*opaque, clear, clear.convert("LA"), clear.quantize()]
    paths = [saved(tmp_path, picture, f"{number}.png") for number, picture in enumerate(pictures)]
    at_once = [read_image(path) for path in paths]
    monkeypatch.setattr("minidl.data.decoding.STRIP", 50)
    for path, whole in zip(paths, at_once, strict=True):
        np.testing.assert_array_equal(read_image(path), whole)
    np.testing.assert_array_equal(at_once[0], np.asarray(colours))
    alpha, rgb = np.asarray(clear)[..., 3:] / 255, np.asarray(colours)
    composited = at_once[pictures.index(clear)]
    assert abs(composited - (alpha * rgb + (1 - alpha) * 255)).max() <= 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the unit of ru_maxrss is Linux's")
def test_reading_takes_at_most_12_bytes_per_pixel(tmp_path):
    """The peak counts all memory that the process has used, including that of Pillow."""
    side = 1600
    ramp = np.add.outer(np.arange(side), np.arange(side)).astype(np.uint8)
    picture, exif = Image.fromarray(np.stack([ramp, ramp.T, ramp[::-1]], axis=-1)), Image.Exif()
    exif[0x0112] = 6
    clear = picture.copy()
    clear.putalpha(Image.fromarray(ramp))
    files = {
        "small of a JPEG": (picture, {"format": "JPEG"}, 250, 1.5),
        "small of a TIFF": (picture, {"format": "TIFF"}, 250, 5),
        "small and clear": (clear, {"format": "TIFF"}, 250, 9),
        "JPEG": (picture, {"format": "JPEG"}, None, 12),
        "turned": (picture, {"format": "PNG", "compress_level": 1, "exif": exif}, None, 12),
        "clear": (clear, {"format": "TIFF"}, None, 12),
        "deep": (Image.fromarray(ramp.astype(np.uint16)), {"format": "TIFF"}, None, 12),
        "profile": (picture, {"format": "TIFF", "icc_profile": SRGB[:-4] + bytes(4)}, None, 12),
    }
    for name, (image, options, _, _) in files.items():
        image.save(tmp_path / name, **options)
    arguments = repr([(name, longest) for name, (_, _, longest, _) in files.items()])
    code = f"""
import resource
from PIL import Image
from minidl.data import read_image

def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

read_image("first.jpg")
before = peak()
for name, longest in {arguments}:
    read_image(name, longest)
    print((peak() - before) / {side * side})
"""
    Image.new("RGB", (9, 9)).save(tmp_path / "first.jpg")
    path = os.pathsep.join(sys.path)
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    per_pixel = map(float, found.stdout.split())
    for (name, (*_, most)), bytes_ in zip(files.items(), per_pixel, strict=True):
        assert bytes_ <= most + 1.5, name  # 4 MB are allowed besides


def _small_files():
    rng = np.random.default_rng(0)
    picture = Image.fromarray(rng.integers(0, 256, (16, 24, 3), np.uint8))
    exif = Image.Exif()
    exif.update({0x0112: 6, 0x010E: "{}"})
    files = []
    for form in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM"):
        buffer = io.BytesIO()
        picture.save(
            buffer, form, **({"exif": exif} if form in ("PNG", "JPEG", "WEBP", "TIFF") else {})
        )
        files.append(buffer.getvalue())
    return files


@settings(max_examples=30 * settings().max_examples)
@given(
    whole=st.sampled_from(_small_files()),
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    ),
    length=st.one_of(st.just(1.0), st.floats(0, 1)),
)
@pytest.mark.filterwarnings("ignore")
def test_mutated_pictures_are_read_or_refused(tmp_path_factory, whole, changes, length):
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
