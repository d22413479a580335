"""The face networks compared with their definitions in face_definitions.py, and on a GPU with the
CPU."""

import numpy as np
import pytest

from minidl import Tensor
from minidl.backend import device_of, to_numpy
from minidl.checkpoints import load, shipped
from minidl.data import read_image, shipped_picture
from minidl.errors import ShapeError
from minidl.layers import SeparableConvolution
from minidl.models import ARCHITECTURES, face_detector, face_landmarks, face_recognition
from minidl.models.face_detector import boxes
from tests.devices import GPUS, at
from tests.models import face_definitions as definitions

NETWORKS = {
    "face_detector": face_detector,
    "face_landmarks": face_landmarks,
    "face_recognition": face_recognition,
}
DEFINITIONS = {
    "face_detector": definitions.detection,
    "face_landmarks": definitions.landmarks,
    "face_recognition": definitions.recognition,
}
ORIGINALS = {
    "face_detector": "tiny_face_detector_model",
    "face_landmarks": "face_landmark_68_tiny_model",
    "face_recognition": "face_recognition_model",
}
SIDES = {"face_detector": 160, "face_landmarks": 112, "face_recognition": 150}
ARRAYS = {"face_detector": 19, "face_landmarks": 28, "face_recognition": 117}


@pytest.fixture(params=NETWORKS)
def name(request):
    return request.param


def by_original_names(name):
    """Return the shipped arrays by the names of the original files."""
    [architecture] = [known for known in ARCHITECTURES if known.name == name]
    parts = {
        "kernel": "filters",
        "depthwise": "depthwise_filter",
        "pointwise": "pointwise_filter",
        "bias": "bias",
    }
    if name == "face_recognition":
        parts = {
            "kernel": "conv/filters",
            "bias": "conv/bias",
            "scale": "scale/weights",
            "shift": "scale/biases",
        }
    arrays = {}
    for path, array in load(shipped(name), architecture).arrays.items():
        layer, _, part = path.rpartition("/")
        array = array.swapaxes(2, 3) if part == "depthwise" else array
        arrays[f"{layer}/{parts[part]}"] = array.astype(float)
    if name != "face_detector":
        kernel = next(path for path in arrays if path.startswith("fc/") and "bias" not in path)
        arrays["fc" if name == "face_recognition" else "fc/weights"] = arrays.pop(kernel)
    return arrays


def pictures(side):
    """Return four square pictures: a face, noise, black and white."""
    astronaut = read_image(shipped_picture("astronaut"))[60:200, 150:300]
    face = definitions.resized(definitions.square(astronaut, False), side)
    noise = np.random.default_rng(0).uniform(0, 255, (side, side, 3))
    return np.stack([face, noise, np.zeros_like(face), np.full_like(face, 255)]).astype(np.float32)


def test_the_network_is_the_definition(name):
    arrays, batch = by_original_names(name), pictures(SIDES[name])
    outputs = NETWORKS[name]()(batch)
    assert outputs.dtype == np.float32
    for output, picture in zip(outputs, batch, strict=True):
        expected = DEFINITIONS[name](arrays, picture.astype(float))
        assert abs(output.reshape(expected.shape) - expected).max() <= 1e-5 * np.ptp(expected)


def test_the_shipped_numbers_are_those_of_the_original_files(name, minidl_data):
    shipped_arrays = by_original_names(name)
    originals = definitions.originals(minidl_data / "faces", ORIGINALS[name])
    assert shipped_arrays.keys() == originals.keys() and len(originals) == ARRAYS[name]
    for array_name, array in originals.items():
        np.testing.assert_array_equal(shipped_arrays[array_name], array)


def test_boxes_are_those_of_the_definition():
    detector, batch = face_detector(), pictures(160)
    for result, numbers in zip(detector.boxes(batch), detector(batch), strict=True):
        expected = definitions.boxes(numbers.reshape(5, 5, 25).astype(float))
        np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


def test_boxes_by_hand():
    # Each box is in the centre of its cell, has the size of its anchor and the score 1/2,
    numbers = np.zeros((1, 2, 2, 5, 5))
    # except one at the upper right corner of its cell, with twice the width and the score 1.
    numbers[0, 1, 0, 0] = [50, -50, np.log(2), 0, 50]
    result = boxes(numbers)
    assert result.shape == (1, 20, 5)
    width, height = 1.603231 / 2, 2.094468 / 2
    np.testing.assert_allclose(
        result[0, 0], [0.25 - width / 2, 0.25 - height / 2, width, height, 0.5]
    )
    np.testing.assert_allclose(result[0, 10], [0.5 - width, 0.5 - height / 2, 2 * width, height, 1])


def test_boxes_of_a_rectangle_by_hand():
    numbers = np.zeros((1, 2, 4, 5, 5))  # two rows of four cells
    result = boxes(numbers).reshape(2, 4, 5, 5)
    width, height = 1.603231 / 4, 2.094468 / 2
    np.testing.assert_allclose(
        result[1, 2, 0], [2.5 / 4 - width / 2, 1.5 / 2 - height / 2, width, height, 0.5]
    )


def test_a_rectangle_gives_the_same_as_a_part_of_a_square():
    """The receptive fields of the compared cells do not contain the black border."""
    detector, [picture] = face_detector(), pictures(256)[:1]
    square = np.zeros((256, 256, 3), np.float32)
    square[:, :224] = picture[:, :224]
    result, expected = detector(picture[:, :224]), detector(square)
    assert result.shape == (1, 8, 7, 5, 5)
    np.testing.assert_allclose(result[:, :, :3], expected[:, :, :3], rtol=1e-3, atol=1e-3)


def test_pictures_of_the_wrong_size_are_refused(name):
    model = NETWORKS[name]()
    for shape in ((100, 100, 3), (1, 160, 130, 3), (0, 0, 3), (160, 0, 3)):
        with pytest.raises(ShapeError, match=r"the picture is .*; wanted"):
            model(np.zeros(shape, np.float32))
    with pytest.raises(ShapeError, match=r"wanted \(H, W, 3\) or \(N, H, W, 3\), RGB"):
        model(np.zeros((160, 160), np.float32))


def test_a_single_picture_and_integers_are_accepted(name):
    model, batch = NETWORKS[name](), pictures(SIDES[name]).astype(np.uint8)
    expected = model(batch.astype(np.float32))[:1]
    np.testing.assert_allclose(model(batch[0]), expected, rtol=1e-4, atol=1e-4)


def test_gradients_reach_the_picture_and_not_the_frozen_weights(name):
    model = NETWORKS[name]()
    for parameter in model.parameters():
        parameter.data = parameter.data.astype(np.float64)
    # Noise has no ties between maxima.
    x = Tensor(pictures(SIDES[name])[1:2].astype(np.float64), requires_grad=True)
    y = model(x)
    dy = np.random.default_rng(0).standard_normal(y.shape)
    y.backward(dy)
    assert all(parameter.grad is None for parameter in model.parameters())
    steepest = np.linalg.norm(x.grad)
    ahead, behind = (
        (model(x.data + length * x.grad / steepest) * dy).sum() for length in (1e-4, -1e-4)
    )
    assert (ahead - behind) / 2e-4 == pytest.approx(steepest, rel=1e-3)


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_gives_the_same(name, place):
    picture = pictures(SIDES[name])[:1]
    expected = NETWORKS[name]()(picture)
    with at(place):
        model = NETWORKS[name]()
        output = model(Tensor(picture).to("gpu").data)
        assert device_of(output) == "gpu"
        output = to_numpy(output)
    np.testing.assert_allclose(output, expected, rtol=1e-3, atol=1e-4 * np.ptp(expected))


def test_the_separable_convolutions_of_the_detector():
    layers = face_detector().layers.items()
    separable = [name for name, layer in layers if isinstance(layer, SeparableConvolution)]
    assert separable == [f"conv{number}" for number in range(1, 6)]
