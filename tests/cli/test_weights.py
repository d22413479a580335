import json
from hashlib import sha256
from pathlib import Path

import h5py
import numpy as np
import pytest

from minidl import cli
from minidl.checkpoints import Architecture, Landmark, Preprocessing, load, shipped
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
    """A Keras file of a small network, and the command line made to expect that network."""
    monkeypatch.setattr(weights, "ARCHITECTURES", (SMALL,))
    kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 16)).astype(np.float32)
    kernel[0, 0, :, 0] = 0.1, 0.5, 0.9
    with h5py.File(tmp_path / "keras.h5", "w") as file:
        file["conv/conv/kernel:0"] = kernel
        file["conv/conv/bias:0"] = np.zeros(16, np.float32)
    return tmp_path / "keras.h5"


def swap_colours(path):
    with h5py.File(path, "a") as file:
        file["conv/conv/kernel:0"][...] = file["conv/conv/kernel:0"][...][:, :, ::-1]


def test_convert(keras, capsys):
    target = keras.with_name("ours.h5")
    assert (
        cli.main(
            ["weights", "convert", str(keras), str(target), "--provenance", "authors=A. Nonymous"]
        )
        == 0
    )
    assert "2 arrays" in capsys.readouterr().out
    checkpoint = load(target, SMALL)
    assert checkpoint.provenance["source"] == "keras.h5"
    assert checkpoint.provenance["authors"] == "A. Nonymous"
    assert len(checkpoint.provenance["source_sha256"]) == 64
    assert checkpoint.preprocessing.channels == "BGR"


def test_convert_with_levels(keras):
    target = keras.with_name("ours.h5")
    assert cli.main(["weights", "convert", str(keras), str(target), "--levels", "256"]) == 0
    assert np.unique(load(target, SMALL).arrays["conv/kernel"]).size <= 256


def test_the_source_is_never_overwritten(keras, capsys):
    before = keras.read_bytes()
    assert cli.main(["weights", "convert", str(keras), str(keras)]) == 2
    assert "meant both as SOURCE and as TARGET" in capsys.readouterr().err
    assert keras.read_bytes() == before


def test_a_device_is_never_replaced(keras, capsys):
    assert cli.main(["weights", "convert", str(keras), "/dev/full"]) == 2
    assert "/dev/full is a device" in capsys.readouterr().err
    assert not Path("/dev/full").is_file()


def test_words_of_strangers_cannot_command_the_terminal(keras, capsys):
    target = keras.with_name("ours.h5")
    assert (
        cli.main(
            ["weights", "convert", str(keras), str(target), "--provenance", "paper=\x1b[31mred"]
        )
        == 0
    )
    assert cli.main(["weights", "info", str(target)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_convert_refuses_known_mistakes_and_writes_nothing(keras, capsys):
    swap_colours(keras)
    target = keras.with_name("ours.h5")
    assert cli.main(["weights", "convert", str(keras), str(target)]) == 2
    assert "red and blue swapped" in capsys.readouterr().err
    assert not target.exists()


@pytest.mark.parametrize("source", ["nothing.h5", "."])
def test_sources_that_are_no_file(keras, tmp_path, capsys, source):
    assert cli.main(["weights", "convert", str(tmp_path / source), str(tmp_path / "ours.h5")]) == 2
    assert capsys.readouterr().err.startswith("minidl: ")


def test_targets_and_arguments_that_cannot_be(keras, tmp_path, capsys):
    assert cli.main(["weights", "convert", str(keras), str(tmp_path / "no" / "ours.h5")]) == 2
    assert "there is no folder" in capsys.readouterr().err
    assert (
        cli.main(
            ["weights", "convert", str(keras), str(tmp_path / "ours.h5"), "--provenance", "me"]
        )
        == 2
    )
    assert "WHAT=TEXT" in capsys.readouterr().err


@pytest.fixture
def manifest(keras, tmp_path):
    """The same network as a manifest of TensorFlow.js."""
    with h5py.File(keras) as file:
        kernel = file["conv/conv/kernel:0"][...]
    (tmp_path / "a.bin").write_bytes(kernel.tobytes() + bytes(16))
    told = [{"name": "conv/filters", "shape": list(kernel.shape), "dtype": "float32"}]
    told.append(
        {"name": "conv/bias", "shape": [16], "dtype": "float32"} | {"quantization": QUANTIZATION}
    )
    path = tmp_path / "a-weights_manifest.json"
    path.write_text(json.dumps([{"paths": ["a.bin"], "weights": told}]))
    return path


def test_convert_a_manifest(manifest, capsys):
    target = manifest.with_name("ours.h5")
    assert cli.main(["weights", "convert", str(manifest), str(target)]) == 0
    assert "ours.h5: small, 2 arrays" in capsys.readouterr().out
    checkpoint = load(target, SMALL)
    np.testing.assert_array_equal(checkpoint.arrays["conv/bias"], np.full(16, -2, np.float32))
    assert checkpoint.provenance["source"] == "a-weights_manifest.json, a.bin"
    digests = checkpoint.provenance["source_sha256"].split(", ")
    assert digests == [
        sha256(manifest.with_name(name).read_bytes()).hexdigest()
        for name in (manifest.name, "a.bin")
    ]


def test_the_numbers_beside_a_manifest_are_never_overwritten(manifest, capsys):
    numbers = manifest.with_name("a.bin")
    before = numbers.read_bytes()
    assert cli.main(["weights", "convert", str(manifest), str(numbers)]) == 2
    assert "meant both as SOURCE's a.bin and as TARGET" in capsys.readouterr().err
    assert numbers.read_bytes() == before


def test_a_manifest_whose_numbers_are_cut_off_is_refused(manifest, capsys):
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
    shown = capsys.readouterr().out
    assert "form: keras" in shown
    assert "conv/conv/kernel:0" in shown
    assert "448 numbers" in shown


@pytest.mark.parametrize("name", ["vgg19", "face_detector", "face_landmarks", "face_recognition"])
def test_the_shipped_weights_are_fit(name, capsys):
    assert cli.main(["weights", "check", str(shipped(name))]) == 0
    assert f"is fit for {name}" in capsys.readouterr().out


def test_info_of_the_shipped_weights(capsys):
    assert cli.main(["weights", "info", str(shipped("vgg19"))]) == 0
    shown = capsys.readouterr().out
    for told in ("BGR", "c34748d2a8b1ad0a", "CC BY 4.0", "Simonyan", "(3, 3, 512, 512)"):
        assert told in shown


def test_texts_of_a_file_are_shown_without_control_characters(keras, tmp_path, capsys):
    escaped = "\x1b[31mred\x1b]0;title\x07"
    target = tmp_path / "a.h5"
    assert (
        cli.main(
            ["weights", "convert", str(keras), str(target), "--provenance", f"authors={escaped}"]
        )
        == 0
    )
    capsys.readouterr()
    assert cli.main(["weights", "info", str(target)]) == 0
    told = capsys.readouterr().out
    assert "authors: ?[31mred?]0;title?" in told and "\x1b" not in told
    with h5py.File(target, "r+") as file:
        file.attrs["architecture"] = np.bytes_(escaped.encode())
    for words in (["info", target], ["check", target], ["convert", target, tmp_path / "b.h5"]):
        assert cli.main(["weights", *map(str, words)]) == 2
        told = "".join(capsys.readouterr())
        assert (
            "has '?[31mred?]0;title?' as its attribute 'architecture'; wanted plain text" in told
            and "\x1b" not in told
        )
    strange = tmp_path / "\x1b[31m.h5"
    target.rename(strange)
    assert cli.main(["weights", "info", str(strange)]) == 2 and "\x1b" not in "".join(
        capsys.readouterr()
    )


def test_a_source_name_that_is_not_utf_8(keras, tmp_path, capsys):
    strange = tmp_path / "a\udcff.h5"
    keras.rename(strange)
    assert cli.main(["weights", "convert", str(strange), str(tmp_path / "b.h5")]) == 0
    assert load(tmp_path / "b.h5", SMALL).provenance["source"] == "a?.h5"


# ---- networks of other architectures
# --------------------------------------------------------------------------------


def vgg19_of_pytorch(torch, normalized):
    """The names and the kinds of layers of torchvision's vgg19 and vgg19_bn, with few channels"""
    layers, channels = [], 3
    for count in (2, 2, 4, 4, 4):
        for _ in range(count):
            layers.append(torch.nn.Conv2d(channels, 4, 3))
            layers += [torch.nn.BatchNorm2d(4)] if normalized else []
            layers.append(torch.nn.ReLU())
            channels = 4
        layers.append(torch.nn.MaxPool2d(2))
    tops = torch.nn.ModuleDict({str(number): torch.nn.Linear(4, 4) for number in (0, 3, 6)})
    return torch.nn.ModuleDict(
        {"features": torch.nn.Sequential(*layers), "classifier": tops}
    ).state_dict()


@pytest.mark.parametrize("nested", [False, True])
def test_a_vgg19_with_batch_normalization_is_named(tmp_path, capsys, nested):
    torch = pytest.importorskip("torch")
    path, state = tmp_path / "bn.pth", vgg19_of_pytorch(torch, normalized=True)
    torch.save({"net": state} if nested else state, path)
    assert cli.main(["weights", "convert", str(path), str(tmp_path / "ours.h5")]) == 2
    error = capsys.readouterr().err
    assert error == (
        f"minidl: {path} is of another network than vgg19: it holds 16 convolutions, 16 batch normalizations and 3 dense "
        "layers, as VGG19 with batch normalization has; take the weights of a network without batch normalization\n"
    )
    assert cli.main(["weights", "check", str(path)]) == 2
    assert "as VGG19 with batch normalization has" in capsys.readouterr().out
    assert not (tmp_path / "ours.h5").exists()


def test_a_residual_network_is_counted(tmp_path, capsys):
    torch = pytest.importorskip("torch")
    state = torch.nn.Sequential(
        *[torch.nn.Conv2d(3, 3, 3), torch.nn.BatchNorm2d(3)] * 5, torch.nn.Linear(3, 2)
    ).state_dict()
    torch.save(state, tmp_path / "net.pth")
    assert (
        cli.main(["weights", "convert", str(tmp_path / "net.pth"), str(tmp_path / "ours.h5")]) == 2
    )
    assert "5 convolutions, 5 batch normalizations and 1 dense layer\n" in capsys.readouterr().err


def test_names_of_files_are_printed_without_control_characters(keras, capsys):
    odd = keras.rename(keras.with_name("odd\x1b[31m.h5"))
    for words in (
        ["info", str(odd)],
        ["check", str(odd)],
        ["convert", str(odd), str(odd.with_name("new\x1b.h5"))],
    ):
        assert cli.main(["weights", *words]) == 0
        assert "\x1b" not in capsys.readouterr().out
