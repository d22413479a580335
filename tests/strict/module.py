"""The module that stands in for cupy: functions computed by NumPy, and CuPy's own functions."""

from types import ModuleType, SimpleNamespace

import numpy as np

from tests.strict import device
from tests.strict.arrays import computed, ndarray, poisoned, stand_in_for, unwrapped, wrapped
from tests.strict.device import counts
from tests.strict.kernels import RawModule
from tests.strict.names import CUPY, LIST, NUMPYS, hidden_transfer, missing_name

HOST_FUNCTIONS = {  # functions of files, texts and Python functions, which need the host
    "apply_along_axis", "apply_over_axes", "array2string", "array_repr", "array_str", "asanyarray",
    "asarray_chkfinite", "asfarray", "base_repr", "binary_repr", "fromDlpack", "from_dlpack",
    "frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring", "genfromtxt", "load",
    "loadtxt", "memoize", "piecewise", "save", "savetxt", "savez", "savez_compressed",
    "show_config",
}  # fmt: skip


def namespace(name, numpy_module, **own):
    """Return a module with the given attributes and the listed names of a module of NumPy."""

    def lookup(attribute):
        entry = LIST["namespaces"].get(name, {}).get(attribute)
        if entry == NUMPYS:
            member = getattr(np, attribute)
        elif entry is None or attribute in HOST_FUNCTIONS or not hasattr(numpy_module, attribute):
            raise missing_name(attribute, name)
        else:
            function = getattr(numpy_module, attribute)
            make = Ufunc if isinstance(function, np.ufunc) else stand_in_for
            member = make(function, entry, f"{name}.{attribute}")
        setattr(module, attribute, member)
        return member

    module = ModuleType(name)
    vars(module).update(own, __getattr__=lookup)
    return module


class Ufunc:
    def __init__(self, ufunc, parameters, name):
        self._ufunc, self._name = ufunc, name
        self._call = stand_in_for(ufunc, parameters, name)

    def __call__(self, *args, **kwargs):
        return self._call(*args, **kwargs)

    def __getattr__(self, name):
        raise missing_name(name, self._name)

    def at(self, a, indices, b=None):
        if self._name.removeprefix("cupy.") not in LIST["ufuncs with at"]:
            raise NotImplementedError(f"{CUPY} has no {self._name}.at")
        key, _ = a._key(indices)
        counts.launches += 1
        self._ufunc.at(unwrapped(a), key, unwrapped(b))


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, bool(copy), order or "K")


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    if isinstance(obj, ndarray):
        options = {"dtype": dtype, "copy": copy or None, "order": order, "ndmin": ndmin}
        return computed(np.array, [obj], options, odd=False)
    x = wrapped(np.array(obj, dtype, copy=True, order=order, ndmin=ndmin))
    counts.uploads += 1
    return x


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    if isinstance(a, ndarray):
        return a.get(stream, order, out, blocking)
    return np.asarray(a, order=order)


def empty(*args, **kwargs):
    return _only_memory(_empty(*args, **kwargs))


def empty_like(*args, **kwargs):
    return _only_memory(_empty_like(*args, **kwargs))


def _only_memory(x):
    counts.launches -= 1  # an allocation launches nothing
    return poisoned(x)


def where(condition, x=None, y=None):
    if x is None or y is None:
        raise hidden_transfer("where with only a condition", "pass the two values as well")
    return _where(condition, x, y)


def get_compute_type(dtype):
    return compute_types.get(np.dtype(dtype).char, LIST["compute types"]["COMPUTE_TYPE_DEFAULT"])


def set_compute_type(dtype, compute_type):
    compute_types[np.dtype(dtype).char] = compute_type


_parameters = LIST["namespaces"]["cupy"]
_empty = stand_in_for(np.empty, _parameters["empty"], "cupy.empty")
_empty_like = stand_in_for(np.empty_like, _parameters["empty_like"], "cupy.empty_like")
_where = stand_in_for(np.where, _parameters["where"], "cupy.where")

compute_types = {}  # character of the dtype -> compute type, if not the default
math_modes = {}  # handle of cuBLAS -> math mode
libraries = SimpleNamespace(
    cublas=SimpleNamespace(setMathMode=math_modes.__setitem__, getMathMode=math_modes.__getitem__)
)
_pool = device.MemoryPool()
_stream = device.Stream()
_core = SimpleNamespace(
    get_compute_type=get_compute_type,
    set_compute_type=set_compute_type,
    _routines_linalg=SimpleNamespace(**LIST["compute types"]),
)
_stride_tricks = namespace("cupy.lib.stride_tricks", np.lib.stride_tricks)
cuda = namespace(
    "cupy.cuda",
    None,
    device=SimpleNamespace(get_cublas_handle=lambda: 1),
    Device=device.Device,
    Event=device.Event,
    Stream=device.Stream,
    get_current_stream=lambda device_id=-1: _stream,
    get_elapsed_time=device.get_elapsed_time,
    runtime=device.runtime,
)
module = namespace(
    "cupy",
    np,
    __version__=LIST["version"],
    _core=_core,
    cuda=cuda,
    linalg=namespace("cupy.linalg", np.linalg),
    lib=namespace("cupy.lib", None, stride_tricks=_stride_tricks),
    is_available=lambda: True,
    get_default_memory_pool=lambda: _pool,
    ndarray=ndarray,
    RawModule=RawModule,
    array=array,
    asarray=asarray,
    asnumpy=asnumpy,
    empty=empty,
    empty_like=empty_like,
    where=where,
)
