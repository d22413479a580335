"""Read and write .safetensors files, the format of weights of Hugging Face.

    8 bytes    the length of the header, least significant byte first
    header     JSON: {"__metadata__": {key: text}, name: {"dtype": "F32", "shape": [..],
               "data_offsets": [begin, end]}, ..}, with spaces at the end
    numbers    little-endian, those of an array from byte `begin` to `end`, without gaps

minidl writes the names, shapes and axes of PyTorch, so that torch's load_state_dict takes them. In
VGG19 the names are torchvision's. The metadata contain what minidl's own format has as attributes
(see native.py), the numbers as text, and the key `minidl`.
"""

import json
import pathlib
from collections.abc import Collection
from math import prod
from typing import Any

import numpy as np

from minidl.checkpoints import hdf5, native
from minidl.checkpoints.axes import KERNELS, channels_first
from minidl.checkpoints.bfloat16 import BFLOAT16, loaded, loaded_dtype, stored_dtype
from minidl.checkpoints.checkpoint import Architecture, Checkpoint, placeholder
from minidl.errors import FileError, brief
from minidl.files import must_be_writable, replacing
from minidl.limits import ATTRIBUTES, TEXT, is_count, is_shape, must_have_few, must_have_names
from minidl.typing import Path

_LENGTH = 8  # bytes
_DTYPES = {"F64": "f8", "F32": "f4", "F16": "f2", "BF16": BFLOAT16, "BOOL": "?"}
_DTYPES |= {f"{kind}{8 * size}": f"{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)}


def has_header(head: bytes) -> bool:
    """Return whether a file that begins with these bytes can be a .safetensors file."""
    return head[_LENGTH : _LENGTH + 1] == b"{" and _length(head) < 2**48


def read_safetensors(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read a .safetensors file. The arrays have the names, shapes and axes of the file.

    wanted: see `read`. Raises FileError if the header is no such description of the file, or if an
    array has a dtype that NumPy does not have.
    """
    arrays = {}
    with open(path, "rb") as file:
        header, size = _header(file, path)
        metadata = header.pop("__metadata__", {})
        must_have_few(len(header), "arrays", path)
        must_have_names(header, path)
        places = {name: _place(entry, name, path) for name, entry in header.items()}
        _must_be_tiled(places, size, path)
        begin_of_numbers = file.tell()
        for name, (dtype, shape, begin, end) in places.items():
            if wanted is None or name in wanted:
                file.seek(begin_of_numbers + begin)
                stored = np.frombuffer(file.read(end - begin), stored_dtype(dtype))
                arrays[name] = loaded(stored, dtype).reshape(shape)
            else:
                arrays[name] = placeholder(shape, loaded_dtype(dtype))
    return native.described(arrays, "safetensors", _attributes(metadata, path), path)


def write_safetensors(path: Path, checkpoint: Checkpoint, architecture: Architecture) -> None:
    """Write a checkpoint with minidl's names as a .safetensors file with PyTorch's names and axes.
    Equal contents give equal bytes.

    Raises FileError if the file cannot be written. An older file is then kept.
    """
    must_be_writable(path)
    texts, numbers = native.attributes_of(checkpoint)
    metadata = {
        **texts,
        **{name: " ".join(map(str, values)) for name, values in numbers.items()},
        "format": "pt",
        "minidl": native.FORMAT,
    }
    named = checkpoint.arrays.items()
    arrays = dict(_in_pytorch(name, array, architecture) for name, array in named)
    header: dict[str, dict[str, Any]] = {"__metadata__": metadata}
    end = 0
    for name, array in arrays.items():
        begin, end = end, end + array.nbytes
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _LENGTH)
    with replacing(path) as temporary, open(temporary, "wb") as file:
        file.write(len(text).to_bytes(_LENGTH, "little") + text)
        for array in arrays.values():
            file.write(np.ascontiguousarray(array, "<f4").data)


def _in_pytorch(name, array, architecture):
    """Return (name, array) as PyTorch's programs have them."""
    layer, _, kind = name.rpartition("/")
    prefix = architecture.torch_names.get(layer, layer.replace("/", "."))
    if kind not in KERNELS:
        return f"{prefix}.{kind}", array
    suffix = "weight" if kind == "kernel" else f"{kind}.weight"
    return f"{prefix}.{suffix}", channels_first(array, layer, architecture)


def _length(head):
    return int.from_bytes(head[:_LENGTH], "little")


def _header(file, path):
    """Return the header, and the bytes that follow it."""
    length = _length(file.read(_LENGTH))
    size = pathlib.Path(path).stat().st_size - _LENGTH - length
    if length > TEXT or size < 0:
        raise FileError(
            f"{path} has a header of {length:,} bytes; wanted at most {TEXT:,}, within the file: "
            "get it again"
        )

    def once(pairs):
        entries = dict(pairs)
        if len(entries) < len(pairs):
            raise FileError(f"{path} has a name twice in its header: it is damaged; get it again")
        return entries

    header = json.loads(file.read(length), object_pairs_hook=once)
    if not isinstance(header, dict):
        raise FileError(f"{path} has the header {brief(header)}; wanted names: get it again")
    return header, size


def _place(entry, name, path):
    """Return (dtype, shape, begin, end) of an array, from its entry in the header."""
    entry = entry if isinstance(entry, dict) else {}
    dtype, shape, offsets = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise FileError(
            f"{path} holds {name} as {brief(dtype)}; minidl reads {', '.join(_DTYPES)}: convert it "
            "to one of them"
        )
    is_range = isinstance(offsets, list) and len(offsets) == 2 and all(map(is_count, offsets))
    if not isinstance(shape, list) or not is_shape(shape) or not is_range:
        raise FileError(
            f"{path} lists {name} with the shape {brief(shape)} at {brief(offsets)}: it is "
            "damaged; get it again"
        )
    size = prod(shape) * stored_dtype(_DTYPES[dtype]).itemsize
    if offsets[1] - offsets[0] != size:
        raise FileError(
            f"{path} lists {name} at {brief(offsets)}; wanted {size:,} bytes for the shape "
            f"{brief(shape)}: it is damaged; get it again"
        )
    return _DTYPES[dtype], shape, *offsets


def _must_be_tiled(places, size, path):
    """Raise FileError unless the arrays follow each other without gaps and fill the file."""
    at = 0
    for name, (_, _, begin, end) in sorted(places.items(), key=lambda place: place[1][2:]):
        if begin != at:
            raise FileError(
                f"{path} has {name} begin at byte {begin:,}; wanted {at:,}, where the array before "
                "it ends: it is damaged; get it again"
            )
        at = end
    if at != size:
        raise FileError(
            f"{path} lists {at:,} bytes of numbers, but holds {size:,}: it is cut off or damaged; "
            "get it again"
        )


def _attributes(metadata, path):
    """Return the metadata as attributes of minidl's own format. Metadata of other programs are
    provenance, except those that have a meaning in minidl or are too long for an attribute."""
    texts = metadata.values() if isinstance(metadata, dict) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise FileError(f"{path} has the metadata {brief(metadata)}; wanted texts: get it again")
    if len(metadata) > ATTRIBUTES // 2:
        raise FileError(f"{path} has {len(metadata):,} metadata; wanted at most {ATTRIBUTES // 2}")
    must_have_names(metadata, path, "metadata")
    if metadata.get("minidl") != native.FORMAT:
        return {
            key: text
            for key, text in metadata.items()
            if key not in native.RESERVED and len(text) <= hdf5.LONGEST_ATTRIBUTE // 4
        }
    return {
        key: np.array(text.split(), float) if key in ("mean", "std") else text
        for key, text in metadata.items()
        if key not in ("minidl", "format")
    }
