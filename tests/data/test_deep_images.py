"""Pictures with 16 bits per channel are read and written with all of them."""

import random
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from minidl import extras
from minidl.data import read_image, read_metadata, read_picture, write_image
from minidl.data.images import image_size, picture_form
from minidl.data.profiles import rgb_profile
from minidl.errors import ArgumentError, FileError, MinidlError, MinidlWarning
from minidl.extras import ExtraError
from tests.data.test_profiles import ADOBE, BRADFORD, D50, LINEAR_GREY, read_quietly
from tests.data.test_profiles import to_srgb as adobe_to_srgb

pytest.importorskip("imagecodecs")
tifffile = pytest.importorskip("tifffile")

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # of PNG, by the number of channels
ADAM7 = (  # (first row, first column, step of rows, step of columns) of each pass
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2),
    (1, 0, 2, 1),
)  # fmt: skip


def levels_of(channels, shape=(9, 14)):
    return np.random.default_rng(channels).integers(0, 65536, (*shape, channels), np.uint16)


def chunk(name, content):
    checked = name + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png(levels, *more, interlaced=False):
    """Return a PNG file of levels (H, W, C) uint16. more: further chunks."""
    height, width, channels = levels.shape
    header = struct.pack(">IIBBBBB", width, height, 16, COLOUR_TYPES[channels], 0, 0, interlaced)
    passes = [levels[y::v, x::h] for y, x, v, h in ADAM7] if interlaced else [levels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for part in passes for row in part)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(more)
        + pixels
        + chunk(b"IEND", b"")
    )


def profile_chunk(profile):
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(profile))


def saved(folder, content, name="deep.png"):
    (folder / name).write_bytes(content)
    return folder / name


def saved_tiff(folder, levels, **options):
    """Write levels (H, W, C) as a TIFF file."""
    channels = levels.shape[2]
    options = {"photometric": "rgb" if channels > 2 else "minisblack"} | options
    if channels in (2, 4):
        options.setdefault("extrasamples", ["unassalpha"])
    tifffile.imwrite(
        folder / "deep.tif", levels[..., 0] if channels == 1 else levels, metadata=None, **options
    )
    return folder / "deep.tif"


def in_rgb(levels):
    """Return the pixels and the alpha channel that the levels (H, W, C) mean."""
    numbers = levels.astype(np.float32) / np.float32(257)
    alpha = numbers[..., -1] if levels.shape[2] in (2, 4) else None
    colours = numbers[..., :3] if levels.shape[2] > 2 else np.repeat(numbers[..., :1], 3, axis=2)
    return colours, alpha


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_png_is_read_with_16_bits(tmp_path, channels, interlaced):
    levels = levels_of(channels)
    picture = read_picture(saved(tmp_path, png(levels, interlaced=interlaced)))
    pixels, alpha = in_rgb(levels)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.depth == 16 and picture.pixels.dtype == np.float32
    if alpha is None:
        assert picture.alpha is None
    else:
        np.testing.assert_allclose(picture.alpha, alpha, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [{}, {"compression": "lzw"}, {"compression": "zlib", "predictor": True}, {"tile": (16, 16)}],
    ids=["plain", "lzw", "deflate", "tiles"],
)
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_tiff_is_read_with_16_bits(tmp_path, channels, byteorder, options):
    levels = levels_of(channels)
    picture = read_picture(saved_tiff(tmp_path, levels, byteorder=byteorder, **options))
    pixels, alpha = in_rgb(levels)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert picture.depth == 16 and (picture.alpha is None) == (alpha is None)


def test_other_kinds_of_tiff_are_read_with_16_bits(tmp_path):
    levels = levels_of(3)
    planes = saved_tiff(tmp_path, levels.transpose(2, 0, 1).copy(), planarconfig="separate")
    np.testing.assert_array_equal(read_picture(planes).pixels, in_rgb(levels)[0])
    grey = levels_of(1)
    white_is_zero = read_picture(saved_tiff(tmp_path, grey, photometric="miniswhite"))
    np.testing.assert_array_equal(white_is_zero.pixels, in_rgb(65535 - grey)[0])
    spare = read_picture(saved_tiff(tmp_path, levels_of(4), extrasamples=["unspecified"]))
    assert spare.alpha is None
    np.testing.assert_array_equal(spare.pixels, in_rgb(levels_of(4)[..., :3])[0])


def test_premultiplied_colours_become_straight(tmp_path):
    levels = np.full((4, 4, 4), (10_000, 20_000, 0, 32_768), np.uint16)
    levels[0] = 0
    picture = read_picture(saved_tiff(tmp_path, levels, extrasamples=["assocalpha"]))
    wanted = np.array([10_000, 20_000, 0]) / 257 * 65535 / 32768
    np.testing.assert_allclose(picture.pixels[1:], np.full((3, 4, 3), wanted), rtol=1e-6)
    np.testing.assert_array_equal(picture.pixels[0], np.full((4, 3), 255))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied_to_pixels_and_alpha(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    levels = levels_of(4)
    deep = saved(tmp_path, png(levels, chunk(b"eXIf", exif.tobytes()[6:])))
    picture = read_picture(deep)
    assert picture.alpha.shape == image_size(deep)[::-1]
    shallow = Image.fromarray((levels >> 8).astype(np.uint8))
    shallow.save(tmp_path / "shallow.png", exif=exif)
    rough = read_picture(tmp_path / "shallow.png")
    assert abs(picture.pixels - rough.pixels)[rough.alpha > 0].max() <= 1
    assert abs(picture.alpha - rough.alpha).max() <= 1


def test_a_reduced_picture_keeps_fractions_of_levels(tmp_path):
    """The mean of neighbouring levels lies between them, and 8 bits would round it."""
    levels = np.full((64, 64, 3), 25_700, np.uint16)
    levels[::2] += 100
    picture = read_picture(saved(tmp_path, png(levels)), longest=16)
    assert picture.pixels.shape == (16, 16, 3)
    np.testing.assert_allclose(picture.pixels[4:-4], 25_750 / 257, atol=0.01)


def test_transparent_colours_do_not_affect_visible_ones(tmp_path):
    levels = np.full((32, 32, 4), (60_000, 1_000, 1_000, 65_535), np.uint16)
    levels[:, 15:] = 0, 65_535, 0, 0  # transparent green
    picture = read_picture(saved(tmp_path, png(levels)), longest=8)
    visible = picture.alpha > 1
    assert visible.any() and not visible.all()
    wanted = np.array([60_000, 1_000, 1_000]) / 257
    np.testing.assert_allclose(picture.pixels[visible], np.tile(wanted, (visible.sum(), 1)), 1e-5)
    np.testing.assert_array_equal(picture.pixels[picture.alpha == 0], 255)


def test_a_transparent_colour_of_a_png(tmp_path):
    levels = levels_of(3)
    key = struct.pack(">3H", *levels[2, 3].tolist())
    alpha = read_picture(saved(tmp_path, png(levels, chunk(b"tRNS", key)))).alpha
    assert alpha[2, 3] == 0 and (alpha == 0).sum() == 1


def test_colours_are_converted_as_floats(tmp_path):
    levels = levels_of(3)
    path = saved(tmp_path, png(levels, profile_chunk(ADOBE)))
    picture = read_picture(path)
    assert picture.profile == ADOBE
    with np.errstate(invalid="ignore"):
        wanted = adobe_to_srgb(levels / 257)
    assert abs(picture.pixels - wanted).max() < 0.05
    grey = read_picture(saved(tmp_path, png(levels_of(1), profile_chunk(LINEAR_GREY))))
    light = levels_of(1) / 65535
    wanted = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert abs(grey.pixels - 255 * wanted).max() < 0.05 and grey.profile is None


def test_a_damaged_profile_is_ignored_with_a_warning(tmp_path, capfd):
    path = saved(tmp_path, png(levels_of(3), profile_chunk(ADOBE[:200])))
    with pytest.warns(MinidlWarning, match="is damaged; it was ignored"):
        picture = read_picture(path)
    np.testing.assert_array_equal(picture.pixels, in_rgb(levels_of(3))[0])
    assert picture.profile is None and capfd.readouterr() == ("", "")


@pytest.mark.parametrize("profile", [None, ADOBE], ids=["sRGB", "Adobe RGB"])
@pytest.mark.parametrize("with_alpha", [False, True])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF"])
def test_16_bits_are_written_and_read_again(tmp_path, name, with_alpha, profile):
    generator = np.random.default_rng(0)
    image = generator.uniform(60, 190, (9, 14, 3))  # colours of both profiles
    alpha = generator.integers(1, 256, (9, 14)).astype(np.float32) if with_alpha else None
    metadata = {"settings": {"steps": 3}, "name": "Café"}
    write_image(tmp_path / name, image, metadata, depth=16, alpha=alpha, profile=profile)
    picture = read_picture(tmp_path / name)
    assert abs(picture.pixels - image).max() < 0.01
    assert picture.depth == 16 and picture.profile == profile
    if with_alpha:
        np.testing.assert_allclose(picture.alpha, alpha, atol=1e-4)
    else:
        assert picture.alpha is None
    assert read_metadata(tmp_path / name) == metadata
    assert [path.name for path in tmp_path.iterdir()] == [name]
    with Image.open(tmp_path / name) as other:
        assert (other.info["icc_profile"] == profile) == (profile is not None)
        other.load()


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_reading_and_writing_changes_no_level(tmp_path, name):
    levels = levels_of(4)
    picture = read_picture(saved(tmp_path, png(levels)))
    write_image(tmp_path / name, picture.pixels, depth=picture.depth, alpha=picture.alpha)
    again = read_picture(tmp_path / name)
    np.testing.assert_array_equal(again.pixels, picture.pixels)
    np.testing.assert_array_equal(again.alpha, picture.alpha)
    # White is 65535, and numbers outside the range are clipped.
    write_image(tmp_path / name, np.full((2, 2, 3), (300.0, -5.0, 255.0)), depth=16)
    np.testing.assert_array_equal(read_picture(tmp_path / name).pixels[0, 0], (255, 0, 255))


def test_unsigned_integers_are_written_with_16_bits(tmp_path):
    write_image(tmp_path / "a.png", np.full((2, 2, 3), 200, np.uint8), depth=16)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").pixels, np.full((2, 2, 3), 200))


@pytest.mark.parametrize("profile", [None, ADOBE])
def test_an_array_in_another_order_is_written_and_stays_as_it_is(tmp_path, profile):
    image = np.random.default_rng(0).uniform(60, 190, (3, 9, 14)).astype(np.float32)
    before = image.copy()
    write_image(tmp_path / "a.png", image.transpose(2, 1, 0), depth=16, profile=profile)
    found = read_picture(tmp_path / "a.png").pixels
    assert abs(found - before.transpose(2, 1, 0)).max() < 0.01
    np.testing.assert_array_equal(image, before)
    write_image(tmp_path / "a.png", image.transpose(1, 2, 0), depth=16, profile=profile)
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("name", ["a.jpg", "a.webp"])
def test_formats_of_8_bits_refuse_16(tmp_path, name):
    with pytest.raises(FileError, match="holds 8 bits per channel, not 16; write PNG or TIFF"):
        write_image(tmp_path / name, np.zeros((4, 4, 3)), depth=16)
    with pytest.raises(ArgumentError, match="is to have 12 bits per channel; wanted 8 or 16"):
        write_image(tmp_path / "a.png", np.zeros((4, 4, 3)), depth=12)
    assert not list(tmp_path.iterdir())


def test_without_the_extra_8_bits_are_read_with_a_warning(tmp_path, monkeypatch):
    path = saved(tmp_path, png(levels_of(3)))

    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    words = r"deep\.png is read with 8 of its 16 bits.*needs imagecodecs.*'minidl\[deep\]'"
    with pytest.warns(MinidlWarning, match=words) as caught:
        picture = read_picture(path)
    assert picture.depth == 8 and len(caught) == 1
    np.testing.assert_array_equal(picture.pixels, read_quietly(path))
    with pytest.raises(ExtraError, match=r"writing 16 bits.*pip install 'minidl\[deep\]'"):
        picture_form("a.png", depth=16)


def test_read_image_has_8_bits_with_and_without_the_extra(tmp_path):
    path = saved(tmp_path, png(levels_of(3)))
    image = read_image(path)
    np.testing.assert_array_equal(image, np.rint(image))


UNREADABLE = {
    "float RGB": ({"data": np.ones((4, 4, 3), np.float32)}, "of a kind that minidl cannot read"),
    "float grey": ({"data": np.ones((4, 4), np.float32)}, "holds floating-point pixels"),
    "signed RGB": ({"data": np.ones((4, 4, 3), np.int16)}, "of a kind that minidl cannot read"),
    "JPEG 2000": (
        {"data": np.ones((64, 64, 3), np.uint16), "compression": "jpeg2000"},
        "of a kind that minidl cannot read, such as .* a rare compression",
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_rare_kinds_of_tiff_are_refused(tmp_path, kind):
    options, words = UNREADABLE[kind]
    grey = options["data"].ndim == 2
    photometric = "minisblack" if grey else "rgb"
    tifffile.imwrite(tmp_path / "rare.tif", photometric=photometric, metadata=None, **options)
    with pytest.raises(FileError, match=rf"rare\.tif.*{words}"):
        read_picture(tmp_path / "rare.tif")


def contents(folder, kind):
    if kind == "png":
        return png(levels_of(4, (40, 40)), profile_chunk(ADOBE))
    return saved_tiff(folder, levels_of(4, (40, 40)), iccprofile=ADOBE, **TIFFS[kind]).read_bytes()


TIFFS = {
    "plain": {},
    "lzw": {"compression": "lzw"},
    "deflate": {"compression": "zlib", "predictor": True},
    "tiles": {"tile": (16, 16)},
}


@pytest.mark.parametrize("kind", ["png", *TIFFS])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_cut_file_is_refused(tmp_path, kind, share):
    content = contents(tmp_path, kind)
    path = saved(tmp_path, content[: int(share * len(content))], "cut.dat")
    with pytest.raises(FileError, match=r"cut\.dat"):
        read_picture(path)


@pytest.mark.filterwarnings("ignore::minidl.errors.MinidlWarning")
@pytest.mark.parametrize("kind", ["png", *TIFFS])
def test_a_damaged_file_is_read_or_refused(tmp_path, kind):
    content, generator = contents(tmp_path, kind), random.Random(0)
    structure = [*range(200), *range(len(content) - 600, len(content))]
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(generator.randint(1, 4)):
            damaged[generator.choice(structure)] = generator.randrange(256)
        with suppress(MinidlError):
            picture = read_picture(saved(tmp_path, damaged, "damaged.dat"), longest=20)
            assert np.isfinite(picture.pixels).all() and max(picture.pixels.shape) <= 20


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("kind", ["huge tiles", "a tag twice", "layers"])
def test_tiffs_that_would_need_much_memory_are_refused(tmp_path, byteorder, kind):
    """libtiff would allocate a tile of 100 million rows."""
    content = saved_tiff(tmp_path, levels_of(3), tile=(16, 16), byteorder=byteorder).read_bytes()
    old, new = {
        "huge tiles": ((323, 4, 1, 16), (323, 4, 1, 10**8)),
        "a tag twice": ((323, 4, 1, 16), (322, 4, 1, 16)),
        "layers": ((323, 4, 1, 16), (32998, 4, 1, 10**8)),
    }[kind]
    entry = f"{byteorder}HHII"
    assert content.count(struct.pack(entry, *old)) == 1
    damaged = content.replace(struct.pack(entry, *old), struct.pack(entry, *new))
    with pytest.raises(FileError, match=r"huge\.tif (stores its pixels in huge tiles|is damaged)"):
        read_picture(saved(tmp_path, damaged, "huge.tif"))


def test_a_png_whose_pixels_are_damaged_is_refused(tmp_path):
    content = bytearray(png(levels_of(3)))
    content[-30] ^= 1
    with pytest.raises(FileError, match="is damaged and cannot be read"):
        read_picture(saved(tmp_path, content))


def test_an_extreme_profile_gives_finite_colours(tmp_path):
    primaries = ((0.9642, 1, 0.8249), (0, 0, 0), (-1, -1, -1))
    odd = rgb_profile("odd", D50, BRADFORD, primaries, curve=(-3, 1, 0, 0, 0))
    path = saved(tmp_path, png(levels_of(3), profile_chunk(odd)))
    assert np.isfinite(read_picture(path).pixels).all()
