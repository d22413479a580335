import itertools

import numpy as np
import pytest

from minidl.checkpoints.recognition import _MISTAKES, mistakes, network


@pytest.mark.parametrize("count", range(len(_MISTAKES) + 1))
def test_all_combinations_of_mistakes_are_recognised(arrays, small, count):
    for made in itertools.combinations(_MISTAKES, count):
        kernel = arrays["conv_a/kernel"]
        for name in made:
            kernel = _MISTAKES[name](kernel)
        assert mistakes(kernel, small.landmark, "BGR") == made


def test_the_order_of_the_channels_is_that_of_the_input(arrays, small):
    red_first = arrays["conv_a/kernel"][:, :, ::-1]
    assert mistakes(red_first, small.landmark, "RGB") == ()
    assert mistakes(red_first, small.landmark, "BGR") == ("red and blue swapped",)


def test_a_rounded_kernel_is_recognised_and_another_one_is_not(arrays, small):
    assert mistakes(arrays["conv_a/kernel"] + 0.01, small.landmark, "BGR") == ()
    assert mistakes(arrays["conv_a/kernel"] + 0.5, small.landmark, "BGR") is None


def test_networks_are_recognised_by_their_shapes():
    vgg19 = [np.zeros((3, 3, 4, 4))] * 16
    assert network(vgg19) == "16 convolutions and 0 dense layers, as VGG19 has"
    vgg16 = [np.zeros((4, 4, 3, 3))] * 13 + [np.zeros((2, 2))] * 3
    assert network(vgg16) == "13 convolutions and 3 dense layers, as VGG16 has"
    assert network([np.zeros((5, 5, 4, 4))] * 13) == "13 convolutions and 0 dense layers"
    assert network(np.zeros((16, 3, 3, 4, 4)), 16) == (
        "16 convolutions, 16 batch normalizations and 0 dense layers, as VGG19 with batch "
        "normalization has"
    )
