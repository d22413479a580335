"""Frames: which are read, and where the next painting begins."""

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from minidl.data import write_image
from minidl.errors import ArgumentError, FileError, ShapeError
from minidl.style_transfer.frames import FPS, Frames, next_start

LEVELS = (10, 120, 230)


def grey(level, height=20, width=30):
    return np.full((height, width, 3), level, np.float32)


def means(frames):
    return [frame.mean() for frame in frames]


@pytest.fixture
def folder(tmp_path):
    for name, level in (("10.png", 30), ("9.png", 20), ("1.jpg", 10), (".0.png", 0)):
        write_image(tmp_path / name, grey(level))
    (tmp_path / "notes.txt").write_text("none")
    (tmp_path / "more.png").mkdir()
    return tmp_path


def write_animation(path, **options):
    first, *others = (Image.new("RGB", (30, 20), (level,) * 3) for level in LEVELS)
    first.save(path, save_all=True, append_images=others, duration=50, **options)


def test_a_folder_has_its_pictures_in_natural_order(folder):
    frames = Frames(folder)
    assert len(frames) == 3
    assert means(frames) == means(frames) == pytest.approx([10, 20, 30], abs=1)


@pytest.mark.parametrize("name", ["a.gif", "a.WEBP"])
def test_an_animation_has_its_frames(tmp_path, name):
    write_animation(tmp_path / name)
    frames = Frames(tmp_path / name)
    assert len(frames) == 3
    assert means(frames) == means(frames) == pytest.approx(LEVELS, abs=1)
    for frame in frames:
        assert frame.shape == (20, 30, 3) and frame.dtype == np.uint8


def test_large_frames_are_reduced(folder, tmp_path):
    write_animation(tmp_path / "a.gif")
    for source in (folder, tmp_path / "a.gif"):
        assert {frame.shape for frame in Frames(source, longest=15)} == {(10, 15, 3)}


def test_a_frame_that_stores_only_changes_is_complete(tmp_path):
    first = Image.new("RGB", (30, 20), "red")
    second = first.copy()
    second.paste("blue", (5, 5, 10, 10))
    first.save(tmp_path / "a.gif", save_all=True, append_images=[second])
    _, frame = Frames(tmp_path / "a.gif")
    assert frame[0, 0].tolist() == [255, 0, 0] and frame[7, 7].tolist() == [0, 0, 255]


def test_transparent_pixels_are_white(tmp_path):
    clear = Image.new("RGBA", (30, 20), (0, 0, 0, 0))
    clear.save(tmp_path / "a.webp", save_all=True, append_images=[Image.new("RGBA", (30, 20))])
    assert set(means(Frames(tmp_path / "a.webp"))) == {255}


def test_a_still_picture_is_one_frame(tmp_path):
    Image.new("RGB", (30, 20), "red").save(tmp_path / "a.gif")
    assert len(Frames(tmp_path / "a.gif")) == len(list(Frames(tmp_path / "a.gif"))) == 1


def test_other_sources_are_refused(tmp_path):
    with pytest.raises(FileError, match="has no frames; wanted files that end in"):
        Frames(tmp_path)
    with pytest.raises(FileError, match="is no folder; name a folder of pictures, or an animated"):
        Frames(tmp_path / "missing")
    (tmp_path / "a.mp4").write_bytes(b"video")
    with pytest.raises(FileError, match="ffmpeg can write the frames of a video into a folder"):
        Frames(tmp_path / "a.mp4")
    (tmp_path / "a.gif").write_bytes(b"no animation")
    with pytest.raises(FileError, match=r"a\.gif cannot be read as an animation .*; fetch"):
        Frames(tmp_path / "a.gif")


def test_a_damaged_animation_is_refused(tmp_path):
    write_animation(tmp_path / "a.webp")
    path = tmp_path / "a.webp"
    whole = path.read_bytes()
    frames = Frames(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="cannot be read as an animation"):
        list(frames)


def test_where_the_film_does_not_change_the_paint_stays(content, style):
    np.testing.assert_array_equal(
        next_start(style[:20], content[:, :18], content[:, :18]), style[:20]
    )


def test_where_the_film_changes_the_new_frame_is_mixed_in():
    before, now = grey(100), grey(100)
    now[:, 15:] = 220
    start = next_start(grey(40), before, now)
    np.testing.assert_array_equal(start[:, :15], 40)
    np.testing.assert_allclose(start[:, 15:], 220, atol=1e-3)


def test_the_share_of_the_new_frame_follows_the_formula():
    for change, sensitivity in ((3, 10), (25, 10), (25, 2), (255, 0)):
        share = 1 - np.exp(-((sensitivity * change / 255) ** 2))
        start = next_start(grey(200), grey(0), grey(change), sensitivity)
        np.testing.assert_allclose(start, (1 - share) * 200 + share * change, rtol=1e-5)


def test_changes_are_averaged_over_a_window():
    before, now = grey(0, 64, 128), grey(0, 64, 128)  # the window has a radius of 2
    now[30, 60] = 255
    start = next_start(grey(255, 64, 128), before, now)
    near = np.zeros((64, 128), bool)
    near[28:33, 58:63] = True
    share = 1 - np.exp(-((10 / 25) ** 2))
    wanted = np.where(near[..., None], 255 * (1 - share), 255)
    wanted[30, 60] = 255
    np.testing.assert_allclose(start, np.broadcast_to(wanted, start.shape), rtol=1e-5)


def test_frames_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"shape \(20, 30, 3\), the frame before \(20, 31, 3\)"):
        next_start(grey(0), grey(0, 20, 31), grey(0))
    for sensitivity in (-1, float("nan")):
        with pytest.raises(ArgumentError, match="wanted a number of at least 0"):
            next_start(grey(0), grey(0), grey(0), sensitivity)


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_the_ticks_of_an_animation_are_its_own_times(tmp_path, name):
    first, *others = (Image.new("RGB", (30, 20), (level,) * 3) for level in LEVELS)
    times = [40, 100, 0]  # a time of 0 is 100
    first.save(tmp_path / name, save_all=True, append_images=others, duration=times)
    ticks, rate = Frames(tmp_path / name).ticks()
    assert [count / rate for count in ticks] == [Fraction(1, 25), Fraction(1, 10), Fraction(1, 10)]
    assert Frames(tmp_path / name).ticks(Fraction(12)) == ([1, 1, 1], 12)


def test_the_frames_of_a_folder_are_shown_for_equal_times(folder):
    assert Frames(folder).ticks() == ([1, 1, 1], FPS)
    assert Frames(folder).ticks(Fraction(5)) == ([1, 1, 1], 5)
