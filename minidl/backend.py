"""NumPy or CuPy: the arrays themselves say which.

An op asks `array_module(x, w)` for the library that its arrays belong to and is thereby written once for both. CuPy is
imported only when a GPU is asked for by name, never by `import minidl`.
"""

import importlib
import threading

import numpy as np

from minidl.errors import ArgumentError, DeviceError, one_of

DEVICES = ("cpu", "gpu", "auto")
_chosen = threading.local()


def array_module(*arrays):
    """The library (numpy, cupy) that all these arrays belong to; numbers and None belong to any.

    Raises DeviceError where two of them differ, and ArgumentError for what is no array at all.

    >>> array_module(np.ones(3), None, 2.5).__name__
    'numpy'
    """
    modules = {}
    for array in arrays:
        if array is None or isinstance(array, (int, float, complex, np.generic)):
            continue
        try:
            modules.setdefault(array.__array_namespace__(), array)
        except AttributeError:
            kind = type(array).__name__
            raise ArgumentError(f"found a {kind} where an array was wanted; wrap it in minidl.Tensor(...)") from None
    if len(modules) > 1:
        names = " and ".join(sorted(module.__name__ for module in modules))
        raise DeviceError(f"the arrays of one op belong to {names}; move them to one device with .to('cpu') or .to('gpu')")
    return next(iter(modules), np)


def must_be_floating(name, array):
    """Refuse whole numbers where sums and differences of them would wrap around, as those of a uint8 picture do."""
    dtype = getattr(array, "dtype", None)
    if dtype is None or dtype.kind not in "fc":
        found = f"a {type(array).__name__}" if dtype is None else f"an array of {dtype}"
        raise ArgumentError(f"{name} is {found}; wanted an array of floating-point numbers: use .astype('float32')")


def why_no_gpu():
    """None where a GPU can be used; else one sentence that says why not."""
    try:
        cupy = importlib.import_module("cupy")
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == "cupy":
            return "CuPy is not installed; install it with pip install 'minidl[gpu]'"
        return f"CuPy is installed but cannot be imported ({error})"
    if not cupy.is_available():
        return "CuPy is installed but finds no usable NVIDIA GPU; see that nvidia-smi lists one and that its driver is new"
    return None


class device:  # noqa: N801  a verb in the reader's code, like open
    """Choose where minidl makes new arrays: `device("gpu")` from here on, `with device("gpu"):` for a block.

    "auto" is the GPU where one can be used and else the CPU. The choice belongs to the thread. Raises DeviceError with the
    reason where "gpu" cannot be had.

    >>> with device("cpu"):
    ...     zeros = current_module().zeros(3)
    """

    def __init__(self, name):
        one_of("device", name, DEVICES)
        reason = None if name == "cpu" else why_no_gpu()
        if name == "gpu" and reason:
            raise DeviceError(f"the GPU cannot be used: {reason}")
        self._before = current_device()
        self.name = "cpu" if name == "cpu" or reason else "gpu"
        _chosen.name = self.name

    def __enter__(self):
        _chosen.name = self.name
        return self

    def __exit__(self, *error):
        _chosen.name = self._before

    def __repr__(self):
        return f"device({self.name!r})"


def current_device():
    """Where new arrays are made: "cpu" or "gpu"."""
    return getattr(_chosen, "name", "cpu")


def current_module():
    """The library that new arrays are made with."""
    return np if current_device() == "cpu" else importlib.import_module("cupy")


def device_of(array):
    """Where an array lives: "cpu" or "gpu"."""
    return "cpu" if array_module(array) is np else "gpu"


def to_device(array, name):
    """The same numbers on the device "cpu", "gpu" or "auto"; the array itself where it is there already."""
    with device(name) as there:
        if device_of(array) == there.name:
            return array
        return array.get() if there.name == "cpu" else current_module().asarray(array)


def to_numpy(array):
    """A NumPy array of the same numbers, to show or to store."""
    return np.asarray(to_device(array, "cpu"))
