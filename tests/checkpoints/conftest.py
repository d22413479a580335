"""A small network, and functions that write its weights in every format that minidl reads."""

import json
import struct
import sys
import zipfile

import h5py
import numpy as np
import pytest

from minidl.checkpoints import Architecture, Checkpoint, Landmark, Preprocessing, write
from tests.checkpoints import mat_files

CAFFE = Preprocessing("BGR", mean=(103.0, 116.0, 123.0), std=(1.0, 1.0, 1.0))
TORCHVISION = Preprocessing("RGB", mean=(124.0, 116.0, 104.0), std=(58.0, 57.0, 57.0))

SMALL = Architecture(
    name="small",
    shapes={
        "conv_a/kernel": (3, 3, 3, 4),
        "conv_a/bias": (4,),
        "conv_b/kernel": (3, 3, 4, 6),
        "conv_b/bias": (6,),
        "dense_a/kernel": (2 * 2 * 6, 5),
        "dense_a/bias": (5,),
    },
    optional=("dense_a",),
    landmark=Landmark("caffe", "conv_a/kernel", {(0, 0): (0.9, 0.5, 0.1), (0, 1): (0.8, 0.4, 0.2)}),
    preprocessing={"caffe": CAFFE, "torchvision": TORCHVISION},
)


def small_arrays(seed=0):
    """Random weights of SMALL in minidl's layout and BGR order, with the landmark."""
    rng = np.random.default_rng(seed)
    arrays = {
        name: rng.normal(size=shape).astype(np.float32) for name, shape in SMALL.shapes.items()
    }
    for place, colours in SMALL.landmark.colours.items():
        arrays["conv_a/kernel"][place][:, 0] = colours[::-1]
    return arrays


def minidl_file(path, arrays):
    provenance = {"source": "a test"}
    write(path, Checkpoint(arrays, "minidl", "small", CAFFE, provenance))


def minidl_levels_file(path, arrays):
    write(path, Checkpoint(arrays, architecture="small", preprocessing=CAFFE), levels=256)


def hdf5_file(path, arrays):
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


def npz_file(path, arrays):
    with open(path, "wb") as file:
        np.savez(file, **arrays)


def keras_official_file(path, arrays):
    named = {}
    for name, array in arrays.items():
        layer, part = name.split("/")
        named[f"{layer}/{layer}_{'W' if part == 'kernel' else 'b'}_1:0"] = array
    hdf5_file(path, named)


def keras_2_file(path, arrays):
    named = {}
    for name, array in arrays.items():
        layer, part = name.split("/")
        named[f"model_weights/{layer}/{layer}/{part}:0"] = array
    hdf5_file(path, named)
    with h5py.File(path, "a") as file:
        file.attrs["keras_version"] = "2.15.0"
        file["optimizer_weights/Adam/m/conv_a/kernel:0"] = arrays["conv_a/kernel"]


def keras_3_names(arrays):
    named = {}
    for name, array in arrays.items():
        layer, part = name.split("/")
        named[f"layers/{layer}/vars/{0 if part == 'kernel' else 1}"] = array
    return named


def keras_3_file(path, arrays):
    hdf5_file(path, keras_3_names(arrays))
    with h5py.File(path, "a") as file:
        file["optimizer/vars/0"] = 7


def torch_zip_file(path, arrays):
    """Write the container since PyTorch 1.6 without PyTorch."""
    arrays = torch_arrays(arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/data.pkl", state_dict_pickle(arrays))
        archive.writestr("small/byteorder", "little")
        for key, array in enumerate(arrays.values()):
            archive.writestr(f"small/data/{key}", array.tobytes())


def torch_legacy_file(path, arrays):
    """Write the container before PyTorch 1.6 without PyTorch."""
    arrays = torch_arrays(arrays)
    keys = b"\x80\x02](" + b"".join(_text(str(key)) for key in range(len(arrays))) + b"e."
    storages = b"".join(
        struct.pack("<q", array.size) + array.tobytes() for array in arrays.values()
    )
    path.write_bytes(LEGACY_HEAD + state_dict_pickle(arrays) + keys + storages)


def tfjs_file(path, arrays):
    """Write a manifest and its files of numbers: the first two arrays are a group in two files, the
    others a group in one file."""
    names, groups = list(arrays), []
    for number, (group, cut) in enumerate(((names[:2], 20), (names[2:], 0))):
        contents = b"".join(arrays[name].astype("<f4").tobytes() for name in group)
        paths = []
        for part, piece in enumerate([contents[:cut], contents[cut:]] if cut else [contents]):
            paths.append(f"numbers{number}{part}.bin")
            path.with_name(paths[-1]).write_bytes(piece)
        weights = [
            {"name": _tfjs_name(name), "shape": list(arrays[name].shape), "dtype": "float32"}
            for name in group
        ]
        groups.append({"paths": paths, "weights": weights})
    path.write_text(json.dumps(groups))


def _tfjs_name(name):
    layer, part = name.split("/")
    kernel = "weights" if layer.startswith("dense") else "filters"
    return f"{layer}/{'bias' if part == 'bias' else kernel}"


def mat_file(path, arrays):
    mat_files.write(path, mat_files.network(arrays, channels="BGR"))


def mat_packed_file(path, arrays):
    mat_files.write(path, mat_files.network(arrays, older=True, channels="BGR"), packed=True)


def safetensors_file(path, arrays, metadata=None):
    """Write the names, shapes and axes of PyTorch, without the package safetensors."""
    header, numbers = {"__metadata__": metadata} if metadata else {}, b""
    for name, array in torch_arrays(arrays).items():
        place = [len(numbers), len(numbers) + array.nbytes]
        header[name] = {"dtype": "F32", "shape": array.shape, "data_offsets": place}
        numbers += array.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers)


def keras_zip_file(path, arrays):
    inner = path.with_name("inner.weights.h5")
    keras_3_file(inner, arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        archive.writestr("config.json", "{}")
        archive.write(inner, "model.weights.h5")


def weight_map_file(path, arrays):
    """Write a map of two files of Keras 3: a kernel in one, its bias and the others in another."""
    first, *others = arrays
    shards = {"a_00000.weights.h5": [first], "a_00001.weights.h5": others}
    weight_map = {}
    for shard, names in shards.items():
        hdf5_file(path.with_name(shard), keras_3_names({name: arrays[name] for name in names}))
        for name in names:
            group = f"/layers/{name.partition('/')[0]}/vars"
            weight_map.setdefault(group, [])
            weight_map[group] += [shard] * (shard not in weight_map[group])
    path.write_text(json.dumps({"metadata": {"total_size": 1.0}, "weight_map": weight_map}))


WRITERS = {
    "minidl": minidl_file,
    "minidl levels": minidl_levels_file,
    "keras official": keras_official_file,
    "keras 2": keras_2_file,
    "keras 3": keras_3_file,
    "torch zip": torch_zip_file,
    "torch legacy": torch_legacy_file,
    "npz": npz_file,
    "tfjs": tfjs_file,
    "mat": mat_file,
    "mat packed": mat_packed_file,
    "safetensors": safetensors_file,
    "keras zip": keras_zip_file,
    "weight map": weight_map_file,
}

# The pickles of the magic number, of the protocol 1001, and of the system information.
LEGACY_HEAD = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e 80024de9032e 80027d2e")


def torch_arrays(arrays):
    """Return minidl's arrays with the names and axes of a torchvision state dict."""
    torch = {}
    names = {"features.0": "conv_a", "features.2": "conv_b", "classifier.0": "dense_a"}
    for new, old in names.items():
        if f"{old}/kernel" in arrays:
            kernel = arrays[f"{old}/kernel"]
            # (height, width, channels, outputs) -> (outputs, channels, height, width), flattened
            if kernel.ndim == 2:
                kernel = kernel.reshape(2, 2, 6, 5).transpose(3, 2, 0, 1).reshape(5, 24)
            else:
                kernel = kernel.transpose(3, 2, 0, 1)
            torch[f"{new}.weight"] = np.ascontiguousarray(kernel)
            torch[f"{new}.bias"] = arrays[f"{old}/bias"]
    return torch


def state_dict_pickle(arrays):
    """Return the pickle of an OrderedDict of float32 tensors with one storage each."""
    items = b"".join(
        _text(name)
        + tensor_pickle(key, array.size, 0, array.shape, [n // 4 for n in array.strides])
        for key, (name, array) in enumerate(arrays.items())
    )
    return b"\x80\x02" + _ORDERED_DICT + b"(" + items + b"u."


def tensor_pickle(key, count, offset, shape, strides, storage=b"FloatStorage"):
    """Return the instructions that push one tensor onto the stack."""
    dtype = b"ctorch\n" + storage + b"\n"
    reference = _text("storage") + dtype + _text(str(key)) + _text("cpu") + _int(count)
    view = _int(offset) + _tuple(shape) + _tuple(strides)
    arguments = b"((" + reference + b"tQ" + view + b"\x89" + _ORDERED_DICT + b"t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"


_ORDERED_DICT = b"ccollections\nOrderedDict\n)R"


def _text(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _int(number):
    return b"J" + struct.pack("<i", number)


def _tuple(numbers):
    return b"(" + b"".join(map(_int, numbers)) + b"t"


@pytest.fixture
def samples():
    """This module, for tests that need its functions by name."""
    return sys.modules[__name__]


@pytest.fixture
def small():
    return SMALL


@pytest.fixture
def arrays():
    return small_arrays()


@pytest.fixture(params=list(WRITERS))
def any_file(request, tmp_path, arrays):
    """The same weights in each format, under a name that does not indicate it."""
    path = tmp_path / "weights.bin"
    WRITERS[request.param](path, arrays)
    return path
