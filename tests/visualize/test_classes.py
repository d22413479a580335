"""Classes: their probabilities for a picture, and the texts that name them."""

import numpy as np
import pytest

from minidl.backend import current_device, to_device
from minidl.data import imagenet_classes
from minidl.errors import ArgumentError, NonFiniteError
from minidl.visualize.classes import matching, parse_class, prediction, predictions, similar
from minidl.visualize.units import Unit
from tests.devices import GPUS, at
from tests.visualize import tiny

CATS = ("tabby", "tiger cat", "Persian cat", "7", "Tabby")


def network(*classes):
    return tiny.classifier(2, classes)


@pytest.mark.parametrize("place", GPUS)
def test_predictions_are_sorted_and_have_the_softmax_of_the_scores(place):
    """Of a picture of 255/3 in all colours, the scores are 1, 2 and 3."""
    with at(place):
        picture = to_device(np.full((2, 2, 3), 85, np.float32), current_device())
        found = predictions(network("a", "b", "c"), picture)
    assert [(one.name, one.unit) for one in found] == [
        ("c", Unit("scores", 2)),
        ("b", Unit("scores", 1)),
        ("a", Unit("scores", 0)),
    ]
    np.testing.assert_allclose([one.score for one in found], [3, 2, 1], rtol=1e-6)
    wanted = np.exp([3, 2, 1]) / np.exp([1, 2, 3]).sum()
    np.testing.assert_allclose([one.probability for one in found], wanted, rtol=1e-5)


def test_the_first_of_equal_classes_is_the_likeliest():
    picture = np.zeros((2, 2, 3), np.float32)
    assert [one.name for one in predictions(network("a", "b", "c"), picture, 2)] == ["a", "b"]


def test_the_prediction_of_a_unit_is_that_of_its_class():
    picture = np.full((2, 2, 3), 85, np.float32)
    found = prediction(network("a", "b"), picture, Unit("scores", 0))
    assert found and found.name == "a" and found.probability == pytest.approx(0.26894, abs=1e-4)
    assert prediction(network("a", "b"), picture, Unit("flatten", 0)) is None
    assert prediction(network("a", "b"), picture, Unit("scores", 9)) is None
    assert prediction(tiny.colours(), picture, Unit("relu", 0)) is None


def test_scores_that_are_not_finite_are_refused():
    with pytest.raises(NonFiniteError, match="scores"):
        predictions(network("a", "b"), np.full((2, 2, 3), np.nan, np.float32))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("tabby", 0), ("Tabby", 4), ("TIGER CAT", 1), ("tiger", 1), ("persian", 2),
        ("cat-tiger", 1), ("7", 3), ("0", 0), ("4", 4),
    ],
)  # fmt: skip
def test_a_class_has_a_name_and_a_number(text, number):
    assert parse_class(network(*CATS), text) == Unit("scores", number)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat", r"2 classes are named 'cat': tiger cat \(1\), Persian cat \(2\); name one of them"),
        ("TABBY", r"2 classes are named 'TABBY': tabby \(0\), Tabby \(4\)"),
        ("tabbi", r"the network has no class 'tabbi'; did you mean tabby \(0\)"),
        ("zebra", r"no class 'zebra'; it has tabby \(0\), tiger cat \(1\)"),
        ("5", "the network has 5 classes; found number 5, wanted one from 0 to 4, or a name"),
        ("", r"no class ''; it has"),
        ("dog cat", r"no class 'dog cat'; did you mean .*Persian cat \(2\)"),
        ("\x1b" * 999, r"no class '\?{80} ...'"),
    ],
)
def test_other_texts_are_refused_with_near_names(text, message):
    with pytest.raises(ArgumentError, match=message) as refusal:
        parse_class(network(*CATS), text)
    assert len(str(refusal.value)) < 300


def test_classes_of_imagenet():
    names = imagenet_classes()
    assert matching(names, "tabby") == matching(names, "281") == [281]
    assert len(matching(names, "cat")) == 5
    assert names[similar(names, "tabby cat")[0]] == "tabby"


def test_a_network_without_classes():
    with pytest.raises(ArgumentError, match="the network has no classes; name a unit"):
        parse_class(tiny.colours(), "cat")
    with pytest.raises(ArgumentError, match="the network has no classes"):
        predictions(tiny.colours(), np.zeros((2, 2, 3), np.float32))
