"""CIFAR-10: 50,000 + 10,000 small photographs of ten classes (Krizhevsky 2009), from its official
files.

A picture is 3072 bytes: the red, green and blue plane, each row by row. There are two forms of a
batch of pictures:

    binary   data_batch_1.bin: records of a label and a picture, one after the other
    Python   data_batch_1: a pickled dictionary, data (N, 3072) and labels; described by `pickles`, never run
"""

import numpy as np

from minidl.data.pickles import Call, Refused, describe
from minidl.data.places import find
from minidl.data.tar import TarError, members
from minidl.data.unpacking import damaged, unpacked
from minidl.engine.threads import share
from minidl.errors import one_of

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


def cifar10(folder=None, part="train"):
    """(pictures (N, 32, 32, 3), RGB, labels (N,)), both uint8, of the part "train" or "test";
    CLASSES names the labels.

    folder: where to look (None: see `places`). Raises FileError where the files are not found,
    damaged or not CIFAR-10's.
    """
    paths = find("cifar10", FORMS[one_of("part", part, FORMS)], folder)
    if ".tar" in paths[0].suffixes:
        batches = [_batch(content, path) for path, content in _members(paths[0], BATCHES[part])]
    else:
        batches = share(np, lambda path: _batch(unpacked(path), path), paths)
    pictures, labels = zip(*batches, strict=True)
    return np.concatenate(pictures), np.concatenate(labels)


def _members(archive, names):
    """(path, content) of the batches in an archive, in order."""
    content, found = unpacked(archive), {}
    try:
        for path, part in members(content):
            name = path.rpartition("/")[-1].removesuffix(".bin")
            if name in names:
                found[name] = archive / path, part
    except TarError as error:
        raise damaged(archive, str(error)) from error
    if missing := [name for name in names if name not in found]:
        raise damaged(archive, f"it lacks {', '.join(missing)}")
    return [(path, content[part]) for path, part in (found[name] for name in names)]


def _batch(content, path):
    """(pictures, labels) of one batch in either form."""
    planes, labels = (_from_pickle if content.startswith(PICKLED) else _from_records)(content, path)
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
                planes = np.frombuffer(raw, np.uint8).reshape(
                    count, PICTURE, order="F" if by_columns else "C"
                )
                return planes, np.array(labels, np.uint8)
    except Refused as refusal:
        raise damaged(path, f"it {refusal}; nothing of it was run") from refusal
    raise damaged(
        path,
        f"it holds no dictionary of data, (N, {PICTURE}) unsigned bytes, and of as many labels",
    )
