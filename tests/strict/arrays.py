"""Arrays as strict as CuPy's: NumPy arrays behind a wall, through which nothing goes to the host or
comes from it unasked.

What CuPy allows is worked out by NumPy, once it is sure that the call fits CuPy's parameters, takes
no NumPy array and needs nothing that only the device knows. Where CuPy leaves a choice the worst is
taken: new memory is poisoned, and what is computed comes back in Fortran order, so that code which
counts on zeros or on one layout is found out.
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
    KEEP_THE_ORDER,
    LIST,
    OF_THE_HOST,
    OPERANDS,
    WAIT_FOR_THE_DEVICE,
    bound,
    hidden,
    missing,
)

NUMBERS = (bool, int, float, complex, np.generic)
DTYPES = "?bhilqBHILQefdFD"
METHODS = {
    name: text
    for name, text in LIST["rooms"]["cupy.ndarray"].items()
    if text and hasattr(np.ndarray, name)
}


class ndarray:  # noqa: N801  CuPy's name
    __slots__ = ("__weakref__", "_array", "base")
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        if memptr is not None or strides is not None:
            raise NotImplementedError("the stand-in makes arrays in memory of their own")
        self._array, self.base = poisoned(enclosed(np.empty(shape, dtype, order)))._array, None

    # ---- what the host knows ----

    shape = property(lambda self: self._array.shape)
    strides = property(lambda self: self._array.strides)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    nbytes = property(lambda self: self._array.nbytes)
    itemsize = property(lambda self: self._array.itemsize)
    device = property(lambda self: Device())
    data = property(lambda self: SimpleNamespace(ptr=self._array.__array_interface__["data"][0]))
    T = property(lambda self: enclosed(self._array.T, self))
    mT = property(lambda self: enclosed(self._array.mT, self))  # noqa: N815

    @property
    def flags(self):
        own, flags = self.base is None, self._array.flags
        return SimpleNamespace(
            c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous, owndata=own
        )

    @property
    def real(self):
        return enclosed(self._array.real, self) if self.dtype.kind == "c" else self

    @property
    def imag(self):
        return (
            enclosed(self._array.imag, self)
            if self.dtype.kind == "c"
            else computed(np.imag, [self])
        )

    def __len__(self):
        return len(self._array)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"<{CUPY} stand-in: {self.dtype} {self.shape}>"

    def __str__(self):
        raise hidden("a text made from a CuPy array", "use .get()")

    def __getattr__(self, name):
        raise missing(name, "cupy.ndarray")

    # ---- what goes to the host or comes from it by name ----

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

    # ---- what would do so without a word ----

    def __array__(self, *args, **kwargs):
        raise hidden("the implicit conversion to a NumPy array", "use .get()")

    def __array_function__(self, function, types, args, kwargs):
        raise hidden(f"numpy.{function.__name__} of a CuPy array", "use CuPy's")

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method == "__call__" and not kwargs and isinstance(inputs[0], np.generic):
            return worked_out(ufunc, *inputs)  # np.float32(2) * x
        raise hidden(
            f"numpy.{ufunc.__name__} of a CuPy array", "use CuPy's, and asarray for NumPy arrays"
        )

    def _refuse(self, *args):
        raise hidden(
            "a number, truth value or pickle made from a CuPy array", "use .item() or .get()"
        )

    __bool__ = __float__ = __int__ = __complex__ = __index__ = __contains__ = __reduce__ = _refuse
    flat = property(_refuse)

    # ---- parts ----

    def __getitem__(self, key):
        key, gathers = self._key(key)
        if not gathers:
            return enclosed(self._array[key], self)
        counts.launches += 1
        return enclosed(self._array[key].copy(), odd=True)

    def __setitem__(self, key, value):
        value = operand(value)
        key, _ = self._key(key, fills=np.ndim(value) == 0)
        counts.launches += 1
        with np.errstate(all="ignore"):
            self._array[key] = value

    def _key(self, key, fills=False):
        """(the key for NumPy, whether arrays are in it). The numbers of index arrays wrap around,
        as they do in CuPy."""
        parts = key if isinstance(key, tuple) else (key,)
        parts = parts if any(part is ... for part in parts) else (*parts, ...)
        widths = [
            part.ndim if _is_mask(part) else part is not None and part is not ... for part in parts
        ]
        total = sum(widths)
        widths = [
            self.ndim - total if part is ... else width
            for part, width in zip(parts, widths, strict=True)
        ]
        plain = []
        for part, axis in zip(parts, itertools.accumulate([0, *widths])):  # noqa: B905
            if isinstance(part, (np.ndarray, np.bool_, bool, list, tuple)):
                raise hidden(f"an index that is a {type(part).__name__}", "upload it with asarray")
            if _is_mask(part) and not fills:
                raise hidden("the number of places that a mask selects", "use where")
            wraps = isinstance(part, ndarray) and part.dtype.kind in "iu" and self.shape[axis]
            plain.append(bare(part).astype(np.intp) % self.shape[axis] if wraps else bare(part))
        return tuple(plain), any(isinstance(part, ndarray) for part in parts)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()


def _is_mask(part):
    return isinstance(part, ndarray) and part.dtype.kind == "b"


# ---- through the wall
# ------------------------------------------------------------------------------------------------


def operand(value):
    """What NumPy is to compute with."""
    if isinstance(value, (np.ndarray, list, tuple)):
        raise hidden(f"a {type(value).__name__} as an operand", "upload it with asarray")
    if not isinstance(value, (ndarray, *NUMBERS)):
        raise TypeError(f"{CUPY} computes with arrays and numbers; found a {type(value).__name__}")
    return bare(value)


def bare(value):
    """The argument with the NumPy arrays themselves where it has stand-ins."""
    if isinstance(value, np.ndarray):
        raise hidden("a NumPy array as an argument", "upload it with asarray")
    if isinstance(value, (list, tuple)):
        return type(value)(map(bare, value))
    return value._array if isinstance(value, ndarray) else value


def stand_ins(value):
    """All that are in an argument."""
    if isinstance(value, (list, tuple)):
        return [x for each in value for x in stand_ins(each)]
    return [value] if isinstance(value, ndarray) else []


def enclosed(array, source=None, odd=False):
    """A stand-in for this array, which is a view of the source, or new. odd: in Fortran order."""
    if array.dtype.char not in DTYPES:
        raise TypeError(f"{CUPY} has no arrays of {array.dtype}")
    if odd and array.ndim > 1 and not array.flags.f_contiguous:
        array = array.copy("F")
    x = object.__new__(ndarray)
    x._array, x.base = array, source if source is None or source.base is None else source.base
    return x


def poisoned(x):
    """Nobody may count on what new memory holds."""
    kind = x.dtype.kind
    x._array.fill(
        {"f": np.nan, "c": complex(np.nan, np.nan), "b": True}.get(kind) or np.iinfo(x.dtype).max
    )
    return x


def computed(function, args, kwargs={}, odd=True, writes=False):  # noqa: B006
    """NumPy's result as stand-ins: a given one where it is that one's array, a view where it has
    its memory, else a new one.

    It counts as a launch where it made something new, or writes.
    """
    given = stand_ins([*args, *kwargs.values()])
    with np.errstate(all="ignore"):
        result = function(*map(bare, args), **{name: bare(value) for name, value in kwargs.items()})
    several = isinstance(result, (list, tuple))
    results = [_result(each, given, odd) for each in (result if several else [result])]
    is_new = [
        isinstance(x, ndarray) and x.base is None and all(x is not each for each in given)
        for x in results
    ]
    counts.launches += writes or result is None or any(is_new)
    return (list if isinstance(result, list) else tuple)(results) if several else results[0]


def _result(result, given, odd):
    array = np.asarray(result) if isinstance(result, NUMBERS) else result
    if not isinstance(array, np.ndarray):
        return result
    for x in given:
        if x._array is array:
            return x
    source = next((x for x in given if _owner(x._array) is _owner(array)), None)
    return enclosed(array, source, odd=odd and source is None)


def _owner(array):
    while getattr(array, "base", None) is not None:
        array = array.base
    return array


def worked_out(function, *operands):
    """The result of an operator."""
    for value in operands:
        operand(value)
    return computed(function, operands, writes=True)


def standing_for(function, parameters, full_name):
    """CuPy's function as NumPy's, called as CuPy's is."""
    name = full_name.split(".")[-1]
    changed = {"mode": "wrap"} if name in ("take", "put") else {}

    def stand_in(*args, **kwargs):
        arguments = bound(full_name, parameters, args, kwargs)
        if name in ANSWER_AT_ONCE:
            return function(*(x._array if isinstance(x, ndarray) else x for x in args), **kwargs)
        if name in WAIT_FOR_THE_DEVICE:
            raise hidden(
                f"{full_name}, whose result only the device knows,",
                "use where, or .get() and NumPy's",
            )
        for parameter, value in arguments:
            if parameter in OPERANDS and isinstance(value, (list, tuple, np.ndarray)):
                operand(value)
            if parameter in OF_THE_HOST and stand_ins(value):
                raise TypeError(f"{CUPY}'s {full_name} takes no array as {parameter}")
            if parameter in ARRAYS and not isinstance(value, ndarray):
                raise TypeError(
                    f"{CUPY}'s {full_name} takes an array as {parameter}; found a {type(value).__name__}"
                )
        writes = any(parameter == "out" and value is not None for parameter, value in arguments)
        return computed(
            function, args, {**changed, **kwargs}, odd=name not in KEEP_THE_ORDER, writes=writes
        )

    return stand_in


def _defers(other):
    """Whether CuPy leaves an operator to the other one."""
    asked = (
        getattr(other, "__array_ufunc__", ...) is None
        or getattr(other, "__array_priority__", 0) > 100
    )
    return asked and not isinstance(other, ndarray)


def _methods_of(name):
    function, in_place = getattr(operator, name), getattr(operator, f"i{name.strip('_')}", None)

    def forward(self, *other):
        return NotImplemented if any(map(_defers, other)) else worked_out(function, self, *other)

    def reflected(self, other):
        return worked_out(function, other, self)

    def changing(self, other):
        return NotImplemented if _defers(other) else worked_out(in_place, self, other)

    return forward, reflected, changing


for _name in (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and_",
    "or_",
    "xor",
    "lshift",
    "rshift",
):
    _forward, _reflected, _changing = _methods_of(_name)
    setattr(ndarray, f"__{_name.strip('_')}__", _forward)
    setattr(ndarray, f"__r{_name.strip('_')}__", _reflected)
    if _name != "matmul":  # CuPy has none: `x @= y` makes a new x
        setattr(ndarray, f"__i{_name.strip('_')}__", _changing)
for _name in ("lt", "le", "eq", "ne", "gt", "ge", "neg", "pos", "abs", "invert"):
    setattr(ndarray, f"__{_name}__", _methods_of(_name)[0])
for _name, _text in METHODS.items():
    if _name not in vars(ndarray):
        setattr(ndarray, _name, standing_for(getattr(np.ndarray, _name), _text, f"ndarray.{_name}"))
