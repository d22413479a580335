"""Networks of MatConvNet in MAT-files, written without SciPy and, where it is installed, by it."""

import numpy as np
import pytest

from minidl.checkpoints import Preprocessing, diagnose, load, read, translate, write
from minidl.checkpoints.matlab import variables
from minidl.errors import FileError
from tests.checkpoints import mat_files

RGB = Preprocessing("RGB", mean=(123.0, 116.0, 103.0), std=(1.0, 1.0, 1.0))
CLASSES = ("tench, Tinca tinca", "cat", "größer", "d", "e")


def written(path, network, form):
    if form == "scipy":
        pytest.importorskip("scipy.io").savemat(path, cells(network))
    elif form == "scipy, packed":
        pytest.importorskip("scipy.io").savemat(path, cells(network), do_compression=True)
    else:
        mat_files.write(path, network, packed=form == "packed")


def cells(item):
    """Return the value with object arrays (1, n) for lists, as savemat writes cell arrays."""
    if isinstance(item, list):
        array = np.empty((1, len(item)), object)
        array[0] = [cells(value) for value in item]
        return array
    return {name: cells(value) for name, value in item.items()} if isinstance(item, dict) else item


@pytest.mark.parametrize("form", ["plain", "packed", "scipy", "scipy, packed"])
@pytest.mark.parametrize("older", [False, True])
def test_both_forms_of_networks_are_read(tmp_path, arrays, small, form, older):
    written(tmp_path / "net.mat", mat_files.network(arrays, classes=CLASSES, older=older), form)
    found = translate(read(tmp_path / "net.mat"), small)
    assert (found.form, found.preprocessing, found.classes) == ("matconvnet", RGB, CLASSES)
    assert list(found.arrays) == list(small.shapes)
    arrays["conv_a/kernel"] = arrays["conv_a/kernel"][:, :, ::-1]
    for name, array in arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
    assert diagnose(found, small) == []
    write(tmp_path / "ours.h5", found)
    assert load(tmp_path / "ours.h5", small, top=True).classes == CLASSES


def test_the_same_weights_give_the_same_output_as_those_of_caffe(tmp_path, arrays, small, samples):
    """The kernels in RGB order get RGB, and those in BGR order get BGR."""
    mat_files.write(tmp_path / "net.mat", mat_files.network(arrays))
    found = translate(read(tmp_path / "net.mat"), small)
    patch = np.random.default_rng(0).uniform(0, 255, (3, 3, 3))
    ours = (patch - found.preprocessing.mean).ravel() @ found.arrays["conv_a/kernel"].reshape(27, 4)
    caffe = (patch[..., ::-1] - samples.CAFFE.mean).ravel() @ arrays["conv_a/kernel"].reshape(27, 4)
    np.testing.assert_allclose(ours, caffe, rtol=1e-5)


def test_a_network_in_one_variable_and_without_top(tmp_path, arrays, small):
    del arrays["dense_a/kernel"], arrays["dense_a/bias"]
    mat_files.write(tmp_path / "net.mat", {"net": mat_files.network(arrays), "x": np.ones(3)})
    found = translate(read(tmp_path / "net.mat"), small)
    assert list(found.arrays) == list(arrays) and found.preprocessing == RGB


def test_kernels_with_the_width_first_are_recognised_by_their_values(tmp_path, arrays, small):
    swapped = {
        name: array.reshape(2, 2, 6, 5).swapaxes(0, 1).reshape(24, 5)
        if array.ndim == 2
        else array.swapaxes(0, 1)
        if array.ndim == 4
        else array
        for name, array in arrays.items()
    }
    mat_files.write(tmp_path / "net.mat", mat_files.network(swapped))
    found = translate(read(tmp_path / "net.mat"), small)
    np.testing.assert_array_equal(found.arrays["conv_b/kernel"], arrays["conv_b/kernel"])
    np.testing.assert_array_equal(found.arrays["dense_a/kernel"], arrays["dense_a/kernel"])
    assert diagnose(found, small) == []


def test_without_an_average_the_known_mean_is_used(tmp_path, arrays, small, samples):
    mat_files.write(tmp_path / "net.mat", {"layers": mat_files.network(arrays)["layers"]})
    found = translate(read(tmp_path / "net.mat"), small)
    assert found.preprocessing == Preprocessing("RGB", samples.CAFFE.mean[::-1], (1.0,) * 3)
    assert found.classes is None


@pytest.mark.parametrize(
    ("changed", "saying"),
    [
        ({"layers": np.ones(3)}, "holds no network of MatConvNet"),
        ({"layers": []}, "without any arrays"),
        ({"layers": [{"name": "a", "weights": [np.ones((3, 3))]}] * 2}, "names two layers 'a'"),
        (
            {"meta": {"normalization": {"averageImage": np.ones((4, 4))}}},
            "an averageImage of shape",
        ),
        ({"meta": {"normalization": {"averageImage": -np.ones((1, 1, 3))}}}, "no mean of pictures"),
        ({"meta": {"normalization": {"averageImage": np.full((1, 1, 3), 1e300)}}}, "no mean of"),
        ({"meta": {"classes": {"name": ["a\x1b"]}}}, "names a class 'a.*', which is no plain text"),
    ],
)
def test_other_variables_are_refused(tmp_path, arrays, changed, saying):
    mat_files.write(tmp_path / "net.mat", mat_files.network(arrays) | changed)
    with pytest.raises(FileError, match=saying):
        read(tmp_path / "net.mat")


def test_another_version_and_a_cut_header_are_refused(tmp_path):
    (tmp_path / "net.mat").write_bytes(mat_files.HEAD[:90])
    with pytest.raises(FileError, match="is damaged: it ends after 90 bytes"):
        read(tmp_path / "net.mat")
    (tmp_path / "net.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(400))
    with pytest.raises(
        FileError, match="another version than 5; save it again with the option -v7"
    ):
        read(tmp_path / "net.mat")


def test_values_agree_with_scipy(tmp_path):
    """Of types, shapes and texts that networks do not have, too."""
    io = pytest.importorskip("scipy.io")
    contents = {
        "numbers": np.arange(24).reshape(2, 3, 4).astype(np.int16),
        "doubles": np.linspace(0, 1, 6).reshape(2, 3),
        "text": "Größe × 2",
        "lines": np.array(["one", "three"]),
        "truth": np.array([[True, False]]),
        "nothing": np.zeros((0, 3)),
        "complex": np.ones((1, 2)) * 1j,
    }
    io.savemat(tmp_path / "a.mat", contents)
    found = variables(tmp_path / "a.mat", contents)
    for name in ("numbers", "doubles", "truth", "nothing"):
        np.testing.assert_array_equal(found[name], contents[name])
    assert found["text"] == contents["text"]
    assert found["lines"] == ["one", "three"]
    assert found["complex"] is None


def test_numbers_with_the_most_significant_byte_first(tmp_path):
    def element(kind, numbers):
        return np.array([kind, numbers.nbytes], ">u4").tobytes() + numbers.tobytes()

    parts = element(6, np.array([7, 0], ">u4")) + element(5, np.array([1, 2], ">i4"))
    parts += b"\0\1\0\1a\0\0\0" + element(7, np.array([0.5, 3], ">f4"))
    head = b"MATLAB 5.0 MAT-file".ljust(124) + b"\1\0MI"
    (tmp_path / "a.mat").write_bytes(head + element(14, np.frombuffer(parts, "u1")))
    np.testing.assert_array_equal(variables(tmp_path / "a.mat", ["a"])["a"], [[0.5, 3]])
