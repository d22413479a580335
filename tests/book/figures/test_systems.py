"""The figures of the systems: a painting, faces, and what activates a network."""

import numpy as np
import pytest

from minidl.book.figures import faces, painting, seeing
from minidl.data import read_image, resize, shipped_picture
from minidl.faces import THRESHOLD, FaceReader
from minidl.visualize.opening import open_network

pytestmark = pytest.mark.thorough


def test_the_loss_decreases_from_frame_to_frame_of_the_painting():
    photograph = resize(read_image(shipped_picture(painting.PHOTOGRAPH)), *painting.SIZE)
    style = resize(read_image(shipped_picture(painting.STYLE)), *painting.STYLE_SIZE)
    steps = painting.paint(photograph, style)
    totals = [step.losses.total for step in steps]
    assert steps[0].losses.content == 0
    assert totals == sorted(totals, reverse=True)
    assert totals[-1] < totals[0] / 4
    frames = painting.draw().variants[""]
    assert len(frames) == painting.FRAMES
    assert frames[0].words.startswith(f"Step 1 of {painting.STEPS}: the content loss is 0 million")


def test_changed_copies_of_a_face_are_near_and_another_face_is_far():
    reader, picture = FaceReader(), read_image(shipped_picture(faces.KNOWN))
    [face] = reader.faces(picture)
    found = faces.comparisons(reader, picture, face)
    distances = {compared.title: compared.distance for compared in found}
    assert distances.pop("another person") > THRESHOLD
    assert len(distances) == 3
    assert max(distances.values()) <= THRESHOLD
    *copies, other = faces.draw().variants[""][1:]
    assert all("the same person" in frame.words for frame in copies)
    assert "different people" in other.words


def test_the_strongest_channels_have_the_largest_means():
    network = open_network()
    picture = resize(read_image(shipped_picture(seeing.PICTURE)), *seeing.SIZE).astype(np.float32)
    layer = seeing.LAYERS[1]
    found = seeing.strongest(network, picture, layer)
    [maps] = network.activations(picture[None], [layer])[layer]
    means = maps.mean(axis=(0, 1))
    np.testing.assert_allclose(found.maps.mean(axis=(0, 1)), np.sort(means)[::-1][:4], rtol=1e-5)
    frames = seeing.draw().variants[""]
    assert len(frames) == len(seeing.LAYERS) + len(seeing.METHODS)
