"""Measure the error rates of face recognition on a folder of people.

Three tasks are measured: comparing pairs, recognising people of whom one picture is enrolled, and
rejecting strangers. For comparison, the same is computed from pixels instead of embeddings.
"""

from typing import NamedTuple

import numpy as np

from minidl.data.folders import class_files
from minidl.errors import ArgumentError
from minidl.evaluation import error_rates, one_shot, open_set, pair_distances, square_of_pairs
from minidl.faces.calibration import MOST
from minidl.faces.folds import FoldsEvaluation
from minidl.faces.portraits import Album
from minidl.plots import new_figure, save_figure
from minidl.typing import Array, Path

POINTS, BINS = 5000, 80  # the most points of the curve; bars of a histogram


class Evaluation(NamedTuple):
    """Error rates on the pictures of an Album, as fractions.

    Pictures in which no face was found are left out of the rates of pairs and of strangers. In the
    other rates they count as not recognised.
    """

    people: int
    pictures: int
    faces_found: int
    same_pairs: int
    different_pairs: int
    equal_error_rate: float
    equal_threshold: float  # the threshold at which both error rates of pairs are equal
    threshold: float  # the threshold of all rates below except one_shot
    false_accept: float  # of pairs of different people
    false_reject: float  # of pairs of the same person
    one_shot: float  # one picture of each person enrolled: the nearest one is the right one
    # One half of the people are enrolled with one picture each, and the other half are strangers;
    # then with the halves exchanged.
    known_named: float
    known_misnamed: float
    known_rejected: float
    strangers_accepted: float
    pixel_equal_error_rate: float
    pixel_one_shot: float


def evaluate(album: Album, threshold: float) -> tuple[Evaluation, tuple[Array, Array]]:
    """Return the Evaluation of an album at a threshold, and the P pairs for `plot_evaluation`.

    The pairs are (distances (P,), same (P,)), where `same` is True for the pairs of one person.
    Raise ArgumentError unless there are two people, one of them with two faces, and at most MOST
    pictures.
    """
    labels, found = album.labels, album.found
    _must_be_few(album.folder, len(labels))
    people, faces = len(np.unique(labels)), int(found.sum())
    with_face = len(np.unique(labels[found]))
    if with_face < 2 or with_face == faces:
        raise ArgumentError(
            f"{album.folder} has people: {with_face}, faces: {faces}; wanted at least two people, "
            "one of them with two pictures: add pictures"
        )
    distances, same = pair_distances(album.embeddings[found], labels[found])
    rates = error_rates(distances, same)
    false_accept, false_reject = rates.at(threshold)
    # The distance of a picture without a face to all others is infinite.
    matrix = np.full((len(labels), len(labels)), np.inf)
    matrix[np.ix_(found, found)] = square_of_pairs(distances, faces)
    lower = labels < np.median(np.unique(labels))
    halves = [open_set(matrix, labels, half, ~half & found, threshold) for half in (lower, ~lower)]
    named, rejected, accepted = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    pixel_distances, pixel_same = pair_distances(album.pixels, labels)
    pixel_matrix = square_of_pairs(pixel_distances, len(labels))
    evaluation = Evaluation(
        people=people,
        pictures=len(labels),
        faces_found=faces,
        same_pairs=int(same.sum()),
        different_pairs=int((~same).sum()),
        equal_error_rate=rates.equal[0],
        equal_threshold=rates.equal_middle,
        threshold=threshold,
        false_accept=false_accept,
        false_reject=false_reject,
        one_shot=float(one_shot(matrix, labels).mean()),
        known_named=float(named.mean()),
        known_misnamed=max(0.0, float(1 - named.mean() - rejected.mean())),
        known_rejected=float(rejected.mean()),
        strangers_accepted=float(accepted.mean()),
        pixel_equal_error_rate=error_rates(pixel_distances, pixel_same).equal[0],
        pixel_one_shot=float(one_shot(pixel_matrix, labels).mean()),
    )
    return evaluation, (distances, same)


def must_be_few(folder: Path) -> None:
    """Raise ArgumentError if a folder PERSON/PICTURE has more than MOST files.

    No file is read.
    """
    _must_be_few(folder, sum(map(len, class_files(folder).values())))


def _must_be_few(folder, pictures):
    if pictures > MOST:
        raise ArgumentError(
            f"{folder} has {pictures} pictures; wanted at most {MOST}: take fewer people"
        )


def plot_evaluation(
    path: Path, evaluation: Evaluation | FoldsEvaluation, pairs: tuple[Array, Array]
) -> None:
    """Draw both error rates as a curve (ROC), and histograms of the distances of pairs.

    path: the file to be written. evaluation, pairs: as `evaluate` returns them, or an evaluation of
    folds and its pairs. Infinite distances are left out of the histograms.
    """
    distances, same = pairs
    rates = error_rates(distances, same)
    figure = new_figure(11, 4.5)
    left, right = figure.subplots(1, 2)
    _draw_curve(left, rates, evaluation)
    finite = np.isfinite(distances)
    edges = np.linspace(0, distances[finite].max(initial=0.01), BINS + 1)
    for name, chosen in (("different people", ~same), ("same person", same)):
        label = f"{name}, {chosen.sum():,} pairs"
        right.hist(distances[chosen & finite], edges, density=True, alpha=0.6, label=label)
    label = f"threshold {evaluation.threshold:.3f}"
    right.axvline(evaluation.threshold, color="black", linewidth=1, label=label)
    right.set(xlabel="distance", ylabel="density")
    for panel in (left, right):
        panel.legend(frameon=False)
        panel.grid(alpha=0.3)
    save_figure(figure, path)


def _draw_curve(axes, rates, evaluation):
    rises = np.flatnonzero(np.diff(rates.false_reject, prepend=1) < 0)
    chosen = np.linspace(0, len(rises) - 1, min(len(rises), POINTS)).astype(int)
    shown = np.append(rises[chosen], -1)
    # The place of a rate of 0, which a logarithmic axis cannot show
    least = 0.5 / evaluation.different_pairs
    accept, share = np.maximum(rates.false_accept[shown], least), 1 - rates.false_reject[shown]
    if accept[0] > least:  # the nearest pair is one of different people
        accept, share = np.append(least, accept), np.append(0, share)
    axes.step(accept, share, where="post", label="embeddings")
    rate = evaluation.equal_error_rate
    axes.plot([rate], [1 - rate], "o", color="C0", label=f"equal error rate {rate:.2%}")
    at_threshold = max(evaluation.false_accept, least), 1 - evaluation.false_reject
    label = f"threshold {evaluation.threshold:.3f}"
    axes.plot(*at_threshold, "k*", markersize=10, label=label)
    if isinstance(evaluation, Evaluation):
        rate = evaluation.pixel_equal_error_rate
        axes.plot([rate], [1 - rate], "x", color="C3", label=f"pixels alone {rate:.2%}")
    axes.set(
        xscale="log",
        xlim=(least, 1),
        ylim=(None, 1.003),
        xlabel="different pairs accepted",
        ylabel="same pairs accepted",
    )
