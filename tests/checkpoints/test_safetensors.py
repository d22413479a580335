"""Files in .safetensors are written as PyTorch's programs read them, and read within limits."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from minidl.checkpoints import Checkpoint, diagnose, read, translate, write_safetensors
from minidl.checkpoints.axes import channels_first
from minidl.checkpoints.tops import fitted
from minidl.errors import FileError
from minidl.models import ARCHITECTURES
from tests.checkpoints.malformed import refused

F32 = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
CODES = {"F64": "f8", "F32": "f4", "F16": "f2", "BOOL": "?", "I64": "i8", "U8": "u1", "U16": "u2"}


def file_of(header, numbers=bytes(4), length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


@pytest.fixture
def checkpoint(arrays, samples):
    facts = {"authors": "Karen Simonyan", "note": "Größe × 2"}
    classes = ("a", "b, c", "d", "e", "f")
    return Checkpoint(arrays, "minidl", "small", samples.CAFFE, facts, classes)


def test_a_written_file_is_read_unchanged(tmp_path, checkpoint, small):
    for name in "ab":
        write_safetensors(tmp_path / name, checkpoint, small)
    found = translate(read(tmp_path / "a"), small)
    assert replace(found, arrays={}, form="minidl") == replace(checkpoint, arrays={})
    assert list(found.arrays) == list(checkpoint.arrays)
    for name, array in checkpoint.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_pytorch_gives_the_same_output_with_the_written_file(tmp_path, checkpoint, small):
    """The two convolutions and the dense layer, by torch, load the names of the file."""
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    names = {"conv_a": "features.0", "conv_b": "features.3", "dense_a": "classifier.0"}
    write_safetensors(tmp_path / "a.safetensors", checkpoint, replace(small, torch_names=names))
    nn = torch.nn
    model = nn.Sequential()
    model.features = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4), nn.Conv2d(4, 6, 3, padding=1)
    )
    model.classifier = nn.Sequential(nn.Linear(24, 5))
    model.load_state_dict(safetensors.load_file(tmp_path / "a.safetensors"), strict=True)
    picture = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
    with torch.no_grad():
        features = model.features(torch.from_numpy(picture.transpose(0, 3, 1, 2).copy()))
        expected = model.classifier(features.flatten(1)).numpy()
    from minidl import ops

    a = checkpoint.arrays
    x = ops.convolution(picture, a["conv_a/kernel"], a["conv_a/bias"], padding=1)
    x = ops.max_pool(ops.relu(x), 4)
    x = ops.convolution(x, a["conv_b/kernel"], a["conv_b/bias"], padding=1)
    ours = x.reshape(1, -1) @ a["dense_a/kernel"] + a["dense_a/bias"]
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-4)


def test_the_package_safetensors_reads_the_metadata(tmp_path, checkpoint, small):
    package = pytest.importorskip("safetensors")
    write_safetensors(tmp_path / "a.safetensors", checkpoint, small)
    with package.safe_open(tmp_path / "a.safetensors", "numpy") as file:
        metadata = file.metadata()
        assert file.get_tensor("conv_a.weight").shape == (4, 3, 3, 3)
    assert metadata["format"] == "pt" and metadata["authors"] == "Karen Simonyan"
    assert metadata["channels"] == "BGR" and metadata["mean"] == "103.0 116.0 123.0"
    assert metadata["classes"].split("\n") == list(checkpoint.classes)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda known: known.name)
def test_every_architecture_returns_from_pytorchs_names(tmp_path, architecture, samples):
    """Separable convolutions, scales and tops too. The top is narrow, to be small."""
    rng, shapes = np.random.default_rng(0), dict(architecture.shapes)
    narrow = {"fc1": (25088, 3), "fc2": (3, 4), "predictions": (4, 5)}
    for layer in architecture.optional:
        shapes[f"{layer}/kernel"] = narrow[layer]
        shapes[f"{layer}/bias"] = narrow[layer][1:]
    arrays = {name: rng.random(shape, np.float32) for name, shape in shapes.items()}
    stated = Checkpoint(arrays, architecture=architecture.name, preprocessing=samples.CAFFE)
    write_safetensors(tmp_path / "a", stated, architecture)
    found = translate(read(tmp_path / "a"), architecture)
    assert list(found.arrays) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)


def test_the_names_of_vgg19_are_torchvisions():
    torch_names = ARCHITECTURES[0].torch_names
    assert torch_names["block5_conv4"] == "features.34" and torch_names["fc2"] == "classifier.3"
    assert list(torch_names) == ARCHITECTURES[0].layers()


@pytest.mark.parametrize("writer", ["our own", "the package safetensors"])
def test_every_dtype(tmp_path, writer):
    arrays = {name: np.array([0, 1, 1, 100]).astype(code) for name, code in CODES.items()}
    if writer == "our own":
        header, numbers = {}, b""
        for name, array in arrays.items():
            place = [len(numbers), len(numbers) + array.nbytes]
            header[name] = {"dtype": name, "shape": [4], "data_offsets": place}
            numbers += array.tobytes()
        header["BF16"] = {"dtype": "BF16", "shape": [2], "data_offsets": [len(numbers)] * 2}
        header["BF16"]["data_offsets"][1] += 4
        numbers += np.uint16([0x3F80, 0xC000]).tobytes()
        (tmp_path / "a").write_bytes(file_of(header, numbers))
    else:
        pytest.importorskip("safetensors.numpy").save_file(arrays, tmp_path / "a")
    found = read(tmp_path / "a").arrays
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    if writer == "our own":
        np.testing.assert_array_equal(found["BF16"], np.float32([1, -2]))


@pytest.mark.parametrize("begin", [b"PK", b"\x80\2", b"{ ", b"[ "])
def test_a_length_that_looks_like_another_signature(tmp_path, begin):
    text = json.dumps({"w": F32}).encode().ljust(int.from_bytes(begin, "little"))
    (tmp_path / "a.safetensors").write_bytes(file_of(text, np.float32([7]).tobytes()))
    assert (tmp_path / "a.safetensors").read_bytes().startswith(begin)
    np.testing.assert_array_equal(read(tmp_path / "a.safetensors").arrays["w"], [7])


def test_bfloat16_of_torch(tmp_path):
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    values = torch.tensor([[1.0, -2.5], [0.0, 3e30]])
    safetensors.save_file({"w": values.to(torch.bfloat16)}, tmp_path / "a")
    expected = values.to(torch.bfloat16).float().numpy()
    np.testing.assert_array_equal(read(tmp_path / "a").arrays["w"], expected)


def test_files_of_other_programs_have_torchvisions_preprocessing(tmp_path, arrays, small, samples):
    metadata = {
        "format": "pt",
        "classes": "no list",
        "mean": "x",
        "author": "me",
        "long": "x" * 99999,
    }
    samples.safetensors_file(tmp_path / "a", {n: a + 1 for n, a in arrays.items()}, metadata)
    found = read(tmp_path / "a")
    assert (found.form, found.classes, found.provenance) == ("safetensors", None, {"author": "me"})
    found = translate(found, small)
    assert found.preprocessing == samples.TORCHVISION
    assert [severity for severity, _ in diagnose(found, small)] == ["note"]


def test_channels_first_is_the_inverse_for_another_top(arrays, samples, small):
    kernel = np.arange(24 * 7).reshape(24, 7)
    other = fitted(small, {"dense_a/kernel": kernel, "dense_a/bias": np.zeros(7)})
    convolutions = {name: array for name, array in arrays.items() if name.startswith("conv")}
    stored = samples.torch_arrays(convolutions)
    stored["classifier.0.weight"] = channels_first(kernel, "dense_a", other)
    stored["classifier.0.bias"] = np.zeros(7)
    found = translate(Checkpoint(stored), small)
    np.testing.assert_array_equal(found.arrays["dense_a/kernel"], kernel)


HEADERS = {
    "a header longer than the file": file_of({"w": F32}, length=10**6),
    "an immense header": file_of({"w": F32}, length=2**40),
    "no header": file_of(b"{"),
    "a header that is a list": b"\x02" + bytes(7) + b"{]" + bytes(4),
    "nested lists": file_of(b'{"a":' + b"[" * 10**5 + b"}"),
    "a name twice": file_of(b'{"w":%s,"w":%s}' % ((json.dumps(F32).encode(),) * 2)),
    "a text for an array": file_of({"w": "F32"}),
    "a number for an array": file_of({"w": 3}),
    "no dtype": file_of({"w": {"shape": [1], "data_offsets": [0, 4]}}),
    "an unknown dtype": file_of({"w": F32 | {"dtype": "F8_E4M3"}}),
    "a dtype without end": file_of({"w": F32 | {"dtype": "F" * 10**6}}),
    "a dtype that is a list": file_of({"w": F32 | {"dtype": ["F32"]}}),
    "a negative length": file_of({"w": F32 | {"shape": [-1]}}),
    "a float as a length": file_of({"w": F32 | {"shape": [1.0]}}),
    "thousands of axes": file_of({"w": F32 | {"shape": [1] * 10**5}}),
    "an immense shape": file_of({"w": F32 | {"shape": [2**40, 2**40], "data_offsets": [0, 2**60]}}),
    "a shape of thousands of digits": file_of(
        b'{"w":{"dtype":"F32","shape":[%s]}}' % (b"9" * 9999)
    ),
    "no offsets": file_of({"w": {"dtype": "F32", "shape": [1]}}),
    "three offsets": file_of({"w": F32 | {"data_offsets": [0, 4, 4]}}),
    "offsets backwards": file_of({"w": F32 | {"data_offsets": [4, 0]}}),
    "negative offsets": file_of({"w": F32 | {"data_offsets": [-4, 0]}}),
    "offsets beyond the end": file_of({"w": F32 | {"data_offsets": [4, 8]}}),
    "more bytes than the shape": file_of({"w": F32 | {"data_offsets": [0, 8]}}, bytes(8)),
    "overlapping arrays": file_of({"v": F32, "w": F32}),
    "a gap": file_of({"v": F32, "w": F32 | {"data_offsets": [8, 12]}}, bytes(12)),
    "bytes of no array": file_of({"w": F32}, bytes(8)),
    "a cut": file_of({"w": F32}, bytes(3)),
    "metadata that are a list": file_of({"w": F32, "__metadata__": ["a"]}),
    "metadata that are numbers": file_of({"w": F32, "__metadata__": {"a": 1}}),
    "a thousand metadata": file_of({"w": F32, "__metadata__": {str(n): "" for n in range(1000)}}),
    "control characters in metadata": file_of({"w": F32, "__metadata__": {"\x1b[31m": "a"}}),
    "a damaged mean": file_of(
        {"w": F32, "__metadata__": {"minidl": "minidl weights 1", "channels": "RGB", "mean": "x"}}
    ),
    "no arrays": file_of({}, b""),
    "twenty thousand arrays": file_of(
        {str(n): F32 | {"shape": [0], "data_offsets": [0, 0]} for n in range(20_000)}, b""
    ),
    "a long name": file_of({"w" * 2000: F32}),
    "a name with control characters": file_of({"\x1b[31m": F32}),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_malicious_headers_are_refused(tmp_path, kind):
    (tmp_path / "a.safetensors").write_bytes(HEADERS[kind])
    refused(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("an unknown dtype", "holds w as 'F8_E4M3'; minidl reads F64, F32, F16, BF16, BOOL, I8"),
        ("a gap", "has w begin at byte 8; wanted 4, where the array before it ends"),
        ("a cut", "lists 4 bytes of numbers, but holds 3: it is cut off"),
        ("a name twice", "has a name twice in its header"),
    ],
)
def test_the_errors_say_what_is_wrong(tmp_path, kind, sentence):
    (tmp_path / "a.safetensors").write_bytes(HEADERS[kind])
    with pytest.raises(FileError, match=sentence):
        read(tmp_path / "a.safetensors")
