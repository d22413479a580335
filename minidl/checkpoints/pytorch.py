"""Read state dicts that torch.save wrote, without PyTorch and without running code from the file.

There are two containers. Both hold a pickle that describes the tensors (see unpickling.py), and the
numbers of the tensors beside it.

    since PyTorch 1.6    an uncompressed zip archive with the files ROOT/data.pkl (the pickle),
                         ROOT/data/KEY (the numbers of one storage) and ROOT/byteorder
    before PyTorch 1.6   five pickles in a row: magic number, protocol, system, the dictionary, the
                         list of storage keys; then for each key an int64 count and that many
                         little-endian numbers
"""

import io
import mmap
import zipfile
from collections.abc import Collection
from math import prod

import numpy as np

from minidl.checkpoints.bfloat16 import loaded, loaded_dtype, stored_dtype
from minidl.checkpoints.checkpoint import Checkpoint, placeholder
from minidl.checkpoints.inert import Inert
from minidl.checkpoints.tensors import Refused, StoredTensor
from minidl.checkpoints.unpickling import StateDictUnpickler
from minidl.checkpoints.zips import must_end, opened, read_exactly
from minidl.errors import FileError, printable
from minidl.limits import DEPTH, Allowance, in_memory, must_have_few, must_have_names
from minidl.typing import Path

# The pickled number 0x1950A86A20F9469CFC6C. The older container begins with it, after two bytes
# that give the protocol.
LEGACY_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")

_USUAL = "state_dict", "model_state_dict", "model"  # names of a nested state dict


def read_zip(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read the container since PyTorch 1.6. wanted: see `read`."""
    allowance = Allowance(path)
    with opened(path) as archive:

        def contents(name):
            entry = archive.getinfo(name)
            if entry.compress_type != zipfile.ZIP_STORED:
                raise FileError(
                    f"{path} has {name} compressed, which PyTorch never does; save it again with "
                    "torch.save"
                )
            allowance.spend(entry.file_size, name)
            with archive.open(entry) as stream:
                content = read_exactly(stream, entry.file_size, name, path)
                must_end(stream, name, path)
            return content

        names = archive.namelist()
        roots = [name.removesuffix("data.pkl") for name in names if name.endswith("data.pkl")]
        if len(roots) != 1:
            raise FileError(
                f"{path} holds {len(roots)} pickles named data.pkl, where PyTorch writes one; get "
                "it again"
            )
        [root] = roots
        described, _ = _unpickle(io.BytesIO(contents(f"{root}data.pkl")), path)
        tensors = _tensors(described, path)
        is_big = f"{root}byteorder" in names and contents(f"{root}byteorder") == b"big"
        storages = {key: contents(f"{root}data/{key}") for key in _keys(tensors, wanted)}
    return _checkpoint(path, tensors, storages, byteorder=">" if is_big else "<")


def read_legacy(path: Path, wanted: Collection[str] | None = None) -> Checkpoint:
    """Read the container before PyTorch 1.6. wanted: see `read`."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
        for _ in ("magic number", "protocol", "system"):
            _unpickle(stream, path)
        described, known = _unpickle(stream, path)
        keys, _ = _unpickle(stream, path)
        is_list = isinstance(keys, list)
        if not is_list or not all(type(key) is str and key in known for key in keys):
            raise FileError(
                f"{path} lists other storages than its tensors use: it is damaged; get it again"
            )
        tensors, storages = _tensors(described, path), {}
        needed = _keys(tensors, wanted)
        for key in keys:
            count = int.from_bytes(stream.read(8), "little")
            size = count * stored_dtype(known[key].dtype).itemsize
            if size > len(stream) - stream.tell():
                raise FileError(
                    f"{path} is cut off: it ends within the numbers {key!r}; get it again"
                )
            if key in needed:
                storages[key] = stream.read(size)
            else:
                stream.seek(size, io.SEEK_CUR)
    return _checkpoint(path, tensors, storages, byteorder="<")


def _unpickle(stream, path):
    """Return the next object of the stream, and {key: Storage} of the storages that it mentions."""
    unpickler = StateDictUnpickler(stream)
    try:
        return unpickler.load(), unpickler.storages
    except Refused as refusal:
        raise FileError(f"{path} {refusal}") from refusal


def _tensors(described, path):
    """Return {name: StoredTensor} of a state dict, or of the state dict nested in it."""
    if isinstance(described, Inert):
        raise FileError(
            f"{path} holds a whole {printable(described.name, 100)}, which could run any code, so "
            "nothing of it was run; save model.state_dict() with torch.save"
        )
    if not isinstance(described, dict):
        raise FileError(
            f"{path} holds no dictionary of tensors; save model.state_dict() with torch.save"
        )
    state_dict = _state_dict(described, path)
    tensors = {name: value for name, value in state_dict.items() if type(value) is StoredTensor}
    must_have_names(tensors, path)
    must_have_few(len(tensors), "tensors", path)
    return tensors


def _keys(tensors, wanted):
    """Return the keys of the storages of the wanted tensors, each once."""
    return dict.fromkeys(
        tensor.storage.key for name, tensor in tensors.items() if wanted is None or name in wanted
    )


def _checkpoint(path, tensors, storages, byteorder):
    """storages: {key: bytes} of the storages that were read"""
    allowance, arrays = Allowance(path), {}
    for name, (storage, _, shape, _) in tensors.items():
        if storage.key not in storages:
            arrays[name] = placeholder(shape, loaded_dtype(storage.dtype))
            continue
        allowance.spend(in_memory(prod(shape), stored_dtype(storage.dtype)), name)
        arrays[name] = _array(tensors[name], storages[storage.key], byteorder)
        if arrays[name] is None:
            raise FileError(
                f"{path} has {name} reach beyond the numbers stored for it: it is damaged; get it "
                "again"
            )
    return Checkpoint(arrays, form="pytorch")


def _state_dict(described, path):
    """Return the dictionary that holds the tensors of the network: this one, or the only one nested
    in it that does. Raise FileError if several or none do."""
    for _ in range(DEPTH):
        inner = [described[name] for name in _USUAL if isinstance(described.get(name), dict)]
        if not inner:
            break
        described = inner[0]
    nested = [
        name
        for name, value in described.items()
        if isinstance(name, str) and isinstance(value, dict) and _count_tensors(value)
    ]
    own = _count_tensors(described)
    if len(nested) == 1 and _count_tensors(described[nested[0]]) > own:
        return described[nested[0]]
    if own or not described:
        return described
    names = nested or [name for name in described if isinstance(name, str)]
    shown = printable(", ".join(map(repr, names[:5])), 120) or "other things"
    if nested:
        raise FileError(
            f"{path} holds tensors in several dictionaries, {shown}; save only the state_dict() of "
            "one network"
        )
    raise FileError(
        f"{path} holds no tensors, but {shown}; save model.state_dict() with torch.save"
    )


def _count_tensors(described):
    return sum(isinstance(value, StoredTensor) for value in described.values())


def _array(tensor, contents, byteorder):
    """Return the tensor as a view of its storage's numbers, or None if it reaches beyond them."""
    storage, offset, shape, strides = tensor
    numbers = np.frombuffer(contents, stored_dtype(storage.dtype).newbyteorder(byteorder))
    if storage.length > numbers.size:
        return None
    numbers = numbers[: storage.length]
    last = 0
    if prod(shape):
        last = offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
    if prod(shape) > numbers.size or last >= max(numbers.size, 1):
        return None
    array = np.lib.stride_tricks.as_strided(
        numbers[offset:], shape, [stride * numbers.itemsize for stride in strides]
    )
    return loaded(array, storage.dtype)
