"""Which library an array belongs to, and where new ones are made."""

import re
import subprocess
import sys
import threading
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import minidl
from minidl import Tensor, backend, ops
from minidl.backend import (
    array_module,
    current_arithmetic,
    current_device,
    current_module,
    device,
    device_of,
    must_be_floating,
    set_device,
    to_device,
    to_numpy,
    why_no_gpu,
)
from minidl.errors import ArgumentError, DeviceError
from tests.strict import standing_in


class Elsewhere:
    """An array of another library."""

    shape, strides, ndim, dtype = (2,), (8,), 1, np.dtype(float)

    library = types.ModuleType("elsewhere")

    def __array_namespace__(self):
        return self.library


@pytest.fixture
def no_cupy(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)


@pytest.fixture
def cupy_without_gpu(monkeypatch):
    cupy = types.ModuleType("cupy")
    cupy.is_available = lambda: False
    monkeypatch.setitem(sys.modules, "cupy", cupy)


@pytest.fixture
def cupy_with_gpu():
    with standing_in() as cupy:
        yield cupy
        device("cpu")


def test_importing_minidl_imports_no_cupy():
    code = "import sys, minidl.ops, minidl.losses; minidl.Tensor([1.]) * 2; sys.exit('cupy' in sys.modules)"
    root = Path(minidl.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_numbers_and_none_belong_to_any_library():
    assert array_module(np.ones(2), None, 1, 2.5, np.float32(3)) is np
    assert array_module() is np


def test_arrays_of_two_libraries_do_not_meet():
    wanted = r"the arrays of one op belong to \w+ and \w+; move them to one device with .to\('cpu'\) or .to\('gpu'\)"
    with pytest.raises(DeviceError, match=wanted):
        array_module(np.ones(2), Elsewhere())
    with pytest.raises(DeviceError, match=wanted):
        ops.add(Tensor(np.ones(2), requires_grad=True), Tensor(Elsewhere()))


@pytest.mark.parametrize(
    "op",
    [ops.relu, ops.exp, ops.softmax, ops.sum, ops.max, ops.transpose, ops.negative, ops.absolute],
)
@pytest.mark.parametrize("found", [[1.0, 2.0], None, "text"])
def test_what_is_no_array_is_refused(op, found):
    kind = type(found).__name__
    with pytest.raises(
        ArgumentError,
        match=rf"{op.__name__} takes an array as x; found a {kind}: wrap it in minidl\.Tensor",
    ):
        op(found)


def test_an_op_of_several_arrays_wants_them_in_a_list():
    with pytest.raises(
        ArgumentError, match="concatenate takes a list of arrays as arrays; found a Tensor"
    ):
        ops.concatenate(Tensor([1.0, 2.0]))
    with pytest.raises(ArgumentError, match="concatenate takes an array as arrays; found a list"):
        ops.concatenate([[1.0], [2.0]])


def test_whole_numbers_are_refused_where_they_would_wrap_around():
    with pytest.raises(
        ArgumentError,
        match=r"x is an array of uint8; wanted an array of floating-point numbers: use .astype",
    ):
        must_be_floating("x", np.ones(2, np.uint8))
    with pytest.raises(ArgumentError, match="x is a list; wanted"):
        must_be_floating("x", [1.0])


def test_without_cupy_the_reason_says_what_to_install(no_cupy):
    installing = "install it with pip install 'minidl[gpu]', or 'minidl[gpu-cuda13]' for CUDA 13"
    assert why_no_gpu() == f"CuPy is not installed; {installing}"


def test_a_broken_cupy_is_said_to_be_broken(monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("import a_library_that_cupy_needs")
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert (
        why_no_gpu()
        == "CuPy is installed but cannot be imported (No module named 'a_library_that_cupy_needs')"
    )


def test_a_cupy_without_a_gpu_is_not_taken_for_one(cupy_without_gpu):
    assert why_no_gpu().startswith(
        "CuPy is installed but finds no usable NVIDIA GPU; see that nvidia-smi lists one"
    )


def test_a_gpu_that_cannot_compute_is_not_taken_for_one(cupy_with_gpu, monkeypatch):
    def failing(count):
        raise OSError("libcublas.so.12 is\n missing")

    monkeypatch.setattr(cupy_with_gpu, "ones", failing)
    monkeypatch.setattr(backend, "_working", set())
    wanted = r"finds a GPU but cannot compute on it \(libcublas.so.12 is missing\); install CUDA's libraries: pip install"
    assert re.search(wanted, why_no_gpu())


def test_a_gpu_that_is_not_there_is_refused_with_the_reason(no_cupy):
    with pytest.raises(
        DeviceError,
        match="the GPU cannot be used: CuPy is not installed; install it with pip install",
    ):
        set_device("gpu")
    assert current_device() == "cpu"


def test_auto_is_the_cpu_where_there_is_no_gpu(cupy_without_gpu):
    assert device("auto").name == "cpu"


def test_auto_is_the_gpu_where_there_is_one(cupy_with_gpu):
    with device("auto"):
        assert current_module() is cupy_with_gpu
    assert current_module() is np


def test_a_device_is_left_as_it_was_found(cupy_with_gpu):
    with device("gpu"):
        with device("cpu"):
            assert current_device() == "cpu"
        assert current_device() == "gpu"
        with pytest.raises(ZeroDivisionError), device("cpu"):
            raise ZeroDivisionError
        assert current_device() == "gpu"
    assert current_device() == "cpu"


def test_only_a_block_uses_a_device_that_was_made(cupy_with_gpu):
    device("gpu")
    assert current_device() == "cpu"


def test_the_default_of_a_thread_is_set(cupy_with_gpu):
    try:
        set_device("gpu")
        assert current_device() == "gpu"
        with ThreadPoolExecutor(1) as other:
            assert other.submit(current_device).result() == "cpu"
    finally:
        set_device("cpu")


def test_a_device_goes_back_to_where_it_was_entered(cupy_with_gpu):
    cpu, gpu = device("cpu"), device("gpu")
    with gpu:
        with cpu, gpu:
            assert current_device() == "gpu"
        assert current_device() == "gpu"
        with gpu:
            assert current_device() == "gpu"
        assert current_device() == "gpu"
    assert current_device() == "cpu"


@pytest.mark.parametrize("word", ["no", 1, None])
def test_tf32_is_a_truth_value(word, cupy_with_gpu):
    with pytest.raises(ArgumentError, match="wanted True or False"):
        device("gpu", tf32=word)


def test_a_device_belongs_to_its_thread(cupy_with_gpu):
    seen = []
    with device("gpu"):
        thread = threading.Thread(target=lambda: seen.append(current_device()))
        thread.start()
        thread.join()
    assert seen == ["cpu"]


def test_tf32_is_chosen_with_the_device_and_left_with_it(cupy_with_gpu):
    core = cupy_with_gpu._core

    def now():
        types = core._routines_linalg
        kinds = {types.COMPUTE_TYPE_FP32: "float32", types.COMPUTE_TYPE_TF32: "tf32"}
        handle, cublas = (
            cupy_with_gpu.cuda.device.get_cublas_handle(),
            sys.modules["cupy_backends.cuda.libs"].cublas,
        )
        kind = kinds[core.get_compute_type(np.float32)]
        assert kind == {0: "float32", 3: "tf32"}[cublas.getMathMode(handle)]
        return kind, current_arithmetic()

    with device("gpu"):
        assert now() == ("float32", "float32")
        with device("gpu", tf32=True) as chosen:
            assert now() == ("tf32", "tf32")
            assert repr(chosen) == "device('gpu', tf32=True)"
            to_numpy(to_device(np.ones(2), "gpu"))  # moving an array changes nothing
            assert now() == ("tf32", "tf32")
        assert now() == ("float32", "float32")
        # as CUPY_TF32=1 would, or another thread
        core.set_compute_type(np.float32, core._routines_linalg.COMPUTE_TYPE_TF32)
        with device("gpu"):
            assert now() == ("float32", "float32")
    with pytest.raises(ArgumentError, match="TF32 is an arithmetic of NVIDIA's GPUs"):
        device("cpu", tf32=True)


def test_tf32_on_auto_is_float32_where_there_is_no_gpu(cupy_without_gpu):
    assert device("auto", tf32=True).arithmetic == "float32"


def test_an_unknown_device_is_refused():
    with pytest.raises(ArgumentError, match="device is 'tpu'; wanted one of 'cpu', 'gpu', 'auto'"):
        minidl.device("tpu")


def test_where_an_array_is():
    array = np.ones(2)
    assert device_of(array) == Tensor(array).device == "cpu"
    assert device_of(Elsewhere()) == "gpu"
    assert to_numpy(array) is array
