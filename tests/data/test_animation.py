"""Animated GIF, WebP and APNG files, frame by frame."""

import numpy as np
import pytest
from PIL import Image

from minidl.data import read_image
from minidl.data.animation import Animation, is_animated
from minidl.data.decoding import ORIENTATION
from minidl.errors import FileError

LEVELS = (10, 120, 230, 60)
NAMES = ("a.gif", "a.webp", "a.png")


def write_animation(path, pictures=None, duration=(50, 200, 0, 1000), **options):
    """Write an animation of four grey frames of 30x20 pixels, or of the given pictures."""
    first, *others = pictures or [Image.new("RGB", (30, 20), (level,) * 3) for level in LEVELS]
    first.save(path, save_all=True, append_images=others, duration=list(duration), **options)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_all_frames_and_their_times(tmp_path, name):
    path = write_animation(tmp_path / name)
    animation = Animation(path)
    assert animation.size == (30, 20) and animation.count == 4
    for again in (animation, animation, Animation(path, path.read_bytes())):
        frames = list(again.frames())
        assert [frame.number for frame in frames] == [0, 1, 2, 3]
        assert [frame.pixels.mean() for frame in frames] == pytest.approx(LEVELS, abs=1)
        # A frame of 0 ms is shown for 100 ms, as in browsers.
        assert [frame.seconds for frame in frames] == pytest.approx([0, 0.05, 0.25, 0.35])
        assert [frame.milliseconds for frame in frames] == [50, 200, 100, 1000]
    assert {(frame.pixels.shape, frame.pixels.dtype, frame.scale) for frame in frames} == {
        ((20, 30, 3), np.dtype("float32"), 1.0)
    }


def test_each_nth_frame(tmp_path):
    animation = Animation(write_animation(tmp_path / "a.gif"))
    assert [frame.number for frame in animation.frames(every=3)] == [0, 3]
    assert [frame.seconds for frame in animation.frames(every=2)] == pytest.approx([0, 0.25])


@pytest.mark.parametrize("name", NAMES)
def test_large_frames_are_reduced(tmp_path, name):
    animation = Animation(write_animation(tmp_path / name))
    frame = next(animation.frames(longest=15))
    assert frame.pixels.shape == (10, 15, 3) and frame.scale == 2


@pytest.mark.parametrize("name", NAMES)
def test_the_first_frame_is_that_of_the_picture(tmp_path, name):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    options = {} if name == "a.gif" else {"exif": exif}
    pictures = [Image.fromarray(noise), Image.fromarray(255 - noise)]
    path = write_animation(tmp_path / name, pictures, (100, 100), **options)
    animation = Animation(path)
    assert animation.size == ((30, 20) if name == "a.gif" else (20, 30))
    first, second = animation.frames()
    np.testing.assert_array_equal(first.pixels, read_image(path))
    assert abs((255 - second.pixels) - first.pixels).mean() < 30


def test_still_pictures_have_one_frame(tmp_path):
    for name in (*NAMES, "a.jpg"):
        Image.new("RGB", (30, 20), "red").save(tmp_path / name)
        assert not is_animated((tmp_path / name).read_bytes())
    assert [len(list(Animation(tmp_path / name).frames())) for name in NAMES] == [1, 1, 1]
    for name in NAMES:
        assert is_animated(write_animation(tmp_path / name).read_bytes())
    assert not is_animated(b"words")


def test_damaged_files(tmp_path):
    path = write_animation(tmp_path / "a.webp")
    whole = path.read_bytes()
    animation = Animation(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="cannot be read as an animation"):
        list(animation.frames())
    path.write_bytes(b"words")
    with pytest.raises(FileError, match="cannot be read as an animation"):
        Animation(path)
    with pytest.raises(FileError, match="there is no such animation"):
        Animation(tmp_path / "missing.gif")
