"""Fixtures for the tests of `minidl stylize`."""

import errno
import functools
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from minidl.backend import current_device
from minidl.data import write_image
from minidl.models import vgg19


@functools.cache
def network(weights, pooling, device):
    return vgg19(weights, pooling=pooling)


@pytest.fixture(autouse=True)
def read_the_network_once(monkeypatch):
    """Read each file of weights once for all tests in this folder, to save time."""

    def read(weights, pooling):
        return network(Path(weights).resolve(), pooling, current_device())

    monkeypatch.setattr("minidl.style_transfer.painting.vgg19", read)


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    """Change to a new folder with a photograph and two paintings, all of noise."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    shapes = {"photo.png": (40, 64, 3), "painting.jpg": (50, 30, 3), "other.webp": (33, 33, 3)}
    for name, shape in shapes.items():
        write_image(name, rng.uniform(0, 255, shape))


@pytest.fixture
def full_folder(monkeypatch, tmp_path_factory):
    """Create the folder `full`, on a disk that is full. Return the folder for temporary files,
    which is on another disk."""
    temporary = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    os.mkdir("full")
    save = Image.Image.save

    def save_elsewhere(picture, path, *arguments, **options):
        if "full" in Path(path).parts:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        save(picture, path, *arguments, **options)

    monkeypatch.setattr(Image.Image, "save", save_elsewhere)
    return temporary
