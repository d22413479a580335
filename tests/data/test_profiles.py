"""Pictures with a colour profile are converted to sRGB, in every file format and mode."""

import struct
import warnings
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL._util import DeferredError

from minidl.data import read_image, read_picture, write_image
from minidl.data.profiles import SRGB, rgb_profile
from minidl.errors import ArgumentError, MinidlWarning

D50 = (0.9642, 1.0, 0.8249)
BRADFORD = ((1.0479, 0.0229, -0.0502), (0.0296, 0.9905, -0.0171), (-0.0092, 0.0151, 0.7517))
ADOBE_PRIMARIES = (
    (0.60974, 0.31111, 0.01947),
    (0.20528, 0.62567, 0.06087),
    (0.14919, 0.06322, 0.74457),
)
ADOBE = rgb_profile(
    "Adobe RGB (1998)", D50, BRADFORD, ADOBE_PRIMARIES, curve=(563 / 256, 1, 0, 0, 0)
)
LOSSLESS = {
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "JPEG": {"quality": 100, "subsampling": 0},
}
LEVELS = {"JPEG": 4}  # the largest change by compression; the other formats are lossless


def fixed(numbers):
    return struct.pack(f">{len(numbers)}i", *(round(65536 * n) for n in numbers))


def profile_of(kind, space, connection, tags):
    """Return the bytes of an ICC profile. tags: {name: element}"""
    begin, table, data = 132 + 12 * len(tags), b"", b""
    for name, element in tags.items():
        table += name + struct.pack(">II", begin + len(data), len(element))
        data += element + bytes(-len(element) % 4)
    head = struct.pack(">I4sI4s4s4s", begin + len(data), b"", 0x02100000, kind, space, connection)
    date, illuminant = struct.pack(">6H", 2000, 1, 1, 0, 0, 0), fixed(D50)
    head += date + b"acsp" + bytes(28) + illuminant
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


# The levels are proportional to the luminance.
LINEAR_GREY = profile_of(
    b"mntr",
    b"GRAY",
    b"XYZ ",
    {
        b"wtpt": b"XYZ " + bytes(4) + fixed(D50),
        b"kTRC": b"curv" + bytes(4) + struct.pack(">I", 0),
    },
)


def red_ink():
    """Return a CMYK profile whose cyan is red, L*a*b* (54, 81, 70) at C = 1, and whose other inks
    are black."""
    corners = np.zeros((2, 2, 2, 2, 3), np.uint8) + np.array([0, 128, 128], np.uint8)
    corners[0, 0, 0, 0] = 255, 128, 128
    corners[1, 0, 0, 0] = 138, 209, 198  # nearest to the red of sRGB
    identity = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 * np.eye(3, dtype=int)).ravel().tolist())
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix
    table += 4 * identity + corners.tobytes() + 3 * identity
    return profile_of(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def to_srgb(colour):
    """Convert Adobe RGB to sRGB in float64, by the definitions of both."""
    srgb = np.array(
        [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)]
    )
    linear = (np.array(colour) / 255) ** (563 / 256)
    light = (linear @ np.array(ADOBE_PRIMARIES) @ np.linalg.inv(srgb)).clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def saved(folder, picture, form="PNG", **options):
    path = folder / f"picture.{form.lower()}"
    picture.save(path, form, **LOSSLESS[form], **options)
    return path


def read_quietly(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_image(path, **options)


@pytest.mark.parametrize("form", LOSSLESS)
@pytest.mark.parametrize(
    "colour", [(171, 35, 35), (128, 128, 128), (90, 160, 60), (255, 255, 255), (0, 0, 0)]
)
def test_adobe_rgb_is_converted(tmp_path, form, colour):
    path = saved(tmp_path, Image.new("RGB", (16, 16), colour), form, icc_profile=ADOBE)
    assert abs(read_quietly(path) - to_srgb(colour)).max() <= 1 + LEVELS.get(form, 0)


def test_a_red_of_adobe_rgb(tmp_path):
    path = saved(tmp_path, Image.new("RGB", (4, 4), (171, 35, 35)), icc_profile=ADOBE)
    assert abs(read_quietly(path)[0, 0] - (200, 30, 30)).max() <= 1


def test_profiles_of_palettes_alpha_reduced_and_turned_pictures(tmp_path):
    red, wanted = Image.new("RGB", (12, 8), (171, 35, 35)), (200, 30, 30)
    palette = saved(tmp_path, red.convert("P", palette=Image.Palette.ADAPTIVE), icc_profile=ADOBE)
    assert abs(read_quietly(palette) - wanted).max() <= 1
    half = red.copy()
    half.putalpha(Image.new("L", half.size, 51))  # a fifth: on white in sRGB
    for form in ("PNG", "TIFF", "WEBP"):
        found = read_quietly(saved(tmp_path, half, form, icc_profile=ADOBE))
        assert abs(found - (0.2 * np.array(wanted) + 0.8 * 255)).max() <= 1.5
    exif = Image.Exif()
    exif[0x0112] = 6
    for form in LOSSLESS:
        found = read_quietly(saved(tmp_path, red, form, icc_profile=ADOBE, exif=exif), longest=6)
        assert found.shape == (6, 4, 3)
        assert abs(found - wanted).max() <= 1 + LEVELS.get(form, 0)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "JPEG"])
def test_grey_profiles(tmp_path, form):
    middle = Image.new("L", (16, 16), 128)
    found = read_quietly(saved(tmp_path, middle, form, icc_profile=LINEAR_GREY))
    # 255 (1.055 (128/255)^(1/2.4) - 0.055) = 188.0
    assert abs(found - 188).max() <= 1 + LEVELS.get(form, 0)


def test_grey_profiles_of_16_bits_and_alpha(tmp_path):
    deep = Image.fromarray(np.full((4, 4), 128 * 257, np.uint16))
    assert abs(read_quietly(saved(tmp_path, deep, icc_profile=LINEAR_GREY)) - 188).max() <= 1
    half = Image.new("LA", (4, 4), (128, 51))
    found = read_quietly(saved(tmp_path, half, icc_profile=LINEAR_GREY))
    assert abs(found - (0.2 * 188 + 0.8 * 255)).max() <= 1.5


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_is_converted_by_its_profile(tmp_path, form):
    ink = Image.new("CMYK", (16, 16), (255, 0, 0, 0))
    found = read_quietly(saved(tmp_path, ink, form, icc_profile=red_ink()))
    assert abs(found - (255, 0, 0)).max() <= 6  # L*a*b* has 8 bits
    found = read_quietly(saved(tmp_path, ink, form))
    assert abs(found - (0, 255, 255)).max() <= LEVELS.get(form, 0)


WRONG = {
    "noise": ("RGB", b"no profile at all" * 20, "is damaged"),
    "cut": ("RGB", ADOBE[:200], "is damaged"),
    "grey's for colours": ("RGB", LINEAR_GREY, "is for GRAY, but the pixels are RGB"),
    "inks' for colours": ("RGB", red_ink(), "is for CMYK, but the pixels are RGB"),
    "colours' for grey": ("L", ADOBE, "is for RGB, but the pixels are GRAY"),
    "colours' for inks": ("CMYK", ADOBE, "is for RGB, but the pixels are CMYK"),
}


@pytest.mark.parametrize(("mode", "profile", "words"), WRONG.values(), ids=WRONG.keys())
def test_an_unusable_profile_is_ignored_with_a_warning(tmp_path, mode, profile, words):
    picture = Image.new("RGB", (4, 4), (171, 35, 35)).convert(mode)
    plain = read_quietly(saved(tmp_path, picture, "TIFF"))
    path = saved(tmp_path, picture, "TIFF", icc_profile=profile)
    with pytest.warns(
        MinidlWarning, match=rf"the colour profile of .*picture\.tiff {words}; it was ignored"
    ) as caught:
        found = read_image(path)
    np.testing.assert_array_equal(found, plain)
    assert len(caught) == 1


def test_srgb_of_any_program_changes_no_level(tmp_path):
    """No level changes, so repeated reading and writing does not change a picture."""
    colours = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    for profile in (SRGB, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()):
        path = saved(tmp_path, Image.fromarray(colours), icc_profile=profile)
        np.testing.assert_array_equal(read_quietly(path), colours)
        grey = saved(tmp_path, Image.fromarray(colours[..., 0]), icc_profile=profile)
        np.testing.assert_array_equal(read_quietly(grey)[..., 0], colours[..., 0])


def test_without_littlecms_profiles_are_ignored_with_a_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(ImageCms, "core", DeferredError(ImportError("no LittleCMS")))
    red = Image.new("RGB", (4, 4), (171, 35, 35))
    with pytest.warns(MinidlWarning, match="needs LittleCMS, which this Pillow lacks"):
        found = read_image(saved(tmp_path, red, icc_profile=ADOBE))
    np.testing.assert_array_equal(found[0, 0], (171, 35, 35))
    write_image(tmp_path / "own.png", np.full((4, 4, 3), 99.0))
    np.testing.assert_array_equal(read_quietly(tmp_path / "own.png"), np.full((4, 4, 3), 99))


@pytest.mark.parametrize("name", ["painted.png", "painted.jpg", "painted.webp", "painted.tif"])
def test_written_pictures_contain_an_srgb_profile(tmp_path, name):
    write_image(tmp_path / name, np.full((8, 8, 3), 100.0), {"a": 1})
    with Image.open(tmp_path / name) as picture:
        assert picture.info["icc_profile"] == SRGB
    found = ImageCms.ImageCmsProfile(BytesIO(SRGB))
    assert "sRGB" in ImageCms.getProfileDescription(found)
    colours = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    converted = ImageCms.profileToProfile(colours, found, ImageCms.createProfile("sRGB"))
    assert abs(np.asarray(converted).astype(int) - np.asarray(colours)).max() <= 1


@pytest.mark.parametrize("form", LOSSLESS)
def test_a_picture_is_written_in_the_profile_of_its_source(tmp_path, form):
    """Its numbers are the same as in the source, and it means the same colours."""
    source = saved(tmp_path, Image.new("RGB", (16, 16), (171, 35, 35)), form, icc_profile=ADOBE)
    picture = read_picture(source)
    assert picture.profile == ADOBE and picture.alpha is None and picture.depth == 8
    np.testing.assert_array_equal(picture.pixels, read_quietly(source))
    result = tmp_path / f"result.{form.lower()}"
    write_image(result, picture.pixels, {"a": 1}, profile=picture.profile)
    with Image.open(result) as written:
        assert written.info["icc_profile"] == ADOBE
        numbers = np.asarray(written.convert("RGB")).astype(int)
    lossy = 5 if form in ("JPEG", "WEBP") else 0
    assert abs(numbers - (171, 35, 35)).max() <= 1 + lossy
    assert abs(read_quietly(result) - picture.pixels).max() <= 2 + lossy


@pytest.mark.parametrize("with_alpha", [False, True])
def test_all_colours_of_srgb_survive_adobe_rgb(tmp_path, with_alpha):
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.float32)
    alpha = np.full((64, 64), 200) if with_alpha else None
    write_image(tmp_path / "a.tif", colours, profile=ADOBE, alpha=alpha)
    picture = read_picture(tmp_path / "a.tif")
    bright = colours.min(axis=2) > 60  # in the shadows, a level of Adobe RGB is several of sRGB
    assert abs(picture.pixels - colours)[bright].max() <= 3
    assert abs(picture.pixels - colours)[bright].mean() < 0.5
    assert (picture.alpha is None) != with_alpha


NOT_CARRIED = {
    "none": ("RGB", None),
    "sRGB": ("RGB", SRGB),
    "sRGB of another program": (
        "RGB",
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    ),
    "grey": ("L", LINEAR_GREY),
    "inks": ("CMYK", red_ink()),
    "of colours, for grey": ("L", ADOBE),
    "damaged": ("RGB", ADOBE[:200]),
}


@pytest.mark.filterwarnings("ignore::minidl.errors.MinidlWarning")
@pytest.mark.parametrize(("mode", "profile"), NOT_CARRIED.values(), ids=NOT_CARRIED.keys())
def test_profiles_that_are_not_carried(tmp_path, mode, profile):
    picture = Image.new("RGB", (4, 4), (171, 35, 35)).convert(mode)
    path = saved(tmp_path, picture, "TIFF", icc_profile=profile)
    picture = read_picture(path)
    assert picture.profile is None
    np.testing.assert_array_equal(picture.pixels, read_image(path))


@pytest.mark.parametrize("profile", [b"noise", ADOBE[:200], LINEAR_GREY, red_ink()])
@pytest.mark.parametrize("depth", [8, 16])
def test_a_picture_is_written_only_in_a_profile_of_rgb(tmp_path, profile, depth):
    if depth == 16:
        pytest.importorskip("imagecodecs")
        pytest.importorskip("tifffile")
    with pytest.raises(ArgumentError, match=r"profile for .*a\.png cannot be written; wanted"):
        write_image(tmp_path / "a.png", np.zeros((4, 4, 3)), depth=depth, profile=profile)
    assert not list(tmp_path.iterdir())
