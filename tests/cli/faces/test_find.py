"""`minidl faces find`."""

import os
from pathlib import Path

import numpy as np

from minidl.cli.faces import copies as drawing
from minidl.data import read_image, write_image
from minidl.faces.drawing import BOX
from tests.cli.faces.commands import ANN, BOB, EVE, faces, printed, records, refused, table
from tests.faces.fake import FakeReader, write_portrait


def test_boxes_of_faces(capsys):
    lines, errors = printed(capsys, "find", "two.png", "nobody.png", "words.png", code=2)
    assert lines == [
        "two.png: a face at 5,6 (10x10), score 0.90",
        "two.png: a face at 25,6 (20x20), score 0.80",
        "nobody.png: no face was found",
    ]
    assert len(errors) == 1
    [two, nobody] = records(capsys, "find", "two.png", "nobody.png")
    assert two["picture"] == "two.png" and nobody["faces"] == [] and "drawn" not in two
    assert two["faces"][1]["box"] == [25, 6, 20, 20]
    assert np.shape(two["faces"][1]["landmarks"]) == (68, 2)
    rows = table(capsys, "find", "two.png", "nobody.png")
    assert [(row["picture"], row["face"], row["x"]) for row in rows] == [
        ("two.png", "1", "5.0"),
        ("two.png", "2", "25.0"),
        ("nobody.png", "0", ""),
    ]


def test_every_turn_is_looked_at_on_request(capsys):
    """The face of a sideways person is found beside an upright one."""
    both = read_image("ann0.png")
    both[-1, 0], both[-2, 0] = 1, (BOB, 0, 20)  # after a turn, these pixels are the first ones
    write_image("both.png", both)
    [upright] = records(capsys, "find", "both.png")
    assert [face["turned"] for face in upright["faces"]] == [0]
    [every] = records(capsys, "find", "both.png", "--turn")
    assert [face["turned"] for face in every["faces"]] == [0, 90]
    lines, _ = printed(capsys, "find", "both.png", "--turn")
    assert lines[1].endswith("score 0.90, the picture turned by 90°")


def test_faces_are_drawn_into_copies(capsys):
    os.mkdir("other")
    write_portrait("other/two.png", (EVE, 0, 30))
    os.rename("ann0.png", "ann0.bmp")  # the copy has a format that minidl writes
    before = {path: path.read_bytes() for path in Path().rglob("*.*")}
    pictures = ["two.png", "other/two.png", "nobody.png", "ann0.bmp", "two.png"]
    lines, _ = printed(capsys, "find", *pictures, "--output", "deep/drawn")
    assert sorted(os.listdir("deep/drawn")) == [
        "ann0-faces.png",
        "nobody-faces.png",
        "two-faces-2.png",
        "two-faces.png",
    ]
    assert tuple(read_image("deep/drawn/two-faces.png")[6, 10]) == BOX
    copy = read_image("deep/drawn/nobody-faces.png")
    np.testing.assert_array_equal(copy, read_image("nobody.png"))
    assert lines[2] == "drawn in deep/drawn/two-faces.png"
    assert before == {path: path.read_bytes() for path in before}
    [two] = records(capsys, "find", "two.png", "--output", "deep/drawn")
    assert two["drawn"] == "deep/drawn/two-faces.png" and len(os.listdir("deep/drawn")) == 4


def test_a_copy_never_overwrites_an_input(capsys):
    write_portrait("ann0-faces.png", (ANN, 0, 20))
    before = Path("ann0-faces.png").read_bytes()
    error = refused(capsys, "find", "ann0.png", "ann0-faces.png", "--output", ".")
    assert "which would overwrite it" in error
    assert before == Path("ann0-faces.png").read_bytes()
    error = refused(capsys, "find", "ann0.png", "--output", "words.png")
    assert "cannot make the folder words.png" in error


def test_a_copy_overwrites_only_earlier_copies(capsys):
    write_portrait("ann0-faces.png", (EVE, 0, 20))
    # a picture that minidl wrote, but not such a copy
    write_image("bob0-faces.png", np.zeros((9, 9, 3)), {"preset": "fast"})
    for name in ("ann0", "bob0"):
        before = Path(f"{name}-faces.png").read_bytes()
        error = refused(capsys, "find", f"{name}.png", "--output", ".")
        assert f"{name}-faces.png exists already and was not drawn by minidl" in error
        assert before == Path(f"{name}-faces.png").read_bytes()
    for _ in range(2):
        assert faces("find", "ann1.png", "--output", ".") == 0


def test_long_names_are_shortened(capsys):
    name = f"{'a' * 240}.png"
    os.rename("ann0.png", name)
    lines, errors = printed(capsys, "find", name, "--output", "drawn")
    assert lines[-1] == f"drawn in drawn/{'a' * 150}-faces.png" and not errors


def test_a_copy_that_cannot_be_drawn_does_not_stop_the_others(capsys, monkeypatch):
    drawn, real = [], drawing.draw_faces

    def fail_at_the_second(picture, faces):
        drawn.append(picture)
        if len(drawn) == 2:
            raise MemoryError
        return real(picture, faces)

    monkeypatch.setattr(drawing, "draw_faces", fail_at_the_second)
    pictures = ["ann1.png", "two.png", "bob0.png"]
    results = records(capsys, "find", *pictures, "--output", "drawn", code=2)
    assert [len(result["faces"]) for result in results] == [1, 2, 1]
    copies = [result.get("drawn") for result in results]
    assert copies == ["drawn/ann1-faces.png", None, "drawn/bob0-faces.png"]


def test_too_little_memory_for_a_picture_does_not_stop_the_others(capsys, monkeypatch):
    real = FakeReader.faces

    def fail_with_two_faces(self, picture, embed=True):
        if len(picture) and picture[0, 0, 0] == 2:
            raise MemoryError
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", fail_with_two_faces)
    lines, [error] = printed(capsys, "find", "two.png", "ann0.png", code=2)
    assert len(lines) == 1 and "two.png: there is not enough memory for this picture" in error
