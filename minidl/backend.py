"""NumPy or CuPy, and the device of new arrays.

`array_module(x, w)` returns the library that arrays belong to, so that an op is written once for
both. CuPy is imported only when a GPU is selected, never by `import minidl`.
"""

import importlib
import sys
import threading
from contextlib import ContextDecorator
from typing import Any, Literal

import numpy as np

from minidl.errors import ArgumentError, DeviceError, brief, one_of
from minidl.typing import Array, Device

DEVICES = ("cpu", "gpu", "auto")
DEFAULT_MATH, TF32_MATH = 0, 3  # of cuBLAS: cublasMath_t
_chosen = threading.local()  # this thread's device and arithmetic
_working: set = set()  # the modules that have computed a product


def is_array(value: Any) -> bool:
    """Return whether the value is an array of one of the libraries, or a NumPy scalar."""
    return _library_of(value) is not None


def array_module(*arrays: Any) -> Any:
    """Return the library (numpy, cupy) that all these arrays belong to. Numbers and None are
    ignored.

    Raises DeviceError if two of them belong to different libraries, and ArgumentError for a value
    that is no array.

    >>> array_module(np.ones(3), None, 2.5).__name__
    'numpy'
    """
    modules = []
    for array in arrays:
        if array is None or isinstance(array, (int, float, complex, np.generic)):
            continue
        module = _library_of(array)
        if module is None:
            kind = type(array).__name__
            raise ArgumentError(
                f"found a {kind} where an array was wanted; wrap it in minidl.Tensor(...)"
            )
        if module not in modules:
            modules.append(module)
    if len(modules) > 1:
        names = " and ".join(sorted(module.__name__ for module in modules))
        raise DeviceError(
            f"the arrays of one op belong to {names}; move them to one device with .to('cpu') or "
            ".to('gpu')"
        )
    return modules[0] if modules else np


def _library_of(value):
    """Return the library of an array, or None if the value is no array. CuPy's arrays do not name
    their library; other arrays do."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np
    cupy = sys.modules.get("cupy")
    if cupy and isinstance(value, cupy.ndarray):
        return cupy
    return value.__array_namespace__() if hasattr(value, "__array_namespace__") else None


def must_be_an_array(op: str, value: Any) -> None:
    """Raise ArgumentError, with the name of the op, unless the value is an array."""
    if not is_array(value):
        raise ArgumentError(
            f"{op} takes an array as x; found a {type(value).__name__}: wrap it in "
            "minidl.Tensor(...)"
        )


def must_be_floating(name: str, array: Any) -> None:
    """Raise ArgumentError if the argument is not an array of real or complex floating-point
    numbers.

    Sums and differences of integers wrap around: in uint8, 200 + 100 is 44.
    """
    dtype = getattr(array, "dtype", None)
    if dtype is None or dtype.kind not in "fc":
        kind = f"a {type(array).__name__}" if dtype is None else f"an array of {dtype}"
        raise ArgumentError(
            f"{name} is {kind}; wanted an array of floating-point numbers: use .astype('float32')"
        )


def why_no_gpu() -> str | None:
    """Return None if a GPU can be used, and otherwise one sentence that says why not."""
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            return (
                "CuPy is not installed; install it with pip install 'minidl[gpu]', or "
                "'minidl[gpu-cuda13]' for CUDA 13"
            )
        return f"CuPy is installed but cannot be imported ({error})"
    if not cupy.is_available():
        return (
            "CuPy is installed but finds no usable NVIDIA GPU; check that nvidia-smi lists one and "
            "that its driver is recent"
        )
    return None if cupy in _working else _why_no_product(cupy)


def _why_no_product(cupy):
    """Return None if the GPU computes a product, and otherwise one sentence that says why not. CuPy
    also finds a GPU if CUDA's libraries or compiler are missing; then the product fails."""
    try:
        (cupy.ones((2, 2, 2)) @ cupy.ones((2, 2, 2))).sum().item()
    except Exception as error:  # CUDA's libraries raise errors of a dozen kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        return (
            f"CuPy finds a GPU but cannot compute on it ({reason}); install CUDA's libraries: "
            "pip install 'minidl[gpu]'"
        )
    _working.add(cupy)
    return None


def set_device(name: Device, tf32: bool = False) -> None:
    """Set the device on which this thread makes new arrays from now on.

    name: "cpu", "gpu", or "auto", which selects the GPU if one can be used and the CPU otherwise.

    tf32: whether products of float32 matrices on a GPU read only the first 10 of the 23 binary
    digits after the point. This is faster (NVIDIA's TensorFloat-32, from compute capability 8.0
    on). CuPy keeps a part of this setting for all threads.

    Raises DeviceError with the reason if "gpu" cannot be used, and ArgumentError for TF32 on a CPU.
    """
    _choose(*_resolved(name, tf32))


class device(ContextDecorator):  # noqa: N801  it is called like a function
    """Make new arrays on a device within a block, in this thread. It is also a decorator.

    name, tf32, and the errors raised: as for `set_device`.

    >>> with device("cpu"):
    ...     zeros = current_module().zeros(3)
    """

    def __init__(self, name: Device, tf32: bool = False) -> None:
        self.name: Literal["cpu", "gpu"]
        self.name, self.arithmetic = _resolved(name, tf32)

    def __enter__(self) -> "device":
        blocks = _chosen.__dict__.setdefault("blocks", [])
        blocks.append((current_device(), current_arithmetic()))
        _choose(self.name, self.arithmetic)
        return self

    def __exit__(self, *error: object) -> None:
        _choose(*_chosen.blocks.pop())

    def __repr__(self) -> str:
        return f"device({self.name!r}{', tf32=True' if self.arithmetic == 'tf32' else ''})"


def _resolved(name, tf32):
    """Return (device, arithmetic) of the arguments of `set_device`."""
    if not isinstance(tf32, bool):
        raise ArgumentError(f"tf32 is {brief(tf32)}; wanted True or False")
    usable = _usable(name)
    if tf32 and name == "cpu":
        raise ArgumentError(
            "TF32 is an arithmetic of NVIDIA's GPUs; choose the device 'gpu', or leave tf32 out"
        )
    return usable, "tf32" if tf32 and usable == "gpu" else "float32"


def current_device() -> Literal["cpu", "gpu"]:
    """Return the device on which this thread makes new arrays: "cpu" or "gpu"."""
    return getattr(_chosen, "name", "cpu")


def current_arithmetic() -> str:
    """Return the arithmetic of matrix products: "tf32", or "float32", which computes in the dtype
    of the matrices."""
    return getattr(_chosen, "arithmetic", "float32")


def current_module() -> Any:
    """Return the library that this thread makes new arrays with."""
    return np if current_device() == "cpu" else importlib.import_module("cupy")


def device_of(*arrays: Any) -> Literal["cpu", "gpu"]:
    """Return the device of arrays: "cpu" or "gpu". Numbers and None are ignored.

    Raises the errors of `array_module`.
    """
    return "cpu" if array_module(*arrays) is np else "gpu"


def to_device(array: Array, name: Device) -> Array:
    """Return the array on a device: itself, or a copy if it is on another one."""
    name = _usable(name)
    if device_of(array) == name:
        return array
    if name == "gpu":
        return importlib.import_module("cupy").asarray(array)
    cupy_array: Any = array
    return cupy_array.get()


def to_numpy(array: Array) -> np.ndarray:
    """Return the array as a NumPy array."""
    return np.asarray(to_device(array, "cpu"))


def read_numbers(*arrays: Array) -> list[float]:
    """Return arrays of one number each as floats. All are read at once, because each read waits for
    the GPU to finish."""
    xp = array_module(*arrays)
    if xp is np:
        return [float(array.item()) for array in arrays]
    return xp.stack([array.reshape(()) for array in arrays]).get().astype(float).tolist()


def _usable(name):
    """Return "cpu" or "gpu" for the name of a device. Raise DeviceError if there is no GPU."""
    one_of("device", name, DEVICES)
    reason = None if name == "cpu" else why_no_gpu()
    if name == "gpu" and reason:
        raise DeviceError(f"the GPU cannot be used: {reason}")
    return "cpu" if name == "cpu" or reason else "gpu"


def _choose(name, arithmetic):
    if name == "gpu":
        _multiply_in(arithmetic)
    elif current_arithmetic() == "tf32":
        _multiply_in("float32")
    _chosen.name, _chosen.arithmetic = name, arithmetic


def _multiply_in(arithmetic):
    """Set the arithmetic of matrix products on a GPU.

    Products of two matrices use CuPy's setting. Products of batches use that of cuBLAS. Both are
    set whenever a GPU is selected, because the environment (CUPY_TF32) or another thread may have
    changed them.
    """
    cupy = importlib.import_module("cupy")
    cublas = importlib.import_module("cupy_backends.cuda.libs").cublas
    tf32, types = arithmetic == "tf32", cupy._core._routines_linalg
    kind = types.COMPUTE_TYPE_TF32 if tf32 else types.COMPUTE_TYPE_FP32
    cupy._core.set_compute_type(np.dtype("float32"), kind)
    cublas.setMathMode(cupy.cuda.device.get_cublas_handle(), TF32_MATH if tf32 else DEFAULT_MATH)
