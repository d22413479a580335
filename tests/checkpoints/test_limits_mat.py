"""Malicious and malformed MAT-files are refused in one sentence, and with little memory."""

import struct
import zlib

import numpy as np
import pytest

from minidl.checkpoints import matlab
from tests.checkpoints.malformed import refused
from tests.checkpoints.mat_files import HEAD, array, element, small_element, value

CELL, STRUCT, TEXT, DOUBLE = 1, 2, 4, 6
DOUBLES = element(9, bytes(16))
NAMES = small_element(5, struct.pack("<i", 4)) + element(1, b"abcd")


def nested(depth):
    """Return cells in cells, made from the inside, without copying each level into the next."""
    inner = value(np.ones(2))
    length, heads = len(inner), []
    for _ in range(depth):
        head = array(CELL, (1, 1), b"", "layers")[8:]
        heads.append(struct.pack("<II", 14, len(head) + length) + head)
        length += len(heads[-1])
    return b"".join([*reversed(heads), inner])


def packed(*pieces, level=9):
    """Return a compressed element of pieces that may be longer together than the memory."""
    compressor = zlib.compressobj(level)
    contents = b"".join(map(compressor.compress, pieces)) + compressor.flush()
    return struct.pack("<II", 15, len(contents)) + contents


def claiming(size, class_=DOUBLE, shape=(2**28, 1)):
    """Return an array `layers` that claims `size` bytes of float64."""
    head = array(class_, shape, b"", "layers")[8:] + struct.pack("<II", 9, size)
    return struct.pack("<II", 14, len(head) + size) + head


MEGABYTE = bytes(2**20)
FILES = {
    "cells nested 40 deep": nested(40),
    "cells nested 20,000 deep": nested(20_000),
    "half a billion cells": array(CELL, (2**29, 1), bytes(800), "layers"),
    "a billion structures": array(STRUCT, (2**30, 1), NAMES + bytes(800), "layers"),
    "cells without end in little": array(CELL, (10**6, 1), element(14, b"") * 10**6, "layers"),
    "an array of gigabytes": claiming(2**31),
    "an array of gigabytes, compressed": packed(claiming(2**31)),
    "a bomb": packed(claiming(2**28, shape=(2**25, 1)), *[MEGABYTE] * 256),
    "a bomb in a variable that is not read": packed(
        struct.pack("<II", 14, 2**28 + 48) + array(DOUBLE, (2**25, 1), b"", "other")[8:],
        *[MEGABYTE] * 256,
    ),
    "many small arrays, compressed": packed(
        array(CELL, (10**6, 1), array(DOUBLE, (1, 1), element(9, bytes(8))) * 10**6, "layers")
    ),
    "a text of gigabytes": array(TEXT, (1, 2**31 - 1), struct.pack("<II", 1, 2**32 - 8), "layers"),
    "a text of a billion lines": array(TEXT, (2**30, 1), element(1, b"a"), "layers"),
    "no text of a billion lines": array(TEXT, (2**30, 0), element(1, b""), "layers"),
    "a shape of gigabytes": element(14, element(6, bytes(8)) + struct.pack("<II", 5, 2**32 - 8)),
    "a thousand axes": array(DOUBLE, (1,) * 1000, DOUBLES, "layers"),
    "a negative length": array(DOUBLE, (-1, -2), DOUBLES, "layers"),
    "lengths whose product is immense": array(CELL, (2**31 - 1,) * 20, b"", "layers"),
    "no flags": element(14, element(6, b"") + bytes(40)),
    "flags that are text": element(14, element(1, bytes(8)) + bytes(40)),
    "a name that is a number": element(14, element(6, bytes(8)) + element(5, bytes(8)) + DOUBLES),
    "numbers of an unknown type": array(DOUBLE, (1, 2), element(200, bytes(16)), "layers"),
    "numbers that are text": array(DOUBLE, (1, 2), element(17, bytes(16)), "layers"),
    "fewer numbers than the shape": array(DOUBLE, (1, 9), DOUBLES, "layers"),
    "a small element of many bytes": array(
        DOUBLE, (1, 2), struct.pack("<HH", 9, 16) + bytes(16), "layers"
    ),
    "a number instead of an array": DOUBLES,
    "an array that ends in its head": struct.pack("<II", 14, 8) + bytes(8),
    "an array that is longer than its place": element(14, value(np.ones(9), "layers")[8:-40]),
    "no zlib stream": element(15, b"plain text"),
    "an empty compressed element": element(15, b""),
    "a compressed compressed element": packed(packed(value(np.ones(9), "layers"))),
    "a header without elements": b"",
    "half a head": b"\x0e\0\0",
}


@pytest.mark.parametrize("kind", FILES)
def test_malicious_mat_files_are_refused(tmp_path, kind):
    (tmp_path / "a.mat").write_bytes(HEAD + FILES[kind])
    refused(tmp_path / "a.mat")


def test_too_many_arrays_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(matlab, "ARRAYS", 50)
    (tmp_path / "a.mat").write_bytes(HEAD + value([np.ones(1)] * 50, "layers"))
    refused(tmp_path / "a.mat", "claims 50 cells")
    (tmp_path / "a.mat").write_bytes(HEAD + value(np.ones(1), "x") * 51)
    refused(tmp_path / "a.mat", "holds more than 50 arrays")
