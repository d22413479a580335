"""The siamese network's task: its pairs, its presets, its validation and its picture."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.data import mnist
from minidl.errors import ArgumentError
from minidl.layers import Module
from minidl.recipes import siamese
from tests.data import official


@pytest.fixture
def data(tmp_path):
    """Pictures of two digits; each twelfth picture has the label 4, the others 0"""
    pictures, _ = official.digits(60)
    labels = (np.arange(60, dtype=np.uint8) % 12 == 0) * np.uint8(4)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(official.idx(pictures))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(official.idx(labels))
    return tmp_path


def test_the_original_settings(data):
    original = siamese.PRESETS["original"]
    task = siamese.task(data, **original | {"pairs": 20})
    assert task.settings["pairs"] == 20 and original["pairs"] == 64
    steps = original["epochs"] * ((60_000 - siamese.HELD_OUT) // 64)
    assert abs(steps - 20_000) < (60_000 - siamese.HELD_OUT) / 64 / 2  # to the nearest epoch
    assert task.optimizer.epsilon_form == "tensorflow"
    assert {task.schedule(epoch) for epoch in (0, 5.5, 22)} == {0.01}
    assert task.model.layers["fc1_dropout"].keep == 0.6
    assert siamese.task(data, **siamese.PRESETS["fast"] | {"pairs": 20, "clip": 3.0}).clip == 3.0


def test_half_of_the_pairs_of_a_batch_are_of_one_digit(data):
    task = siamese.task(data, **siamese.PRESETS["fast"] | {"pairs": 20})
    digit_of = {picture.tobytes(): label for picture, label in zip(*mnist(data), strict=True)}
    for first, second, same in task.batches:
        digits = [
            [digit_of[np.rint(255 * picture).astype(np.uint8).tobytes()] for picture in pictures]
            for pictures in (first, second)
        ]
        assert np.array_equal(np.equal(*digits), same) and same.sum() == 10
        assert not (first == second).all(axis=(1, 2, 3)).any()


def test_a_collapsed_network_has_a_loss_of_five():
    class Collapsed(Module):
        def __call__(self, x):
            return Tensor(np.zeros((len(x), 2), np.float32))

    pictures, labels = np.zeros((50, 28, 28, 1), np.float32), np.arange(50) % 10
    measures = siamese.validate(Collapsed(), (pictures, labels), (pictures, labels))
    assert measures["loss"] == 5.0
    assert measures["accuracy"] == 0.1


@pytest.mark.parametrize("limit", [5, 12])
def test_too_few_pictures_to_validate_with_are_refused_at_once(data, limit):
    message = r"examples of one class make no pairs of different ones; take more \(--limit\)"
    with pytest.raises(ArgumentError, match=message):
        siamese.task(data, limit=limit, **siamese.PRESETS["fast"])


def test_a_distant_point_does_not_change_the_scale_of_the_picture(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    drawn = []
    monkeypatch.setattr(siamese, "save_figure", lambda figure, path: drawn.append(figure.axes[0]))
    points = np.random.default_rng(0).standard_normal((200, 2))
    monkeypatch.setattr(siamese, "outputs", lambda model, pictures: points)
    title = "pictures that were not in the training"
    for first, wanted in (points[0], title), ((1e6, 0), f"{title}; 1 more are far outside"):
        points[0] = first
        siamese.draw(None, None, np.arange(200) % 10, tmp_path / "plane.png")
        assert drawn[-1].get_title() == wanted and drawn[-1].get_xlim()[1] < 10
