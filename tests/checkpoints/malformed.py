"""Write malformed weight files, and check that they are refused."""

import json
import struct
import tracemalloc
import zipfile

import pytest

from minidl.checkpoints import read
from minidl.errors import FileError

MOST = 100 * 2**20  # bytes; limits.SPARE and the memory that is used besides


def refused(path, saying=None):
    """Check that the file is refused in one sentence, and with little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=saying) as caught:
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    sentence = str(caught.value)
    assert str(path.parent) in sentence and len(sentence) < 700 and sentence.isprintable()
    assert peak < MOST


def pickled(path, contents, storages=None):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", contents)
        for key, numbers in (storages or {}).items():
            archive.writestr(f"a/data/{key}", numbers)


def text(words):
    return b"X" + struct.pack("<I", len(words.encode())) + words.encode()


def state_dict(arrays, samples):
    items = b"".join(
        text(name)
        + samples.tensor_pickle(key, array.size, 0, array.shape, [n // 4 for n in array.strides])
        for key, (name, array) in enumerate(arrays.items())
    )
    return b"\x80\x02}(" + items + b"u."


def tensor(storage=None, offset=b"K\0", shape=b"K\1\x85", strides=b"K\1\x85", more=b""):
    dtype = b"ctorch\nFloatStorage\n"
    storage = storage or b"(" + text("storage") + dtype + text("0") + text("cpu") + b"K\1tQ"
    arguments = b"(" + storage + offset + shape + strides + b"\x89)" + more + b"t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"


def one_entry(value):
    return b"\x80\x02}" + text("w") + value + b"s."


def manifest(path, weights, numbers=b"", paths=("n.bin",), groups=1):
    path.with_name("n.bin").write_bytes(numbers)
    path.write_text(json.dumps([{"paths": list(paths), "weights": weights}] * groups))
