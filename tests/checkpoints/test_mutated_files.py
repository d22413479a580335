"""Randomly damaged files are read or refused in words, without a crash, hang or other exception.

`python tests/checkpoints/test_mutated_files.py COUNT` tests COUNT files of each format.
"""

import faulthandler
import gzip
import io
import lzma
import random
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from minidl.checkpoints import diagnose, read, translate
from minidl.data import cifar10, mnist
from minidl.errors import MinidlError
from minidl.training import load, train
from minidl.training.resuming import identity_of, restore

COUNT = 5 * settings().max_examples
SECONDS = 10  # the longest time for a single file
MEGABYTES = 200  # the largest growth of the memory


def mutated(contents, seed):
    """Return the bytes with some of them changed, removed, copied to another place, or replaced by
    an extreme number."""
    rng = random.Random(seed)
    damaged = bytearray(contents)
    place, other = rng.randrange(len(damaged)), rng.randrange(len(damaged))
    length = rng.randrange(1, 64)
    way = rng.choice(["bytes", "bytes", "bytes", "bit", "cut", "splice", "extreme"])
    if way == "bytes":
        for _ in range(rng.choice([1, 1, 2, 4, 8])):
            damaged[rng.randrange(len(damaged))] = rng.choice([0, 255, rng.randrange(256)])
    elif way == "bit":
        damaged[place] ^= 1 << rng.randrange(8)
    elif way == "cut":
        del damaged[place:]
    elif way == "splice":
        damaged[place : place + length] = damaged[other : other + length]
    else:
        damaged[place : place + 8] = rng.choice(
            [b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\0" * 8, b"\0\0\0\0\1\0\0\0"]
        )
    return bytes(damaged)


def survive(form, count, samples):
    """Read `count` mutations of a file of that format. Return how many could be read."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    readable = 0
    with tempfile.TemporaryDirectory() as folder:
        contents, write, read_it = samples_of(form, Path(folder), samples)
        write(contents)
        read_it()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for seed in range(count):
            faulthandler.dump_traceback_later(SECONDS, exit=True)
            write(mutated(contents, seed))
            try:
                read_it()
                readable += 1
            except MinidlError:
                pass
            except BaseException:
                print(f"{form}, seed {seed}:", file=sys.stderr)
                raise
            used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            assert used < MEGABYTES, f"{form}, seed {seed}: {used:.0f} MB"
    faulthandler.cancel_dump_traceback_later()
    return readable


def samples_of(form, folder, samples):
    """Return the contents of a small file of that format, a function that writes contents into the
    folder, and a function that reads the file."""
    from tests.data import official
    from tests.training.small import small_task

    if form == "training":
        train(small_task(), 1, folder)
        task, path = small_task(), folder / "checkpoint.h5"
        return (
            path.read_bytes(),
            path.write_bytes,
            lambda: restore(task, identity_of(task), load(path), path),
        )
    if form in OF_DATA:
        path, reader = data_set(form, folder, official)
        return path.read_bytes(), path.write_bytes, lambda: reader(folder, "test")
    path, arrays = folder / "weights", samples.small_arrays()
    if form in INSIDE:
        contents, write = INSIDE[form](path, arrays, samples)
    else:
        samples.WRITERS[form](path, arrays)
        contents, write = path.read_bytes(), path.write_bytes
    return contents, write, lambda: diagnose(translate(read(path), samples.SMALL), samples.SMALL)


def npy_inside(path, arrays, samples):
    """An array in an .npz file with a valid checksum"""
    first, *others = arrays
    buffer = io.BytesIO()
    np.save(buffer, arrays[first])

    def write(contents):
        with open(path, "wb") as file:
            np.savez(file, **{name: arrays[name] for name in others})
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(f"{first}.npy", contents)

    return buffer.getvalue(), write


def pickle_inside(path, arrays, samples):
    """The pickle in PyTorch's container with a valid checksum"""
    torch = samples.torch_arrays(arrays)

    def write(contents):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("small/data.pkl", contents)
            for key, array in enumerate(torch.values()):
                archive.writestr(f"small/data/{key}", array.tobytes())

    return samples.state_dict_pickle(torch), write


def array_inside(path, arrays, samples):
    """The arrays in a MAT-file, compressed with a valid checksum"""
    samples.mat_file(path, arrays)
    head, elements = path.read_bytes()[:128], path.read_bytes()[128:]
    [length] = np.frombuffer(elements[4:8], "<u4")
    layers, others = elements[: length + 8], elements[length + 8 :]

    def write(contents):
        packed = zlib.compress(contents)
        size = np.array([15, len(packed)], "<u4").tobytes()
        path.write_bytes(head + size + packed + others)

    return layers, write


def h5_inside(path, arrays, samples):
    """The HDF5 file in a Keras model with a valid checksum"""
    samples.keras_3_file(path, arrays)

    def write(contents):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("model.weights.h5", contents)

    return path.read_bytes(), write


def data_set(form, folder, official):
    """Return the path of the file to damage, and a function that reads the folder."""
    if form.startswith("idx"):
        pictures, labels = official.digits()
        names = {
            "t10k-images-idx3-ubyte": official.idx(pictures),
            "t10k-labels-idx1-ubyte": official.idx(labels),
        }
        reader = mnist
    elif form.startswith("pickle"):
        names, reader = {"test_batch": official.python2_pickle(*official.photographs())}, cifar10
    else:
        batch = {"test_batch.bin": official.records(*official.photographs())}
        names, reader = {"cifar-10-binary.tar": official.tar(batch)}, cifar10
    for name, contents in names.items():
        (folder / name).write_bytes(PACKINGS[form.rpartition(" ")[2]](contents))
    return folder / next(iter(names)), reader


INSIDE = {
    "npy in npz": npy_inside,
    "pickle in torch": pickle_inside,
    "array in mat": array_inside,
    "h5 in keras": h5_inside,
}
PACKINGS = {"plain": bytes, "gz": gzip.compress, "xz": lzma.compress}
FORMS = ["minidl", "minidl levels", "keras official", "keras 2", "keras 3"]
FORMS += ["torch zip", "torch legacy", "npz", "tfjs"]
FORMS += ["mat", "mat packed", "safetensors", "keras zip", "weight map"]
OF_DATA = [f"{form} {packing}" for form in ("idx", "pickle", "tar") for packing in PACKINGS]
ALL = [*FORMS, *INSIDE, "training", *OF_DATA]


@pytest.mark.thorough
@pytest.mark.parametrize(
    "forms", [*([form] for form in FORMS), [*INSIDE, "training"], OF_DATA], ids="-".join
)
def test_mutated_files_read_or_are_refused(forms, samples):
    """This runs in another process, because a crash of libhdf5 would end pytest."""
    assert set(FORMS) == set(samples.WRITERS)
    command = [sys.executable, "-X", "faulthandler", __file__, str(COUNT), *forms]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]


if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
    import conftest

    for form in sys.argv[2:] or ALL:
        readable = survive(form, int(sys.argv[1]), conftest)
        print(f"{form}: {sys.argv[1]} mutated files, {readable} read, the rest refused")
