"""NumPy or CuPy: the arrays themselves say which.

An op asks `array_module(x, w)` for the library that its arrays belong to and is thereby written
once for both. CuPy is imported only when a GPU is asked for by name, never by `import minidl`.
"""

import importlib
import sys
import threading

import numpy as np

from minidl.errors import ArgumentError, DeviceError, brief, one_of

DEVICES = ("cpu", "gpu", "auto")
DEFAULT_MATH, TF32_MATH = 0, 3  # of cuBLAS: cublasMath_t
_chosen = threading.local()
_working: set = set()  # the modules that have computed something


def is_array(value):
    """Whether it is an array of one of the libraries, or a NumPy scalar."""
    return _library_of(value) is not None


def array_module(*arrays):
    """The library (numpy, cupy) that all these arrays belong to; numbers and None belong to any.

    Raises DeviceError where two of them differ, and ArgumentError for what is no array at all.

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
            f"the arrays of one op belong to {names}; move them to one device with .to('cpu') or .to('gpu')"
        )
    return modules[0] if modules else np


def _library_of(value):
    """numpy, cupy, or whatever library the value names as its own; None for what is no array.
    (CuPy's arrays name none.)"""
    if isinstance(value, (np.ndarray, np.generic)):
        return np
    cupy = sys.modules.get("cupy")
    if cupy and isinstance(value, cupy.ndarray):
        return cupy
    return value.__array_namespace__() if hasattr(value, "__array_namespace__") else None


def must_be_floating(name, array):
    """Refuse whole numbers where sums and differences of them would wrap around, as those of a
    uint8 picture do."""
    dtype = getattr(array, "dtype", None)
    if dtype is None or dtype.kind not in "fc":
        found = f"a {type(array).__name__}" if dtype is None else f"an array of {dtype}"
        raise ArgumentError(
            f"{name} is {found}; wanted an array of floating-point numbers: use .astype('float32')"
        )


def why_no_gpu():
    """None where a GPU can be used; else one sentence that says why not."""
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            return "CuPy is not installed; install it with pip install 'minidl[gpu]', or 'minidl[gpu-cuda13]' for CUDA 13"
        return f"CuPy is installed but cannot be imported ({error})"
    if not cupy.is_available():
        return "CuPy is installed but finds no usable NVIDIA GPU; see that nvidia-smi lists one and that its driver is new"
    return None if cupy in _working else _why_no_product(cupy)


def _why_no_product(cupy):
    """A GPU may be seen whose libraries or compiler are missing: that shows when something is
    computed."""
    try:
        (cupy.ones((2, 2, 2)) @ cupy.ones((2, 2, 2))).sum().item()
    except Exception as error:  # CUDA's libraries raise errors of a dozen kinds
        reason = " ".join(str(error).split()) or type(error).__name__
        return f"CuPy finds a GPU but cannot compute on it ({reason}); install CUDA's libraries: pip install 'minidl[gpu]'"
    _working.add(cupy)
    return None


class device:  # noqa: N801  a verb in the reader's code, like open
    """Choose where minidl makes new arrays: `device("gpu")` from here on, `with device("gpu"):` for
    a block.

    "auto" is the GPU where one can be used and else the CPU. The choice belongs to the thread.
    Raises DeviceError with the reason where "gpu" cannot be had.

    tf32: let the GPU's products of float32 matrices read only the first ten of their 23 binary
    digits (NVIDIA's TensorFloat-32, from compute capability 8.0 on), for speed. One part of this
    choice CuPy keeps for all threads.

    >>> with device("cpu"):
    ...     zeros = current_module().zeros(3)
    """

    def __init__(self, name, tf32=False):
        if not isinstance(tf32, bool):
            raise ArgumentError(f"tf32 is {brief(tf32)}; wanted True or False")
        found, self._before = (current_device(), current_arithmetic()), []
        self.name = _usable(name)
        if tf32 and name == "cpu":
            raise ArgumentError(
                "TF32 is an arithmetic of NVIDIA's GPUs; choose the device 'gpu' for it, or leave it out"
            )
        self.arithmetic = "tf32" if tf32 and self.name == "gpu" else "float32"
        _choose(self.name, self.arithmetic)
        _chosen.just_now = self, found

    def __enter__(self):
        # In `with device("gpu"):` the choice was made a moment ago, and what was there before is
        # what to go back to.
        latest, found = getattr(_chosen, "just_now", (None, None))
        self._before.append(found if latest is self else (current_device(), current_arithmetic()))
        _choose(self.name, self.arithmetic)
        return self

    def __exit__(self, *error):
        _choose(*self._before.pop())

    def __repr__(self):
        return f"device({self.name!r}{', tf32=True' if self.arithmetic == 'tf32' else ''})"


def current_device():
    """Where new arrays are made: "cpu" or "gpu"."""
    return getattr(_chosen, "name", "cpu")


def current_arithmetic():
    """How matrices are multiplied: "float32" (as their dtype says), or "tf32"."""
    return getattr(_chosen, "arithmetic", "float32")


def current_module():
    """The library that new arrays are made with."""
    return np if current_device() == "cpu" else importlib.import_module("cupy")


def device_of(array):
    """Where an array lives: "cpu" or "gpu"."""
    return "cpu" if array_module(array) is np else "gpu"


def to_device(array, name):
    """The same numbers on the device "cpu", "gpu" or "auto"; the array itself where it is there
    already."""
    name = _usable(name)
    if device_of(array) == name:
        return array
    return array.get() if name == "cpu" else importlib.import_module("cupy").asarray(array)


def to_numpy(array):
    """A NumPy array of the same numbers, to show or to store."""
    return np.asarray(to_device(array, "cpu"))


def read_numbers(*arrays):
    """Arrays of one number each as floats, fetched in one go: each reading waits until a GPU has
    done all that it was told."""
    xp = array_module(*arrays)
    if xp is np:
        return [float(array.item()) for array in arrays]
    return xp.stack([array.reshape(()) for array in arrays]).get().astype(float).tolist()


def _usable(name):
    """ "cpu" or "gpu", where "auto" was decided and "gpu" can be had"""
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
    _chosen.name, _chosen.arithmetic, _chosen.just_now = name, arithmetic, (None, None)


def _multiply_in(arithmetic):
    """Of CuPy's products some ask CuPy for the arithmetic, those of whole batches cuBLAS. It is set
    at every choice of a GPU, since the environment (CUPY_TF32) or another thread may have set it
    too."""
    cupy, cublas = (
        importlib.import_module("cupy"),
        importlib.import_module("cupy_backends.cuda.libs").cublas,
    )
    tf32, types = arithmetic == "tf32", cupy._core._routines_linalg
    kind = types.COMPUTE_TYPE_TF32 if tf32 else types.COMPUTE_TYPE_FP32
    cupy._core.set_compute_type(np.dtype("float32"), kind)
    cublas.setMathMode(cupy.cuda.device.get_cublas_handle(), TF32_MATH if tf32 else DEFAULT_MATH)
