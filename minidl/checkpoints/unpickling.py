"""Pickles read without running them.

A pickle is a program: it may import anything and call it. The unpickler here knows only the instructions that a PyTorch
state dict is made of, imports nothing, and calls only the two functions below; all that it can build is dicts, lists,
tuples, numbers, text, and descriptions of tensors.
"""

import pickle
from typing import NamedTuple


class Refused(pickle.UnpicklingError):
    """What a pickle asked for that no state dict needs; the sentence lacks its subject, the file."""


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
    return StoredTensor(storage, offset, shape, strides)


def _rebuild_parameter(tensor, *_):
    return tensor


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
    "collections.OrderedDict": dict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
} | {f"torch.{name}": dtype for name, dtype in _STORAGES.items()}

_INSTRUCTIONS = (
    "PROTO FRAME STOP MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET "
    "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE "
    "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT SETITEM SETITEMS "
    "GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID"
)


class _KnownInstructions(dict):
    def __missing__(self, code):
        raise Refused(
            f"holds the pickle instruction {bytes([code])!r}, which no plain state dict has: nothing of it was run; "
            "save it again with torch.save(model.state_dict(), ...)"
        )


# The unpickler in Python, not the one in C: that one sizes a table by a number in the file, up to tens of GB.
class StateDictUnpickler(pickle._Unpickler):
    """Reads one pickle from a binary stream; Refused for whatever a plain state dict has no use for.

    storages  every Storage that was mentioned, by key
    """

    stack: list
    dispatch = _KnownInstructions(
        {code: pickle._Unpickler.dispatch[code] for code in (getattr(pickle, name)[0] for name in _INSTRUCTIONS.split())}
    )

    def __init__(self, stream):
        super().__init__(stream)
        self.storages = {}

    def find_class(self, module, name):
        """What the few names stand for that a state dict imports."""
        if f"{module}.{name}" not in _MEANINGS:
            raise Refused(
                f"asks to import {module}.{name}: this is no plain state dict, nothing of it was run; "
                "save it again with torch.save(model.state_dict(), ...)"
            )
        return _MEANINGS[f"{module}.{name}"]

    def persistent_load(self, reference):
        """("storage", dtype, key, device, length) -> Storage"""
        kind, dtype, key, _, length = reference[:5]
        if kind != "storage" or dtype not in _STORAGES.values():
            raise Refused("refers to something else than numbers: this is no plain state dict, nothing of it was run")
        self.storages[key] = Storage(key, dtype, length)
        return self.storages[key]

    def ignore_attributes(self):
        """BUILD sets attributes of an object, here the versions of the modules: nobody needs them."""
        self.stack.pop()

    dispatch[pickle.BUILD[0]] = ignore_attributes
