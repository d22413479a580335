"""Videos, frame by frame."""

import struct

import numpy as np
import pytest

from minidl import extras
from minidl.data import video
from minidl.data.video import Video, is_video
from minidl.errors import FileError
from minidl.extras import ExtraError

FRAMES, RATE, HEIGHT, WIDTH = 25, 10, 48, 64


def write_video(path, pictures, rate=RATE, codec="mpeg4"):
    """Write pictures (H, W, 3) uint8 as a video."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        for picture in pictures:
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def greys():
    """Return frames whose level is ten times their number, brighter at the left."""
    for number in range(FRAMES):
        picture = np.full((HEIGHT, WIDTH, 3), 10 * number, np.uint8)
        picture[:, : WIDTH // 2] //= 2
        yield picture


@pytest.fixture
def film(tmp_path):
    return write_video(tmp_path / "film.mp4", list(greys()))


def levels(frames):
    return [frame.pixels[:, WIDTH // 2 + 8 :].mean() for frame in frames]


def test_all_frames_and_their_times(film):
    opened = Video(film)
    assert (opened.size, opened.seconds, opened.rate) == ((WIDTH, HEIGHT), 2.5, RATE)
    for _ in range(2):
        frames = list(opened.frames(every=1))
        assert [frame.number for frame in frames] == list(range(FRAMES))
        assert [frame.seconds for frame in frames] == pytest.approx(np.arange(FRAMES) / RATE)
        assert levels(frames) == pytest.approx(np.arange(FRAMES) * 10, abs=3)
    assert {(frame.pixels.shape, frame.pixels.dtype) for frame in frames} == {
        ((HEIGHT, WIDTH, 3), np.dtype("float32"))
    }


def test_a_frame_a_second_and_each_nth_frame(film):
    assert [frame.number for frame in Video(film).frames()] == [0, 10, 20]
    assert [frame.number for frame in Video(film).frames(every=7)] == [0, 7, 14, 21]


def test_large_frames_are_reduced(film):
    frame = next(Video(film).frames(longest=32))
    assert frame.pixels.shape == (24, 32, 3) and frame.scale == 2


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_the_rotation_that_phones_store_is_applied(film, quarters):
    """The matrix in the header of the track turns the frames clockwise."""
    cos, sin = [(0, 1), (-1, 0), (0, -1)][quarters - 1]
    matrices = [
        struct.pack(">9i", a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30)
        for a, b, c, d in ((1, 0, 0, 1), (cos, sin, -sin, cos))
    ]
    contents = film.read_bytes()
    place = contents.index(matrices[0], contents.index(b"tkhd"))
    film.write_bytes(contents[:place] + matrices[1] + contents[place + 36 :])
    opened = Video(film)
    assert opened.size == ((HEIGHT, WIDTH) if quarters % 2 else (WIDTH, HEIGHT))
    frame = list(opened.frames(every=1))[-1]
    upright = np.rot90(frame.pixels, quarters)  # anticlockwise
    assert upright.shape == (HEIGHT, WIDTH, 3)
    assert upright[:, :20].mean() == pytest.approx(120, abs=4)
    assert upright[:, -20:].mean() == pytest.approx(240, abs=4)


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.webm"])
def test_other_containers(tmp_path, name):
    codec = "libvpx" if name == "a.webm" else "mpeg4"
    path = write_video(tmp_path / name, list(greys()), codec=codec)
    assert [frame.number for frame in Video(path).frames(every=10)] == [0, 10, 20]


def test_files_that_are_no_videos(tmp_path, film, monkeypatch):
    files = {
        "words.mp4": b"words" * 100,
        "empty.mp4": b"",
        "list.mp4": b"ffconcat version 1.0\nfile film.mp4\n",
        "playlist.mp4": b"#EXTM3U\n#EXTINF:1,\nfilm.mp4\n#EXT-X-ENDLIST\n",
        "half.mp4": film.read_bytes()[: film.stat().st_size // 2],
    }
    for name, contents in files.items():
        (tmp_path / name).write_bytes(contents)
        with pytest.raises(FileError, match=f"{name} (cannot be read as a video|has no pictures)"):
            Video(tmp_path / name)
    with pytest.raises(FileError, match="there is no such video"):
        Video(tmp_path / "missing.mp4")
    monkeypatch.setattr(video, "MOST", 100)
    with pytest.raises(FileError, match="has frames of 3,072 pixels; wanted at most 100"):
        Video(film)


def test_the_frames_before_a_damage_are_read(tmp_path):
    path = write_video(tmp_path / "a.mpg", list(greys()), rate=25, codec="mpeg2video")
    contents = path.read_bytes()
    path.write_bytes(contents[: len(contents) * 2 // 3])
    opened, count = Video(path), 0
    try:
        for _ in opened.frames(every=1):
            count += 1
    except FileError:
        pass
    assert 5 < count <= FRAMES


def test_without_the_decoder_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    (tmp_path / "a.mp4").touch()
    words = r"reading a video needs av, which is not installed; pip install 'minidl\[video\]'"
    with pytest.raises(ExtraError, match=words):
        Video(tmp_path / "a.mp4")


def test_the_ending_says_what_is_a_video():
    assert is_video("a/party.MP4") and is_video("x.mov")
    assert not is_video("a.gif") and not is_video("mp4")
