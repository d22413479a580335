"""Weights as TensorFlow.js has them: a manifest in JSON, and beside it files of nothing but
numbers.

    [{"paths": ["NAME.bin", ..],
      "weights": [{"name": .., "shape": [..], "dtype": "float32",
                   "quantization": {"dtype": "uint8", "scale": s, "min": m}}, ..]}, ..]

The files of a group, one behind the other, hold its weights in the manifest's order: float32,
little-endian, or where they are quantized one byte q a number, which means q·s + m.
"""

import json
from math import prod
from pathlib import Path

import numpy as np

from minidl.checkpoints.checkpoint import Checkpoint, numberless
from minidl.errors import FileError, brief, unquoted
from minidl.files import must_exist
from minidl.limits import TEXT, is_number, is_shape, must_have_few, must_have_names


def read_manifest(path, wanted=None):
    """A Checkpoint with the arrays as named in the manifest; wanted: see `read`. Raises FileError
    for another file, and where the files of numbers are missing, have another length than in the
    manifest, or hold other types of numbers."""
    arrays = {}
    for group in _groups(path):
        files = [
            must_exist(file, f"file of numbers, which {path.name} names")
            for file in _files(group, path)
        ]
        layouts = [_Layout(weight, path) for weight in group["weights"]]
        listed, found = (
            sum(layout.bytes for layout in layouts),
            sum(file.stat().st_size for file in files),
        )
        if listed != found:
            names = " and ".join(file.name for file in files)
            raise FileError(
                f"{path} lists {listed:,} bytes in {names}, but found {found:,}: one is cut off, or they do not belong "
                "together; get both again"
            )
        needed = [wanted is None or layout.name in wanted for layout in layouts]
        raw, begin = b"".join(file.read_bytes() for file in files if any(needed)), 0
        for layout, is_needed in zip(layouts, needed, strict=True):
            if layout.name in arrays:
                raise FileError(f"{path} lists {layout.name} twice: it is damaged; get it again")
            arrays[layout.name] = (
                layout.read(raw, begin) if is_needed else numberless(layout.shape, np.float32)
            )
            begin += layout.bytes
    return Checkpoint(arrays, form="tfjs")


def numbers_of(path):
    """The paths of the files of numbers that the manifest names."""
    return [file for group in _groups(path) for file in _files(group, path)]


def _groups(path):
    if (size := Path(path).stat().st_size) > TEXT:
        raise FileError(
            f"{path} has {size:,} bytes; wanted a manifest of TensorFlow.js, with at most {TEXT:,}"
        )
    groups = json.loads(Path(path).read_bytes())
    ok = isinstance(groups, list) and all(
        isinstance(group, dict)
        and _is_list_of(group.get("paths"), str)
        and _is_list_of(group.get("weights"), dict)
        for group in groups
    )
    if not ok:
        raise FileError(
            f"{path} is JSON, but no manifest of TensorFlow.js, which lists paths and weights; name the file "
            "...-weights_manifest.json, with its .bin beside it"
        )
    files = [name for group in groups for name in group["paths"]]
    must_have_few(
        len(files) + sum(len(group["weights"]) for group in groups), "files and arrays", path
    )
    if len(set(files)) < len(files):
        raise FileError(f"{path} names a file of numbers twice: it is damaged; get it again")
    return groups


def _files(group, path):
    if elsewhere := [
        name
        for name in group["paths"]
        if not name.isprintable() or not name or name != Path(name).name
    ]:
        raise FileError(
            f"{path} names {brief(elsewhere[0])} in another folder; put its files beside it and their names into it"
        )
    return [path.with_name(name) for name in group["paths"]]


class _Layout:
    """How the numbers of one array are stored."""

    def __init__(self, weight, path):
        self.name, self.shape, self.scale, self.minimum = (
            weight.get("name"),
            weight.get("shape"),
            None,
            None,
        )
        kind, quantization = weight.get("dtype"), weight.get("quantization")
        must_have_names([self.name], path)
        if not isinstance(self.shape, list) or not is_shape(self.shape):
            raise FileError(
                f"{path} lists an array {self.name!r} of shape {brief(self.shape)}: it is damaged; get it again"
            )
        if quantization is not None:
            quantization = quantization if isinstance(quantization, dict) else {}
            stored, self.scale, self.minimum = (
                quantization.get(what) for what in ("dtype", "scale", "min")
            )
            if not (is_number(self.scale) and is_number(self.minimum)):
                raise FileError(
                    f"{path} gives {self.name} the scale {brief(self.scale)} and the minimum {brief(self.minimum)}; wanted "
                    "finite numbers: get it again"
                )
        if kind != "float32" or (quantization is not None and stored != "uint8"):
            found = (
                unquoted(kind)
                if quantization is None
                else f"{unquoted(kind)} quantized as {unquoted(stored)}"
            )
            raise FileError(
                f"{path} holds {self.name} as {found}; minidl reads float32, and float32 quantized as uint8: take or make "
                "weights of that kind"
            )
        self.dtype = np.dtype("<f4" if quantization is None else "u1")

    @property
    def bytes(self):
        return prod(self.shape) * self.dtype.itemsize

    def read(self, raw, begin):
        numbers = np.frombuffer(raw, self.dtype, prod(self.shape), begin).reshape(self.shape)
        if self.scale is not None:
            numbers = numbers * float(self.scale) + float(self.minimum)  # in float64, rounded once
        return numbers.astype(np.float32)


def _is_list_of(value, kind):
    return isinstance(value, list) and all(isinstance(item, kind) for item in value)
