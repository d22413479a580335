"""Read the pickle of a PyTorch state dict without running code from it.

A pickle is a program that may import and call any function. This unpickler accepts only the
instructions that a checkpoint needs, imports nothing, and calls only the functions in this file.
Its results are dicts, lists, tuples, numbers, texts, descriptions of tensors, and objects of the
class Inert for everything else (see inert.py).

Time and memory are bounded by the length of the file:

- The keys of dictionaries are texts, small integers or names of classes. To hash a deeply nested
  tuple could take exponential time.
- A call has at most MOST_ARGUMENTS arguments.
- An instruction that copies n items counts as n instructions.
"""

import pickle
from collections.abc import Callable
from typing import Any

from minidl.checkpoints.inert import CALLABLE, Inert
from minidl.checkpoints.tensors import (
    MOST_ARGUMENTS,
    REBUILDING,
    STORAGES,
    Refused,
    Storage,
    rebuild_from_type,
    rebuild_parameter,
    rebuild_tensor,
)
from minidl.errors import brief, printable
from minidl.limits import INSTRUCTIONS, is_count


def _must_be_keys(keys):
    """Raise Refused unless every key is a text, a small integer, such as the index of a parameter
    in the state of an optimiser, or the name of a class."""
    for key in keys:
        if type(key) not in (str, Inert) and not (type(key) is int and abs(key) < 2**31):
            raise Refused(
                f"has a dictionary with the key {brief(key)}; wanted text: this is no plain state "
                "dict"
            )


class _OrderedDict:
    """Represents collections.OrderedDict, which REDUCE calls without arguments or, in pickles of
    Python 2, with a list of pairs."""


class _DefaultDict:
    """Represents collections.defaultdict, which REDUCE calls with the class of its values."""


# The names that a state dict imports, and their values in this unpickler. For others, it is Inert.
_IMPORTS = {
    "collections.OrderedDict": _OrderedDict,
    "collections.defaultdict": _DefaultDict,
    "torch._utils._rebuild_tensor_v2": rebuild_tensor,
    "torch._utils._rebuild_parameter": rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": rebuild_parameter,
    "torch._tensor._rebuild_from_type_v2": rebuild_from_type,
} | {f"torch.{name}": dtype for name, dtype in STORAGES.items()}

_INSTRUCTIONS = (
    "PROTO FRAME STOP MARK MEMOIZE BINPUT LONG_BINPUT BINGET LONG_BINGET "
    "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE "
    "BINSTRING SHORT_BINSTRING BINBYTES SHORT_BINBYTES "
    "EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST EMPTY_DICT "
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
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list]

    def __init__(self, stream):
        super().__init__(stream, encoding="latin-1")
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
        return _IMPORTS.get(f"{module}.{name}", Inert(f"{module}.{name}"))

    def persistent_load(self, pid: Any) -> Storage:
        """("storage", dtype, key, device, length) -> Storage"""
        if not (
            type(pid) is tuple
            and len(pid) >= 5
            and type(pid[2]) is str
            and is_count(pid[4])
            and pid[0] == "storage"
            and pid[1] in STORAGES.values()
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
        if type(function) is Inert:
            self.stack.append(self._called(function))
            return
        if type(arguments) is not tuple or len(arguments) > MOST_ARGUMENTS:
            raise Refused(
                "calls a function with more arguments than a state dict does; it was not run: get "
                "it again"
            )
        if function is _OrderedDict:
            self.stack.append(self._dict(*arguments))
        elif function is _DefaultDict:
            self.stack.append({})
        elif function in (*REBUILDING, rebuild_from_type):
            self.stack.append(function(*arguments))
        else:
            raise Refused("calls something that is no function: it is damaged; get it again")

    def _called(self, function):
        if function.name not in CALLABLE:
            raise Refused(
                f"asks to import {printable(function.name, 100)}: this is no plain state dict, "
                "nothing of it was run; save it again with torch.save(model.state_dict(), ...)"
            )
        return function

    def _new_object(self):
        """NEWOBJ makes an object of a class, without calling its initializer."""
        _, made = self.stack.pop(), self.stack.pop()
        if type(made) is not Inert:
            raise Refused(
                "makes an object of something that is no class: it is damaged, get it again"
            )
        self.stack.append(made)

    def _set(self):
        self.stack.append(Inert("builtins.set"))

    def _frozen_set(self):
        self.pop_mark()
        self._set()

    def _bytes(self):
        """BYTEARRAY8: the method of `pickle` allocates memory for a length that the file claims."""
        self.read(int.from_bytes(self.read(8), "little"))
        self.stack.append(Inert("builtins.bytearray"))

    def _append(self):
        self._extend([self.stack.pop()])

    def _append_all(self):
        self._extend(self.pop_mark())

    def _extend(self, items):
        """Append items to a list. Those of an Inert, such as a deque or a set, are dropped."""
        if type(self.stack[-1]) is list:
            self.stack[-1].extend(items)
        elif type(self.stack[-1]) is not Inert:
            raise Refused("appends to something that is no list: it is damaged; get it again")

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
        if type(self.stack[-1]) is Inert:  # a subclass of dict
            return
        if type(self.stack[-1]) is not dict:
            raise Refused(
                "sets items of something that is no dictionary: it is damaged; get it again"
            )
        _must_be_keys(keys)
        self.stack[-1].update(zip(keys, values, strict=True))

    def _ignore_attributes(self):
        """BUILD sets attributes of an object. Those of a state dict are only the versions of the
        modules. Those of an Inert are dropped."""
        self.stack.pop()


StateDictUnpickler.dispatch = _Dispatch(
    {
        getattr(pickle, name)[0]: pickle._Unpickler.dispatch[getattr(pickle, name)[0]]
        for name in _INSTRUCTIONS.split()
    }
    | {
        pickle.NEWOBJ[0]: StateDictUnpickler._new_object,
        pickle.EMPTY_SET[0]: StateDictUnpickler._set,
        pickle.FROZENSET[0]: StateDictUnpickler._frozen_set,
        pickle.ADDITEMS[0]: StateDictUnpickler._append_all,
        pickle.APPEND[0]: StateDictUnpickler._append,
        pickle.APPENDS[0]: StateDictUnpickler._append_all,
        pickle.BYTEARRAY8[0]: StateDictUnpickler._bytes,
        pickle.REDUCE[0]: StateDictUnpickler._reduce,
        pickle.SETITEM[0]: StateDictUnpickler._set_item,
        pickle.SETITEMS[0]: StateDictUnpickler._set_items,
        pickle.BUILD[0]: StateDictUnpickler._ignore_attributes,
    }
)
