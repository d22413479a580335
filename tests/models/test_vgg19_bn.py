"""VGG19 with batch normalization: its shapes, and what it takes from ImageNet."""

import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, load, shipped, write
from minidl.errors import ArgumentError
from minidl.models.vgg19 import ARCHITECTURE
from minidl.models.vgg19_bn import take_imagenet, vgg19_bn

MEAN, STD = (120.0, 110.0, 100.0), (60.0, 50.0, 40.0)


def test_it_is_the_network_that_it_is_said_to_be():
    lines = vgg19_bn("4096-4096-10").summary((32, 32, 3))
    fields = {line.name: line.receptive_field for line in lines}
    expected = {
        "1_1": 3,
        "1_2": 5,
        "2_1": 10,
        "2_2": 14,
        "3_1": 24,
        "3_2": 32,
        "3_3": 40,
        "3_4": 48,
        "4_1": 68,
        "5_4": 252,
    }
    for place, field in expected.items():
        block, number = place.split("_")
        assert fields[f"block{block}_conv{number}"] == (field, field)
    products = {line.name: line.multiply_adds for line in lines}
    assert sum(products.values()) == 398_131_200 + 512 * 4096 + 4096 * 4096 + 4096 * 10
    assert [line.shape for line in lines if line.name in ("block5_pool", "fc1", "fc2", "predictions")] == [
        (1, 1, 512), (4096,), (4096,), (10,),
    ]  # fmt: skip


def test_a_quarter_of_the_width_needs_a_sixteenth():
    whole, quarter = (
        sum(line.multiply_adds for line in vgg19_bn(width=width).summary((32, 32, 3))[3:])
        for width in (1, 0.25)
    )
    assert whole / quarter == pytest.approx(16, rel=0.001)


@pytest.fixture(scope="module")
def taken():
    model = vgg19_bn("16-10")
    before = {name: parameter.data for name, parameter in model.named_parameters().items()}
    return model, before, take_imagenet(model, MEAN, STD)


def test_the_first_layer_sees_what_it_was_trained_on(taken):
    """But for a constant: the network's input, undone, is the picture; the weights want it in BGR,
    less their mean."""
    model, _, _ = taken
    weights = load(shipped("vgg19"), ARCHITECTURE).arrays
    picture = np.random.default_rng(0).uniform(0, 255, (3, 3, 3)).astype(np.float32)
    fed = (picture - MEAN) / STD
    found = (fed[..., None] * model.layers["block1_conv1"].kernel.data).sum(axis=(0, 1, 2))
    expected = ((picture - MEAN)[:, :, ::-1, None] * weights["block1_conv1/kernel"]).sum(
        axis=(0, 1, 2)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(
        model.layers["block3_conv2"].kernel.data, weights["block3_conv2/kernel"]
    )
    np.testing.assert_array_equal(
        model.layers["block5_conv4"].bias.data, weights["block5_conv4/bias"]
    )


def test_the_report_names_everything(taken):
    model, before, report = taken
    assert list(report) == ["taken", "of another shape", "not in the file"]
    assert sorted(name for names in report.values() for name in names) == sorted(before)
    assert len(report["taken"]) == 32 and not report["of another shape"]
    assert {"fc1/kernel", "predictions/bias", "block1_conv1_norm/gamma"} <= set(
        report["not in the file"]
    )
    now = model.named_parameters()
    assert all(now[name].data is before[name] for name in report["not in the file"])


def test_an_rgb_file_is_not_turned_and_its_std_counts(tmp_path, taken):
    arrays = load(shipped("vgg19"), ARCHITECTURE).arrays
    fed = ARCHITECTURE.preprocessing["torchvision"]
    kernel = (
        np.random.default_rng(0)
        .standard_normal(arrays["block1_conv1/kernel"].shape)
        .astype(np.float32)
    )
    write(
        tmp_path / "rgb.h5",
        Checkpoint({**arrays, "block1_conv1/kernel": kernel}, preprocessing=fed),
    )
    model = vgg19_bn("16-10")
    take_imagenet(model, MEAN, STD, tmp_path / "rgb.h5")
    scale = (np.array(STD) / fed.std)[:, None]
    np.testing.assert_allclose(model.layers["block1_conv1"].kernel.data, kernel * scale, rtol=1e-6)


def test_a_width_that_nothing_fits_is_refused():
    with pytest.raises(
        ArgumentError,
        match="none of ImageNet's weights fits a network of this width; take the width 1",
    ):
        take_imagenet(vgg19_bn("16-10", width=1 / 16), MEAN, STD)
