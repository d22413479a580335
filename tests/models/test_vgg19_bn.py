"""VGG19 with batch normalization: its shapes, and the weights that it takes from ImageNet."""

import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, load, shipped, write
from minidl.errors import ArgumentError
from minidl.models.vgg19 import ARCHITECTURE
from minidl.models.vgg19_bn import take_imagenet, vgg19_bn

MEAN, STD = (120.0, 110.0, 100.0), (60.0, 50.0, 40.0)


def test_receptive_fields_shapes_and_products():
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
    names = ("block5_pool", "fc1", "fc2", "predictions")
    shapes = [line.shape for line in lines if line.name in names]
    assert shapes == [(1, 1, 512), (4096,), (4096,), (10,)]


def test_a_quarter_of_the_width_needs_a_sixteenth_of_the_products():
    full, quarter = (
        sum(line.multiply_adds for line in vgg19_bn(width=width).summary((32, 32, 3))[3:])
        for width in (1, 0.25)
    )
    assert full / quarter == pytest.approx(16, rel=0.001)


@pytest.fixture(scope="module")
def taken():
    model = vgg19_bn("16-10")
    before = {name: parameter.data for name, parameter in model.named_parameters().items()}
    return model, before, take_imagenet(model, STD)


def test_the_first_layer_computes_what_it_was_trained_for(taken):
    """The results differ by a constant only. The weights expect the picture in BGR, less a mean."""
    model, _, _ = taken
    weights = load(shipped("vgg19"), ARCHITECTURE).arrays
    picture = np.random.default_rng(0).uniform(0, 255, (3, 3, 3)).astype(np.float32)
    x, bgr = (picture - MEAN) / STD, (picture - MEAN)[:, :, ::-1]
    output = (x[..., None] * model.layers["block1_conv1"].kernel.data).sum(axis=(0, 1, 2))
    expected = (bgr[..., None] * weights["block1_conv1/kernel"]).sum(axis=(0, 1, 2))
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-3)
    kernel, bias = model.layers["block3_conv2"].kernel, model.layers["block5_conv4"].bias
    np.testing.assert_array_equal(kernel.data, weights["block3_conv2/kernel"])
    np.testing.assert_array_equal(bias.data, weights["block5_conv4/bias"])


def test_the_report_names_everything(taken):
    model, before, report = taken
    assert list(report) == ["taken", "of another shape", "not in the file"]
    assert sorted(name for names in report.values() for name in names) == sorted(before)
    assert len(report["taken"]) == 32 and not report["of another shape"]
    missing = set(report["not in the file"])
    assert {"fc1/kernel", "predictions/bias", "block1_conv1_norm/gamma"} <= missing
    now = model.named_parameters()
    assert all(now[name].data is before[name] for name in report["not in the file"])


def test_the_colours_of_an_rgb_file_keep_their_order_and_its_std_is_applied(tmp_path, taken):
    arrays = load(shipped("vgg19"), ARCHITECTURE).arrays
    preprocessing = ARCHITECTURE.preprocessing["torchvision"]
    shape = arrays["block1_conv1/kernel"].shape
    kernel = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    arrays = {**arrays, "block1_conv1/kernel": kernel}
    write(tmp_path / "rgb.h5", Checkpoint(arrays, preprocessing=preprocessing))
    model = vgg19_bn("16-10")
    take_imagenet(model, STD, tmp_path / "rgb.h5")
    scale = (np.array(STD) / preprocessing.std)[:, None]
    np.testing.assert_allclose(model.layers["block1_conv1"].kernel.data, kernel * scale, rtol=1e-6)


def test_a_width_that_no_weights_fit_is_refused():
    with pytest.raises(
        ArgumentError,
        match="none of ImageNet's weights fits a network of this width; take the width 1",
    ):
        take_imagenet(vgg19_bn("16-10", width=1 / 16), STD)
