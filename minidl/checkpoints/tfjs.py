"""Read the weights of TensorFlow.js: a manifest in JSON, and files of plain numbers beside it.

    [{"paths": ["NAME.bin", ..],
      "weights": [{"name": .., "shape": [..], "dtype": "float32",
                   "quantization": {"dtype": "uint8", "scale": s, "min": m}}, ..]}, ..]

The concatenated files of a group hold its weights in the order of the manifest. A weight is stored
as little-endian float32 or, if it is quantized, as one byte q per number, which means q·s + m.
"""

import pathlib
from collections.abc import Collection
from math import prod

import numpy as np

from minidl.checkpoints.checkpoint import Checkpoint, placeholder
from minidl.checkpoints.parts import beside, from_json
from minidl.errors import FileError, brief, unquoted
from minidl.files import must_exist
from minidl.limits import is_number, is_shape, must_have_few, must_have_names
from minidl.typing import Path


def read_manifest(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read a manifest and the files that it names. The arrays have the names of the manifest.

    wanted: see `read`. Raises FileError if the file is no manifest, or if the files of numbers do
    not exist, have another length than the manifest states, or hold other types of numbers.
    """
    path, arrays = pathlib.Path(path), {}
    for group in _groups(path):
        files = [
            must_exist(file, f"file of numbers, which {path.name} names")
            for file in beside(group["paths"], path)
        ]
        weights = [_Weight(description, path) for description in group["weights"]]
        listed = sum(weight.bytes for weight in weights)
        stored = sum(file.stat().st_size for file in files)
        if listed != stored:
            names = " and ".join(file.name for file in files)
            raise FileError(
                f"{path} lists {listed:,} bytes in {names}, but found {stored:,}: one is cut off, "
                "or they do not belong together; get both again"
            )
        is_needed = any(wanted is None or weight.name in wanted for weight in weights)
        contents = b"".join(file.read_bytes() for file in files if is_needed)
        begin = 0
        for weight in weights:
            if weight.name in arrays:
                raise FileError(f"{path} lists {weight.name} twice: it is damaged; get it again")
            if wanted is None or weight.name in wanted:
                arrays[weight.name] = weight.read(contents, begin)
            else:
                arrays[weight.name] = placeholder(weight.shape, np.dtype(np.float32))
            begin += weight.bytes
    return Checkpoint(arrays, form="tfjs")


def numbers_of(path: pathlib.Path) -> list[pathlib.Path]:
    """Return the paths of the files of numbers that the manifest names."""
    return [file for group in _groups(path) for file in beside(group["paths"], path)]


def _groups(path):
    groups = from_json(path, "a manifest of TensorFlow.js")
    is_manifest = _is_list_of(groups, dict) and all(
        _is_list_of(group.get("paths"), str) and _is_list_of(group.get("weights"), dict)
        for group in groups
    )
    if not is_manifest:
        raise FileError(
            f"{path} is JSON, but no manifest of TensorFlow.js, which lists paths and weights; "
            "name the file ...-weights_manifest.json, with its .bin beside it"
        )
    files = [name for group in groups for name in group["paths"]]
    count = len(files) + sum(len(group["weights"]) for group in groups)
    must_have_few(count, "files and arrays", path)
    if len(set(files)) < len(files):
        raise FileError(f"{path} names a file of numbers twice: it is damaged; get it again")
    return groups


class _Weight:
    """The name, shape and storage of one array, from its description in the manifest."""

    def __init__(self, description, path):
        self.name, self.shape = description.get("name"), description.get("shape")
        must_have_names([self.name], path)
        if not isinstance(self.shape, list) or not is_shape(self.shape):
            raise FileError(
                f"{path} lists an array {self.name!r} of shape {brief(self.shape)}: it is damaged; "
                "get it again"
            )
        dtype = description.get("dtype")
        quantization = description.get("quantization")
        self.is_quantized = quantization is not None
        is_readable, content = dtype == "float32", unquoted(dtype)
        if self.is_quantized:
            if not isinstance(quantization, dict):
                quantization = {}
            scale, minimum = quantization.get("scale"), quantization.get("min")
            if not (is_number(scale) and is_number(minimum)):
                raise FileError(
                    f"{path} gives {self.name} the scale {brief(scale)} and the minimum "
                    f"{brief(minimum)}; wanted finite numbers: get it again"
                )
            self.scale, self.minimum = float(scale), float(minimum)
            stored = quantization.get("dtype")
            is_readable &= stored == "uint8"
            content += f" quantized as {unquoted(stored)}"
        if not is_readable:
            raise FileError(
                f"{path} holds {self.name} as {content}; minidl reads float32, and float32 "
                "quantized as uint8: take or make weights of that kind"
            )
        self.dtype = np.dtype("u1" if self.is_quantized else "<f4")

    @property
    def bytes(self):
        return prod(self.shape) * self.dtype.itemsize

    def read(self, contents, begin):
        numbers = np.frombuffer(contents, self.dtype, prod(self.shape), begin).reshape(self.shape)
        if self.is_quantized:
            numbers = numbers * self.scale + self.minimum  # in float64, rounded once
        return numbers.astype(np.float32)


def _is_list_of(value, kind):
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)
