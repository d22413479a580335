"""`minidl weights`."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np
import pytest

from minidl import cli
from minidl.checkpoints import (
    Architecture,
    Checkpoint,
    Landmark,
    Preprocessing,
    load,
    read,
    shipped,
    write,
)
from minidl.cli import weights

SMALL = Architecture(
    name="small",
    shapes={"conv/kernel": (3, 3, 3, 16), "conv/bias": (16,)},
    landmark=Landmark("caffe", "conv/kernel", {(0, 0): (0.9, 0.5, 0.1)}),
    preprocessing={"caffe": Preprocessing("BGR", (103.0, 116.0, 123.0), (1.0, 1.0, 1.0))},
)

QUANTIZATION = {"dtype": "uint8", "scale": 0.5, "min": -2}


@pytest.fixture
def keras(tmp_path, monkeypatch):
    """Write a Keras file of a small network, and make that network the only known one."""
    monkeypatch.setattr(weights, "ARCHITECTURES", (SMALL,))
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 16)).astype(np.float32)
    kernel[0, 0, :, 0] = 0.1, 0.5, 0.9
    with h5py.File(tmp_path / "keras.h5", "w") as file:
        file["conv/conv/kernel:0"] = kernel
        file["conv/conv/bias:0"] = np.zeros(16, np.float32)
    return tmp_path / "keras.h5"


def convert(source, target, *options):
    return cli.main(["weights", "convert", str(source), str(target), *options])


def swap_colours(path):
    with h5py.File(path, "a") as file:
        file["conv/conv/kernel:0"][...] = file["conv/conv/kernel:0"][...][:, :, ::-1]


def test_convert(keras, capsys):
    target = keras.with_name("ours.h5")
    assert convert(keras, target, "--provenance", "authors=A. Nonymous") == 0
    assert "2 arrays" in capsys.readouterr().out
    checkpoint = load(target, SMALL)
    assert checkpoint.provenance["source"] == "keras.h5"
    assert checkpoint.provenance["authors"] == "A. Nonymous"
    assert len(checkpoint.provenance["source_sha256"]) == 64
    assert checkpoint.preprocessing.channels == "BGR"


def test_convert_with_levels(keras):
    target = keras.with_name("ours.h5")
    assert convert(keras, target, "--levels", "256") == 0
    assert np.unique(load(target, SMALL).arrays["conv/kernel"]).size <= 256


def test_convert_to_safetensors(keras, capsys):
    target = keras.with_name("ours.safetensors")
    assert convert(keras, target, "--provenance", "authors=A. Nonymous") == 0
    assert capsys.readouterr().out == (
        f"{target}: small, 2 arrays, {target.stat().st_size:,} bytes\n"
        "preprocessing of its input: BGR, mean (103.0, 116.0, 123.0), std (1.0, 1.0, 1.0)\n"
    )
    found = read(target)
    assert {name: array.shape for name, array in found.arrays.items()} == {
        "conv.weight": (16, 3, 3, 3),
        "conv.bias": (16,),
    }
    assert found.provenance["authors"] == "A. Nonymous"
    assert found.provenance["source"] == "keras.h5"
    again, direct = keras.with_name("again.h5"), keras.with_name("direct.h5")
    assert convert(target, again) == convert(keras, direct) == 0
    for name, array in load(direct, SMALL).arrays.items():
        np.testing.assert_array_equal(load(again, SMALL).arrays[name], array)


def test_levels_and_reserved_names_are_refused(keras, capsys):
    target = keras.with_name("ours.SafeTensors")
    assert convert(keras, target, "--levels", "256") == 2
    assert "--levels is only stored in minidl's format" in capsys.readouterr().err
    assert convert(keras, target, "--provenance", "classes=cat") == 2
    assert "classes has a meaning in the file; take another NAME" in capsys.readouterr().err
    assert not target.exists()


def test_a_top_that_is_left_out_is_named(keras, monkeypatch, capsys):
    known = replace(
        SMALL, shapes=SMALL.shapes | {"fc/kernel": (9, 4), "fc/bias": (4,)}, optional=("fc",)
    )
    monkeypatch.setattr(weights, "ARCHITECTURES", (known,))
    with h5py.File(keras, "a") as file:
        file["mine/kernel:0"] = np.ones((16, 2), np.float32)
    target = keras.with_name("ours.h5")
    sentence = (
        f"note: {keras} has another top than small (fc (16, 2)): it is left out, and the layers "
        "below it are used\n"
    )
    assert convert(keras, target) == 0
    assert capsys.readouterr().out.startswith(sentence)
    assert list(load(target, known).arrays) == list(SMALL.shapes)
    assert cli.main(["weights", "check", str(keras)]) == 0
    assert sentence in capsys.readouterr().out


def test_convert_with_the_names_of_classes(keras, tmp_path, capsys):
    """The network has 16 outputs, those of its bias."""
    names, target = tmp_path / "names.txt", keras.with_name("ours.h5")
    names.write_text("".join(f" größer {n} \n" for n in range(16)))
    assert convert(keras, target, "--classes", str(names)) == 0
    assert load(target, SMALL).classes == tuple(f"größer {n}" for n in range(16))
    capsys.readouterr()
    for contents, sentence in (
        (b"a\nb\n", "has 2 names of classes, but conv/bias has 16 numbers"),
        (b"a\n\nb", "names.txt is no list of names"),
        (b"", "names.txt is no list of names"),
        (b"\xff", "names.txt is no list of names"),
        (b"a\n" * 40_000, "names.txt is no list of names"),
        (b"a\x1b", "names.txt names a class 'a"),
        (b"a" * 2000, "names.txt names a class with 2,000 characters"),
    ):
        names.write_bytes(contents)
        assert convert(keras, tmp_path / "other.h5", "--classes", str(names)) == 2
        assert sentence in capsys.readouterr().err
    assert convert(keras, names, "--classes", str(names)) == 2
    assert "meant both as --classes and as TARGET" in capsys.readouterr().err
    assert not (tmp_path / "other.h5").exists()


def test_the_source_is_never_overwritten(keras, capsys):
    before = keras.read_bytes()
    assert convert(keras, keras) == 2
    assert "meant both as SOURCE and as TARGET" in capsys.readouterr().err
    assert keras.read_bytes() == before


def test_a_device_is_never_replaced(keras, capsys):
    assert convert(keras, "/dev/full") == 2
    assert "/dev/full is a device" in capsys.readouterr().err
    assert not Path("/dev/full").is_file()


def test_provenance_is_printed_without_control_characters(keras, capsys):
    target = keras.with_name("ours.h5")
    assert convert(keras, target, "--provenance", "paper=\x1b[31mred") == 0
    assert cli.main(["weights", "info", str(target)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_convert_refuses_known_mistakes_and_writes_nothing(keras, capsys):
    swap_colours(keras)
    target = keras.with_name("ours.h5")
    assert convert(keras, target) == 2
    assert "red and blue swapped" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize("source", ["nothing.h5", "."])
def test_sources_that_are_not_files(keras, tmp_path, capsys, source):
    assert convert(tmp_path / source, tmp_path / "ours.h5") == 2
    assert capsys.readouterr().err.startswith("minidl: ")


def test_invalid_targets_and_options(keras, tmp_path, capsys):
    assert convert(keras, tmp_path / "no" / "ours.h5") == 2
    assert "there is no folder" in capsys.readouterr().err
    assert convert(keras, tmp_path / "ours.h5", "--provenance", "me") == 2
    assert "NAME=TEXT" in capsys.readouterr().err


@pytest.fixture
def manifest(keras, tmp_path):
    """Write the same network as a manifest of TensorFlow.js."""
    with h5py.File(keras) as file:
        kernel = file["conv/conv/kernel:0"][...]
    (tmp_path / "a.bin").write_bytes(kernel.tobytes() + bytes(16))
    arrays = [
        {"name": "conv/filters", "shape": list(kernel.shape), "dtype": "float32"},
        {
            "name": "conv/bias",
            "shape": [16],
            "dtype": "float32",
            "quantization": QUANTIZATION,
        },
    ]
    path = tmp_path / "a-weights_manifest.json"
    path.write_text(json.dumps([{"paths": ["a.bin"], "weights": arrays}]))
    return path


def test_convert_a_manifest(manifest, capsys):
    target = manifest.with_name("ours.h5")
    assert convert(manifest, target) == 0
    assert "ours.h5: small, 2 arrays" in capsys.readouterr().out
    checkpoint = load(target, SMALL)
    np.testing.assert_array_equal(checkpoint.arrays["conv/bias"], np.full(16, -2, np.float32))
    assert checkpoint.provenance["source"] == "a-weights_manifest.json, a.bin"
    files = [manifest, manifest.with_name("a.bin")]
    digests = [sha256(file.read_bytes()).hexdigest() for file in files]
    assert checkpoint.provenance["source_sha256"].split(", ") == digests


def test_the_data_of_a_manifest_are_never_overwritten(manifest, capsys):
    numbers = manifest.with_name("a.bin")
    before = numbers.read_bytes()
    assert convert(manifest, numbers) == 2
    assert "meant both as SOURCE's a.bin and as TARGET" in capsys.readouterr().err
    assert numbers.read_bytes() == before


def test_a_manifest_with_truncated_data_is_refused(manifest, capsys):
    numbers, target = manifest.with_name("a.bin"), manifest.with_name("ours.h5")
    numbers.write_bytes(numbers.read_bytes()[:-1])
    for action in (
        ["convert", str(manifest), str(target)],
        ["check", str(manifest)],
        ["info", str(manifest)],
    ):
        assert cli.main(["weights", *action]) == 2
        assert "cut off" in capsys.readouterr().err
    assert not target.exists()


def test_check(keras, capsys):
    assert cli.main(["weights", "check", str(keras)]) == 0
    assert "is fit for small" in capsys.readouterr().out
    swap_colours(keras)
    assert cli.main(["weights", "check", str(keras)]) == 2
    assert "error: " in capsys.readouterr().out


def test_info_of_any_form(keras, capsys):
    assert cli.main(["weights", "info", str(keras)]) == 0
    out = capsys.readouterr().out
    assert "form: keras" in out
    assert "conv/conv/kernel:0" in out
    assert "448 numbers" in out


@pytest.mark.parametrize("name", ["vgg19", "face_detector", "face_landmarks", "face_recognition"])
def test_the_shipped_weights_are_fit(name, capsys):
    assert cli.main(["weights", "check", str(shipped(name))]) == 0
    assert f"is fit for {name}" in capsys.readouterr().out


def test_info_of_the_shipped_weights(capsys):
    assert cli.main(["weights", "info", str(shipped("vgg19"))]) == 0
    out = capsys.readouterr().out
    for text in ("BGR", "c34748d2a8b1ad0a", "CC BY 4.0", "Simonyan", "(3, 3, 512, 512)"):
        assert text in out


def test_info_of_the_names_of_classes(tmp_path, capsys):
    arrays = {"conv/bias": np.zeros(5, np.float32)}
    write(tmp_path / "a.h5", Checkpoint(arrays, classes=("cat", "dog", "cow", "hen", "pig")))
    assert cli.main(["weights", "info", str(tmp_path / "a.h5")]) == 0
    assert "\n5 classes: cat, dog, cow and 2 more\n" in capsys.readouterr().out


def test_texts_of_a_file_are_printed_without_control_characters(keras, tmp_path, capsys):
    escaped = "\x1b[31mred\x1b]0;title\x07"
    target = tmp_path / "a.h5"
    assert convert(keras, target, "--provenance", f"authors={escaped}") == 0
    capsys.readouterr()
    assert cli.main(["weights", "info", str(target)]) == 0
    out = capsys.readouterr().out
    assert "authors: ?[31mred?]0;title?" in out and "\x1b" not in out
    with h5py.File(target, "r+") as file:
        file.attrs["architecture"] = np.bytes_(escaped.encode())
    for words in (["info", target], ["check", target], ["convert", target, tmp_path / "b.h5"]):
        assert cli.main(["weights", *map(str, words)]) == 2
        printed = "".join(capsys.readouterr())
        message = "has '?[31mred?]0;title?' as its attribute 'architecture'; wanted plain text"
        assert message in printed and "\x1b" not in printed
    path = tmp_path / "\x1b[31m.h5"
    target.rename(path)
    assert cli.main(["weights", "info", str(path)]) == 2
    assert "\x1b" not in "".join(capsys.readouterr())


def test_a_source_name_that_is_not_utf_8(keras, tmp_path, capsys):
    path = tmp_path / "a\udcff.h5"
    keras.rename(path)
    assert convert(path, tmp_path / "b.h5") == 0
    assert load(tmp_path / "b.h5", SMALL).provenance["source"] == "a?.h5"


def vgg19_of_pytorch(torch, normalized):
    """Return the state of torchvision's vgg19 or vgg19_bn, with few channels."""
    layers, channels = [], 3
    for count in (2, 2, 4, 4, 4):
        for _ in range(count):
            layers.append(torch.nn.Conv2d(channels, 4, 3))
            layers += [torch.nn.BatchNorm2d(4)] if normalized else []
            layers.append(torch.nn.ReLU())
            channels = 4
        layers.append(torch.nn.MaxPool2d(2))
    dense = torch.nn.ModuleDict({str(number): torch.nn.Linear(4, 4) for number in (0, 3, 6)})
    parts = {"features": torch.nn.Sequential(*layers), "classifier": dense}
    return torch.nn.ModuleDict(parts).state_dict()


@pytest.mark.parametrize("nested", [False, True])
def test_a_vgg19_with_batch_normalization_is_named(tmp_path, capsys, nested):
    torch = pytest.importorskip("torch")
    path, state = tmp_path / "bn.pth", vgg19_of_pytorch(torch, normalized=True)
    torch.save({"net": state} if nested else state, path)
    assert convert(path, tmp_path / "ours.h5") == 2
    error = capsys.readouterr().err
    assert error == (
        f"minidl: {path} is of another network than vgg19: it holds 16 convolutions, 16 batch "
        "normalizations and 3 dense layers, as VGG19 with batch normalization has; take the "
        "weights of a network without batch normalization\n"
    )
    assert cli.main(["weights", "check", str(path)]) == 2
    assert "as VGG19 with batch normalization has" in capsys.readouterr().out
    assert not (tmp_path / "ours.h5").exists()


def test_the_layers_of_a_residual_network_are_counted(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    layers = [torch.nn.Conv2d(3, 3, 3), torch.nn.BatchNorm2d(3)] * 5 + [torch.nn.Linear(3, 2)]
    torch.save(torch.nn.Sequential(*layers).state_dict(), tmp_path / "net.pth")
    assert convert(tmp_path / "net.pth", tmp_path / "ours.h5") == 2
    assert "5 convolutions, 5 batch normalizations and 1 dense layer\n" in capsys.readouterr().err


def test_names_of_files_are_printed_without_control_characters(keras, capsys):
    path = keras.rename(keras.with_name("odd\x1b[31m.h5"))
    new = path.with_name("new\x1b.h5")
    for words in (["info", str(path)], ["check", str(path)], ["convert", str(path), str(new)]):
        assert cli.main(["weights", *words]) == 0
        assert "\x1b" not in capsys.readouterr().out
