"""setup.cfg lists every package and the package data, so that `pip install` installs them."""

from configparser import ConfigParser
from pathlib import Path

import minidl

ROOT = Path(__file__).parents[1]


OPTIONS = ConfigParser()
OPTIONS.read(ROOT / "setup.cfg")


def test_every_package_and_the_weights_are_listed():
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "minidl").rglob("__init__.py")}
    packages = {".".join(folder.parts) for folder in folders} | {"minidl.weights"}
    assert set(OPTIONS["options"]["packages"].split()) == packages


def test_every_data_file_is_listed():
    """Data files are CUDA sources, pictures, weights and py.typed."""
    listed = set()
    for package, patterns in OPTIONS["options.package_data"].items():
        name = "weights" if package == "minidl.weights" else package.replace(".", "/")
        for pattern in patterns.replace(",", " ").split():
            paths = set((ROOT / name).glob(pattern))
            assert paths, f"no file of {package} matches {pattern}"
            listed |= paths
    files = {path for path in (ROOT / "minidl").rglob("*") if path.is_file()}
    code = {path for path in files if path.suffix == ".py" or "__pycache__" in path.parts}
    assert files - code <= listed
    assert set((ROOT / "weights").glob("*.h5")) <= listed


def test_the_version_has_three_parts():
    assert minidl.__version__.count(".") == 2
