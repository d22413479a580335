"""Write small files in the official formats of MNIST and CIFAR-10."""

import io
import struct
import tarfile

import numpy as np


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def digits(count=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 28, 28), np.uint8), rng.integers(0, 10, count, np.uint8)


def photographs(count=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 32, 32, 3), np.uint8), rng.integers(0, 10, count, np.uint8)


def planes(pictures):
    """Return (N, 3072): the red, green and blue plane of each picture."""
    return np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)).reshape(len(pictures), -1)


def records(pictures, labels):
    return np.hstack([labels[:, None], planes(pictures)]).tobytes()


def short(text):
    return b"U" + bytes([len(text)]) + text


def python2_pickle(pictures, labels, more=b""):
    """Return a batch as Python 2 pickles it."""
    data = planes(pictures)
    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    shape = b"".join(b"M" + struct.pack("<H", n) for n in data.shape)
    dtype = b"cnumpy\ndtype\nq\x09" + short(b"u1") + b"K\x00K\x01\x87Rq\x0a(K\x03"
    dtype += short(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb"
    array = b"cnumpy.core.multiarray\n_reconstruct\nq\x06cnumpy\nndarray\nq\x07K\x00\x85"
    array += short(b"b") + b"\x87Rq\x08" + b"(K\x01" + shape + b"\x86" + dtype
    array += b"\x89T" + struct.pack("<I", data.size) + data.tobytes() + b"tb"
    items = short(b"batch_label") + b"q\x02" + short(b"training batch 1 of 5")
    items += short(b"labels") + b"q\x04]q\x05(" + numbers + b"e"
    return b"\x80\x02}q\x01(" + items + short(b"data") + array + more + b"u."


def tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
