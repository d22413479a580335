"""Networks with the structure of VGG: their layers, and the refusal of other descriptions."""

import numpy as np
import pytest

from minidl.errors import ArgumentError
from minidl.models.vgg import vgg
from minidl.models.vgg19_bn import VGG19, vgg19_bn


def test_the_blocks_and_the_head_determine_the_layers():
    model = vgg("2x10-1x6", "7-3", norm=False)
    lines = {line.name: line.shape for line in model.summary((32, 32, 3))}
    assert lines["block1_conv2"] == (32, 32, 10) and lines["block1_pool"] == (16, 16, 10)
    assert lines["block2_conv1_relu"] == (16, 16, 6) and lines["block2_pool"] == (8, 8, 6)
    assert lines["fc1"] == (7,) and lines["predictions"] == (3,)
    assert not any("norm" in name for name in lines)
    assert "block2_conv1_norm" in vgg("2x10-1x6", "7-3").layers


def test_vgg19_is_one_of_them():
    assert VGG19 == "2x64-2x128-4x256-4x512-4x512"
    ours, same = (
        vgg(VGG19, "16-10", 1 / 8, seed=3).state(),
        vgg19_bn("16-10", 1 / 8, seed=3).state(),
    )
    assert list(ours) == list(same)
    assert all(np.array_equal(ours[name], same[name]) for name in ours)


@pytest.mark.parametrize(
    "blocks", ["", "2x10-", "0x10", "2x0", "2", "10x10", "-".join(["1x4"] * 6)]
)
def test_other_blocks_are_refused(blocks):
    with pytest.raises(ArgumentError, match="wanted at most 5 of the form CONVOLUTIONSxCHANNELS"):
        vgg(blocks, "10")
