"""State dicts as torch.save writes them, read without PyTorch and without running anything of them.

Both containers hold a pickle (see unpickling.py) that describes the tensors, and beside it their
numbers:

    since 1.6   a zip archive: ROOT/data.pkl, ROOT/data/KEY with raw numbers, nothing compressed, ROOT/byteorder
    before      five pickles in a row (magic number, protocol, system, the dictionary, the list of storage keys), then for
                each key an int64 count and that many raw little-endian numbers
"""

import io
import mmap
import zipfile
from math import prod

import numpy as np

from minidl.checkpoints.checkpoint import Checkpoint, numberless
from minidl.checkpoints.unpickling import Refused, StateDictUnpickler, StoredTensor
from minidl.checkpoints.zips import exactly, must_end, opened
from minidl.errors import FileError, printable
from minidl.limits import Allowance, in_memory, must_have_few, must_have_names

# The pickled number 0x1950A86A20F9469CFC6C, with which the older container begins (after two bytes
# of protocol).
LEGACY_MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa85019")


def read_zip(path, wanted=None):
    """A Checkpoint from the container since PyTorch 1.6; wanted: see `read`."""
    allowance = Allowance(path)
    with opened(path) as archive:

        def contents(name):
            entry = archive.getinfo(name)
            if entry.compress_type != zipfile.ZIP_STORED:
                raise FileError(
                    f"{path} has {name} compressed, which PyTorch never does; save it again with torch.save"
                )
            allowance.spend(entry.file_size, name)
            with archive.open(entry) as stream:
                found = exactly(stream, entry.file_size, name, path)
                must_end(stream, name, path)
            return found

        roots = [
            name.removesuffix("data.pkl")
            for name in archive.namelist()
            if name.endswith("data.pkl")
        ]
        if len(roots) != 1:
            raise FileError(
                f"{path} holds {len(roots)} pickles named data.pkl, where PyTorch writes one; get it again"
            )
        [root] = roots
        tensors = _tensors(_unpickle(io.BytesIO(contents(f"{root}data.pkl")), path)[0], path)
        big = f"{root}byteorder" in archive.namelist() and contents(f"{root}byteorder") == b"big"
        raw = {key: contents(f"{root}data/{key}") for key in _keys(tensors, wanted)}
    return _checkpoint(path, tensors, raw, byteorder=">" if big else "<")


def read_legacy(path, wanted=None):
    """A Checkpoint from the container before PyTorch 1.6; wanted: see `read`."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as stream:
        for _ in ("magic number", "protocol", "system"):
            _unpickle(stream, path)
        described, storages = _unpickle(stream, path)
        keys, _ = _unpickle(stream, path)
        if not isinstance(keys, list) or not all(
            type(key) is str and key in storages for key in keys
        ):
            raise FileError(
                f"{path} lists other storages than its tensors use: it is damaged; get it again"
            )
        tensors, raw = _tensors(described, path), {}
        needed = _keys(tensors, wanted)
        for key in keys:
            size = int.from_bytes(stream.read(8), "little") * _stored(storages[key].dtype).itemsize
            if size > len(stream) - stream.tell():
                raise FileError(
                    f"{path} is cut off: it ends within the numbers {key!r}; get it again"
                )
            if key in needed:
                raw[key] = stream.read(size)
            else:
                stream.seek(size, io.SEEK_CUR)
    return _checkpoint(path, tensors, raw, byteorder="<")


def _unpickle(stream, path):
    """The next object of the stream and the storages that it mentions."""
    unpickler = StateDictUnpickler(stream)
    try:
        return unpickler.load(), unpickler.storages
    except Refused as refusal:
        raise FileError(f"{path} {refusal}") from refusal


def _tensors(described, path):
    """{name: StoredTensor} of a state dict, or of the one nested in it"""
    if not isinstance(described, dict):
        raise FileError(
            f"{path} holds no dictionary of tensors; save model.state_dict() with torch.save"
        )
    described = _state_dict(described, path)
    tensors = {
        name: tensor for name, tensor in described.items() if isinstance(tensor, StoredTensor)
    }
    must_have_names(tensors, path)
    must_have_few(len(tensors), "tensors", path)
    return tensors


def _keys(tensors, wanted):
    """The keys of the storages whose numbers are wanted, each once"""
    return dict.fromkeys(
        tensor.storage.key for name, tensor in tensors.items() if wanted is None or name in wanted
    )


def _checkpoint(path, tensors, raw, byteorder):
    allowance, arrays = Allowance(path), {}
    for name, tensor in tensors.items():
        if tensor.storage.key not in raw:
            arrays[name] = numberless(tensor.shape, _in_numpy(tensor.storage.dtype))
            continue
        allowance.spend(in_memory(prod(tensor.shape), _stored(tensor.storage.dtype)), name)
        arrays[name] = _array(tensor, raw[tensor.storage.key], byteorder)
        if arrays[name] is None:
            raise FileError(
                f"{path} has {name} reach beyond the numbers stored for it: it is damaged; get it again"
            )
    return Checkpoint(arrays, form="pytorch")


def _state_dict(described, path):
    """The dictionary that holds tensors: this one, or the only one nested in it that does. Raises
    FileError where several or none do."""
    for usual in ("state_dict", "model_state_dict", "model"):
        if isinstance(described.get(usual), dict):
            described = described[usual]
    if not described or _holds_tensors(described):
        return described
    names = [name for name in described if isinstance(name, str)]
    nested = [
        name
        for name in names
        if isinstance(described[name], dict) and _holds_tensors(described[name])
    ]
    if len(nested) == 1:
        return described[nested[0]]
    found = (
        printable(", ".join(repr(name) for name in (nested or names)[:5]), 120) or "other things"
    )
    if nested:
        raise FileError(
            f"{path} holds tensors in several dictionaries, {found}; save the state_dict() of one network alone"
        )
    raise FileError(
        f"{path} holds no tensors, but {found}; save model.state_dict() with torch.save"
    )


def _holds_tensors(described):
    return any(isinstance(value, StoredTensor) for value in described.values())


def _array(tensor, raw, byteorder):
    """The tensor as a view of its storage's numbers; None if it reaches beyond them."""
    storage, offset, shape, strides = tensor
    numbers = np.frombuffer(raw, _stored(storage.dtype).newbyteorder(byteorder))
    if storage.length > numbers.size:
        return None
    numbers = numbers[: storage.length]
    last = (
        offset + sum((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
        if prod(shape)
        else 0
    )
    if prod(shape) > numbers.size or last >= max(numbers.size, 1):
        return None
    array = np.lib.stride_tricks.as_strided(
        numbers[offset:], shape, [stride * numbers.itemsize for stride in strides]
    )
    if storage.dtype == "bfloat16":  # the upper half of a float32
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array


def _in_numpy(dtype):
    """The dtype of arrays of such numbers: bfloat16 becomes float32"""
    return np.dtype("f4" if dtype == "bfloat16" else dtype)


def _stored(dtype):
    """NumPy has no bfloat16: its 16 bits are read as an integer."""
    return np.dtype("u2" if dtype == "bfloat16" else dtype)
