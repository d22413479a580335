"""Descriptions of tensors, as the pickle of a state dict makes them.

The numbers of a tensor are stored elsewhere in the file, in a storage that several tensors may
share. The pickle calls functions of PyTorch that make a tensor of a storage, an offset, a shape and
strides. The functions here take their place.
"""

import pickle
from typing import NamedTuple

from minidl.errors import brief
from minidl.limits import is_count, is_shape

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


def rebuild_tensor(storage, offset, shape, strides, *_):
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


def rebuild_parameter(tensor, *_):
    return tensor


def rebuild_from_type(function, _, arguments, *__):
    """Return a tensor of a subclass of Tensor, such as a buffer, as a plain one."""
    is_call = type(arguments) is tuple and len(arguments) <= MOST_ARGUMENTS
    if function not in REBUILDING or not is_call:
        raise Refused("describes a tensor in an unknown way: it is damaged, get it again")
    return function(*arguments)


REBUILDING = rebuild_tensor, rebuild_parameter

STORAGES = {
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
