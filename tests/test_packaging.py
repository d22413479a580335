"""setup.cfg lists every package and the package data, so that `pip install` installs them."""

from configparser import ConfigParser
from pathlib import Path

import minidl

ROOT = Path(__file__).parents[1]


def test_every_package_and_the_weights_are_installed():
    options = ConfigParser()
    options.read(ROOT / "setup.cfg")
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "minidl").rglob("__init__.py")}
    packages = {".".join(folder.parts) for folder in folders} | {"minidl.weights"}
    assert set(options["options"]["packages"].split()) == packages
    assert {"minidl.weights", "minidl.data"} <= set(options["options.package_data"])


def test_the_version_has_three_parts():
    assert minidl.__version__.count(".") == 2
