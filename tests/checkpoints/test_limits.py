"""Files made to cost more than they hold: each is refused in one sentence, with little memory."""

import bz2
import json
import lzma
import pickle
import struct
import tracemalloc
import zipfile
import zlib

import h5py
import numpy as np
import pytest

from minidl.checkpoints import diagnose, hdf5, read, translate, unpickling
from minidl.errors import FileError, MinidlError

MOST = 100 * 2**20  # bytes; limits.SPARE and what is held beside it


def refused(path, saying=None):
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


# .npz


def npy(shape, numbers=b"", descr="'<f4'", order="False", version=1):
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header + numbers


def lying_zip(path, contents, packing, told):
    """A zip archive of one entry, packed, whose directory tells `told` bytes for it."""
    pack = {zipfile.ZIP_DEFLATED: deflated, zipfile.ZIP_BZIP2: bz2.compress, zipfile.ZIP_LZMA: zip_lzma}[packing]
    packed = pack(contents)
    sizes = struct.pack("<III", zlib.crc32(contents), len(packed), told)
    local = b"PK\3\4" + struct.pack("<HHHHH", 46, 0, packing, 0, 33) + sizes + struct.pack("<HH", 5, 0) + b"a.npy" + packed
    entry = b"PK\1\2" + struct.pack("<HHHHHH", 46, 46, 0, packing, 0, 33) + sizes
    entry += struct.pack("<HHHHHII", 5, 0, 0, 0, 0, 0, 0) + b"a.npy"
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    path.write_bytes(local + entry + end)


def deflated(contents):
    pack = zlib.compressobj(1, wbits=-15)
    return pack.compress(contents) + pack.flush()


def zip_lzma(contents):
    filters = [{"id": lzma.FILTER_LZMA1}]
    properties = lzma._encode_filter_properties(filters[0])
    return (
        b"\x09\x04"
        + struct.pack("<H", len(properties))
        + properties
        + lzma.compress(contents, lzma.FORMAT_RAW, filters=filters)
    )


@pytest.mark.parametrize("told", [(2**31, 100), (100, 2**31), (2**31, 2**31), (2**62, 2**62), (1, 2**62)])
@pytest.mark.parametrize("name", ["a.npy", "a/data.pkl"])
def test_stored_entries_whose_sizes_are_lies(tmp_path, name, told):
    """As the directory has them: (packed, unpacked), in the form for files beyond 4 GB where they need it."""
    contents = npy("(1,)", bytes(4)) if name == "a.npy" else one(tensor())
    large = struct.pack("<HHQQ", 1, 16, told[1], told[0]) if max(told) >= 2**32 - 1 else b""
    sizes = struct.pack("<III", zlib.crc32(contents), *([2**32 - 1] * 2 if large else told))
    local = b"PK\3\4" + struct.pack("<HHHHH", 46, 0, 0, 0, 33) + sizes
    local += struct.pack("<HH", len(name), len(large)) + name.encode() + large + contents
    entry = b"PK\1\2" + struct.pack("<HHHHHH", 46, 46, 0, 0, 0, 33) + sizes
    entry += struct.pack("<HHHHHII", len(name), len(large), 0, 0, 0, 0, 0) + name.encode() + large
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    (tmp_path / "a").write_bytes(local + entry + end)
    tracemalloc.start()
    try:
        found = read(tmp_path / "a").arrays  # the header of an .npy entry tells its size
        assert name == "a.npy" and found["a"].shape == (1,)
    except FileError:
        pass
    assert tracemalloc.get_traced_memory()[1] < MOST
    tracemalloc.stop()


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@pytest.mark.parametrize("told", [100, 2**31])
def test_an_entry_whose_size_is_a_lie(tmp_path, packing, told):
    size = 150 * 2**20 if packing == zipfile.ZIP_DEFLATED else 2**20
    lying_zip(tmp_path / "a.npz", npy("(1,)") + bytes(size), packing, told)
    refused(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("entry", "saying"),
    [
        (npy("(1,)"), "a ends after 0 of 4 bytes"),
        (npy("(1,)", bytes(8)), "a holds more than its header says"),
        (npy("(1000000000000000000,)"), "the header of a is"),
        (npy("(100000000000,)"), "claims 400,000,000,000 bytes for a"),
        (npy(f"({'1,' * 33})", bytes(4)), "the header of a is"),
        (npy(f"({'1,' * 3000})", bytes(4)), "the header of a has"),
        (npy("(-1,)", bytes(4)), "the header of a is"),
        (npy("(1.0,)", bytes(4)), "the header of a is"),
        (npy("(" * 1000 + "1" + ")" * 1000), "the header of a is"),
        (npy("(" + "9" * 3900 + ",)"), "the header of a is"),
        (npy("(1,)", bytes(4), order="maybe"), "the header of a is"),
        (npy("(1,)", bytes(8), descr="'|O'"), "holds a as .*wanted plain numbers"),
        (npy("(1,)", bytes(8), descr="[('a', '<f4')]"), "holds a as .*wanted plain numbers"),
        (npy("(1,)", bytes(8), descr="'<U\x1b'"), "wanted plain numbers"),
        (npy("(1,)", bytes(12), descr="'<f3'"), "damaged"),
        (npy("(1,)", bytes(4), version=9), "is damaged: a begins with"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", "the header of a has 4,294,967,295 bytes"),
        (b"no array", "is damaged: a begins with"),
        (b"", "a ends after 0 of 6 bytes"),
    ],
)
def test_entries_of_npz_files_that_are_no_arrays(tmp_path, entry, saying):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", entry)
    refused(tmp_path / "a.npz", saying)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_headers_as_other_programs_write_them(tmp_path, version):
    header = b'{"shape":(2,3),"fortran_order":True,"descr":"<f8"}'
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    wanted = np.arange(6.0).reshape(2, 3)
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\x93NUMPY" + bytes([version, 0]) + length + header + wanted.T.tobytes())
        archive.writestr("b.npy", npy("()", np.float32(7).tobytes()))
    found = read(tmp_path / "a.npz").arrays
    np.testing.assert_array_equal(found["a"], wanted)
    assert found["b"].shape == () and found["b"] == 7


@pytest.mark.parametrize("name", ["a" * 2000, "a\x1b[31m", "a\u202eb"])
@pytest.mark.parametrize("form", ["npz", "pth", "h5", "tfjs"])
def test_names_without_end_and_with_control_characters(tmp_path, samples, form, name):
    path = tmp_path / "weights"
    if form == "npz":
        np.savez(path, **{name: np.zeros(1)})
        path = tmp_path / "weights.npz"
    elif form == "pth":
        samples.torch_zip_file(path, {})
        pickled(path, state_dict({name: np.zeros(1, np.float32)}, samples), {"0": bytes(4)})
    elif form == "h5":
        samples.hdf5_file(path, {name: np.zeros(1)})
    else:
        manifest(path, [{"name": name, "shape": [1], "dtype": "float32"}], bytes(4))
    refused(path, "names an array")


def test_archives_of_many_entries(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        for number in range(10_001):
            archive.writestr(f"{number}.npy", b"")
    refused(tmp_path / "a.npz", "holds more than 10,000 files")
    whole = (tmp_path / "a.npz").read_bytes()
    end = whole.rindex(b"PK\5\6")
    size, begin = struct.unpack("<II", whole[end + 12 : end + 20])
    directory = whole[begin : begin + size] * 5
    tail = whole[end : end + 12] + struct.pack("<II", len(directory), begin) + bytes(2)
    (tmp_path / "a.npz").write_bytes(whole[:begin] + directory + tail)
    refused(tmp_path / "a.npz", r"has a directory of 2,\d{3},\d{3} bytes; wanted")


def test_entries_that_share_their_bytes(tmp_path):
    """The directory names the same packed megabytes a thousand times."""
    path = tmp_path / "a.npz"
    lying_zip(path, npy("(2621440,)") + bytes(10 * 2**20), zipfile.ZIP_DEFLATED, 10 * 2**20 + len(npy("(2621440,)")))
    whole = path.read_bytes()
    begin, end = whole.index(b"PK\1\2"), whole.index(b"PK\5\6")
    entries = b"".join(whole[begin:end].replace(b"a.npy", b"%05d" % number) for number in range(1000))
    path.write_bytes(whole[:begin] + entries + whole[end : end + 12] + struct.pack("<II", len(entries), begin) + bytes(2))
    refused(path)


# PyTorch


def pickled(path, contents, storages=None):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", contents)
        for key, numbers in (storages or {}).items():
            archive.writestr(f"a/data/{key}", numbers)


def text(words):
    return b"X" + struct.pack("<I", len(words.encode())) + words.encode()


def state_dict(arrays, samples):
    items = b"".join(
        text(name) + samples.tensor_pickle(key, array.size, 0, array.shape, [n // 4 for n in array.strides])
        for key, (name, array) in enumerate(arrays.items())
    )
    return b"\x80\x02}(" + items + b"u."


def tensor(storage=None, offset=b"K\0", shape=b"K\1\x85", strides=b"K\1\x85", more=b""):
    storage = storage or b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + b"K\1tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + offset + shape + strides + b"\x89)" + more + b"tR"


def one(made):
    return b"\x80\x02}" + text("w") + made + b"s."


def reference(dtype=b"ctorch\nFloatStorage\n", key=None, length=b"K\1", kind=None):
    return b"(" + (kind or text("storage")) + dtype + (key or text("0")) + text("cpu") + length + b"tQ"


DOUBLED = b")" + b"q\0h\0h\0\x86" * 60  # a tuple of itself twice, and so on: 2^60 tuples
DEEP = b")" + b"\x85" * 20_000
PAIRS = b"]q\0(" + b"K\1K\2\x86" * 2_000 + b"e"
PICKLES = {
    "a doubled tuple as key": b"\x80\x02}" + DOUBLED + b"Ns.",
    "a deep tuple as key": b"\x80\x02}" + DEEP + b"Ns.",
    "a doubled tuple as key of an OrderedDict": b"\x80\x02ccollections\nOrderedDict\n]" + DOUBLED + b"N\x86a\x85R.",
    "keys with one hash": pickle.dumps({n * (2**61 - 1): 0 for n in range(1, 5000)}, 2),
    "a tensor as key": b"\x80\x02}" + tensor() + b"Ns.",
    "a float as key": pickle.dumps({"w": {0.5: 1}}, 2),
    "a doubled tuple as shape": one(tensor(shape=DOUBLED)),
    "a deep tuple as storage": one(tensor(storage=DEEP)),
    "a doubled tuple as storage's key": one(tensor(storage=reference(key=DOUBLED))),
    "a deep tuple as kind": one(tensor(storage=reference(kind=DEEP))),
    "a deep tuple as dtype": one(tensor(storage=reference(dtype=DEEP))),
    "a text as length": one(tensor(storage=reference(length=text("9")))),
    "a negative length": one(tensor(storage=reference(length=b"J\xff\xff\xff\xff"))),
    "a persistent id in a persistent id": one(tensor(storage=reference(key=reference()))),
    "a text as persistent id": one(tensor(storage=text("storage") + b"Q")),
    "a text times a number": one(tensor(shape=text("aaaa") + b"J\0\0\0\x20\x86", strides=b"K\1K\1\x86")),
    "a float as shape": one(tensor(shape=b"G\x3f\xf0\0\0\0\0\0\0\x85")),
    "a truth value as shape": one(tensor(shape=b"\x88\x85")),
    "a negative shape": one(tensor(shape=b"J\xff\xff\xff\xff\x85")),
    "a list as shape": one(tensor(shape=b"]K\1a")),
    "33 axes": one(tensor(shape=b"(" + b"K\1" * 33 + b"t", strides=b"(" + b"K\1" * 33 + b"t")),
    "thousands of axes": one(tensor(shape=b"(" + b"K\1" * 5_000 + b"t", strides=b"(" + b"K\1" * 5_000 + b"t")),
    "an immense shape": one(tensor(shape=b"\x8a\xff" + b"\x7f" * 255 + b"\x85")),
    "fewer strides": one(tensor(strides=b")")),
    "a negative stride": one(tensor(strides=b"J\xff\xff\xff\xff\x85")),
    "an offset that is a text": one(tensor(offset=text("0"))),
    "an immense offset": one(tensor(offset=b"\x8a\xff" + b"\x7f" * 255)),
    "many arguments": one(tensor(more=b"N" * 20)),
    "a list as arguments": b"\x80\x02ctorch._utils\n_rebuild_parameter\n]R.",
    "a number called": b"\x80\x02K\1)R.",
    "a tuple called": b"\x80\x02" + DEEP + b")R.",
    "an OrderedDict of a number": b"\x80\x02ccollections\nOrderedDict\nK\1\x85R.",
    "an OrderedDict of texts": b"\x80\x02ccollections\nOrderedDict\n" + text("ab" * 50) + b"\x85R.",
    "an OrderedDict of the same pairs many times":
        b"\x80\x02" + PAIRS + b"(" + b"ccollections\nOrderedDict\nh\0\x85R" * 500 + b"t.",
    "items of a list": b"\x80\x02]K\0Ns.",
    "an odd number of items": b"\x80\x02}(" + text("a") + b"u.",
    "a million dictionaries": b"\x80\x02(" + b"}" * 10**6 + b"t.",
    "a long name of an import": b"\x80\x02c" + b"a" * 10**6 + b"\nb\n.",
    "a frame beyond the end": b"\x80\x04\x95" + b"\xff" * 7 + b"\x7f.",
    "a text beyond the end": b"\x80\x02X\xff\xff\xff\x7fa.",
    "memory of nothing": b"\x80\x02h\1.",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("container", ["zip", "legacy"])
@pytest.mark.parametrize("kind", PICKLES)
def test_pickles_that_explode(tmp_path, samples, monkeypatch, container, kind):
    monkeypatch.setattr(unpickling._Known, "left", 50_000)
    path = tmp_path / "a.pth"
    if container == "zip":
        pickled(path, PICKLES[kind], {"0": bytes(4)})
    else:
        numbers = b"\x80\x02]" + text("0") + b"a." + struct.pack("<q", 1) + bytes(4)
        path.write_bytes(samples.LEGACY_HEAD + PICKLES[kind] + numbers)
    refused(path)


@pytest.mark.parametrize("keys", [b"]" + DOUBLED + b"a", text("0"), b"]" + text("1") + b"a", b"]" + text("0") + b"a", b"]K\0a"])
def test_legacy_files_that_list_other_numbers(tmp_path, samples, keys):
    (tmp_path / "a.pth").write_bytes(samples.LEGACY_HEAD + one(tensor()) + b"\x80\x02" + keys + b"." + b"\xff" * 8)
    refused(tmp_path / "a.pth")


def test_what_pytorch_and_python_2_write_is_still_read(tmp_path):
    """An OrderedDict of pairs; dictionaries with numbers as keys, beside the tensors."""
    pairs = b"ccollections\nOrderedDict\n](" + text("w") + tensor() + b"\x86e\x85R"
    contents = b"\x80\x02}(" + text("state_dict") + pairs + text("optimizer") + b"}K\0]s" + b"u."
    pickled(tmp_path / "a.pth", contents, {"0": np.float32([3]).tobytes()})
    np.testing.assert_array_equal(read(tmp_path / "a.pth").arrays["w"], [3])


def test_two_pickles(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        for root in "ab":
            archive.writestr(f"{root}/data.pkl", b"\x80\x02}.")
    refused(tmp_path / "a", "holds 2 pickles named data.pkl")


# TensorFlow.js


def manifest(path, weights, numbers=b"", paths=("n.bin",), groups=1):
    path.with_name("n.bin").write_bytes(numbers)
    path.write_text(json.dumps([{"paths": list(paths), "weights": weights}] * groups))


SCALAR = {"name": "a", "shape": [], "dtype": "float32"}
QUANTIZED = SCALAR | {"quantization": {"dtype": "uint8", "scale": 1, "min": 0}}
MANIFESTS = {
    "33 axes": {"weights": [SCALAR | {"shape": [1] * 33}]},
    "a hundred thousand axes": {"weights": [SCALAR | {"shape": [9] * 10**5}]},
    "axes that multiply to more than any file": {"weights": [SCALAR | {"shape": [2**31, 2**31]}]},
    "a length of thousands of digits": {"weights": [SCALAR | {"shape": [int("9" * 4000)]}]},
    "a float of thousands of digits": {"weights": [SCALAR | {"shape": [1e300]}]},
    "lists in lists as a shape": {"weights": [SCALAR | {"shape": json.loads("[" * 500 + "]" * 500)}]},
    "a list as a name": {"weights": [SCALAR | {"name": [1] * 10**5}]},
    "an immense scale": {"weights": [QUANTIZED | {"quantization": {"dtype": "uint8", "scale": 10**400, "min": 0}}]},
    "an infinite minimum": {"weights": [QUANTIZED | {"quantization": {"dtype": "uint8", "scale": 1, "min": float("-inf")}}]},
    "a list as quantization": {"weights": [SCALAR | {"quantization": [1, 2, 3]}]},
    "a text as quantization": {"weights": [SCALAR | {"quantization": "abc"}]},
    "a dtype without end": {"weights": [SCALAR | {"dtype": "f" * 10**6}]},
    "a dtype with control characters": {"weights": [SCALAR | {"dtype": "\x1b[31mfloat32"}]},
    "one file a thousand times": {
        "weights": [SCALAR | {"shape": [250_000_000]}], "numbers": bytes(10**6), "paths": ["n.bin"] * 1000,
    },
    "one file in each of many groups": {"weights": [SCALAR], "numbers": bytes(4), "groups": 3},
    "twenty thousand arrays": {"weights": [SCALAR | {"name": str(n), "shape": [0]} for n in range(20_000)]},
    "twenty thousand files": {"weights": [], "paths": [f"{n}.bin" for n in range(20_000)]},
    "a path up": {"weights": [], "paths": ["../n.bin"]},
    "a path with control characters": {"weights": [], "paths": ["\x1b[31m/n.bin"]},
    "a name with a zero": {"weights": [], "paths": ["n\0.bin"]},
    "a name without end": {"weights": [], "paths": ["n" * 10**6]},
    "itself": {"weights": [], "paths": ["m.json"]},
    "more text than any manifest": {"weights": [SCALAR | {"more": "x" * 2**23}], "numbers": bytes(4)},
}  # fmt: skip


@pytest.mark.parametrize("kind", MANIFESTS)
def test_manifests_that_explode(tmp_path, kind):
    manifest(tmp_path / "m.json", **MANIFESTS[kind])
    refused(tmp_path / "m.json")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "9" * 5000])
def test_numbers_that_are_none(tmp_path, number):
    manifest(tmp_path / "m.json", [QUANTIZED], bytes(1))
    told = (tmp_path / "m.json").read_text()
    (tmp_path / "m.json").write_text(told.replace('"scale": 1', f'"scale": {number}'))
    refused(tmp_path / "m.json")


# HDF5


def attribute_file(path, samples, arrays, **changed):
    samples.minidl_file(path, arrays)
    with h5py.File(path, "r+") as file:
        for name, value in changed.items():
            del file.attrs[name]
            if isinstance(value, tuple):
                file.attrs.create(name, *value)
            elif value is not None:
                file.attrs[name] = value


RED = "\x1b[31mred"
VLEN = np.array([np.ones(2), 0], object)[:1]
ATTRIBUTES = {
    "two floats": np.ones(2), "a float": 1.0, "an int": 3, "ints": np.arange(3), "a text": "text", "nothing": h5py.Empty("f8"),
    "an empty text": h5py.Empty("S3"), "texts": np.array([b"a", b"b", b"c"]), "vlen texts": ["a", "b", "c"],
    "a truth value": True, "a matrix": np.ones((3, 3)), "a compound": np.zeros(3, [("a", "f4"), ("b", "i4")]),
    "an enumeration": (1, (), h5py.enum_dtype({"A": 1})), "no UTF-8": np.bytes_(b"\xff\xfe\xfd"),
    "control characters": np.bytes_(RED.encode()), "vlen numbers": (VLEN, (1,), h5py.vlen_dtype("f8")),
    "NaN": np.full(3, np.nan), "infinite": np.full(3, np.inf), "negative": np.full(3, -1.0), "half": np.ones(3, np.float16),
    "no numbers": np.ones(0), "64 KB": np.ones(8192), "missing": None,
}  # fmt: skip


@pytest.mark.parametrize("name", ["format", "architecture", "channels", "mean", "std", "source"])
@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes_of_any_type(tmp_path, samples, arrays, small, name, kind):
    """Each reads, as if the attribute was not there, or is refused."""
    path = tmp_path / "a.h5"
    attribute_file(path, samples, arrays, **{name: ATTRIBUTES[kind]})
    try:
        checkpoint = read(path)
    except FileError as error:
        assert str(path) in str(error) and "\n" not in str(error)
        return
    assert isinstance(checkpoint.architecture, str | None) and (checkpoint.architecture or "").isprintable()
    assert all(isinstance(told, str) for told in checkpoint.provenance.values())
    diagnose(translate(checkpoint, small), small)


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"architecture": np.ones(2)}, r"has 2 numbers as its attribute 'architecture'; wanted plain text"),
        ({"architecture": np.bytes_(RED.encode())}, r"has '\?\[31mred' as its attribute 'architecture'; wanted plain text"),
        ({"format": np.ones(2)}, "has 2 numbers as its attribute 'format'"),
        ({"mean": np.bytes_(b"123")}, "has '123' as its attribute 'mean'; wanted numbers"),
        ({"std": None}, "stores the order of colours, but not mean and std"),
        ({"mean": np.ones(4)}, "stores no valid preprocessing"),
        ({"std": np.zeros(3)}, "stores no valid preprocessing"),
        ({"source": np.bytes_(b"\xff")}, "has the attribute 'source' in another encoding than UTF-8"),
    ],
)
def test_attributes_of_the_wrong_type_are_named(tmp_path, samples, arrays, changed, saying):
    attribute_file(tmp_path / "a.h5", samples, arrays, **changed)
    refused(tmp_path / "a.h5", saying)


def test_attributes_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "ATTRIBUTES", 20)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/kernel"] = np.ones(3)
        for number in range(21):
            file.attrs[str(number)] = number
    refused(tmp_path / "a.h5", "has 21 attributes; wanted at most 20")


def test_links_and_datasets_of_nothing(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["a/kernel"] = np.ones(3)
        file["a/again"] = h5py.SoftLink("/a/kernel")
        file["a/nowhere"] = h5py.SoftLink("/b")
        file["a/self"] = file["a"]
        file["a/empty"] = h5py.Empty("f4")
        file["a/reference"] = file["a"].ref
    assert list(read(tmp_path / "a.h5").arrays) == ["a/kernel"]


def test_names_without_end_in_translation(small):
    """Slashes and digits are looked at once each."""
    from minidl.checkpoints import Checkpoint

    names = ["a/" * 5000 + "kernel", "conv_" + "1" * 5000 + ".weight", "².weight", "x/conv_a/y/kernel"]
    with pytest.raises(MinidlError, match="of another network"):
        translate(Checkpoint(dict.fromkeys(names[:3], np.zeros((4, 3, 3, 3)))), small)
    found = translate(Checkpoint({names[3]: np.zeros((3, 3, 3, 4))}), small)
    assert list(found.arrays) == ["conv_a/kernel"]
