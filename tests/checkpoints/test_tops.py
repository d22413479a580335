"""Files with another top than the architecture's, and names of layers in other programs."""

from dataclasses import replace

import numpy as np
import pytest

from minidl.checkpoints import Architecture, Checkpoint, diagnose, load, read, translate, write
from minidl.errors import FileError

TOP = {
    "conv_a/kernel": (3, 3, 3, 4),
    "conv_a/bias": (4,),
    "conv_b/kernel": (3, 3, 4, 6),
    "conv_b/bias": (6,),
    "fc1/kernel": (24, 8),
    "fc1/bias": (8,),
    "fc2/kernel": (8, 8),
    "fc2/bias": (8,),
    "predictions/kernel": (8, 10),
    "predictions/bias": (10,),
}
CONVOLUTIONS = [name for name in TOP if name.startswith("conv")]


@pytest.fixture
def network(samples):
    return Architecture(
        "network",
        TOP,
        optional=("fc1", "fc2", "predictions"),
        preprocessing={"caffe": samples.CAFFE},
        aliases={"conv1": "conv_a", "conv2": "conv_b", "fc6": "fc1", "fc8": "predictions"},
    )


def random(shapes):
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def renamed(names, **sizes):
    """Return random arrays of the network. names: {layer: another name, or None to leave it out};
    sizes: (inputs, outputs) of a layer, by its name."""
    shapes = {}
    for name, shape in TOP.items():
        layer, _, part = name.partition("/")
        if layer in sizes:
            shape = sizes[layer] if part == "kernel" else sizes[layer][1:]
        if names.get(layer, layer):
            shapes[f"{names.get(layer, layer)}/{part}"] = shape
    return random(shapes)


OWN_NAMES = {"fc1": "dense", "fc2": "dense_1", "predictions": "dense_10"}


@pytest.mark.parametrize("form", ["keras 2", "keras 3", "npz"])
@pytest.mark.parametrize(
    ("names", "sizes"),
    [
        ({}, {"predictions": (8, 3)}),
        ({}, {"fc1": (24, 5), "fc2": (5, 7), "predictions": (7, 3)}),
        (OWN_NAMES, {"predictions": (8, 3)}),
        ({"predictions": "mine"}, {"predictions": (8, 3)}),
        ({"conv_a": "vgg/conv_a", "conv_b": "vgg/conv_b"}, {"predictions": (8, 3)}),
    ],
)
def test_a_consistent_top_of_other_sizes_is_loaded(tmp_path, network, samples, form, names, sizes):
    stored, wanted = renamed(names, **sizes), renamed({}, **sizes)
    if form == "npz":
        samples.npz_file(tmp_path / "a", stored)
    else:
        prefix = "layers" if form == "keras 3" else "model_weights"
        parts = {"kernel": "vars/0", "bias": "vars/1"} if form == "keras 3" else {}
        named = {
            f"{prefix}/{name.rpartition('/')[0]}/{parts.get(part, part)}": array
            for name, array in stored.items()
            for part in [name.rpartition("/")[2]]
        }
        samples.hdf5_file(tmp_path / "a", named)
    found = translate(read(tmp_path / "a"), network)
    assert list(found.arrays) == list(wanted) and found.remarks == ()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found.arrays[name], array)
    assert diagnose(found, network) == []
    write(tmp_path / "ours.h5", replace(found, classes=("a", "b", "c")))
    loaded = load(tmp_path / "ours.h5", network, top=True)
    assert loaded.arrays["predictions/bias"].shape == (3,)
    assert list(load(tmp_path / "ours.h5", network).arrays) == CONVOLUTIONS


@pytest.mark.parametrize(
    ("names", "sizes", "shown"),
    [
        ({"fc1": None, "fc2": None, "predictions": "mine"}, {"predictions": (6, 3)}, "mine (6, 3)"),
        ({"fc2": None}, {"fc1": (24, 5), "predictions": (5, 3)}, "fc1 (24, 5), predictions (5, 3)"),
        ({}, {"fc1": (6, 8)}, "fc1 (6, 8), fc2 (8, 8), predictions (8, 10)"),
        ({}, {"predictions": (9, 3)}, "fc2 (8, 8), predictions (9, 3)"),
    ],
)
def test_another_top_is_left_out_with_a_sentence(network, names, sizes, shown):
    stored = renamed(names, **sizes)
    more = {"norm/gamma": np.ones(6), "norm/moving_mean": np.ones(6)}
    found = translate(Checkpoint(stored | more), network)
    assert list(found.arrays) == CONVOLUTIONS
    [(severity, text)] = diagnose(found, network, "mine.h5")
    assert severity == "note" and shown in text
    assert text.startswith("mine.h5 has another top than network (")
    assert text.endswith("): it is left out, and the layers below it are used")


def test_another_top_of_pytorch_is_left_out(network, samples):
    stored = {
        f"module.{name}": array
        for name, array in samples.torch_arrays(
            {name: array for name, array in renamed({}).items() if name in CONVOLUTIONS}
        ).items()
    }
    found = translate(Checkpoint(stored | {"module.head.weight": np.ones((3, 6))}), network)
    assert list(found.arrays) == CONVOLUTIONS and "module.head (3, 6)" in found.remarks[0]


def test_arrays_below_the_top_are_never_left_out(network):
    stored = renamed({"predictions": "mine"}, predictions=(8, 3))
    more = {"extra/kernel": np.ones((3, 3, 6, 6)), "other/kernel": np.ones((3, 3))}
    found = translate(Checkpoint(stored | more), network)
    assert any("extra/kernel" in text for severity, text in diagnose(found, network))
    norms = {f"norm{n}/moving_mean": np.ones(4) for n in range(2)}
    found = translate(Checkpoint(stored | norms | {"more/kernel": np.ones((3, 3))}), network)
    assert any("2 batch normalizations" in text for severity, text in diagnose(found, network))


def test_the_top_of_a_file_may_not_be_required_elsewhere(network):
    """Without optional layers, another dense layer is an error."""
    strict = replace(network, optional=())
    with pytest.raises(FileError, match="another network"):
        translate(Checkpoint(renamed({"fc2": None, "fc1": "x", "predictions": "y"})), strict)
    assert diagnose(translate(Checkpoint(renamed({}, predictions=(8, 3))), strict), strict)


@pytest.mark.parametrize(
    "pattern",
    [
        "{}_W,{}_b",
        "{}_weights,{}_biases",
        "{}/kernel,{}/bias",
        "net/{}/weights,net/{}/biases",
    ],
)
def test_flat_names(network, pattern):
    kernel, bias = pattern.split(",")
    stored, wanted = {}, renamed({})
    aliases = {layer: alias for alias, layer in network.aliases.items()}
    for number, (name, array) in enumerate(wanted.items()):
        layer, _, part = name.partition("/")
        own = aliases.get(layer, layer) if number % 4 < 2 else layer
        stored[(kernel if part == "kernel" else bias).format(own)] = array
    found = translate(Checkpoint(stored, form="npz"), network)
    assert list(found.arrays) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found.arrays[name], array)


def test_numbered_arrays_are_paired(tmp_path, network):
    wanted = renamed({}, predictions=(8, 3))
    with open(tmp_path / "a.npz", "wb") as file:
        np.savez(file, *wanted.values())
    found = translate(read(tmp_path / "a.npz"), network)
    assert list(found.arrays) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(found.arrays[name], array)
    with open(tmp_path / "b.npz", "wb") as file:
        np.savez(file, *[array for name, array in wanted.items() if name in CONVOLUTIONS])
    assert list(translate(read(tmp_path / "b.npz"), network).arrays) == CONVOLUTIONS


def test_two_networks_in_one_file_are_refused(network):
    stored = renamed({}) | {f"copy/{name}": array + 1 for name, array in renamed({}).items()}
    with pytest.raises(FileError, match="hold conv_a twice, also as copy/conv_a/kernel; save only"):
        translate(Checkpoint(stored), network)
