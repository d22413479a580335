"""What `pip install` would take along is all there is."""

from configparser import ConfigParser
from pathlib import Path

import minidl

ROOT = Path(__file__).parents[1]


def test_every_folder_of_the_package_is_installed_and_the_weights_with_them():
    options = ConfigParser()
    options.read(ROOT / "setup.cfg")
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "minidl").rglob("__init__.py")}
    packages = {".".join(folder.parts) for folder in folders} | {"minidl.weights"}
    assert set(options["options"]["packages"].split()) == packages
    assert {"minidl.weights", "minidl.data"} <= set(options["options.package_data"])


def test_the_version_is_told():
    assert minidl.__version__.count(".") == 2
