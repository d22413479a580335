"""Scalars: their values, and the gradients of a batch of pictures."""

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.visualize.saliency.gradients import gradient
from minidl.visualize.scalars import Scalar, batches, value, value_and_gradient
from minidl.visualize.units import Unit
from tests.visualize import tiny

PICTURE = np.random.default_rng(1).uniform(0, 255, (13, 17, 3)).astype(np.float32)
FAR = Unit("far_relu", 1)


@pytest.mark.parametrize(("over", "reduce"), [("mean", np.mean), ("max", np.max)])
def test_a_scalar_is_the_mean_or_largest_activation(over, reduce):
    network = tiny.two_convolutions()
    [y] = network.activations(PICTURE[None], ["far_relu"]).values()
    for unit, activations in ((FAR, y[..., 1]), (Unit("far_relu"), y)):
        scalar = value(Scalar(network, unit, over), PICTURE[None])
        np.testing.assert_allclose(scalar, reduce(activations), rtol=1e-5)
    assert str(Scalar(network, FAR, over)) == f"the {over} of far_relu:1"


def test_the_scalar_of_a_class_is_its_score_and_has_its_name():
    scalar = Scalar(tiny.classifier(2, ("cat", "dog")), Unit("scores", 1))
    assert value(scalar, np.full((3, 2, 2, 3), 255.0, np.float32)).tolist() == [6.0, 6.0, 6.0]
    assert str(scalar) == "dog"


def test_each_picture_of_a_batch_has_its_own_value_and_gradient():
    scalar = Scalar(tiny.two_convolutions(), FAR)
    pictures = np.stack([PICTURE, PICTURE[::-1], np.full_like(PICTURE, 127.5)])
    values, gradients = value_and_gradient(scalar, pictures)
    for n, picture in enumerate(pictures):
        np.testing.assert_allclose(value(scalar, picture[None]), values[n], rtol=1e-5)
        np.testing.assert_allclose(gradient(scalar, picture), gradients[n], rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize(
    ("unit", "over", "message"),
    [
        (Unit("far_relu", 8), "mean", "found far_relu:8, wanted one from 0 to 7"),
        (FAR, "sum", "over is 'sum'"),
    ],
)
def test_unknown_channels_and_reductions_are_refused(unit, over, message):
    with pytest.raises(ArgumentError, match=message):
        value(Scalar(tiny.two_convolutions(), unit, over), PICTURE[None])


def test_batches_contain_each_picture_once_and_have_a_limited_size():
    assert [part.stop - part.start for part in batches(5, 1 << 18)] == [2, 2, 1]
    assert [part.stop - part.start for part in batches(2, 1 << 30)] == [1, 1]
