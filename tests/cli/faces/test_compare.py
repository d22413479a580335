"""`minidl faces compare`."""

import numpy as np
import pytest

from minidl.data import read_image, write_image
from minidl.faces.identification import THRESHOLD, between
from tests.cli.faces.commands import ANN, BOB, EVE, faces, printed, records, refused, table
from tests.faces.fake import FakeReader, embedding, write_portrait


def test_same_and_different_people(capsys):
    near = between(embedding(ANN, 0), embedding(ANN, 1))
    far = between(embedding(ANN, 0), embedding(BOB, 0))
    assert near < THRESHOLD < far
    [line], errors = printed(capsys, "compare", "ann0.png", "ann1.png")
    assert line == (
        f"the same person: distance {near:.3f}, {THRESHOLD - near:.3f} within the threshold of "
        f"{THRESHOLD:.3f}"
    )
    assert not errors
    [line], errors = printed(capsys, "compare", "ann0.png", "bob0.png", code=1)
    assert line == (
        f"different people: distance {far:.3f}, {far - THRESHOLD:.3f} beyond the threshold of "
        f"{THRESHOLD:.3f}"
    )
    assert not errors


def test_json_contains_the_comparison(capsys):
    [result] = records(capsys, "compare", "ann0.png", "two.png", "--threshold", "0.5")
    distance = between(embedding(ANN, 0), embedding(ANN, 5))  # Ann's face is the nearer of two
    far = between(embedding(ANN, 0), embedding(BOB, 5))
    faces_of = result.pop("faces")
    assert [[face["box"] for face in faces] for faces in faces_of] == [
        [[5, 6, 20, 20]],
        [[5, 6, 10, 10], [25, 6, 20, 20]],
    ]
    assert result == {
        "same": True,
        "distance": pytest.approx(distance),
        "threshold": 0.5,
        "margin": pytest.approx(0.5 - distance),
        "pictures": ["ann0.png", "two.png"],
        "faces_found": [1, 2],
        "scores": pytest.approx([0.9, 0.8]),
        "boxes": [[5, 6, 20, 20], [25, 6, 20, 20]],
        "pairs": [
            {"faces": [1, 2], "distance": pytest.approx(distance), "same": True},
            {"faces": [1, 1], "distance": pytest.approx(far), "same": False},
        ],
    }


def test_all_pairs_are_shown(capsys):
    write_portrait("group.png", (EVE, 0, 20), (ANN, 1, 20))
    distances = sorted(
        (between(embedding(*one), embedding(*other)), a, b)
        for a, one in enumerate([(BOB, 5), (ANN, 5)], start=1)
        for b, other in enumerate([(EVE, 0), (ANN, 1)], start=1)
    )
    lines, _ = printed(capsys, "compare", "two.png", "group.png")
    assert len(lines) == 8 and lines[3] == "all pairs, the nearest first:"
    distance, _, _ = distances[0]
    assert lines[4] == (
        f"  {distance:.3f}  the same person   two.png at 25,6 (20x20)  group.png at 25,6 (20x20)"
    )
    assert lines[5].startswith(f"  {distances[1][0]:.3f}  different people  two.png at ")
    rows = table(capsys, "compare", "two.png", "group.png", "--threshold", "0", code=1)
    assert [(float(row["distance"]), int(row["face_a"]), int(row["face_b"])) for row in rows] == [
        (pytest.approx(distance), a, b) for distance, a, b in distances
    ]
    assert rows[0]["a"] == "two.png" and rows[0]["b"] == "group.png" and rows[0]["same"] == "False"


def test_a_line_names_the_chosen_face(capsys):
    [line, *_], _ = printed(capsys, "compare", "two.png", "ann0.png")
    assert line == (
        "two.png shows 2 faces; the nearest pair is compared, here the face at 25,6 (20x20)"
    )


def test_of_two_groups_the_nearest_pair_is_compared(capsys):
    """The nearest pair is neither that of the largest faces nor that of the highest scores."""
    write_portrait("one.png", (EVE, 0, 40), (7, 0, 10), (ANN, 1, 10))
    write_portrait("other.png", (8, 0, 40), (ANN, 2, 10), (9, 0, 30))
    [result] = records(capsys, "compare", "one.png", "other.png")
    distance = between(embedding(ANN, 1), embedding(ANN, 2))
    assert result["same"] and result["distance"] == pytest.approx(distance)
    assert result["boxes"] == [[45, 6, 10, 10], [25, 6, 10, 10]]
    assert result["faces_found"] == [3, 3]


def test_a_box_of_low_score_is_not_compared(capsys):
    """A box of low score is not compared, although it is the largest and the nearest."""
    # the last one has the score 0.6
    write_portrait("group.png", (BOB, 0, 10), (EVE, 0, 10), (EVE, 1, 10), (ANN, 0, 40))
    lines, errors = printed(capsys, "compare", "ann1.png", "group.png", code=1)
    assert lines[0].startswith(
        "group.png shows 4 faces; the nearest pair without 1 of low score is compared, here the "
        "face at"
    )
    assert lines[1].startswith("different people") and not errors


def test_at_the_threshold_zero_only_the_same_picture_is_accepted():
    assert faces("compare", "ann0.png", "ann0.png", "--threshold", 0) == 0
    assert faces("compare", "ann0.png", "ann1.png", "--threshold", 0) == 1


def test_a_turned_picture_is_compared_unless_it_is_looked_at_once(capsys):
    write_image("turned.png", np.rot90(read_image("ann1.png")))
    lines, _ = printed(capsys, "compare", "ann0.png", "turned.png")
    assert lines[0].startswith("the same person")
    assert lines[1] == (
        "turned.png: the face at 6,39 (20x20) was found with the picture turned by 90°"
    )
    assert "no face" in refused(capsys, "compare", "ann0.png", "turned.png", "--once")
    [result] = records(capsys, "compare", "ann0.png", "turned.png", "--turn")
    assert [face["turned"] for [face] in result["faces"]] == [0, 90]


def test_pictures_that_cannot_be_compared(capsys):
    error = refused(capsys, "compare", "nobody.png", "nobody.png")
    assert "no face was found in nobody.png and in nobody.png; use a picture with" in error
    assert "words.png is no picture" in refused(capsys, "compare", "ann0.png", "words.png")
    error = refused(capsys, "compare", "missing.png", "ann0.png")
    assert "missing.png: there is no such picture" in error


def test_a_doubtful_face_is_used_with_a_warning(capsys, monkeypatch):
    """A box of low score is used if the picture has no other box."""
    for module in ("minidl.faces.portraits", "minidl.cli.faces.pictures"):
        monkeypatch.setattr(f"{module}.DOUBTFUL", 0.85)

    def last_face(self, *arguments, real=FakeReader.faces, **options):
        return real(self, *arguments, **options)[-1:]  # of two faces, that with the score 0.8

    monkeypatch.setattr(FakeReader, "faces", last_face)
    doubt = (
        "minidl: two.png: the box at 25,6 (20x20) may show no face, with a score of 0.80; "
        "look at it with `minidl faces find"
    )
    for words in ("compare ann1.png two.png", "enroll people.db Ann two.png ann0.png --largest"):
        [error] = printed(capsys, *words.split())[1]
        assert error.startswith(doubt)
