"""`minidl faces embed`."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from minidl.data import read_image, write_image
from tests.cli.faces.commands import ANN, BOB, faces, printed, refused
from tests.faces.fake import FakeReader, embedding


def embed(capsys, *arguments, code=0):
    lines, _ = printed(capsys, "embed", *arguments, code=code)
    return [json.loads(line) for line in lines]


def test_every_face_has_its_numbers(capsys):
    first, second, third = embed(capsys, "two.png", "ann1.png")
    assert (first["picture"], first["face"], first["box"]) == ("two.png", 1, [5, 6, 10, 10])
    assert (second["picture"], second["face"]) == ("two.png", 2)
    assert (third["picture"], third["face"], third["turned"]) == ("ann1.png", 1, 0)
    people = {(BOB, 5): first, (ANN, 5): second, (ANN, 1): third}
    for (person, look), found in people.items():
        np.testing.assert_array_equal(np.float32(found["embedding"]), embedding(person, look))


def test_a_table(capsys):
    lines, _ = printed(capsys, "embed", "two.png", "--format", "csv")
    first, second = csv.DictReader(lines)
    numbers = np.float32([second[f"e{number}"] for number in range(1, 129)])
    np.testing.assert_array_equal(numbers, embedding(ANN, 5))
    assert (first["face"], second["face"], second["x"]) == ("1", "2", "25.0")
    assert "e129" not in first


@pytest.mark.parametrize("options", [["-o", "faces.npy"], ["-o", "faces", "--format", "npy"]])
def test_a_structured_array(capsys, options):
    lines, _ = printed(capsys, "embed", "two.png", "nobody.png", "ann1.png", *options)
    assert lines == [f"the numbers of 3 faces are in {options[1]}"]
    found = np.load(options[1], allow_pickle=False)
    assert found["picture"].tolist() == ["two.png", "two.png", "ann1.png"]
    assert found["face"].tolist() == [1, 2, 1] and found["box"][1].tolist() == [25, 6, 20, 20]
    np.testing.assert_array_equal(found["embedding"][2], embedding(ANN, 1))


def test_the_ending_of_the_file_says_the_form(capsys):
    for name in ("faces.csv", "faces.txt", "faces.CSV"):
        assert faces("embed", "two.png", "-o", name) == 0
    assert Path("faces.csv").read_text() == Path("faces.CSV").read_text()
    assert Path("faces.csv").read_text().startswith("picture,face,score,")
    assert len([json.loads(line) for line in Path("faces.txt").read_text().splitlines()]) == 2
    assert faces("embed", "two.png", "-o", "faces.csv", "--format", "json") == 0
    assert Path("faces.csv").read_text() == Path("faces.txt").read_text()


def test_pictures_without_a_face_are_named(capsys):
    lines, errors = printed(capsys, "embed", "nobody.png", "words.png", code=2)
    assert not lines and errors[0] == "minidl: nobody.png: no face was found"
    assert "words.png is no picture" in errors[1]
    assert faces("embed", "nobody.png", "-o", "none.npy") == 0
    assert np.load("none.npy")["embedding"].shape == (0, 128)


def test_turned_pictures_are_embedded_unless_they_are_looked_at_once(capsys):
    write_image("turned.png", np.rot90(read_image("ann1.png")))
    [found] = embed(capsys, "turned.png")
    assert found["turned"] == 90
    assert embed(capsys, "turned.png", "--once") == []
    [found] = embed(capsys, "turned.png", "--turn")
    assert found["turned"] == 90


def test_files_that_are_not_overwritten(capsys):
    before = Path("ann0.png").read_bytes()
    assert "would overwrite it" in refused(capsys, "embed", "ann0.png", "-o", "ann0.png")
    assert Path("ann0.png").read_bytes() == before
    error = refused(capsys, "embed", "ann0.png", "--format", "npy")
    assert "the form npy is binary; name a file for it with -o FILE.npy" in error
    assert "there is no folder" in refused(capsys, "embed", "ann0.png", "-o", "no/where.json")


def test_ctrl_c_keeps_the_faces_found_so_far(capsys, monkeypatch):
    real = FakeReader.faces

    def stop_at_bob(self, picture, embed=True):
        if picture[0, 1, 0] == BOB:
            raise KeyboardInterrupt
        return real(self, picture, embed)

    monkeypatch.setattr(FakeReader, "faces", stop_at_bob)
    pictures = ["ann0.png", "ann1.png", "bob0.png", "ann2.png"]
    lines, errors = printed(capsys, "embed", *pictures, "-o", "faces.npy", code=130)
    assert lines == ["the numbers of 2 faces are in faces.npy"] and "minidl: stopped" in errors
    assert np.load("faces.npy")["picture"].tolist() == ["ann0.png", "ann1.png"]
    lines, _ = printed(capsys, "embed", *pictures, code=130)
    assert len(lines) == 2
