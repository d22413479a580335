"""Networks as sequences of steps: names, activations, and rectifiers."""

import numpy as np
import pytest

from minidl import layers
from minidl.autograd import Tensor
from minidl.errors import ArgumentError, NonFiniteError
from minidl.models import VGG19, vgg19
from minidl.visualize.network import must_be_finite, of_sequential, of_vgg19
from minidl.visualize.rectifiers import RECTIFIERS
from minidl.visualize.units import Unit
from tests.models.test_vgg19 import RGB, narrow_arrays
from tests.visualize import tiny

PICTURES = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
NAMES = ("near", "near_relu", "pool", "far", "far_relu")


def test_activations_by_the_names_of_steps():
    network = tiny.two_convolutions()
    assert tuple(step.name for step in network.steps) == NAMES
    activations = network.activations(PICTURES, ["far_relu", "near"])
    assert list(activations) == ["far_relu", "near"]
    assert isinstance(activations["near"], np.ndarray)
    assert activations["near"].shape == (2, 8, 8, 6)
    assert activations["far_relu"].shape == (2, 4, 4, 8)
    with pytest.raises(ArgumentError, match="no layer 'middle'; it has near, near_relu, pool"):
        network.activations(PICTURES, ["middle"])


def test_subclasses_are_called_as_they_are():
    class Shifted(layers.ReLU):
        def __call__(self, x):
            return super().__call__(x) + 1.0

    class Doubled(layers.Convolution):
        def __call__(self, x):
            return super().__call__(x) * 2.0

    kernel, x = np.ones((1, 1, 3, 2)), np.ones((1, 2, 2, 3))
    for first, last in ((Doubled(kernel), layers.ReLU()), (layers.Convolution(kernel), Shifted())):
        model = layers.Sequential({"first": first, "last": last})
        y = of_sequential(model, lambda pictures: pictures).activations(x, ["last"])["last"]
        np.testing.assert_array_equal(y, last(first(x)).data)


def test_deeper_steps_are_not_computed():
    network = tiny.two_convolutions()

    def fail(x):
        raise AssertionError("computed")

    steps = [step if step.name != "far" else step._replace(layer=fail) for step in network.steps]
    activations = network._replace(steps=tuple(steps)).activations(PICTURES, ["pool"])
    assert activations["pool"].shape == (2, 4, 4, 6)


@pytest.mark.parametrize("rectifier", RECTIFIERS.values(), ids=RECTIFIERS)
def test_activations_are_the_same_if_one_op_computes_layer_and_relu(rectifier):
    """One op can compute both if the output before the ReLU is not requested."""
    network = tiny.two_convolutions()
    alone, together = (
        network.activations(PICTURES, names, rectifier)["far_relu"]
        for names in (["far_relu"], NAMES)
    )
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-6)
    before = network.activations(PICTURES, ["far"], rectifier)["far"]
    np.testing.assert_allclose(together, np.maximum(before, 0), rtol=1e-5, atol=1e-6)


def test_tensors_give_tensors_with_gradients():
    x = Tensor(PICTURES, requires_grad=True)
    tiny.colours().activations(x, ["relu"])["relu"].sum().backward()
    np.testing.assert_allclose(x.grad, np.full_like(PICTURES, 1 / 255))


def test_the_step_before_a_relu():
    network = tiny.two_convolutions()
    before = [network.before_rectifier(name) for name in NAMES]
    assert before == ["near", "near", "pool", "far", "far"]


def test_vgg19_by_the_names_of_keras_and_of_papers():
    network = of_vgg19(vgg19(pooling="max"))
    activations = network.activations(PICTURES, ["conv1_1", "block1_conv1.pre"])
    wanted = np.maximum(activations["block1_conv1.pre"], 0)
    np.testing.assert_array_equal(activations["conv1_1"], wanted)
    assert network.before_rectifier("relu4_2") == "block4_conv2.pre" and network.size is None


def test_only_units_of_the_last_layer_are_classes():
    network = tiny.classifier(2, ("cat", "d\x1bog"))
    names = [network.class_name(Unit("scores", channel)) for channel in (0, 1, None)]
    assert names == ["cat", "d?og", None]
    assert network.class_name(Unit("flatten", 0)) is None
    assert tiny.colours().class_name(Unit("relu", 0)) is None


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_activations_that_are_not_finite_are_refused(number):
    assert must_be_finite("far", PICTURES) is PICTURES
    with pytest.raises(NonFiniteError, match="far makes NaN or infinite"):
        must_be_finite("far", np.array([1.0, number]))


def test_another_rectifier_replaces_every_relu():
    activations = tiny.two_convolutions().activations(
        Tensor(PICTURES), ["near_relu", "far_relu"], rectifier=lambda x: x * 0.0 + 7.0
    )
    assert all((y.data == 7).all() for y in activations.values())


def test_every_step_of_vgg19_with_its_top_has_its_name():
    network = of_vgg19(VGG19(narrow_arrays(1000), RGB, top=True))
    names = [step.name for step in network.steps]
    assert [network.canonical(name) for name in names] == names and "flatten" in names
    assert network.classes and network.size == (224, 224)
    assert network.class_name(Unit("predictions", 1)) == network.classes[1]


def test_the_classes_of_another_top_have_numbers_if_their_names_are_unknown():
    network = of_vgg19(VGG19(narrow_arrays(3), RGB, top=True))
    assert network.classes == ("0", "1", "2")
    named = of_vgg19(VGG19(narrow_arrays(2), RGB, top=True, classes=("cat", "dog")))
    assert named.classes == ("cat", "dog")
    assert of_vgg19(VGG19(narrow_arrays(2), RGB)).classes is None
