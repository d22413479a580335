"""`minidl train` and `minidl classify` on small data sets in the official formats."""

import csv
import json
import re
import shlex
import shutil
import subprocess
import sys

import numpy as np
import pytest

from minidl.cli import main
from minidl.data import read_image, write_image
from minidl.ops import softmax
from minidl.recipes import cifar10, siamese
from minidl.training import load
from tests.data import official
from tests.training.small import bytes_of

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Write bars in place of MNIST's digits, and colours in place of CIFAR-10's objects."""
    folder = tmp_path_factory.mktemp("data")
    for prefix, count in (("train", 240), ("t10k", 40)):
        labels = np.arange(count, dtype=np.uint8) % 10
        pictures = RNG.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for picture, label in zip(pictures, labels, strict=True):
            picture[2 * label : 2 * label + 8, 4:24] = 255
        (folder / f"{prefix}-images-idx3-ubyte").write_bytes(official.idx(pictures))
        (folder / f"{prefix}-labels-idx1-ubyte").write_bytes(official.idx(labels))
    for number, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
        labels = (np.arange(40, dtype=np.uint8) + number) % 10
        pictures = RNG.integers(0, 40, (40, 32, 32, 3), dtype=np.uint8)
        pictures[..., 0] += (20 * labels)[:, None, None].astype(np.uint8)
        (folder / f"{name}.bin").write_bytes(official.records(pictures, labels))
    return folder


def rows(folder):
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


LINES = {
    "siamese": "--preset fast --pairs 20 --epochs 2",
    "cifar10": "--preset fast --batch 20 --epochs 2 --width 0.0625 --head 32-10",
}
SMALL = {network: line.split() for network, line in LINES.items()}  # options of a short run


def small(network, data, folder, *more):
    return ["train", network, "--data", str(data), "--folder", str(folder), *SMALL[network], *more]


def refused(capsys, *command):
    assert main(command) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_siamese(data, tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(small("siamese", data, folder)) == 0
    out = capsys.readouterr().out
    assert "measuring on the test set\n" in out and "on the test set: loss" in out
    assert "a collapsed network: 5.0000, one distance for all: 2.4437" in out
    assert [row["epoch"] for row in rows(folder)] == ["1", "2"]
    assert (folder / "checkpoint.h5").exists()
    result = json.loads((folder / "result.json").read_text())
    assert result["settings"]["pairs"] == 20
    assert 0 <= result["test"]["accuracy"] <= 1
    error = refused(capsys, *small("siamese", data, folder))
    files = ["--data", str(data), "--folder", str(folder)]
    resume = shlex.join(["minidl", "train", "siamese", *files, "--resume"])
    message = f"exists already; continue from it: {resume} (or choose another --folder)"
    assert message in error


@pytest.mark.thorough
def test_a_resumed_run_keeps_its_settings(data, tmp_path, capsys):
    folder, files = tmp_path / "run", ["--data", str(data), "--folder", str(tmp_path / "run")]
    assert main(small("siamese", data, folder, "--seed", "3", "--clip", "9")) == 0
    settings = json.loads((folder / "result.json").read_text())["settings"]
    assert (settings["clip"], settings["epsilon_form"]) == (9.0, "pytorch")
    (folder / "result.json").unlink()
    capsys.readouterr()
    assert main(["train", "siamese", *files, "--resume", "--quiet"]) == 0
    assert json.loads((folder / "result.json").read_text())["settings"] == settings
    out, error = capsys.readouterr()
    assert out.startswith("on the test set") and out.count("\n") == 1 and not error
    assert main(small("siamese", data, folder, "--resume", "--seed", "3")) == 0
    capsys.readouterr()
    differing = ["--resume", "--seed", "1", "--limit", "200", "--clip", "9", "--preset", "original"]
    message = (
        "is of a run with --preset fast, --seed 3, --limit none; "
        "leave these options out, or begin again in another folder"
    )
    assert message in refused(capsys, "train", "siamese", *files, *differing)
    error = refused(capsys, "train", "cifar10", *files, "--resume")
    assert "is not from a run of `minidl train cifar10`" in error


def test_a_tiny_network_is_resumed_with_its_settings(data, tmp_path, capsys):
    files = ["--data", str(data), "--folder", str(tmp_path / "run")]
    options = ["--preset", "tiny", "--blocks", "1x5", "--batch", "20", "--epochs", "1", "--quiet"]
    assert main(["train", "cifar10", *files, *options]) == 0
    settings = json.loads((tmp_path / "run" / "result.json").read_text())["settings"]
    assert (settings["blocks"], settings["norm"], settings["head"]) == ("1x5", False, "10")
    assert main(["train", "cifar10", *files, "--resume"]) == 0
    error = refused(capsys, "train", "cifar10", *files, "--resume", "--blocks", "2x10")
    assert "is of a run with --blocks 1x5" in error
    usual = tmp_path / "usual"
    assert main(small("cifar10", data, usual, "--quiet")) == 0
    error = refused(capsys, *small("cifar10", data, usual, "--resume", "--norm", "no"))
    assert "is of a run with --norm yes" in error


@pytest.mark.thorough
def test_the_original_settings_are_the_default_and_each_preset_has_its_folder(
    data, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    options = ["--data", str(data), "--quiet", "--epochs", "1"]
    for preset in ([], ["--preset", "fast"]):
        assert main(["train", "siamese", *options, *preset, "--pairs", "20"]) == 0
        words = [*options, *preset, *SMALL["cifar10"][2:], "--imagenet", "no"]
        assert main(["train", "cifar10", *words]) == 0
    made = {
        path.parent.name: json.loads(path.read_text())["settings"]
        for path in tmp_path.glob("runs/*/result.json")
    }
    assert set(made) == {"siamese-original", "siamese-fast", "cifar10-original", "cifar10-fast"}
    assert {made[name]["preset"] for name in made if name.endswith("original")} == {"original"}
    assert (made["siamese-original"]["keep"], made["siamese-original"]["learning_rate"]) == (
        0.6,
        0.01,
    )
    assert (made["cifar10-original"]["schedule"], made["cifar10-original"]["momentum_form"]) == (
        "steps",
        "keras",
    )
    assert main(["train", "siamese", "--data", str(data), "--resume"]) == 0
    assert "all files of the run are in runs/siamese-original" in capsys.readouterr().out


def test_the_kernels_from_imagenet_are_reported_and_stored(data, tmp_path, capsys):
    folder = tmp_path / "run"
    options = ["--imagenet", "yes", "--width", "0.999", "--epochs", "1", "--limit", "40"]
    assert main(small("cifar10", data, folder, *options)) == 0
    out = capsys.readouterr().out
    names = json.loads((folder / "result.json").read_text())["notes"]["ImageNet's weights"]
    counts = ", ".join(f"{len(members)} {group}" for group, members in names.items())
    assert f"ImageNet's weights: {counts}\n" in out and len(names["of another shape"]) > 0
    assert "block1_conv1/kernel" in names["taken"]
    assert "block5_conv4/kernel" in names["of another shape"]
    error = refused(capsys, *small("cifar10", data, tmp_path / "other", "--imagenet", "yes"))
    assert "none of ImageNet's weights fits a network of this width; take the width 1" in error
    assert "or --imagenet no" in error


def test_cifar10_and_classify(data, tmp_path, capsys):
    folder, picture = tmp_path / "run", tmp_path / "a.png"
    assert main(small("cifar10", data, folder, "--schedule", "steps")) == 0
    out = capsys.readouterr().out
    assert "guessing, ln 10: 2.3026" in out and "most often taken for" in out
    result = json.loads((folder / "result.json").read_text())
    assert result["classes"]["classes"] == list(cifar10.CLASSES)
    correct = np.trace(result["classes"]["confusion"])
    assert result["test"]["accuracy"] == pytest.approx(correct / 40)
    write_image(picture, np.random.default_rng(0).integers(0, 256, (32, 40, 3)))
    assert main(["classify", str(folder), str(picture), str(picture)]) == 0
    model = cifar10.trained(folder / "best.h5").model
    assert bytes_of(model.state()) == bytes_of(load(folder / "best.h5")["model"])
    [row] = softmax(cifar10.scores(model, read_image(picture)[None, :, 4:36]))
    wanted = ", ".join(f"{cifar10.CLASSES[i]} {row[i]:.1%}" for i in np.argsort(-row)[:3])
    assert capsys.readouterr().out == f"{picture}: {wanted}\n" * 2
    siamese_run = tmp_path / "siamese"
    assert main(small("siamese", data, siamese_run, "--quiet")) == 0
    error = refused(capsys, "classify", str(siamese_run), str(picture))
    assert "holds a network 'siamese'" in error


REDIRECTIONS = "| head -n 1", "> /dev/full", "2> /dev/full", ">&-", "2>&-"


@pytest.mark.parametrize(
    "redirection",
    [
        "2>&1 | head -n 1",
        *(pytest.param(words, marks=pytest.mark.thorough) for words in REDIRECTIONS),
    ],
)
def test_a_closed_terminal_does_not_stop_the_training(data, tmp_path, redirection):
    words = small("siamese", data, tmp_path / "run")
    command = shlex.join([sys.executable, "-m", "minidl.cli", *words])
    line = f"set -o pipefail; {command} {redirection}"
    subprocess.run(line, shell=True, executable="/bin/bash", check=True, stderr=subprocess.PIPE)
    assert len(rows(tmp_path / "run")) == 2 and (tmp_path / "run" / "result.json").exists()


def test_a_missing_test_set_is_reported_before_the_training(data, tmp_path, capsys):
    for prefix in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        (tmp_path / prefix).symlink_to(data / prefix)
    error = refused(capsys, *small("siamese", tmp_path, tmp_path / "run"))
    assert "there is no mnist in" in error or "but not t10k" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (
            ["train", "cifar10", "--head", "big", "--imagenet", "no"],
            "wanted at most 16 numbers of units",
        ),
        (
            ["train", "cifar10", "--head", "10-" * 9999, "--imagenet", "no"],
            " ...; wanted at most 16 numbers of units",
        ),
        (["train", "cifar10", "--head", "16-20"], "ends with 20 classes; wanted CIFAR-10's 10"),
        (["train", "cifar10", "--width", "0"], "wanted a factor on VGG19's channels"),
        (["train", "cifar10", "--epochs", "0"], "--epochs is 0; wanted at least 1"),
        (["train", "cifar10", "--seed", "-1"], "--seed is -1; wanted at least 0"),
        (["train", "cifar10", "--limit", "9"], "9 pictures are too few to hold some out"),
        (["train", "cifar10", "--clip", "0", *SMALL["cifar10"]], "wanted a number above 0"),
        (["train", "siamese", "--limit", "11"], "make no pairs of different ones"),
        (["train", "siamese", "--limit", "12"], "make no pairs of different ones"),
        (["train", "siamese", "--pairs", "1"], "--pairs is 1; wanted at least 2"),
        (["train", "siamese", "--keep", "2"], "wanted a number above 0, at most 1"),
        (["train", "siamese", "--learning-rate", "-1"], "wanted a number above 0"),
        (
            ["train", "siamese", "--resume"],
            "checkpoint.h5 to continue from; name the --folder of the run, or its --preset",
        ),
        (["train", "cifar10", "--batch", "1"], "--batch is 1; wanted at least 2"),
        (
            ["train", "siamese", "--pairs", "20", "--clip", "inf"],
            "--clip is inf; wanted a finite number",
        ),
        (["classify", "nowhere.h5", "README.md"], "there is no such network"),
        (["classify", "README.md", "README.md"], "is no weight file that minidl reads"),
    ],
)
def test_invalid_options_are_refused(words, wanted, data, tmp_path, capsys):
    if words[0] == "train":
        words = [*words, "--data", str(data), "--folder", str(tmp_path / "run")]
    assert wanted in refused(capsys, *words)
    assert not (tmp_path / "run").exists()


def test_a_run_that_diverges_prints_a_command_to_begin_again(data, tmp_path, capsys):
    options = ["--learning-rate", "1e30", "--quiet", "--accumulate", "2", "--patience", "9"]
    error = refused(capsys, *small("siamese", data, tmp_path / "run", *options))
    message = r"the loss is nan at step \d+; begin again in another folder, .*: (minidl train .*)\n"
    command = re.search(message, error)[1]
    assert command.endswith(
        "--preset fast --learning-rate 1e+29 --pairs 20 --epochs 2 --accumulate 2 --patience 9"
    )
    assert f"--folder {tmp_path / 'run-2'}" in command
    # the command can be run as printed
    main([*shlex.split(command)[1:], "--learning-rate", "1e-3", "--epochs", "1", "--quiet"])
    assert (tmp_path / "run-2" / "result.json").exists()


@pytest.mark.thorough
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_test_result_that_is_not_finite_is_an_error(value, data, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(siamese, "report", lambda *_: {"loss": value})
    assert main(small("siamese", data, tmp_path / "run")) == 2
    out, error = capsys.readouterr()
    assert f"on the test set: loss {value:.4f}" in out
    assert f"the loss on the test set is {value}" in error
    assert not (tmp_path / "run" / "result.json").exists()


@pytest.mark.thorough
def test_a_result_is_printed_before_it_is_written(data, tmp_path, capsys, monkeypatch):
    def remove_the_folder(*arguments):
        shutil.rmtree(tmp_path / "run")
        return {"loss": 0.25}

    monkeypatch.setattr(siamese, "report", remove_the_folder)
    assert main(small("siamese", data, tmp_path / "run")) == 2
    out, error = capsys.readouterr()
    assert "on the test set: loss 0.2500" in out
    assert "no such file or directory" in error and "all files" not in out


def test_an_empty_name_of_a_folder_is_refused(data, capsys):
    with pytest.raises(SystemExit):
        main(small("siamese", data, ""))
    assert "found ''; wanted the name of a folder" in capsys.readouterr().err


def test_a_missing_package_for_tensorboard_is_reported_before_the_training(
    data, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    error = refused(capsys, *small("siamese", data, tmp_path / "run", "--tensorboard", "--quiet"))
    assert "a log for TensorBoard needs tensorboardX, which is not installed" in error
    assert not (tmp_path / "run" / "checkpoint.h5").exists()


def test_imagenet_is_yes_or_no(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["train", "cifar10", "--imagenet", "maybe"])
    assert ended.value.code == 2
    assert "found 'maybe'; wanted yes or no" in capsys.readouterr().err


def test_the_message_about_missing_data_says_how_to_download_it(tmp_path, capsys):
    assert main(["train", "siamese", "--data", str(tmp_path)]) == 2
    assert "`minidl data fetch mnist` downloads it" in capsys.readouterr().err
