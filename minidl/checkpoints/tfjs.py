"""Weights as TensorFlow.js has them: a manifest in JSON, and beside it files of nothing but numbers.

    [{"paths": ["NAME.bin", ..],
      "weights": [{"name": .., "shape": [..], "dtype": "float32",
                   "quantization": {"dtype": "uint8", "scale": s, "min": m}}, ..]}, ..]

The files of a group, one behind the other, hold its weights in the manifest's order: float32, little-endian, or where they
are quantized one byte q a number, which means q·s + m.
"""

import json
from math import isfinite, prod
from pathlib import Path

import numpy as np

from minidl.checkpoints.checkpoint import Checkpoint
from minidl.errors import FileError
from minidl.files import must_exist
from minidl.shapes import is_int


def read_manifest(path):
    """A Checkpoint with the arrays as named in the manifest. FileError: the manifest is none, or its files are not there, are
    not as long as it says, or hold other kinds of numbers."""
    arrays = {}
    for group in _groups(path):
        files = [must_exist(file, f"file of numbers, which {path} names,") for file in _files(group, path)]
        layouts = [_Layout(weight, path) for weight in group["weights"]]
        told, found = sum(layout.bytes for layout in layouts), sum(file.stat().st_size for file in files)
        if told != found:
            names = " and ".join(file.name for file in files)
            raise FileError(
                f"{path} tells of {told:,} bytes in {names}, where {found:,} are: one is cut off, or they do not belong "
                "together; get both again"
            )
        raw, begin = b"".join(file.read_bytes() for file in files), 0
        for layout in layouts:
            if layout.name in arrays:
                raise FileError(f"{path} tells of {layout.name} twice: it is damaged; get it again")
            arrays[layout.name] = layout.read(raw, begin)
            begin += layout.bytes
    return Checkpoint(arrays, form="tfjs")


def numbers_of(path):
    """The paths of the files of numbers that the manifest names."""
    return [file for group in _groups(path) for file in _files(group, path)]


def _groups(path):
    groups = json.loads(Path(path).read_bytes())
    ok = isinstance(groups, list) and all(
        isinstance(group, dict) and _is_list_of(group.get("paths"), str) and _is_list_of(group.get("weights"), dict)
        for group in groups
    )
    if not ok:
        raise FileError(
            f"{path} is JSON, but no manifest of TensorFlow.js, which lists paths and weights; name the file "
            "...-weights_manifest.json, with its .bin beside it"
        )
    return groups


def _files(group, path):
    if elsewhere := [name for name in group["paths"] if not name or name != Path(name).name]:
        raise FileError(f"{path} names {elsewhere[0]!r} in another folder; put its files beside it and their names into it")
    return [path.with_name(name) for name in group["paths"]]


class _Layout:
    """How the numbers of one array are stored."""

    def __init__(self, weight, path):
        self.name, self.shape, self.scale, self.minimum = weight.get("name"), weight.get("shape"), None, None
        kind, quantization = weight.get("dtype"), weight.get("quantization")
        if not isinstance(self.name, str) or not isinstance(self.shape, list) or not all(map(_is_length, self.shape)):
            raise FileError(f"{path} tells of an array {self.name!r} of shape {self.shape!r}: it is damaged; get it again")
        if quantization is not None:
            stored, self.scale, self.minimum = (dict(quantization).get(what) for what in ("dtype", "scale", "min"))
            if not (_is_finite(self.scale) and _is_finite(self.minimum)):
                raise FileError(
                    f"{path} gives {self.name} the scale {self.scale!r} and the minimum {self.minimum!r}; get it again"
                )
        if kind != "float32" or (quantization is not None and stored != "uint8"):
            found = kind if quantization is None else f"{kind} quantized as {stored}"
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
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def _is_length(value):
    return is_int(value) and value >= 0


def _is_finite(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
