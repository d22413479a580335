"""How good all this is on the faces of a folder: pairs, one picture of each person enrolled,
strangers; and what pixels alone would do.
"""

from typing import NamedTuple

import numpy as np

from minidl.data.folders import class_files
from minidl.errors import ArgumentError
from minidl.evaluation import error_rates, one_shot, open_set, pair_distances, square_of_pairs
from minidl.faces.calibration import MOST
from minidl.plots import new_figure, save_figure

DRAWN, BINS = 5000, 80  # steps of the curve, at most; bars


class Evaluation(NamedTuple):
    """Shares of 1. Pictures without a face that was found are left out where it says pairs or
    strangers; elsewhere they count as not recognised."""

    people: int
    pictures: int
    faces_found: int
    same_pairs: int
    different_pairs: int
    equal_error_rate: float
    equal_threshold: float  # where both errors of pairs are as common
    threshold: float  # that all below are told at, but for one_shot
    false_accept: float  # of pairs of different people
    false_reject: float  # of pairs of the same person
    one_shot: float  # one picture of each person enrolled: the nearest is the right one
    # half of the people enrolled with one picture each, the other half strangers; then the other
    # way round
    known_named: float
    known_misnamed: float
    known_rejected: float
    strangers_accepted: float
    pixel_equal_error_rate: float
    pixel_one_shot: float


def evaluate(album, threshold):
    """(Evaluation of an Album at a threshold, (distances, same) of its pairs, to be drawn)

    Raises ArgumentError where there are not two people, one of them with two faces, or more than
    MOST pictures.
    """
    labels, found = album.labels, album.found
    _must_be_few(album.folder, len(labels))
    people, count = len(np.unique(labels)), len(np.unique(labels[found]))
    if count < 2 or count == found.sum():
        told = f"people: {count}, faces: {found.sum()}"
        raise ArgumentError(
            f"{album.folder} has {told}; wanted at least two people, one of them with two pictures: add some"
        )
    pairs = pair_distances(album.embeddings[found], labels[found])
    rates = error_rates(*pairs)
    between = np.full((len(labels), len(labels)), np.inf)  # no face is near to none
    between[np.ix_(found, found)] = square_of_pairs(pairs[0], found.sum())
    halves = [labels < np.median(np.unique(labels)), labels >= np.median(np.unique(labels))]
    parts = [
        open_set(between, labels, enrolled, ~enrolled & found, threshold) for enrolled in halves
    ]
    named, rejected, accepted = (np.concatenate(part) for part in zip(*parts, strict=True))
    pixels = pair_distances(album.pixels, labels)
    return Evaluation(
        people=people, pictures=len(labels), faces_found=int(found.sum()),
        same_pairs=int(pairs[1].sum()), different_pairs=int((~pairs[1]).sum()),
        equal_error_rate=rates.equal[0], equal_threshold=rates.equal_middle,
        threshold=threshold, false_accept=rates.at(threshold)[0], false_reject=rates.at(threshold)[1],
        one_shot=float(one_shot(between, labels).mean()),
        known_named=float(named.mean()), known_rejected=float(rejected.mean()),
        known_misnamed=max(0.0, float(1 - named.mean() - rejected.mean())), strangers_accepted=float(accepted.mean()),
        pixel_equal_error_rate=error_rates(*pixels).equal[0],
        pixel_one_shot=float(one_shot(square_of_pairs(pixels[0], len(labels)), labels).mean()),
    ), pairs  # fmt: skip


def must_be_few(folder):
    """Refuse a folder PERSON/PICTURE with more than MOST files, before they are read."""
    _must_be_few(folder, sum(map(len, class_files(folder).values())))


def _must_be_few(folder, pictures):
    if pictures > MOST:
        raise ArgumentError(
            f"{folder} has {pictures} pictures; wanted at most {MOST}: take fewer people"
        )


def plot_evaluation(path, evaluation, pairs):
    """The two errors as a curve (ROC), and how far apart the pairs of one person and of two are."""
    distances, same = pairs
    rates = error_rates(distances, same)
    figure, axes = new_figure(11, 4.5)
    axes.remove()
    left, right = figure.subplots(1, 2)
    _draw_curve(left, rates, evaluation)
    edges = np.linspace(0, distances.max(), BINS + 1)
    for label, chosen in (("different people", ~same), ("same person", same)):
        right.hist(
            distances[chosen],
            edges,
            density=True,
            alpha=0.6,
            label=f"{label}, {chosen.sum():,} pairs",
        )
    right.axvline(
        evaluation.threshold,
        color="black",
        linewidth=1,
        label=f"threshold {evaluation.threshold:.3f}",
    )
    right.set(xlabel="distance", ylabel="density")
    for panel in (left, right):
        panel.legend(frameon=False)
        panel.grid(alpha=0.3)
    save_figure(figure, path)


def _draw_curve(axes, rates, evaluation):
    rises = np.flatnonzero(np.diff(rates.false_reject, prepend=1) < 0)
    shown = np.append(rises[np.linspace(0, len(rises) - 1, min(len(rises), DRAWN)).astype(int)], -1)
    # where none at all is accepted, which has no place on a logarithmic axis
    least = 0.5 / evaluation.different_pairs
    accept, share = np.maximum(rates.false_accept[shown], least), 1 - rates.false_reject[shown]
    if accept[0] > least:  # a different pair is the nearest of all
        accept, share = np.append(least, accept), np.append(0, share)
    axes.step(accept, share, where="post", label="embeddings")
    rate = evaluation.equal_error_rate
    axes.plot([rate], [1 - rate], "o", color="C0", label=f"equal error rate {rate:.2%}")
    here = max(evaluation.false_accept, least), 1 - evaluation.false_reject
    axes.plot(*here, "k*", markersize=10, label=f"threshold {evaluation.threshold:.3f}")
    rate = evaluation.pixel_equal_error_rate
    axes.plot([rate], [1 - rate], "x", color="C3", label=f"pixels alone {rate:.2%}")
    axes.set(
        xscale="log",
        xlim=(least, 1),
        ylim=(None, 1.003),
        xlabel="different pairs accepted",
        ylabel="same pairs accepted",
    )
