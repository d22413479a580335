"""weights/README.md lists every format that minidl reads, and its commands and examples run."""

import json
import re
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from minidl import cli
from minidl.checkpoints import Checkpoint, Preprocessing, load, tree
from minidl.cli import weights
from minidl.data import shipped_picture
from tests.checkpoints import conftest, mat_files
from tests.models.test_vgg19 import narrow_arrays

README = (Path(__file__).parents[1] / "weights" / "README.md").read_text(encoding="utf-8")
LISTED = re.findall(r"^\| `([^`]+)` \| .+ \|$", README.partition("**Layers**")[0], re.MULTILINE)
COMMANDS = re.findall(r"^    minidl (weights \w+ SOURCE.*?) +#", README, re.MULTILINE)
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def run_file(path, arrays):
    tree.save(path, {"model": arrays}, "minidl training 2")


def safetensors_map(path, arrays):
    conftest.safetensors_file(path.with_name("a.safetensors"), arrays)
    names = dict.fromkeys(conftest.torch_arrays(arrays), "a.safetensors")
    path.write_text(json.dumps({"weight_map": names}))


def mat_file(path, arrays):
    """Write the network with kernels in RGB order, as MatConvNet's networks have them."""
    mat_files.write(path, mat_files.network(arrays))


WRITERS = conftest.WRITERS
FILES = {
    "vgg19.h5": WRITERS["minidl"],
    "checkpoint.h5": run_file,
    "vgg19_weights_tf_dim_ordering_tf_kernels.h5": WRITERS["keras official"],
    "model.h5": WRITERS["keras 2"],
    "model.keras": WRITERS["keras zip"],
    "model.weights.h5": WRITERS["keras 3"],
    "model.weights.json": WRITERS["weight map"],
    "model.pth": WRITERS["torch zip"],
    "old.pth": WRITERS["torch legacy"],
    "model.safetensors": WRITERS["safetensors"],
    "model.safetensors.index.json": safetensors_map,
    "imagenet-vgg-verydeep-19.mat": mat_file,
    "vgg19_weights.npz": WRITERS["npz"],
    "model-weights_manifest.json": WRITERS["tfjs"],
}


def test_every_format_is_listed():
    assert list(FILES) == LISTED
    described = {"minidl levels", "mat", "mat packed"}  # forms of formats that are listed
    assert set(WRITERS.values()) - set(FILES.values()) == {WRITERS[name] for name in described}


@pytest.mark.parametrize("name", FILES)
def test_the_commands_work_for_every_format(tmp_path, monkeypatch, capsys, name):
    monkeypatch.setattr(weights, "ARCHITECTURES", (conftest.SMALL,))
    monkeypatch.chdir(tmp_path)
    arrays = conftest.small_arrays()
    (tmp_path / "in").mkdir()
    FILES[name](tmp_path / "in" / name, arrays)
    if name.endswith(".mat"):
        arrays["conv_a/kernel"] = arrays["conv_a/kernel"][:, :, ::-1]
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        assert cli.main(command.replace("SOURCE", f"in/{name}").split()) == 0
    for target in ("vgg19.h5", "again.h5"):
        found = load(tmp_path / target, conftest.SMALL, top=True).arrays
        for key, array in arrays.items():
            np.testing.assert_array_equal(found[key], array)
        if target == "vgg19.h5":
            assert cli.main(["weights", "convert", "vgg19.safetensors", "again.h5"]) == 0


def test_the_example_prints_the_name_of_a_class(tmp_path, monkeypatch, capsys):
    """The file is replaced by a network with few channels and three classes."""
    preprocessing = Preprocessing("RGB", (123.0, 116.0, 103.0), (1.0, 1.0, 1.0))
    arrays = narrow_arrays(3)
    arrays["predictions/bias"][1] = 1e9
    checkpoint = Checkpoint(arrays, "minidl", "vgg19", preprocessing, {}, ("cat", "dog", "cow"))
    module = sys.modules["minidl.models.vgg19"]
    monkeypatch.setattr(module, "load", lambda path, architecture, top: checkpoint)
    shutil.copy(shipped_picture("chelsea"), tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    exec(compile(BLOCKS[0], "README.md", "exec"), {})
    assert capsys.readouterr().out == "dog\n"


def test_the_example_of_safetensors(tmp_path, monkeypatch, capsys):
    pytest.importorskip("safetensors")
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    names = {"conv_a": "features.0", "conv_b": "features.2", "dense_a": "classifier.0"}
    known = replace(conftest.SMALL, torch_names=names)
    monkeypatch.setattr(weights, "ARCHITECTURES", (known,))
    conftest.minidl_file(tmp_path / "a.h5", conftest.small_arrays())
    assert cli.main(["weights", "convert", "a.h5", "vgg19.safetensors"]) == 0
    capsys.readouterr()
    exec(compile(BLOCKS[1], "README.md", "exec"), {})
    assert capsys.readouterr().out == (
        "torch.Size([4, 3, 3, 3]) BGR 103.0 116.0 123.0 1.0 1.0 1.0\n"
    )
    assert len(BLOCKS) == 2
