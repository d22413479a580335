"""Pickles read without running them.

A pickle is a program: it may import anything and call it. The unpickler here knows only the
instructions that a PyTorch state dict is made of, imports nothing, and calls only the two functions
below; all that it can build is dicts, lists, tuples, numbers, text, and descriptions of tensors.

Time and memory are bounded by the length of the file:

- The keys of dictionaries are texts or small integers. The hash of a deeply nested tuple could take
exponential time.
- A call has at most MOST_ARGUMENTS arguments.
- An instruction that copies n items counts as n instructions.
"""

import pickle
from typing import Any, NamedTuple

from minidl.errors import brief, printable
from minidl.limits import INSTRUCTIONS, is_count, is_shape


class Refused(pickle.UnpicklingError):
    """What a pickle asked for that no state dict needs; the sentence lacks its subject, the
    file."""


class Storage(NamedTuple):
    """A run of numbers kept elsewhere in the file."""

    key: str
    dtype: str  # NumPy's code, or "bfloat16"
    length: int


class StoredTensor(NamedTuple):
    """A view into a storage; offset and strides count numbers, not bytes."""

    storage: Storage
    offset: int
    shape: tuple
    strides: tuple


def _rebuild_tensor(storage, offset, shape, strides, *_):
    whole = type(storage) is Storage and is_count(offset) and type(shape) is type(strides) is tuple
    if (
        not whole
        or not is_shape(shape)
        or len(strides) != len(shape)
        or not all(map(is_count, strides))
    ):
        raise Refused(
            f"describes a tensor of shape {brief(shape)}, strides {brief(strides)} and offset {brief(offset)}; wanted whole "
            "numbers within limits: it is damaged, get it again"
        )
    return StoredTensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor, *_):
    return tensor


def _must_be_keys(keys):
    """Raise Refused for a key that is neither a text nor an index of a parameter, as in the state
    of an optimiser."""
    for key in keys:
        if type(key) is not str and not (type(key) is int and abs(key) < 2**31):
            raise Refused(
                f"has a dictionary with the key {brief(key)}; wanted text: this is no plain state dict"
            )


class _OrderedDict:
    """Stands for collections.OrderedDict, which REDUCE calls without arguments, or as in Python 2
    with a list of pairs."""


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

_MEANINGS = {
    "collections.OrderedDict": _OrderedDict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
} | {f"torch.{name}": dtype for name, dtype in _STORAGES.items()}

_INSTRUCTIONS = (
    "PROTO FRAME STOP MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET "
    "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE "
    "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS "
    "GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID"
)


MOST_ARGUMENTS = 16  # of a call


class _Known(dict):
    """{code: function} of the allowed instructions. It counts the look-ups and refuses too many."""

    left = INSTRUCTIONS

    def __getitem__(self, code):
        self.spend(1)
        return super().__getitem__(code)

    def __missing__(self, code):
        raise Refused(
            f"holds the pickle instruction {bytes([code])!r}, which no plain state dict has: nothing of it was run; "
            "save it again with torch.save(model.state_dict(), ...)"
        )

    def spend(self, count):
        self.left -= count
        if self.left < 0:
            raise Refused(
                f"needs more than {INSTRUCTIONS:,} instructions to be read, as no plain state dict does"
            )


# The unpickler in Python, not the one in C: that one sizes a table by a number in the file, up to
# tens of GB.
class StateDictUnpickler(pickle._Unpickler):
    """Reads one pickle from a binary stream; Refused for whatever a plain state dict has no use
    for.

    storages  every Storage that was mentioned, by key
    """

    stack: list
    dispatch = {
        code: pickle._Unpickler.dispatch[code]
        for code in (getattr(pickle, name)[0] for name in _INSTRUCTIONS.split())
    }

    def __init__(self, stream):
        super().__init__(stream)
        self.storages = {}
        own: Any = {
            pickle.REDUCE[0]: StateDictUnpickler.call,
            pickle.SETITEM[0]: StateDictUnpickler.set_item,
            pickle.SETITEMS[0]: StateDictUnpickler.set_items,
            pickle.BUILD[0]: StateDictUnpickler.ignore_attributes,
        }
        self.dispatch = _Known(self.dispatch | own)

    def find_class(self, module, name):
        """What the few names stand for that a state dict imports."""
        if f"{module}.{name}" not in _MEANINGS:
            raise Refused(
                f"asks to import {printable(f'{module}.{name}', 100)}: this is no plain state dict, nothing of it was run; "
                "save it again with torch.save(model.state_dict(), ...)"
            )
        return _MEANINGS[f"{module}.{name}"]

    def persistent_load(self, reference):
        """("storage", dtype, key, device, length) -> Storage"""
        whole = (
            type(reference) is tuple
            and len(reference) >= 5
            and type(reference[2]) is str
            and is_count(reference[4])
        )
        if not whole or reference[0] != "storage" or reference[1] not in _STORAGES.values():
            raise Refused(
                "refers to something else than numbers: this is no plain state dict, nothing of it was run"
            )
        _, dtype, key, _, length = reference[:5]
        self.storages[key] = Storage(key, dtype, length)
        return self.storages[key]

    def call(self):
        """REDUCE: call one of the functions that a state dict may name."""
        arguments, function = self.stack.pop(), self.stack.pop()
        if type(arguments) is not tuple or len(arguments) > MOST_ARGUMENTS:
            raise Refused(
                "calls something with more arguments than a state dict does: nothing of it was run"
            )
        if function is _OrderedDict:
            self.stack.append(self._dict(*arguments))
        elif function in (_rebuild_tensor, _rebuild_parameter):
            self.stack.append(function(*arguments))
        else:
            raise Refused("calls something that is no function: it is damaged; get it again")

    def _dict(self, pairs=()):
        self.dispatch.spend(len(pairs))
        if type(pairs) not in (list, tuple) or not all(
            type(pair) in (list, tuple) and len(pair) == 2 for pair in pairs
        ):
            raise Refused(
                "makes a dictionary of something else than pairs: it is damaged; get it again"
            )
        _must_be_keys(key for key, _ in pairs)
        return dict(pairs)

    def set_item(self):
        value, key = self.stack.pop(), self.stack.pop()
        self._set([key], [value])

    def set_items(self):
        items = self.pop_mark()
        self._set(items[::2], items[1::2])

    def _set(self, keys, values):
        if type(self.stack[-1]) is not dict:
            raise Refused(
                "sets items of something that is no dictionary: it is damaged; get it again"
            )
        _must_be_keys(keys)
        self.stack[-1].update(zip(keys, values, strict=True))

    def ignore_attributes(self):
        """BUILD sets attributes of an object, here the versions of the modules: nobody needs
        them."""
        self.stack.pop()
