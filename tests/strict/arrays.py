"""Arrays as strict as CuPy's: wrapped NumPy arrays without implicit transfers to or from the host.

NumPy computes every call that CuPy allows: one that fits CuPy's parameters, has no NumPy array as
an argument and needs no data of the device on the host. Whatever CuPy does not guarantee is made as
inconvenient as possible: new memory is poisoned, and results are in Fortran order, so that code
that relies on zeros or on one layout fails.
"""

import itertools
import operator
from types import SimpleNamespace

import numpy as np

from tests.strict.device import Device, counts
from tests.strict.names import (
    ANSWER_AT_ONCE,
    ARRAYS,
    CUPY,
    HOST_PARAMETERS,
    KEEP_THE_ORDER,
    LIST,
    OPERANDS,
    WAIT_FOR_THE_DEVICE,
    bound_arguments,
    hidden_transfer,
    missing_name,
)

NUMBERS = (bool, int, float, complex, np.generic)
DTYPES = "?bhilqBHILQefdFD"
METHODS = {
    name: text
    for name, text in LIST["namespaces"]["cupy.ndarray"].items()
    if text and hasattr(np.ndarray, name)
}


class ndarray:  # noqa: N801  CuPy's name
    __slots__ = ("__weakref__", "_array", "base")
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        if memptr is not None or strides is not None:
            raise NotImplementedError("the stand-in only makes arrays that own their memory")
        self._array, self.base = poisoned(wrapped(np.empty(shape, dtype, order)))._array, None

    # ---- attributes that the host knows ----

    shape = property(lambda self: self._array.shape)
    strides = property(lambda self: self._array.strides)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    nbytes = property(lambda self: self._array.nbytes)
    itemsize = property(lambda self: self._array.itemsize)
    device = property(lambda self: Device())
    data = property(lambda self: SimpleNamespace(ptr=self._array.__array_interface__["data"][0]))
    T = property(lambda self: wrapped(self._array.T, self))
    mT = property(lambda self: wrapped(self._array.mT, self))  # noqa: N815

    @property
    def flags(self):
        flags = self._array.flags
        return SimpleNamespace(
            c_contiguous=flags.c_contiguous,
            f_contiguous=flags.f_contiguous,
            owndata=self.base is None,
        )

    @property
    def real(self):
        return wrapped(self._array.real, self) if self.dtype.kind == "c" else self

    @property
    def imag(self):
        if self.dtype.kind == "c":
            return wrapped(self._array.imag, self)
        return computed(np.imag, [self])

    def __len__(self):
        return len(self._array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"<{CUPY} stand-in: {self.dtype} {self.shape}>"

    def __str__(self):
        raise hidden_transfer("printing a CuPy array", "use .get()")

    def __getattr__(self, name):
        raise missing_name(name, "cupy.ndarray")

    # ---- explicit transfers ----

    def get(self, stream=None, order="C", out=None, blocking=True):
        counts.reads += 1
        if out is None:
            return self._array.copy(order)
        np.copyto(out, self._array, casting="no")
        return out

    def item(self):
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    def tobytes(self, order="C"):
        return self.get().tobytes(order)

    def set(self, arr, stream=None):
        if not isinstance(arr, np.ndarray) or arr.dtype != self.dtype or arr.shape != self.shape:
            raise TypeError(f"set takes a NumPy array of {self.dtype} {self.shape}")
        counts.uploads += 1
        self._array[...] = arr

    # ---- implicit transfers, which are refused ----

    def __array__(self, *args, **kwargs):
        raise hidden_transfer("an implicit conversion to a NumPy array", "use .get()")

    def __array_function__(self, function, types, args, kwargs):
        raise hidden_transfer(f"numpy.{function.__name__} of a CuPy array", "use CuPy's function")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "__call__" and not kwargs and isinstance(inputs[0], np.generic):
            return operator_result(ufunc, *inputs)  # np.float32(2) * x
        instead = "use CuPy's function, and upload NumPy arrays with asarray"
        raise hidden_transfer(f"numpy.{ufunc.__name__} of a CuPy array", instead)

    def _refuse(self, *args):
        operation = "a number, truth value or pickle made from a CuPy array"
        raise hidden_transfer(operation, "use .item() or .get()")

    __bool__ = __float__ = __int__ = __complex__ = __index__ = __contains__ = __reduce__ = _refuse
    flat = property(_refuse)

    # ---- indexing ----

    def __getitem__(self, key):
        key, gathers = self._key(key)
        if not gathers:
            return wrapped(self._array[key], self)
        counts.launches += 1
        return wrapped(self._array[key].copy(), odd=True)

    def __setitem__(self, key, value):
        value = operand(value)
        key, _ = self._key(key, fills=np.ndim(value) == 0)
        counts.launches += 1
        with np.errstate(all="ignore"):
            self._array[key] = value

    def _key(self, key, fills=False):
        """Return (the key for NumPy, whether it contains arrays).

        Numbers in index arrays wrap around, as they do in CuPy.
        """
        parts = key if isinstance(key, tuple) else (key,)
        parts = parts if any(part is ... for part in parts) else (*parts, ...)
        axes_indexed = [_axes_indexed(part) for part in parts]
        remaining = self.ndim - sum(axes_indexed)
        axes_indexed = [remaining if part is ... else _axes_indexed(part) for part in parts]
        plain = []
        for part, axis in zip(parts, itertools.accumulate([0, *axes_indexed])):  # noqa: B905
            if isinstance(part, (np.ndarray, np.bool_, bool, list, tuple)):
                raise hidden_transfer(
                    f"an index that is a {type(part).__name__}", "upload it with asarray"
                )
            if _is_mask(part) and not fills:
                raise hidden_transfer("the number of elements that a mask selects", "use where")
            wraps = isinstance(part, ndarray) and part.dtype.kind in "iu" and self.shape[axis]
            plain.append(
                unwrapped(part).astype(np.intp) % self.shape[axis] if wraps else unwrapped(part)
            )
        return tuple(plain), any(isinstance(part, ndarray) for part in parts)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()


def _is_mask(part):
    return isinstance(part, ndarray) and part.dtype.kind == "b"


def _axes_indexed(part):
    """Return the number of axes that one part of a key indexes; 0 for the ellipsis."""
    return part.ndim if _is_mask(part) else int(part is not None and part is not ...)


# ---- wrapping and unwrapping ---------------------------------------------------------------------


def operand(value):
    """Return the number or NumPy array of an operand. Raise TypeError if CuPy refuses it."""
    if isinstance(value, (np.ndarray, list, tuple)):
        raise hidden_transfer(f"a {type(value).__name__} as an operand", "upload it with asarray")
    if not isinstance(value, (ndarray, *NUMBERS)):
        raise TypeError(f"{CUPY} computes with arrays and numbers; found a {type(value).__name__}")
    return unwrapped(value)


def unwrapped(value):
    """Return the argument with each stand-in replaced by its NumPy array."""
    if isinstance(value, np.ndarray):
        raise hidden_transfer("a NumPy array as an argument", "upload it with asarray")
    if isinstance(value, (list, tuple)):
        return type(value)(map(unwrapped, value))
    return value._array if isinstance(value, ndarray) else value


def stand_ins_in(value):
    """Return all stand-ins in an argument."""
    if isinstance(value, (list, tuple)):
        return [x for element in value for x in stand_ins_in(element)]
    return [value] if isinstance(value, ndarray) else []


def wrapped(array, source=None, odd=False):
    """Return a stand-in for an array, which is new or a view of source. odd: in Fortran order."""
    if array.dtype.char not in DTYPES:
        raise TypeError(f"{CUPY} has no arrays of {array.dtype}")
    if odd and array.ndim > 1 and not array.flags.f_contiguous:
        array = array.copy("F")
    x = object.__new__(ndarray)
    x._array, x.base = array, source if source is None or source.base is None else source.base
    return x


def poisoned(x):
    """Fill new memory with NaN or the largest number, so that code cannot rely on its contents."""
    values = {"f": np.nan, "c": complex(np.nan, np.nan), "b": True}
    x._array.fill(values.get(x.dtype.kind) or np.iinfo(x.dtype).max)
    return x


def computed(function, args, kwargs={}, odd=True, writes=False):  # noqa: B006
    """Return NumPy's result as stand-ins.

    A result is the stand-in of an argument if it is the same array, a view if it has its memory,
    and otherwise a new stand-in. The call counts as a launch if it makes a new array or writes.
    """
    arguments = stand_ins_in([*args, *kwargs.values()])
    plain = {name: unwrapped(value) for name, value in kwargs.items()}
    with np.errstate(all="ignore"):
        result = function(*map(unwrapped, args), **plain)
    several = isinstance(result, (list, tuple))
    results = [_result(array, arguments, odd) for array in (result if several else [result])]
    is_new = [
        isinstance(x, ndarray) and x.base is None and all(x is not y for y in arguments)
        for x in results
    ]
    counts.launches += writes or result is None or any(is_new)
    return (list if isinstance(result, list) else tuple)(results) if several else results[0]


def _result(result, arguments, odd):
    array = np.asarray(result) if isinstance(result, NUMBERS) else result
    if not isinstance(array, np.ndarray):
        return result
    for x in arguments:
        if x._array is array:
            return x
    source = next((x for x in arguments if _owner(x._array) is _owner(array)), None)
    return wrapped(array, source, odd=odd and source is None)


def _owner(array):
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def operator_result(function, *operands):
    """Return the result of an operator."""
    for value in operands:
        operand(value)
    return computed(function, operands, writes=True)


def stand_in_for(function, parameters, full_name):
    """Return NumPy's function with CuPy's parameters and CuPy's restrictions."""
    name = full_name.split(".")[-1]
    extra = {"mode": "wrap"} if name in ("take", "put") else {}

    def stand_in(*args, **kwargs):
        arguments = bound_arguments(full_name, parameters, args, kwargs)
        if name in ANSWER_AT_ONCE:
            return function(*(x._array if isinstance(x, ndarray) else x for x in args), **kwargs)
        if name in WAIT_FOR_THE_DEVICE:
            operation = f"{full_name}, whose result depends on the data,"
            raise hidden_transfer(operation, "use where, or .get() and NumPy's function")
        for parameter, value in arguments:
            if parameter in OPERANDS and isinstance(value, (list, tuple, np.ndarray)):
                operand(value)
            if parameter in HOST_PARAMETERS and stand_ins_in(value):
                raise TypeError(f"{CUPY}'s {full_name} takes no array as {parameter}")
            if parameter in ARRAYS and not isinstance(value, ndarray):
                kind = type(value).__name__
                raise TypeError(
                    f"{CUPY}'s {full_name} takes an array as {parameter}; found a {kind}"
                )
        writes = any(parameter == "out" and value is not None for parameter, value in arguments)
        odd = name not in KEEP_THE_ORDER
        return computed(function, args, {**extra, **kwargs}, odd=odd, writes=writes)

    return stand_in


def _defers(other):
    """Return whether CuPy leaves an operator to the other operand."""
    if isinstance(other, ndarray):
        return False
    opts_out = getattr(other, "__array_ufunc__", ...) is None
    return opts_out or getattr(other, "__array_priority__", 0) > 100


def _methods_of(name):
    function, in_place = getattr(operator, name), getattr(operator, f"i{name.strip('_')}", None)

    def forward(self, *other):
        return (
            NotImplemented if any(map(_defers, other)) else operator_result(function, self, *other)
        )

    def reflected(self, other):
        return operator_result(function, other, self)

    def changing(self, other):
        return NotImplemented if _defers(other) else operator_result(in_place, self, other)

    return forward, reflected, changing


BINARY_OPERATORS = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor",
    "lshift", "rshift",
)  # fmt: skip
for _name in BINARY_OPERATORS:
    _forward, _reflected, _changing = _methods_of(_name)
    setattr(ndarray, f"__{_name.strip('_')}__", _forward)
    setattr(ndarray, f"__r{_name.strip('_')}__", _reflected)
    if _name != "matmul":  # CuPy has no in-place matmul: `x @= y` makes a new x
        setattr(ndarray, f"__i{_name.strip('_')}__", _changing)
for _name in ("lt", "le", "eq", "ne", "gt", "ge", "neg", "pos", "abs", "invert"):
    setattr(ndarray, f"__{_name}__", _methods_of(_name)[0])
for _name, _text in METHODS.items():
    if _name not in vars(ndarray):
        setattr(ndarray, _name, stand_in_for(getattr(np.ndarray, _name), _text, f"ndarray.{_name}"))
