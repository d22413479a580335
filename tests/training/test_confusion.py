"""The confusion matrix: counts, accuracies, the table of the worst classes, and the picture."""

import json

import numpy as np
import pytest

from minidl.errors import ShapeError
from minidl.training import confusion
from minidl.training.confusion import Confusion, confusion_of, draw_confusion

# classes as rows: 8 cats, 4 dogs, no mouse and 2 birds
COUNTS = np.array([[6, 2, 0, 0], [3, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 2]])
ANIMALS = ("cat", "dog", "mouse", "bird")
FOUND = Confusion(ANIMALS, COUNTS)


def test_the_counts_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 4, 200), rng.standard_normal((200, 4))
    wanted = np.zeros((4, 4), int)
    for label, row in zip(labels, scores, strict=True):
        wanted[label, row.argmax()] += 1
    np.testing.assert_array_equal(confusion_of(labels, scores, ANIMALS).counts, wanted)


def test_labels_of_few_bits_do_not_overflow():
    labels, scores = np.full(3, 200, np.uint8), np.eye(256)[[5, 200, 200]]
    counts = confusion_of(labels, scores, [str(n) for n in range(256)]).counts
    assert counts[200, 5] == 1 and counts[200, 200] == 2 and counts.sum() == 3


def test_accuracies_are_those_of_each_class():
    assert FOUND.accuracies == [0.75, 0.25, None, 1.0]
    assert FOUND.examples.tolist() == [8, 4, 0, 2]
    stored = json.loads(json.dumps(FOUND.as_json(), allow_nan=False))
    assert stored == {
        "classes": ["cat", "dog", "mouse", "bird"],
        "examples": [8, 4, 0, 2],
        "accuracies": [0.75, 0.25, None, 1.0],
        "confusion": COUNTS.tolist(),
    }


def test_the_table_begins_with_the_worst_class():
    lines = [" ".join(line.split()) for line in FOUND.lines()]
    assert lines == [
        "class examples accuracy most often taken for",
        "dog 4 25.0% cat (3)",
        "cat 8 75.0% dog (2)",
        "bird 2 100.0%",
        "and 1 without an example in the test set",
    ]


def test_the_table_of_many_classes_has_the_worst_ones():
    counts = np.diag(np.arange(30)) + np.eye(30, k=1, dtype=int)
    lines = Confusion(tuple(map(str, range(30))), counts).lines()
    assert [line.split()[0] for line in lines[1:-1]] == [
        str(n) for n in range(confusion.MOST_LINES)
    ]
    assert lines[-1] == "and 20 classes with a higher accuracy"


@pytest.mark.parametrize(
    ("labels", "scores"), [((3,), (3, 2)), ((2,), (3, 4)), ((3, 1), (3, 4)), ((3,), (3,))]
)
def test_shapes_that_do_not_fit_are_refused(labels, scores):
    with pytest.raises(ShapeError, match=r"wanted \(N,\) and \(N, K\)"):
        confusion_of(np.zeros(labels, int), np.zeros(scores), ANIMALS)


def test_the_picture_has_the_names_and_the_counts(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    figures, save = [], confusion.save_figure
    monkeypatch.setattr(
        confusion, "save_figure", lambda f, path: (figures.append(f), save(f, path))
    )
    draw_confusion(Confusion(("cat", "$dog$", "m" * 99, "bird"), COUNTS), tmp_path / "a.png")
    panel = figures[0].axes[0]
    assert {text.get_text() for text in panel.texts} == {"6", "2", "3", "1"}
    names = [label.get_text() for label in panel.get_yticklabels()]
    assert names == ["cat", r"\$dog\$", "m" * confusion.LONGEST, "bird"]
    shares = panel.images[0].get_array()
    np.testing.assert_allclose(shares[:2, :2], [[0.75, 0.25], [0.75, 0.25]])
    assert np.array_equal(shares[2], np.zeros(4))
    assert (tmp_path / "a.png").stat().st_size > 5000


@pytest.mark.parametrize("count", [1, 30, 100])
def test_pictures_of_few_and_many_classes(count, tmp_path):
    pytest.importorskip("matplotlib")
    found = Confusion(tuple(map(str, range(count))), np.eye(count, dtype=int))
    draw_confusion(found, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 5000
