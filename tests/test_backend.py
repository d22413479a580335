"""The array library of an array, the device of new arrays, and the reasons why there is no GPU."""

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


def test_importing_minidl_imports_no_cupy():
    code = (
        "import sys, minidl.ops, minidl.losses\n"
        "minidl.Tensor([1.]) * 2\n"
        "sys.exit('cupy' in sys.modules)"
    )
    root = Path(minidl.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_numbers_and_none_fit_every_library():
    assert array_module(np.ones(2), None, 1, 2.5, np.float32(3)) is np
    assert array_module() is np


def test_arrays_of_two_libraries_are_refused_in_one_op():
    problem, remedy = r"the arrays of one op belong to \w+ and \w+", "move them to one device with"
    message = rf"{problem}; {remedy} .to\('cpu'\) or .to\('gpu'\)"
    with pytest.raises(DeviceError, match=message):
        array_module(np.ones(2), Elsewhere())
    with pytest.raises(DeviceError, match=message):
        ops.add(Tensor(np.ones(2), requires_grad=True), Tensor(Elsewhere()))


@pytest.mark.parametrize(
    "op",
    [ops.relu, ops.exp, ops.softmax, ops.sum, ops.max, ops.transpose, ops.negative, ops.absolute],
)
@pytest.mark.parametrize("argument", [[1.0, 2.0], None, "text"])
def test_an_argument_that_is_not_an_array_is_refused(op, argument):
    kind = type(argument).__name__
    message = rf"{op.__name__} takes an array as x; found a {kind}: wrap it in minidl\.Tensor"
    with pytest.raises(ArgumentError, match=message):
        op(argument)


def test_an_op_of_several_arrays_requires_a_list():
    message = "concatenate takes a list of arrays as arrays; found a Tensor"
    with pytest.raises(ArgumentError, match=message):
        ops.concatenate(Tensor([1.0, 2.0]))
    with pytest.raises(ArgumentError, match="concatenate takes an array as arrays; found a list"):
        ops.concatenate([[1.0], [2.0]])


def test_integers_are_refused_if_they_would_wrap_around():
    message = r"x is an array of uint8; wanted an array of floating-point numbers: use .astype"
    with pytest.raises(ArgumentError, match=message):
        must_be_floating("x", np.ones(2, np.uint8))
    with pytest.raises(ArgumentError, match="x is a list; wanted"):
        must_be_floating("x", [1.0])


# ---- why there is no GPU -------------------------------------------------------------------------


def test_without_cupy_the_reason_says_what_to_install(no_cupy):
    remedy = "install it with pip install 'minidl[gpu]', or 'minidl[gpu-cuda13]' for CUDA 13"
    assert why_no_gpu() == f"CuPy is not installed; {remedy}"


def test_the_reason_names_the_error_of_a_broken_cupy(monkeypatch, tmp_path):
    (tmp_path / "cupy.py").write_text("import a_library_that_cupy_needs")
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    error = "No module named 'a_library_that_cupy_needs'"
    assert why_no_gpu() == f"CuPy is installed but cannot be imported ({error})"


def test_the_reason_says_that_cupy_finds_no_gpu(cupy_without_gpu):
    reason = "CuPy is installed but finds no usable NVIDIA GPU; check that nvidia-smi lists one"
    assert why_no_gpu().startswith(reason)


def test_the_reason_names_the_error_of_a_gpu_that_cannot_compute(cupy_with_gpu, monkeypatch):
    def failing(count):
        raise OSError("libcublas.so.12 is\n missing")

    monkeypatch.setattr(cupy_with_gpu, "ones", failing)
    monkeypatch.setattr(backend, "_working", set())
    problem = r"finds a GPU but cannot compute on it \(libcublas.so.12 is missing\)"
    assert re.search(f"{problem}; install CUDA's libraries: pip install", why_no_gpu())


def test_a_missing_gpu_is_refused_with_the_reason(no_cupy):
    message = "the GPU cannot be used: CuPy is not installed; install it with pip install"
    with pytest.raises(DeviceError, match=message):
        device("gpu")
    assert current_device() == "cpu"


# ---- the device of new arrays --------------------------------------------------------------------


def test_auto_is_the_cpu_without_a_gpu(cupy_without_gpu):
    assert device("auto").name == "cpu"


def test_auto_is_the_gpu_if_there_is_one(cupy_with_gpu):
    with device("auto"):
        assert current_module() is cupy_with_gpu
    assert current_module() is np


def test_the_end_of_a_block_restores_the_device(cupy_with_gpu):
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


def test_the_blocks_of_one_device_object_may_be_nested(cupy_with_gpu):
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
def test_tf32_must_be_a_bool(word, cupy_with_gpu):
    with pytest.raises(ArgumentError, match="wanted True or False"):
        device("gpu", tf32=word)


def test_a_device_belongs_to_its_thread(cupy_with_gpu):
    devices = []
    with device("gpu"):
        thread = threading.Thread(target=lambda: devices.append(current_device()))
        thread.start()
        thread.join()
    assert devices == ["cpu"]


def test_tf32_holds_for_a_block_of_its_device(cupy_with_gpu):
    core = cupy_with_gpu._core

    def arithmetic():
        """Return the arithmetic of CuPy, which cuBLAS must share, and that of minidl."""
        types = core._routines_linalg
        kinds = {types.COMPUTE_TYPE_FP32: "float32", types.COMPUTE_TYPE_TF32: "tf32"}
        kind = kinds[core.get_compute_type(np.float32)]
        handle = cupy_with_gpu.cuda.device.get_cublas_handle()
        math_mode = sys.modules["cupy_backends.cuda.libs"].cublas.getMathMode(handle)
        assert kind == {0: "float32", 3: "tf32"}[math_mode]
        return kind, current_arithmetic()

    with device("gpu"):
        assert arithmetic() == ("float32", "float32")
        with device("gpu", tf32=True) as gpu_in_tf32:
            assert arithmetic() == ("tf32", "tf32")
            assert repr(gpu_in_tf32) == "device('gpu', tf32=True)"
            to_numpy(to_device(np.ones(2), "gpu"))  # moving an array changes nothing
            assert arithmetic() == ("tf32", "tf32")
        assert arithmetic() == ("float32", "float32")
        # CUPY_TF32=1 or another thread may set this
        core.set_compute_type(np.float32, core._routines_linalg.COMPUTE_TYPE_TF32)
        with device("gpu"):
            assert arithmetic() == ("float32", "float32")
    with pytest.raises(ArgumentError, match="TF32 is an arithmetic of NVIDIA's GPUs"):
        device("cpu", tf32=True)


def test_tf32_on_auto_is_float32_without_a_gpu(cupy_without_gpu):
    assert device("auto", tf32=True).arithmetic == "float32"


def test_an_unknown_device_is_refused():
    with pytest.raises(ArgumentError, match="device is 'tpu'; wanted one of 'cpu', 'gpu', 'auto'"):
        minidl.device("tpu")


def test_the_device_of_an_array():
    array = np.ones(2)
    assert device_of(array) == Tensor(array).device == "cpu"
    assert device_of(Elsewhere()) == "gpu"
    assert to_numpy(array) is array
