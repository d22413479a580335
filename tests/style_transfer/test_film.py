"""Films: which pictures they show, for how long, and that no incomplete file or process is left."""

import os
import shutil
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from minidl.errors import ArgumentError, FileError, ShapeError
from minidl.style_transfer import Film, film
from minidl.style_transfer.film import LONGEST, MOST, RATE, film_form, write_film

needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


def grey(level, height=6, width=8):
    return np.full((height, width, 3), level, np.float32)


def pictures(path):
    """Return the pictures (H, W, 3) of an animation, and the milliseconds of each."""
    arrays, times = [], []
    with Image.open(path) as animation:
        for number in range(getattr(animation, "n_frames", 1)):
            animation.seek(number)
            arrays.append(np.asarray(animation.convert("RGB"), np.float32))
            times.append(animation.info["duration"])
    return arrays, times


def video(path, width, height):
    """Return the pictures (N, H, W, 3) of a video."""
    command = ["ffmpeg", "-loglevel", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt"]
    levels = subprocess.run([*command, "rgb24", "-"], check=True, capture_output=True).stdout
    return np.frombuffer(levels, np.uint8).reshape(-1, height, width, 3).astype(np.float32)


@pytest.fixture
def ffmpeg(tmp_path, monkeypatch):
    """Return a function that puts a program named ffmpeg on the PATH, from its Python code."""
    folder = tmp_path / "programs"

    def install(code):
        folder.mkdir()
        program = folder / "ffmpeg"
        program.write_text(f"#!{sys.executable}\nimport os, sys\n{code}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


@pytest.mark.parametrize("name", ["a.gif", "a.WebP"])
def test_the_run_takes_its_seconds_and_the_last_picture_stays(tmp_path, name):
    film = Film(tmp_path / name, size=(8, 6), seconds=1.5)
    for level in (0, 60, 120, 180, 240):
        film.add(grey(level))
    film.save()
    shown, times = pictures(tmp_path / name)
    assert [picture.mean() for picture in shown] == pytest.approx([0, 60, 120, 180, 240], abs=2)
    assert times[-1] == 2000 and sum(times[:-1]) == 1500
    assert max(times[:-1]) - min(times[:-1]) <= 1000 / RATE
    with Image.open(tmp_path / name) as animation:
        assert animation.info["loop"] == 0


def test_of_many_pictures_evenly_spaced_ones_and_the_last_one_are_kept(tmp_path):
    film = Film(tmp_path / "a.gif", size=(8, 6))
    for level in range(250):
        film.add(grey(level))
        assert len(film._kept) <= MOST
    film.save()
    shown, times = pictures(tmp_path / "a.gif")
    assert [picture[0, 0, 0] for picture in shown] == [*range(0, 250, 4), 249]
    assert sum(times) == 8000


def test_a_short_film_shows_no_picture_for_less_than_a_tick(tmp_path):
    film = Film(tmp_path / "a.gif", size=(8, 6), seconds=0.5)
    for level in range(100):
        film.add(grey(level))
    film.save()
    _, times = pictures(tmp_path / "a.gif")
    assert min(times) >= 1000 / RATE and sum(times) == 2500


def test_pictures_of_all_sizes_are_shown_at_the_size_of_the_film(tmp_path, content):
    film = Film(tmp_path / "a.webp", size=(28, 20))
    for picture in (grey(90, 5, 7), grey(180, 10, 14), content):
        film.add(picture)
    film.save()
    shown, _ = pictures(tmp_path / "a.webp")
    assert [picture.shape for picture in shown] == [content.shape] * 3
    assert [picture.mean() for picture in shown[:2]] == pytest.approx([90, 180], abs=2)


def test_a_large_film_is_reduced(tmp_path):
    film = Film(tmp_path / "a.gif", size=(4 * LONGEST, 2 * LONGEST))
    film.add(grey(90, 40, 80))
    film.save()
    [picture], _ = pictures(tmp_path / "a.gif")
    assert picture.shape == (LONGEST // 2, LONGEST, 3)


def test_the_colours_of_a_gif_are_near(tmp_path):
    ramp = np.linspace(0, 255, 64, dtype=np.float32)
    smooth = np.stack(np.broadcast_arrays(ramp, ramp[:, None], 255 - ramp), axis=-1)
    film = Film(tmp_path / "a.gif", size=(64, 64))
    film.add(smooth)
    film.add(255 - smooth)
    film.save()
    for picture, wanted in zip(
        pictures(tmp_path / "a.gif")[0], (smooth, 255 - smooth), strict=True
    ):
        assert np.sqrt(((picture - wanted) ** 2).mean()) < 6


@pytest.mark.parametrize("name", ["a.gif", "a.webp"])
def test_a_painting_that_ended_at_once_is_a_film_of_one_picture(tmp_path, name):
    film = Film(tmp_path / name, size=(8, 6))
    film.add(grey(90))
    film.save()
    with Image.open(tmp_path / name) as still:
        assert getattr(still, "n_frames", 1) == 1
        assert np.asarray(still.convert("RGB")).mean() == pytest.approx(90, abs=2)


def test_a_film_without_pictures_and_other_shapes_are_refused(tmp_path):
    film = Film(tmp_path / "a.gif", size=(8, 6))
    with pytest.raises(ArgumentError, match="the film has no pictures; add at least one"):
        film.save()
    with pytest.raises(ShapeError, match=r"has shape \(6, 8\); wanted \(H, W, 3\)"):
        film.add(grey(90)[..., 0])
    for seconds in (0, -1, 601, float("nan")):
        with pytest.raises(ArgumentError, match="wanted a number above 0"):
            Film(tmp_path / "a.gif", size=(8, 6), seconds=seconds)


def test_the_ending_is_the_format(tmp_path, monkeypatch):
    assert film_form(tmp_path / "a.gif") == "GIF" and film_form(tmp_path / "a.WEBP") == "WEBP"
    with pytest.raises(FileError, match=r"a\.avi: minidl writes films as \.gif, \.webp, \.mp4; "):
        film_form(tmp_path / "a.avi")
    with pytest.raises(FileError, match="there is no folder"):
        film_form(tmp_path / "missing" / "a.gif")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileError, match=r"needs the program ffmpeg, .* ends in \.gif or \.webp"):
        film_form(tmp_path / "a.mp4")


def test_an_interruption_keeps_the_old_film(tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    (tmp_path / "a.gif").write_text("old")
    new = Film(tmp_path / "a.gif", size=(8, 6))
    new.add(grey(90))
    monkeypatch.setattr(film, "_with_palette", interrupt)
    with pytest.raises(KeyboardInterrupt):
        new.save()
    assert list(tmp_path.iterdir()) == [tmp_path / "a.gif"]
    assert (tmp_path / "a.gif").read_text() == "old"


@needs_ffmpeg
def test_a_video_has_the_pictures_for_their_time_and_an_even_size(tmp_path):
    film = Film(tmp_path / "a.mp4", size=(65, 49), seconds=1)
    for colour in ((250, 20, 20), (20, 200, 20), (30, 30, 250)):
        film.add(np.full((49, 65, 3), colour, np.float32))
    film.save()
    shown = video(tmp_path / "a.mp4", 64, 48).mean(axis=(1, 2))
    ticks = [RATE // 2, RATE // 2, 2 * RATE]
    wanted = np.repeat([(250, 20, 20), (20, 200, 20), (30, 30, 250)], ticks, axis=0)
    assert shown == pytest.approx(wanted, abs=6)


@needs_ffmpeg
def test_an_error_of_ffmpeg_is_reported(tmp_path):
    film = Film(tmp_path / "a.mp4", size=(1, 9))  # cropped to an even width, nothing is left
    film.add(grey(90, 9, 1))
    with pytest.raises(FileError, match=r"ffmpeg could not write .*a\.mp4: .+; give the film"):
        film.save()
    assert not list(tmp_path.iterdir())


def test_an_ffmpeg_that_fails_is_reported_with_its_words(tmp_path, ffmpeg):
    ffmpeg("print('Unknown encoder', file=sys.stderr)\nsys.exit(1)")
    film = Film(tmp_path / "a.mp4", size=(640, 480))
    film.add(grey(90))
    with pytest.raises(FileError, match=r"ffmpeg could not write .*a\.mp4: Unknown encoder; give"):
        film.save()
    assert not list(tmp_path.glob("*.mp4")) and not list(tmp_path.glob(".*"))


def test_an_interruption_ends_ffmpeg(tmp_path, ffmpeg, monkeypatch):
    ffmpeg(f"open({str(tmp_path / 'id')!r}, 'w').write(str(os.getpid()))\nsys.stdin.buffer.read()")
    film = Film(tmp_path / "a.mp4", size=(8, 6))
    film.add(grey(90))

    def interrupted(last):
        yield last, 1
        while not (tmp_path / "id").exists() or not (tmp_path / "id").read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt

    monkeypatch.setattr(film, "_shown", interrupted)
    with pytest.raises(KeyboardInterrupt):
        film.save()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "id").read_text()), 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["id", "programs"]


@pytest.mark.parametrize(("name", "times"), [("a.gif", [30, 70, 30]), ("a.webp", [33, 67, 33])])
def test_the_pictures_of_a_written_film_have_their_ticks(tmp_path, name, times):
    levels = [20, 120, 220]
    write_film(tmp_path / name, [grey(level) for level in levels], [1, 2, 1], Fraction(30))
    arrays, shown = pictures(tmp_path / name)
    assert shown == times
    assert [array.mean() for array in arrays] == pytest.approx(levels, abs=2)


@needs_ffmpeg
def test_the_rate_of_a_video_may_be_a_fraction(tmp_path):
    path, levels = tmp_path / "a.mp4", [20, 120, 220]
    write_film(path, [grey(level, 64, 96) for level in levels], [1, 2, 1], Fraction(24000, 1001))
    means = video(path, 96, 64).mean(axis=(1, 2, 3))
    assert means == pytest.approx([20, 120, 120, 220], abs=3)


def test_a_film_is_complete_or_not_written(tmp_path):
    with pytest.raises(ValueError):
        write_film(tmp_path / "a.gif", [grey(1), grey(2)], [1], 1)
    with pytest.raises(FileError, match="minidl writes films as"):
        write_film(tmp_path / "a.avi", [grey(1)], [1], 1)
    assert not os.listdir(tmp_path)
