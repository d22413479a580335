"""`minidl stylize --sequence`: the frames of a film."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minidl.data import read_image, read_metadata, write_image
from minidl.style_transfer import Frames, Objective, Painter, Settings, next_start
from tests.cli.stylize.commands import refused, stylize, stylize_line

LINE = "frames painting.jpg --sequence --size 32 --steps 4"
TIMES = [50, 120, 200]  # milliseconds
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")


@pytest.fixture(autouse=True)
def frames():
    """Make three frames of a photograph with noise, in which a square moves, as a folder, a GIF and
    a WebP."""
    os.mkdir("frames")
    rng, photo = np.random.default_rng(2), read_image("photo.png", 32)
    frames = [np.clip(photo + rng.normal(0, 2, photo.shape), 0, 255).round() for _ in TIMES]
    for number, frame in enumerate(frames):
        frame[:6, 8 * number : 8 * number + 6] = 255
        write_image(f"frames/{number + 9}.png", frame)
    first, *others = (Image.fromarray(frame.astype(np.uint8)) for frame in frames)
    for name in ("film.gif", "film.webp"):
        first.save(name, save_all=True, append_images=others, duration=TIMES, lossless=True)


def times(path):
    """Return the milliseconds of each frame of an animation."""
    shown = []
    with Image.open(path) as film:
        for number in range(film.n_frames):
            film.seek(number)
            film.load()
            shown.append(film.info["duration"])
    return shown


def painted(folder):
    return [read_image(path) for path in sorted(Path(folder).iterdir())]


def test_each_frame_begins_with_the_painting_of_the_one_before(capsys):
    assert stylize_line(f"{LINE} --scales 3") == 0
    folder = "frames-as-painting"
    assert "done: frames-as-painting has 3 of 3 frames\n" in capsys.readouterr().out
    assert sorted(os.listdir(folder)) == [f"frame-0000{n}.png" for n in (1, 2, 3)]
    first, second, third = (read_metadata(f"{folder}/frame-0000{n}.png") for n in (1, 2, 3))
    assert (first["settings"]["start"], first["settings"]["scales"]) == ("content", 3)
    for record in (second, third):
        settings = record["settings"]
        assert (settings["start"], settings["scales"], settings["steps"]) == ("an array", 1, 2)
        assert record["command"].startswith("minidl stylize frames")
    painter = Painter("painting.jpg", Settings(size=32, steps=4))
    before, now, _ = Frames("frames")
    start = np.rint(next_start(painter.paint(before).image, before, now))
    again = painter.paint(now, settings=Settings(size=32, steps=2, scales=1, start=start))
    np.testing.assert_allclose(again.image, painted(folder)[1], atol=0.51)


@pytest.mark.thorough
def test_what_does_not_move_flickers_less_than_in_frames_painted_alone():
    base = ("--steps", 12)
    assert stylize(*base, "--sequence", "-o", "painted", pictures=("frames", "painting.jpg")) == 0
    _, second, third = painted("painted")
    assert stylize(*base, "-o", "alone", pictures=("frames", "painting.jpg")) == 0
    alone = [read_image(f"alone/{number}.png") for number in (10, 11)]
    assert abs(second - third)[12:].mean() < 0.7 * abs(alone[0] - alone[1])[12:].mean()


def test_the_statistics_of_the_style_are_computed_once(monkeypatch):
    calls, measures = [], Objective._measures

    def count(self, group):
        calls.append(group)
        return measures(self, group)

    monkeypatch.setattr(Objective, "_measures", count)
    assert stylize_line(f"{LINE} -q") == 0
    assert len(calls) == 1


@pytest.mark.parametrize("name", ["film.gif", "film.webp"])
def test_an_animation_keeps_its_format_and_its_times(name):
    assert stylize("--sequence", pictures=(name, "painting.jpg")) == 0
    output = f"film-as-painting{Path(name).suffix}"
    assert times(output) == TIMES
    for frame, original in zip(Frames(output), Frames(name), strict=True):
        assert frame.shape == original.shape == (20, 32, 3)


def test_frames_per_second():
    assert stylize("--sequence", "-o", "a.webp", pictures=("frames", "painting.jpg")) == 0
    assert times("a.webp") == [42, 41, 42]  # 24 frames per second
    options = ("--sequence", "--fps", "8", "-o", "b.webp")
    assert stylize(*options, pictures=("film.gif", "painting.jpg")) == 0
    assert times("b.webp") == [125, 125, 125]


@needs_ffmpeg
def test_a_video():
    assert stylize("--sequence", "-o", "a.mp4", pictures=("frames", "painting.jpg")) == 0
    assert os.path.getsize("a.mp4") > 500


def test_the_frames_of_an_animation_may_be_written_into_a_folder():
    assert stylize("--sequence", "-o", "a/b", pictures=("film.gif", "painting.jpg")) == 0
    assert len(os.listdir("a/b")) == 3


@pytest.mark.parametrize("output", ["a", "a.gif"])
def test_an_interruption_keeps_the_frames_until_then(monkeypatch, capsys, output):
    calls, paint = [], Painter.paint

    def stop(self, *arguments, **options):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return paint(self, *arguments, **options)

    monkeypatch.setattr(Painter, "paint", stop)
    assert stylize_line(f"{LINE} -o {output}") == 130
    assert f"stopped: {output} has 2 of 3 frames\n" in capsys.readouterr().out
    assert len(Frames(output)) == 2


def test_frames_of_several_sizes_are_refused_before_the_first_is_painted(capsys):
    write_image("frames/10.png", np.zeros((30, 30, 3)))
    assert stylize_line(f"{LINE} -o a -q") == 2
    message = "frames/10.png has 30x30 pixels, and 9.png has 32x20; wanted frames of one size"
    assert message in capsys.readouterr().err and not os.path.exists("a")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("photo.png painting.jpg", "photo.png is no folder of pictures and no animated .gif"),
        ("missing painting.jpg", "missing is no folder; name a folder of pictures, or an animated"),
        ("empty painting.jpg", "empty has no frames"),
        ("frames painting.jpg -o a.png", "a.png is neither a folder nor a film; give it no ending"),
        ("frames painting.jpg -o old", "old has frames of another sequence; name a new folder"),
        ("frames painting.jpg -o frames", "frames is meant both as"),
        ("film.gif painting.jpg -o film.gif", "film.gif is meant both as"),
        ("frames painting.jpg --log a.csv", "found --log with --sequence; leave it out"),
        ("frames painting.jpg --frames a", "found --frames with --sequence; leave it out"),
        ("frames painting.jpg --more frames", "found --more with --sequence; leave it out"),
        ("frames painting.jpg --resume a", "found --sequence with --resume; leave it out"),
    ],
)
def test_input_that_cannot_be_used(capsys, words, message):
    os.mkdir("empty")
    os.mkdir("old")
    Path("old/frame-00001.png").touch()
    pictures, _, options = words.partition(".jpg")
    error = refused(capsys, "--sequence", *options.split(), pictures=[*f"{pictures}.jpg".split()])
    assert message in error


@pytest.mark.parametrize("fps", ["0", "101", "x", "1/0", "nan"])
def test_rates_that_cannot_be_used(capsys, fps):
    with pytest.raises(SystemExit) as stop:
        stylize("--sequence", "--fps", fps, pictures=("film.gif", "painting.jpg"))
    assert (
        stop.value.code == 2 and "wanted a number above 0, at most 100" in capsys.readouterr().err
    )


def test_a_rate_without_a_sequence_is_reported(capsys):
    assert stylize_line("photo.png painting.jpg --size 32 --steps 2 --fps 5") == 0
    assert "--fps has no effect without --sequence" in capsys.readouterr().err


def test_the_name_of_the_folder_may_have_a_dot():
    shutil.copytree("frames", "clip.v2")
    assert stylize_line(f"clip.v2 {LINE.removeprefix('frames ')} -q") == 0
    assert len(os.listdir("clip.v2-as-painting")) == 3
