from dataclasses import replace

import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, diagnose


@pytest.fixture
def sentences(arrays, small, samples):
    """A function: changes to valid weights -> the findings."""

    def sentences_for(changes, **fields):
        changed = {name: array for name, array in (arrays | changes).items() if array is not None}
        valid = Checkpoint(changed, architecture="small", preprocessing=samples.CAFFE)
        findings = diagnose(replace(valid, **fields), small, "a.h5")
        return [f"{severity}: {text}" for severity, text in findings]

    return sentences_for


def test_valid_weights_have_no_findings(sentences):
    assert sentences({}) == []
    assert sentences({"dense_a/kernel": None, "dense_a/bias": None}) == []


def test_missing_layers(sentences):
    assert sentences({"conv_b/kernel": None, "conv_b/bias": None, "conv_a/bias": None}) == [
        "error: a.h5 lacks conv_a/bias, conv_b of small; it holds 1 convolution and 1 dense layer"
    ]
    assert "lacks dense_a/bias of small" in sentences({"dense_a/bias": None})[0]


def test_unknown_layers(sentences):
    assert sentences({"norm/gamma": np.ones(4)}) == [
        "error: a.h5 holds norm/gamma, unknown to small: another network, or one with layers added"
    ]


def test_another_number_of_classes_than_of_outputs(sentences):
    assert sentences({}, classes=tuple("abcde")) == []
    assert sentences({}, classes=tuple("abcd")) == [
        "error: a.h5 has 4 names of classes, but dense_a/bias has 5 numbers: they do not belong "
        "together; convert the original again, or name others"
    ]
    assert sentences({"dense_a/kernel": None, "dense_a/bias": None}, classes=tuple("abcd")) == []


def test_many_or_long_names_are_shortened(sentences):
    [found] = sentences({f"norm{number}/{'gamma' * 100}\x1b": np.ones(4) for number in range(99)})
    assert "norm0/gammagamma" in found and "and 94 more, unknown to small" in found
    assert len(found) < 600 and found.isprintable()


@pytest.mark.parametrize(
    "name", ["norm.running_mean", "norm/norm/moving_mean:0", "norm/moving_mean", "norm/vars/2"]
)
def test_batch_normalization_is_named(sentences, name):
    assert sentences({name: np.ones(4)}) == [
        "error: a.h5 is of another network than small: it holds 2 convolutions, 1 batch "
        "normalization and 1 dense layer; take the weights of a network without batch normalization"
    ]


def test_another_architecture(sentences):
    assert sentences({}, architecture="vgg16") == ["error: a.h5 is a vgg16; wanted small"]


def test_wrong_shapes(sentences):
    assert sentences({"conv_b/bias": np.ones(7)}) == [
        "error: a.h5 holds conv_b/bias as (7,); small has (6,)"
    ]


def test_kernels_in_the_order_of_pytorch(sentences, arrays):
    turned = {
        name: arrays[name].transpose(3, 2, 0, 1) for name in ("conv_a/kernel", "conv_b/kernel")
    }
    assert sentences(turned) == [
        "error: a.h5 holds conv_a as (4, 3, 3, 3); minidl stores kernels as (3, 3, 3, 4): "
        "it is in PyTorch's order, convert it with `minidl weights convert`"
    ]


def test_values_that_are_invalid(sentences, arrays):
    not_finite = arrays["conv_b/kernel"].copy()
    not_finite.flat[[3, 5]] = np.nan, np.inf
    [found] = sentences({"conv_b/kernel": not_finite})
    assert "a.h5 has 2 NaN or infinite numbers in conv_b/kernel" in found
    [found] = sentences({"conv_b/kernel": np.zeros((3, 3, 4, 6))})
    assert "a.h5 has only zeros in conv_b/kernel" in found
    assert sentences({"conv_b/bias": np.zeros(6)}) == []


def test_swapped_colours_and_axes(sentences, arrays, samples):
    kernel = arrays["conv_a/kernel"]
    [found] = sentences({"conv_a/kernel": kernel[:, :, ::-1]})
    assert "error: a.h5 has red and blue swapped" in found
    [found] = sentences({"conv_a/kernel": kernel.swapaxes(0, 1)})
    assert "error: a.h5 has height and width swapped" in found
    both = sentences({"conv_a/kernel": kernel[:, :, ::-1].swapaxes(0, 1)})
    assert "red and blue swapped and height and width swapped" in both[0]
    assert sentences({"conv_a/kernel": kernel[:, :, ::-1]}, preprocessing=samples.TORCHVISION) == []


def test_another_training_is_only_a_note(sentences, arrays):
    (sentence,) = sentences({"conv_a/kernel": arrays["conv_a/kernel"] + 1})
    assert sentence.startswith("note: a.h5 is another training of small")
    assert "cannot be determined from the numbers" in sentence


def test_numbers_that_are_too_large(sentences, arrays):
    damaged = arrays["conv_a/bias"] * 0 + 3e38
    assert sentences({"conv_a/bias": damaged}) == [
        "error: a.h5 has numbers beyond 1e+06 in conv_a/bias, which no trained network has: "
        "the file is damaged; get it again"
    ]
