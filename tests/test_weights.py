"""The files in weights/ have the hashes and provenance of its README, and its commands reproduce
them."""

import re
import shlex
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from minidl import cli
from minidl.checkpoints import read

WEIGHTS = Path(__file__).parents[1] / "weights"
README = (WEIGHTS / "README.md").read_text()
FACES = "face_detector", "face_landmarks", "face_recognition"


def test_the_readme_lists_every_file_and_its_hash():
    for path in WEIGHTS.glob("*.h5"):
        [digest] = re.findall(rf"`{path.name}` \| `([0-9a-f]{{64}})`", README)
        assert sha256(path.read_bytes()).hexdigest() == digest
    assert {path.stem for path in WEIGHTS.glob("*.h5")} == {"vgg19", "tiny_cifar10", *FACES}


def test_the_files_contain_licence_and_provenance():
    for name in FACES:
        provenance = read(WEIGHTS / f"{name}.h5").provenance
        assert provenance["licence"].startswith("MIT")
        assert "face-api 1.7.15" in provenance["way"]
        assert all(f"`{digest}`" in README for digest in provenance["source_sha256"].split(", "))


def test_the_tiny_network_contains_its_provenance():
    provenance = read(WEIGHTS / "tiny_cifar10.h5").provenance
    assert provenance["licence"] == "MIT" and f"`{provenance['source_sha256']}`" in README
    for name in ("authors", "licence", "data", "way"):
        assert f'--provenance "{name}={provenance[name]}"' in README


@pytest.mark.parametrize("name", FACES)
def test_the_commands_of_the_readme_reproduce_the_files(name, minidl_data, tmp_path, monkeypatch):
    pattern = rf"    minidl (weights convert \S+ {name}\.h5(?: .*\\\n)(?: .*\\\n)* .*)\n"
    [command] = re.findall(pattern, README)
    for path in (minidl_data / "faces").iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    assert cli.main(shlex.split(command.replace("\\\n", " "))) == 0
    made, shipped = read(tmp_path / f"{name}.h5"), read(WEIGHTS / f"{name}.h5")
    assert replace(made, arrays={}) == replace(shipped, arrays={})
    assert made.arrays.keys() == shipped.arrays.keys()
    assert all(
        made.arrays[key].tobytes() == array.tobytes() for key, array in shipped.arrays.items()
    )
