"""The module that stands in for cupy: of CuPy's functions those that NumPy can work out, and what
is CuPy's alone."""

from types import ModuleType, SimpleNamespace

import numpy as np

from tests.strict import device
from tests.strict.arrays import bare, computed, enclosed, ndarray, poisoned, standing_for
from tests.strict.device import counts
from tests.strict.kernels import RawModule
from tests.strict.names import CUPY, LIST, NUMPYS, hidden, missing

OF_THE_HOST = {  # files, texts and Python functions, which the generic way would let through
    "apply_along_axis", "apply_over_axes", "array2string", "array_repr", "array_str", "asanyarray", "asarray_chkfinite",
    "asfarray", "base_repr", "binary_repr", "fromDlpack", "from_dlpack", "frombuffer", "fromfile", "fromfunction", "fromiter",
    "fromstring", "genfromtxt", "load", "loadtxt", "memoize", "piecewise", "save", "savetxt", "savez", "savez_compressed",
    "show_config",
}  # fmt: skip


def room(name, numpys, **own):
    """A module whose names are CuPy's own, or those of this part of NumPy that are in the list."""

    def find(attribute):
        entry = LIST["rooms"].get(name, {}).get(attribute)
        if entry == NUMPYS:
            found = getattr(np, attribute)
        elif entry is None or attribute in OF_THE_HOST or not hasattr(numpys, attribute):
            raise missing(attribute, name)
        else:
            theirs = getattr(numpys, attribute)
            found = (Ufunc if isinstance(theirs, np.ufunc) else standing_for)(
                theirs, entry, f"{name}.{attribute}"
            )
        setattr(module, attribute, found)
        return found

    module = ModuleType(name)
    vars(module).update(own, __getattr__=find)
    return module


class Ufunc:
    def __init__(self, ufunc, parameters, name):
        self._ufunc, self._name = ufunc, name
        self._call = standing_for(ufunc, parameters, name)

    def __call__(self, *args, **kwargs):
        return self._call(*args, **kwargs)

    def __getattr__(self, name):
        raise missing(name, self._name)

    def at(self, a, indices, b=None):
        if self._name.removeprefix("cupy.") not in LIST["ufuncs with at"]:
            raise NotImplementedError(f"{CUPY} has no {self._name}.at")
        key, _ = a._key(indices)
        counts.launches += 1
        self._ufunc.at(bare(a), key, bare(b))


def asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return array(a, dtype, bool(copy), order or "K")


def array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, *, blocking=False):
    if isinstance(obj, ndarray):
        return computed(
            np.array,
            [obj],
            {"dtype": dtype, "copy": copy or None, "order": order, "ndmin": ndmin},
            odd=False,
        )
    x = enclosed(np.array(obj, dtype, copy=True, order=order, ndmin=ndmin))
    counts.uploads += 1
    return x


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    return (
        a.get(stream, order, out, blocking)
        if isinstance(a, ndarray)
        else np.asarray(a, order=order)
    )


def get_array_module(*args):
    return module if any(isinstance(arg, ndarray) for arg in args) else np


def empty(*args, **kwargs):
    return _only_memory(_empty(*args, **kwargs))


def empty_like(*args, **kwargs):
    return _only_memory(_empty_like(*args, **kwargs))


def _only_memory(x):
    counts.launches -= 1  # nothing runs
    return poisoned(x)


def where(condition, x=None, y=None):
    if x is None or y is None:
        raise hidden(
            "where with a condition alone, which counts its places,", "give it the two values"
        )
    return _where(condition, x, y)


def get_compute_type(dtype):
    return compute_types.get(np.dtype(dtype).char, LIST["compute types"]["COMPUTE_TYPE_DEFAULT"])


def set_compute_type(dtype, compute_type):
    compute_types[np.dtype(dtype).char] = compute_type


_parameters = LIST["rooms"]["cupy"]
_empty = standing_for(np.empty, _parameters["empty"], "cupy.empty")
_empty_like = standing_for(np.empty_like, _parameters["empty_like"], "cupy.empty_like")
_where = standing_for(np.where, _parameters["where"], "cupy.where")

compute_types = {}  # by the character of the dtype; what is not in it has the default
math_modes = {}  # of cuBLAS, by handle
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
cuda = room(
    "cupy.cuda",
    None,
    device=SimpleNamespace(get_cublas_handle=lambda: 1),
    Device=device.Device,
    Event=device.Event,
    Stream=device.Stream,
    get_current_stream=lambda device_id=-1: _stream,
    get_elapsed_time=device.get_elapsed_time,
    is_available=lambda: True,
    runtime=device.runtime,
)
module = room(
    "cupy",
    np,
    __version__=LIST["version"],
    _core=_core,
    cuda=cuda,
    linalg=room("cupy.linalg", np.linalg),
    lib=room("cupy.lib", None, stride_tricks=room("cupy.lib.stride_tricks", np.lib.stride_tricks)),
    is_available=lambda: True,
    get_default_memory_pool=lambda: _pool,
    ndarray=ndarray,
    RawModule=RawModule,
    **{
        function.__name__: function
        for function in (array, asarray, asnumpy, empty, empty_like, get_array_module, where)
    },
)
