"""Units: parts of activations, and their names."""

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.visualize.units import Unit, parse_unit
from tests.visualize import tiny


def test_a_unit_is_one_channel_or_all_channels():
    activations = np.arange(24.0).reshape(1, 2, 3, 4)
    np.testing.assert_array_equal(Unit("a", 3).of(activations), activations[..., 3])
    assert Unit("a").of(activations) is activations
    assert [str(unit) for unit in (Unit("a", 3), Unit("a"))] == ["a:3", "a"]


def test_a_channel_that_the_layer_does_not_have_is_refused():
    with pytest.raises(ArgumentError, match="a has 4 channels; found a:4, wanted one from 0 to 3"):
        Unit("a", 4).of(np.zeros((1, 4)))
    with pytest.raises(ArgumentError, match="a is a whole layer; wanted a channel"):
        Unit("a").among(4)


def test_units_are_parsed():
    assert parse_unit(tiny.colours(), "relu:2") == Unit("relu", 2)
    assert parse_unit(tiny.colours(), "relu") == Unit("relu")
    assert parse_unit(tiny.classifier(2, ("cat", "relu:1")), "relu:1") == Unit("scores", 1)


@pytest.mark.parametrize(
    "text",
    ["", "elsewhere:1", "relu:", "relu:-1", "relu:x", "relu:1:2", "relu:²", "relu:" + "9" * 5000],
)
def test_texts_that_describe_no_unit_are_refused_with_a_short_message(text):
    with pytest.raises(ArgumentError, match=r"wanted LAYER:CHANNEL|no layer") as refusal:
        parse_unit(tiny.colours(), text)
    assert len(str(refusal.value)) < 300
