"""Videos and animated pictures in `minidl faces identify` and `minidl faces find`."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minidl.cli.faces import sequences
from minidl.data import read_image, shipped_picture, write_image
from minidl.data.animation import Frame
from minidl.errors import FileError
from minidl.faces.identification import between
from tests.cli.faces.commands import ANN, BOB, EVE, faces, printed, records, refused, table
from tests.data.test_video import write_video
from tests.faces.fake import FakeReader, embedding

# The portraits of the frames, which are shown half a second each
SHOWN = ("ann1", "two", "nobody", "bob2", "eve0", "ann2")


@pytest.fixture
def film(enrolled):
    """Create the animated picture film.png."""
    first, *others = (Image.open(f"{name}.png") for name in SHOWN)
    first.save("film.png", save_all=True, append_images=others, duration=500)


def nearest(person, *looks):
    """Return the smallest distance of pictures of a person to the enrolled ones."""
    known = {ANN: (0,), BOB: (0, 1)}[person]
    return min(
        between(embedding(person, look), embedding(person, other))
        for look in looks
        for other in known
    )


def test_the_times_at_which_people_appear(capsys, film):
    lines, errors = printed(capsys, "identify", "people.db", "film.png", "ann1.png")
    stranger = min(
        between(embedding(EVE, 0), embedding(*other)) for other in ((ANN, 0), (BOB, 0), (BOB, 1))
    )
    assert lines[:3] == [
        "film.png: Ann from 0:00.0 to 0:00.5, at 0:02.5, in 3 of 6 frames, "
        f"nearest distance {nearest(ANN, 1, 5, 2):.3f}",
        "film.png: Bob at 0:00.5, at 0:01.5, in 2 of 6 frames, "
        f"nearest distance {nearest(BOB, 5, 2):.3f}",
        f"film.png: unknown at 0:02.0, in 1 of 6 frames, nearest distance {stranger:.3f}",
    ]
    assert lines[3].startswith("ann1.png: Ann") and not errors


def test_the_faces_of_each_frame_in_json_and_csv(capsys, film):
    *frames, summary = records(capsys, "identify", "people.db", "film.png")
    assert [frame["frame"] for frame in frames] == list(range(6))
    assert [frame["time"] for frame in frames] == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
    assert [[face["name"] for face in frame["faces"]] for frame in frames] == [
        ["Ann"],
        ["Bob", "Ann"],
        [],
        ["Bob"],
        [None],
        ["Ann"],
    ]
    assert summary["frames"] == 6 and [who["name"] for who in summary["people"]] == [
        "Ann",
        "Bob",
        None,
    ]
    assert summary["people"][0]["times"] == [[0, 0.5], [2.5, 2.5]]
    rows = table(capsys, "identify", "people.db", "film.png", "ann1.png")
    assert [(row["frame"], row["time"], row["name"]) for row in rows][:3] == [
        ("0", "0.0", "Ann"),
        ("1", "0.5", "Bob"),
        ("1", "0.5", "Ann"),
    ]
    assert len(rows) == 7 and (rows[-1]["frame"], rows[-1]["time"]) == ("", "")


def test_each_nth_frame_is_looked_at(capsys, film):
    *frames, summary = records(capsys, "identify", "people.db", "film.png", "--every", "3")
    assert [frame["frame"] for frame in frames] == [0, 3] and summary["frames"] == 2
    *frames, _ = records(capsys, "find", "film.png", "--every", "4")
    assert [frame["frame"] for frame in frames] == [0, 4]
    for number in ("0", "-1", "x", "1.5"):
        with pytest.raises(SystemExit):
            faces("find", "film.png", "--every", number)


def test_exit_codes(capsys, film):
    assert faces("identify", "people.db", "film.png") == 0
    first, second = (Image.open(f"{name}.png") for name in ("eve0", "nobody"))
    first.save("strangers.png", save_all=True, append_images=[second], duration=100)
    assert faces("identify", "people.db", "strangers.png") == 1
    second.save("empty.png", save_all=True, append_images=[second.rotate(180)], duration=100)
    lines, _ = printed(capsys, "identify", "people.db", "empty.png", code=1)
    assert lines == ["empty.png: no face was found in 2 frames"]


def test_boxes_in_frames(capsys, film):
    lines, _ = printed(capsys, "find", "film.png")
    assert lines == [
        "film.png at 0:00.0: a face at 5,6 (20x20), score 0.90",
        "film.png at 0:00.5: a face at 5,6 (10x10), score 0.90",
        "film.png at 0:00.5: a face at 25,6 (20x20), score 0.80",
        "film.png at 0:01.5: a face at 5,6 (20x20), score 0.90",
        "film.png at 0:02.0: a face at 5,6 (20x20), score 0.90",
        "film.png at 0:02.5: a face at 5,6 (20x20), score 0.90",
        "film.png: a face was found in 5 of 6 frames",
    ]
    *frames, summary = records(capsys, "find", "film.png")
    assert np.shape(frames[1]["faces"][1]["landmarks"]) == (68, 2)
    assert (summary["frames"], summary["with_face"]) == (6, 5)
    rows = table(capsys, "find", "film.png")
    assert [row["frame"] for row in rows] == ["0", "1", "1", "3", "4", "5"]


def test_frames_with_faces_are_drawn(capsys, film):
    lines, _ = printed(capsys, "find", "film.png", "--output", "drawn")
    assert sorted(path.name for path in Path("drawn").iterdir()) == [
        f"film-faces-frame-{number}.png" for number in (0, 1, 3, 4, 5)
    ]
    assert "drawn in drawn/film-faces-frame-0.png" in lines
    drawn = read_image("drawn/film-faces-frame-0.png")
    assert not np.array_equal(drawn, read_image("ann1.png"))
    printed(capsys, "find", "film.png", "--output", "drawn")  # earlier copies are replaced
    write_image("drawn/film-faces-frame-3.png", drawn)
    _, [error] = printed(capsys, "find", "film.png", "--output", "drawn", code=2)
    assert "film-faces-frame-3.png exists already and was not drawn by minidl" in error
    *frames, _ = records(capsys, "find", "film.png", "--output", "other")
    assert frames[0]["drawn"] == "other/film-faces-frame-0.png" and "drawn" not in frames[2]


def test_ctrl_c_prints_what_was_seen(capsys, film, monkeypatch):
    seen, real = [], FakeReader.faces

    def stop_at_the_third(self, picture, embed=True):
        seen.append(picture)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", stop_at_the_third)
    lines, errors = printed(capsys, "identify", "people.db", "film.png", code=130)
    assert [line.split(", nearest")[0] for line in lines] == [
        "film.png: Ann from 0:00.0 to 0:00.5, in 2 of 2 frames",
        "film.png: Bob at 0:00.5, in 1 of 2 frames",
    ]
    assert errors == ["minidl: stopped"]


class FakeVideo:
    """A video of ten seconds with 30 frames a second. Ann is seen in the first half of it, in a
    large frame that is reduced; after nine seconds it is damaged."""

    size, seconds, rate = (128, 96), 10.0, 30.0

    def __init__(self, path):
        assert str(path) == "party.mp4"

    def frames(self, every, longest):
        for number in range(0, 300, every or 30):
            if number >= 270:
                raise FileError("party.mp4 is damaged; fetch it again")
            portrait = read_image("ann1.png" if number < 150 else "nobody.png")
            yield Frame(number, number / 30, portrait, 2.0)


@pytest.fixture
def video(enrolled, monkeypatch):
    monkeypatch.setattr(sequences, "Video", FakeVideo)


def test_a_damaged_video(capsys, video):
    lines, [error] = printed(capsys, "identify", "people.db", "party.mp4", "ann2.png", code=2)
    assert lines[0] == (
        "party.mp4: Ann from 0:00.0 to 0:04.0, in 5 of 9 frames, "
        f"nearest distance {nearest(ANN, 1):.3f}"
    )
    assert lines[1].startswith("ann2.png: Ann") and "party.mp4 is damaged" in error
    *frames, _ = records(capsys, "find", "party.mp4", "--every", "100")
    assert [frame["frame"] for frame in frames] == [0, 100, 200]
    assert frames[0]["faces"][0]["box"] == [10, 12, 40, 40]  # in pixels of the video


def test_faces_are_drawn_into_reduced_frames(capsys, video):
    printed(capsys, "find", "party.mp4", "--output", "drawn", "--every", "200")
    drawn = read_image("drawn/party-faces-frame-0.png")
    assert drawn.shape == (48, 64, 3) and tuple(drawn[6, 10]) == (255, 200, 0)


def test_the_progress_of_frames_is_said(capsys, video, monkeypatch):
    clock = iter(range(0, 10**6, 20))
    monkeypatch.setattr("minidl.cli.faces.watching.time.monotonic", lambda: next(clock))
    _, errors = printed(capsys, "find", "party.mp4", code=2)
    assert errors[0] == "minidl: 1 of 10 frames, 0.025 a second, about 6 min left"


def test_a_video_without_a_decoder_does_not_stop_the_others(capsys, enrolled, monkeypatch):
    real = __import__("importlib").import_module

    def without_av(name, *more):
        if name == "av":
            raise ImportError(name)
        return real(name, *more)

    monkeypatch.setattr("minidl.extras.importlib.import_module", without_av)
    Path("party.mp4").write_bytes(b"video")
    lines, [error] = printed(capsys, "identify", "people.db", "party.mp4", "ann1.png", code=2)
    assert error == (
        "minidl: reading a video needs av, which is not installed; pip install 'minidl[video]'"
    )
    assert len(lines) == 1


def test_other_commands_take_the_first_frame(capsys, film):
    assert faces("compare", "film.png", "ann2.png") == 0
    Path("party.mp4").write_bytes(b"video")
    assert "party.mp4 is no picture" in refused(capsys, "compare", "party.mp4", "ann2.png")


def test_a_real_video(capsys, real_reader):
    """An astronaut comes into the picture after a second, turned by a quarter."""
    astronaut = read_image(shipped_picture("astronaut"))[20:260, 110:350].astype(np.uint8)
    blank = np.full_like(astronaut, 90)
    write_video("space.mp4", [*[blank] * 10, *[np.rot90(astronaut)] * 12])
    write_image("portrait.png", astronaut)
    assert faces("enroll", "space.db", "Eileen", "portrait.png") == 0
    lines, _ = printed(capsys, "identify", "space.db", "space.mp4")
    assert len(lines) == 1
    assert lines[0].startswith("space.mp4: Eileen from 0:01.0 to 0:02.0, in 2 of 3 frames, near")
