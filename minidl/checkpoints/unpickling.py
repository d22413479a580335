"""Read the pickle of a PyTorch state dict without running code from it.

A pickle is a program that may import and call any function. This unpickler accepts only the
instructions that a state dict needs, imports nothing, and calls only the functions in this file.
Its results are dicts, lists, tuples, numbers, texts, and descriptions of tensors.

Time and memory are bounded by the length of the file:

- The keys of dictionaries are texts or small integers. To hash a deeply nested tuple could take
  exponential time.
- A call has at most MOST_ARGUMENTS arguments.
- An instruction that copies n items counts as n instructions.
"""

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

from minidl.errors import brief, printable
from minidl.limits import INSTRUCTIONS, is_count, is_shape

MOST_ARGUMENTS = 16  # of a call


class Refused(pickle.UnpicklingError):
    """A pickle that is damaged or not a state dict. The message is the second half of a sentence
    about the file."""


class Storage(NamedTuple):
    """An array of numbers that is stored elsewhere in the file."""

    key: str
    dtype: str  # NumPy's code, or "bfloat16"
    length: int


class StoredTensor(NamedTuple):
    """A view of a storage. Offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(storage, offset, shape, strides, *_):
    is_view = (
        type(storage) is Storage
        and is_count(offset)
        and type(shape) is type(strides) is tuple
        and is_shape(shape)
        and len(strides) == len(shape)
        and all(map(is_count, strides))
    )
    if not is_view:
        raise Refused(
            f"describes a tensor of shape {brief(shape)}, strides {brief(strides)} and offset "
            f"{brief(offset)}; wanted whole numbers within limits: it is damaged, get it again"
        )
    return StoredTensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor, *_):
    return tensor


def _must_be_keys(keys):
    """Raise Refused unless every key is a text or a small integer, such as the index of a parameter
    in the state of an optimiser."""
    for key in keys:
        if type(key) is not str and not (type(key) is int and abs(key) < 2**31):
            raise Refused(
                f"has a dictionary with the key {brief(key)}; wanted text: this is no plain state "
                "dict"
            )


class _OrderedDict:
    """Represents collections.OrderedDict, which REDUCE calls without arguments or, in pickles of
    Python 2, with a list of pairs."""


_STORAGES = {
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}

# The names that a state dict imports, and their values in this unpickler.
_IMPORTS = {
    "collections.OrderedDict": _OrderedDict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
} | {f"torch.{name}": dtype for name, dtype in _STORAGES.items()}

_INSTRUCTIONS = (
    "PROTO FRAME STOP MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET "
    "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE "
    "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT "
    "GLOBAL STACK_GLOBAL BINPERSID"
)


class _Dispatch(dict):
    """{code: method} of the accepted instructions. Each method first counts its instruction."""

    def __init__(self, methods):
        super().__init__({code: self._counted(method) for code, method in methods.items()})

    def __missing__(self, code):
        raise Refused(
            f"holds the pickle instruction {bytes([code])!r}, which no plain state dict has; it "
            "was not run: save it again with torch.save(model.state_dict(), ...)"
        )

    @staticmethod
    def _counted(method):
        def counted(unpickler):
            unpickler.spend(1)
            method(unpickler)

        return counted


# This is a subclass of the unpickler in Python. The one in C allocates a table whose size is a
# number in the file, up to tens of GB.
class StateDictUnpickler(pickle._Unpickler):
    """Reads one pickle from a binary stream. Raises Refused for anything that a plain state dict
    does not contain.

    storages  {key: Storage} of every storage that the pickle mentions
    left      how many more instructions may be run
    """

    left = INSTRUCTIONS
    stack: list
    pop_mark: Callable[[], list]

    def __init__(self, stream):
        super().__init__(stream)
        self.storages: dict[str, Storage] = {}

    def spend(self, count: int) -> None:
        """Count so many instructions. Raises Refused if there are too many."""
        self.left -= count
        if self.left < 0:
            raise Refused(
                f"needs more than {INSTRUCTIONS:,} instructions to be read, which no plain state "
                "dict does"
            )

    def find_class(self, module: str, name: str) -> Any:
        """Return what represents an imported name."""
        if f"{module}.{name}" not in _IMPORTS:
            raise Refused(
                f"asks to import {printable(f'{module}.{name}', 100)}: this is no plain state "
                "dict, nothing of it was run; save it again with torch.save(model.state_dict(), "
                "...)"
            )
        return _IMPORTS[f"{module}.{name}"]

    def persistent_load(self, pid: Any) -> Storage:
        """("storage", dtype, key, device, length) -> Storage"""
        if not (
            type(pid) is tuple
            and len(pid) >= 5
            and type(pid[2]) is str
            and is_count(pid[4])
            and pid[0] == "storage"
            and pid[1] in _STORAGES.values()
        ):
            raise Refused(
                "refers to something else than numbers: this is no plain state dict, nothing of it "
                "was run; save it again with torch.save(model.state_dict(), ...)"
            )
        _, dtype, key, _, length = pid[:5]
        self.storages[key] = Storage(key, dtype, length)
        return self.storages[key]

    def _reduce(self):
        arguments, function = self.stack.pop(), self.stack.pop()
        if type(arguments) is not tuple or len(arguments) > MOST_ARGUMENTS:
            raise Refused(
                "calls a function with more arguments than a state dict does; it was not run: get "
                "it again"
            )
        if function is _OrderedDict:
            self.stack.append(self._dict(*arguments))
        elif function in (_rebuild_tensor, _rebuild_parameter):
            self.stack.append(function(*arguments))
        else:
            raise Refused("calls something that is no function: it is damaged; get it again")

    def _dict(self, pairs=()):
        self.spend(len(pairs))
        if type(pairs) not in (list, tuple) or not all(
            type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs
        ):
            raise Refused(
                "makes a dictionary of something else than pairs: it is damaged; get it again"
            )
        _must_be_keys(key for key, _ in pairs)
        return dict(pairs)

    def _set_item(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key], [value])

    def _set_items(self):
        items = self.pop_mark()
        self._update(items[::2], items[1::2])

    def _update(self, keys, values):
        if type(self.stack[-1]) is not dict:
            raise Refused(
                "sets items of something that is no dictionary: it is damaged; get it again"
            )
        _must_be_keys(keys)
        self.stack[-1].update(zip(keys, values, strict=True))

    def _ignore_attributes(self):
        """BUILD sets attributes of an object. In a state dict these are only the versions of the
        modules."""
        self.stack.pop()


StateDictUnpickler.dispatch = _Dispatch(
    {
        getattr(pickle, name)[0]: pickle._Unpickler.dispatch[getattr(pickle, name)[0]]
        for name in _INSTRUCTIONS.split()
    }
    | {
        pickle.REDUCE[0]: StateDictUnpickler._reduce,
        pickle.SETITEM[0]: StateDictUnpickler._set_item,
        pickle.SETITEMS[0]: StateDictUnpickler._set_items,
        pickle.BUILD[0]: StateDictUnpickler._ignore_attributes,
    }
)
