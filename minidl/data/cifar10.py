"""Load CIFAR-10 from its official files: 50,000 + 10,000 photographs of ten classes (A. Krizhevsky,
"Learning Multiple Layers of Features from Tiny Images", 2009).

A picture is 3072 bytes: the red, green and blue plane, each row by row. A batch of pictures has one
of two forms:

    binary   data_batch_1.bin: one record of a label and a picture after the other
    Python   data_batch_1: a pickled dictionary of data, (N, 3072), and labels; see pickles.py
"""

import numpy as np

from minidl.data.pickles import Call, Refused, describe
from minidl.data.places import find
from minidl.data.tar import TarError, members
from minidl.data.unpacking import damaged, unpacked
from minidl.engine.threads import parallel_map
from minidl.errors import one_of
from minidl.typing import Array, Path

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = {"train": [f"data_batch_{number}" for number in range(1, 6)], "test": ["test_batch"]}
FORMS = {
    part: [
        [f"{name}.bin" for name in names],
        names,
        ["cifar-10-binary.tar"],
        ["cifar-10-python.tar"],
    ]
    for part, names in BATCHES.items()
}
PICTURE = 3 * 32 * 32  # bytes
PICKLED = b"\x80"  # the first byte of the Python form; that of the binary form is a label


def cifar10(folder: Path | None = None, part: str = "train") -> tuple[Array, Array]:
    """Return the pictures (N, 32, 32, 3), RGB, and the labels (N,) of CIFAR-10, both uint8.

    folder  where to look for the files; None means the folders of `places`
    part    "train" or "test"

    CLASSES gives the names of the labels. Raises FileError if the files are not found, are damaged
    or are not CIFAR-10's, and ArgumentError if `part` is another value.
    """
    paths = find("cifar10", FORMS[one_of("part", part, FORMS)], folder)
    if ".tar" in paths[0].suffixes:
        batches = [_batch(content, path) for path, content in _members(paths[0], BATCHES[part])]
    else:
        batches = parallel_map(np, lambda path: _batch(unpacked(path), path), paths)
    pictures, labels = zip(*batches, strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


def _members(archive, names):
    """Return (path, content) of each of these batches in an archive, in order."""
    content, slices = unpacked(archive), {}
    try:
        for path, part in members(content):
            name = path.rpartition("/")[-1].removesuffix(".bin")
            if name in names:
                slices[name] = archive / path, part
    except TarError as error:
        raise damaged(archive, str(error)) from error
    if missing := [name for name in names if name not in slices]:
        raise damaged(archive, f"it lacks {', '.join(missing)}")
    return [(path, content[part]) for path, part in (slices[name] for name in names)]


def _batch(content, path):
    """Return the pictures and labels of one batch in either form."""
    read = _from_pickle if content.startswith(PICKLED) else _from_records
    planes, labels = read(content, path)
    if labels.max() > 9:
        raise damaged(path, f"it has the label {labels.max()}, wanted 0 to 9")
    return np.ascontiguousarray(planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)), labels


def _from_records(content, path):
    if not content or len(content) % (1 + PICTURE):
        raise damaged(
            path, f"its {len(content):,} bytes are no whole number of records of {1 + PICTURE}"
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, 1 + PICTURE)
    return records[:, 1:], records[:, 0]


def _from_pickle(content, path):
    try:
        match describe(content):
            case {
                "data": Call(
                    function="numpy.core.multiarray _reconstruct"
                    | "numpy._core.multiarray _reconstruct",
                    state=(
                        _,
                        (int(count), 3072),
                        Call(function="numpy dtype", arguments=("u1", *_)),
                        by_columns,
                        str(pixels),
                    ),
                ),
                "labels": [*labels],
            } if (
                len(raw := pixels.encode("latin-1", "ignore")) == count * PICTURE
                and len(labels) == count > 0
                and all(type(label) is int and 0 <= label < 256 for label in labels)
            ):
                numbers = np.frombuffer(raw, np.uint8)
                planes = numbers.reshape(count, PICTURE, order="F" if by_columns else "C")
                return planes, np.array(labels, np.uint8)
    except Refused as refusal:
        raise damaged(path, f"it {refusal}; nothing of it was run") from refusal
    raise damaged(
        path,
        f"it holds no dictionary of data, (N, {PICTURE}) unsigned bytes, and of as many labels",
    )
