import numpy as np
import pytest

from minidl import layers
from minidl.autograd import Tensor
from minidl.errors import ArgumentError, NonFiniteError
from minidl.models import vgg19
from minidl.visualize.network import must_be_finite, of_sequential, of_vgg19
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.units import Unit
from tests.visualize import tiny

PICTURES = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
NAMES = ("near", "near_relu", "pool", "far", "far_relu")


def test_steps_by_name():
    network = tiny.two_convolutions()
    assert tuple(step.name for step in network.steps) == NAMES
    found = network.activations(PICTURES, ["far_relu", "near"])
    assert list(found) == ["far_relu", "near"] and isinstance(found["near"], np.ndarray)
    assert found["near"].shape == (2, 8, 8, 6) and found["far_relu"].shape == (2, 4, 4, 8)
    with pytest.raises(ArgumentError, match="no layer 'middle'; it has near, near_relu, pool"):
        network.activations(PICTURES, ["middle"])


def test_subclasses_are_steps_of_their_own():
    class Shifted(layers.ReLU):
        def __call__(self, x):
            return super().__call__(x) + 1.0

    class Doubled(layers.Convolution):
        def __call__(self, x):
            return super().__call__(x) * 2.0

    kernel, x = np.ones((1, 1, 3, 2)), np.ones((1, 2, 2, 3))
    for first, last in ((Doubled(kernel), layers.ReLU()), (layers.Convolution(kernel), Shifted())):
        model = layers.Sequential({"first": first, "last": last})
        found = of_sequential(model, lambda pictures: pictures).activations(x, ["last"])["last"]
        np.testing.assert_array_equal(found, last(first(x)).data)


def test_nothing_deeper_than_what_is_asked_for_is_computed():
    network = tiny.two_convolutions()

    def fail(x):
        raise AssertionError("computed")

    steps = [step if step.name != "far" else step._replace(layer=fail) for step in network.steps]
    assert network._replace(steps=tuple(steps)).activations(PICTURES, ["pool"])["pool"].shape == (
        2,
        4,
        4,
        6,
    )


@pytest.mark.parametrize("rectifier", RECTIFIERS.values(), ids=RECTIFIERS)
def test_a_layer_says_the_same_alone_and_with_its_relu(rectifier):
    """Where only what stands behind a ReLU is asked for, both may be computed in one"""
    network = tiny.two_convolutions()
    alone, together = (
        network.activations(PICTURES, names, rectifier)["far_relu"]
        for names in (["far_relu"], NAMES)
    )
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-6)
    before = network.activations(PICTURES, ["far"], rectifier)["far"]
    np.testing.assert_allclose(together, np.maximum(before, 0), rtol=1e-5, atol=1e-6)


def test_tensors_give_tensors_with_a_way_back():
    x = Tensor(PICTURES, requires_grad=True)
    tiny.colours().activations(x, ["relu"])["relu"].sum().backward()
    np.testing.assert_allclose(x.grad, np.full_like(PICTURES, 1 / 255))


def test_what_stands_before_a_relu():
    network = tiny.two_convolutions()
    assert [network.before_rectifier(name) for name in NAMES] == [
        "near",
        "near",
        "pool",
        "far",
        "far",
    ]


def test_vgg19_by_the_names_of_keras_and_of_papers():
    network = of_vgg19(vgg19(pooling="max"))
    found = network.activations(PICTURES, ["conv1_1", "block1_conv1.pre"])
    np.testing.assert_array_equal(found["conv1_1"], np.maximum(found["block1_conv1.pre"], 0))
    assert network.before_rectifier("relu4_2") == "block4_conv2.pre" and network.size is None


def test_only_units_of_the_last_layer_are_classes():
    network = tiny.classifier(2, ("cat", "d\x1bog"))
    assert [network.class_name(Unit("scores", channel)) for channel in (0, 1, None)] == [
        "cat",
        "d?og",
        None,
    ]
    assert network.class_name(Unit("flatten", 0)) is None
    assert tiny.colours().class_name(Unit("relu", 0)) is None


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_no_number_is_refused(number):
    assert must_be_finite("far", PICTURES) is PICTURES
    with pytest.raises(NonFiniteError, match="far makes NaN or infinite"):
        must_be_finite("far", np.array([1.0, number]))


def test_another_rectifier_stands_for_every_relu():
    found = tiny.two_convolutions().activations(
        Tensor(PICTURES), ["far_relu"], rectifier=lambda x: x * 0.0 + 7.0
    )["far_relu"]
    assert (found.data == 7).all()
