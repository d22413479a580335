"""The confusion matrix of a classifier: which classes it takes for which others."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minidl.errors import ShapeError
from minidl.plots import new_figure, save_figure
from minidl.typing import Array, Path

MOST_LINES = 10  # classes in the table
MOST_NUMBERS = 20  # classes up to which the picture contains the counts
MOST_NAMES = 60  # classes up to which the picture contains their names
LONGEST = 24  # characters of a name


class Confusion(NamedTuple):
    """The confusion matrix of a classifier, measured on labelled examples.

    classes: the K names. counts (K, K): counts[i, j] examples of class i were taken for class j.
    """

    classes: tuple[str, ...]
    counts: np.ndarray

    @property
    def examples(self) -> np.ndarray:
        """The number of examples of each class (K,)."""
        return self.counts.sum(axis=1)

    @property
    def accuracies(self) -> list[float | None]:
        """The share of the examples of each class that are taken for it; None without examples."""
        correct = np.diagonal(self.counts).tolist()
        totals = self.examples.tolist()
        return [n / total if total else None for n, total in zip(correct, totals, strict=True)]

    def as_json(self) -> dict[str, Any]:
        """Return the matrix and the accuracies as JSON can hold them."""
        return {
            "classes": list(self.classes),
            "examples": self.examples.tolist(),
            "accuracies": self.accuracies,
            "confusion": self.counts.tolist(),
        }

    def lines(self) -> list[str]:
        """Return a table of the classes as lines of text, those with the lowest accuracy first, at
        most MOST_LINES of them."""
        accuracies = self.accuracies
        known = [number for number, accuracy in enumerate(accuracies) if accuracy is not None]
        known.sort(key=lambda number: (accuracies[number], number))
        lines = [f"{'class':{LONGEST}} examples  accuracy  most often taken for"]
        for number in known[:MOST_LINES]:
            name, taken = self.classes[number][:LONGEST], self._taken_for(number)
            count, accuracy = self.examples[number], accuracies[number]
            lines.append(f"{name:{LONGEST}} {count:8,}  {accuracy:8.1%}  {taken}".rstrip())
        if len(known) > MOST_LINES:
            lines.append(f"and {len(known) - MOST_LINES} classes with a higher accuracy")
        if missing := len(accuracies) - len(known):
            lines.append(f"and {missing} without an example in the test set")
        return lines

    def _taken_for(self, number):
        others = self.counts[number].copy()
        others[number] = 0
        most = int(others.argmax())
        return f"{self.classes[most][:LONGEST]} ({others[most]:,})" if others[most] else ""


def confusion_of(labels: Array, scores: Array, classes: Sequence[str]) -> Confusion:
    """Return the Confusion of scores (N, K) for examples with the labels (N,). An example is taken
    for the class with the highest score, the first of equal ones.

    classes: the K names. Raises ShapeError if the shapes do not fit.

    >>> confusion_of(np.array([0, 0, 1]), np.eye(2)[[0, 1, 1]], ["cat", "dog"]).counts
    array([[1, 1],
           [0, 1]])
    """
    count = len(classes)
    if labels.ndim != 1 or scores.shape != (len(labels), count):
        raise ShapeError(
            f"a confusion matrix of labels {labels.shape} and scores {scores.shape} for {count} "
            "classes; wanted (N,) and (N, K)"
        )
    pairs = count * labels.astype(int) + scores.argmax(axis=1)
    return Confusion(tuple(classes), np.bincount(pairs, minlength=count**2).reshape(count, count))


def draw_confusion(confusion: Confusion, path: Path) -> None:
    """Write a picture of the matrix: a row for each class, whose colours are shares of the row.

    Raises ExtraError without matplotlib, and FileError if the file cannot be written.
    """
    counts, classes = confusion.counts, [name[:LONGEST] for name in confusion.classes]
    shares = counts / np.maximum(1, confusion.examples[:, None])
    side = 3.5 + 0.35 * min(len(classes), MOST_NAMES)
    figure = new_figure(side + 1, side)
    panel = figure.subplots()
    image = panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    panel.set(xlabel="taken for", ylabel="class")
    if len(classes) <= MOST_NAMES:
        names = [_plain(name) for name in classes]
        panel.set_xticks(range(len(classes)), names, rotation=90)
        panel.set_yticks(range(len(classes)), names)
    if len(classes) <= MOST_NUMBERS:
        for row, column in zip(*np.nonzero(counts), strict=True):
            colour = "white" if shares[row, column] > 0.5 else "black"
            text = {"ha": "center", "va": "center", "color": colour, "fontsize": 9}
            panel.text(column, row, f"{counts[row, column]:,}", **text)
    figure.colorbar(image, label="share of the class", shrink=0.8)
    save_figure(figure, path)


def _plain(name):
    """A name without the sign that begins and ends formulas in matplotlib"""
    return name.replace("$", r"\$")
