"""Error rates of a folder, compared with an exhaustive search over the enrolled pictures."""

from pathlib import Path

import numpy as np
import pytest

from minidl.data import read_image
from minidl.errors import ArgumentError
from minidl.faces import evaluation
from minidl.faces.evaluation import evaluate, must_be_few, plot_evaluation
from minidl.faces.portraits import Album, read_album
from tests.faces.fake import FakeReader, write_people, write_portrait
from tests.test_evaluation import every_choice


def album_of(embeddings, labels, pixels=None):
    if pixels is None:
        pixels = np.random.default_rng(9).standard_normal((len(labels), 2))
    return Album(
        folder=Path("folder"),
        people=[],
        labels=np.asarray(labels),
        paths=[Path(str(number)) for number in range(len(labels))],
        embeddings=np.asarray(embeddings, float),
        pixels=pixels,
        several=[],
        unreadable=[],
    )


@pytest.mark.parametrize("missing", [(), (0,), (5, 6)])
def test_open_set_rates_are_means_over_all_choices_and_both_halves(missing):
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(4), [3, 2, 2, 3])
    points = rng.standard_normal((10, 2)) + labels[:, None]
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    for picture in missing:
        points[picture], distances[picture], distances[:, picture] = np.nan, np.inf, np.inf
    result, _ = evaluate(album_of(points, labels), threshold=1.2)
    with_face, named, rejected, accepted = np.setdiff1d(np.arange(10), missing), [], [], []
    for people, others in (([0, 1], [2, 3]), ([2, 3], [0, 1])):
        strangers = [picture for picture in with_face if labels[picture] in others]
        rates = every_choice(distances, labels, people, 1.2, strangers)
        named.append(rates[0])
        rejected.append(rates[1])
        accepted += rates[2]
    assert result.known_named == pytest.approx(np.mean(named))
    assert result.known_rejected == pytest.approx(np.mean(rejected))
    assert result.known_misnamed == pytest.approx(1 - np.mean(named) - np.mean(rejected))
    assert result.strangers_accepted == pytest.approx(np.mean(accepted))
    # A picture without a face is not recognised.
    one, _, _ = every_choice(distances, labels, range(4), np.finfo(float).max)
    assert result.one_shot == pytest.approx(one)
    assert (result.people, result.pictures, result.faces_found) == (4, 10, 10 - len(missing))


def test_pairs_by_hand():
    points = np.array([[0.0], [1], [3], [10], [12], [12.5]])
    album = album_of(points, [0, 0, 0, 1, 1, 2], pixels=points[::-1])
    result, (distances, same) = evaluate(album, threshold=2.0)
    assert (result.same_pairs, result.different_pairs) == (4, 11)
    assert len(distances) == 15 and same.sum() == 4
    assert result.equal_error_rate == pytest.approx((2 / 11 + 1 / 4) / 2)
    assert result.equal_threshold == 2.75 and result.threshold == 2.0
    assert (result.false_accept, result.false_reject) == pytest.approx((1 / 11, 1 / 4))
    assert 0 < result.pixel_equal_error_rate < 1 and 0 <= result.pixel_one_shot < 1


def test_perfect_embeddings_have_no_errors_and_random_pixels_have():
    labels = np.repeat(np.arange(6), 3)
    points = labels[:, None] + np.linspace(0, 0.1, 18)[:, None]
    result, _ = evaluate(album_of(points, labels), threshold=0.5)
    assert result.equal_error_rate == result.false_accept == result.false_reject == 0
    assert result.strangers_accepted == 0
    assert result.one_shot == result.known_named == 1 and 0.5 < result.equal_threshold < 1
    assert result.pixel_equal_error_rate > 0.2 and result.pixel_one_shot < 0.6


@pytest.mark.parametrize(
    ("embeddings", "labels"),
    [
        (np.ones((3, 1)), [0, 0, 0]),
        (np.ones((3, 1)), [0, 1, 2]),
        ([[1.0], [np.nan], [2.0]], [0, 0, 1]),
    ],
)
def test_too_few_faces_are_refused(embeddings, labels):
    with pytest.raises(
        ArgumentError,
        match=r"folder has people: .*, faces: .*; "
        "wanted at least two people, one of them with two pictures",
    ):
        evaluate(album_of(embeddings, labels), 0.6)


def test_too_many_pictures_are_refused(monkeypatch):
    monkeypatch.setattr(evaluation, "MOST", 5)
    with pytest.raises(
        ArgumentError, match="folder has 6 pictures; wanted at most 5: take fewer people"
    ):
        evaluate(album_of(np.ones((6, 1)), [0, 0, 0, 1, 1, 1]), 0.6)


def test_too_many_files_are_refused_before_one_is_read(monkeypatch, tmp_path):
    for name in ("a/1.png", "a/2.png", "b/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    must_be_few(tmp_path)
    monkeypatch.setattr(evaluation, "MOST", 2)
    with pytest.raises(ArgumentError, match="has 3 pictures; wanted at most 2: take fewer people"):
        must_be_few(tmp_path)


def test_a_folder_is_evaluated_and_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    write_people(tmp_path / "people", 5, 3)
    write_portrait(tmp_path / "people" / "person-03" / "2.png")
    result, pairs = evaluate(read_album(tmp_path / "people", FakeReader()), 0.6)
    assert (result.people, result.pictures, result.faces_found) == (5, 15, 14)
    assert result.equal_error_rate == 0
    assert 0.8 < result.one_shot < 1  # the picture without a face is not recognised
    plot_evaluation(tmp_path / "curve.png", result, pairs)
    assert read_image(tmp_path / "curve.png").std() > 10


def test_the_drawn_curve_is_the_envelope_of_all_thresholds(monkeypatch):
    """At each rate of accepted different pairs it shows the highest rate of accepted same pairs."""
    pytest.importorskip("matplotlib")
    drawn = {}
    monkeypatch.setattr(evaluation, "save_figure", lambda figure, path: drawn.update(figure=figure))
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 4)
    album = album_of(rng.standard_normal((32, 2)) + labels[:, None] / 2, labels)
    result, (distances, same) = evaluate(album, 1.0)
    plot_evaluation("curve.png", result, (distances, same))
    left, right = drawn["figure"].axes
    accept, share = left.lines[0].get_data()
    for threshold in np.quantile(distances, np.linspace(0, 1, 40)):
        rate = max((distances[~same] <= threshold).mean(), left.get_xlim()[0])
        best = max(
            (distances[same] <= t).mean()
            for t in distances
            if (distances[~same] <= t).mean() <= rate
        )
        # The curve is constant up to the next step.
        assert share[np.searchsorted(accept, rate, side="right") - 1] == pytest.approx(best)
    assert len(right.patches) == 2 * evaluation.BINS
