"""What is known of CuPy's names: the list made from its wheel, and what the list cannot say."""

import functools
import inspect
import json
from pathlib import Path

NAMES = Path(__file__).with_name("cupy_names.json")
NUMPYS = "NumPy's own"
LIST = json.loads(NAMES.read_text())
CUPY = "CuPy " + ".".join(LIST["version"].split(".")[:2])

# what makes arrays or says in which order it copies: in NumPy's order, which is CuPy's
KEEP_THE_ORDER = {
    "arange", "ascontiguousarray", "asfortranarray", "astype", "copy", "empty", "empty_like", "eye", "flatten", "full",
    "full_like", "identity", "ones", "ones_like", "ravel", "reshape", "zeros", "zeros_like",
}  # fmt: skip
ANSWER_AT_ONCE = {  # from what the host knows of an array: shape, dtype and address
    "broadcast_shapes", "can_cast", "common_type", "iscomplexobj", "isfortran", "isrealobj", "isscalar", "may_share_memory",
    "min_scalar_type", "ndim", "result_type", "shape", "size",
}  # fmt: skip
# which alone knows the shape of the result, or whose bytes are written elsewhere
WAIT_FOR_THE_DEVICE = {
    "argwhere", "bincount", "compress", "dump", "dumps", "extract", "flatnonzero", "intersect1d", "nonzero", "setdiff1d",
    "setxor1d", "shares_memory", "tofile", "trim_zeros", "union1d", "unique", "unique_all", "unique_counts", "unique_inverse",
    "unique_values",
}  # fmt: skip
# parameters that CuPy takes an array for
ARRAYS = {"a", "arr", "array", "ary", "condition", "m", "prototype"}
OPERANDS = ARRAYS | {  # ... or a number; and never a list
    "a1", "a2", "a_max", "a_min", "args", "arrays", "arys", "b", "dst", "fill_value", "indices", "max", "min", "operands",
    "out", "src", "v", "val", "value", "values", "x", "x1", "x2", "y",
}  # fmt: skip

OF_THE_HOST = {  # parameters whose numbers the host needs before anything can run
    "axes", "axis", "axis1", "axis2", "copy", "destination", "indices_or_sections", "k", "keepdims", "M", "N", "newshape",
    "offset", "order", "pad_width", "repeats", "shape", "shift", "source", "start", "step", "stop",
}  # fmt: skip


def missing(name, room="cupy"):
    """The error for a name that the stand-in does not give: because CuPy has none, or because it
    cannot stand for it."""
    who = "the stand-in" if name in LIST["rooms"].get(room, ()) else CUPY
    return AttributeError(f"{who} has no {room}.{name}")


def hidden(what, instead):
    return TypeError(f"{what} is a hidden transfer between host and device; {instead}")


@functools.cache
def _signature(parameters):
    return inspect.signature(eval(f"lambda {parameters}: None"))


def bound(name, parameters, args, kwargs):
    """The arguments by CuPy's names for them: [(name, value)], those of *args one by one; TypeError
    where they do not fit."""
    signature = _signature(parameters)
    try:
        arguments = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{CUPY}'s {name}({parameters}): {error}") from None
    several = {
        name
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.VAR_POSITIONAL
    }
    return [
        (name, each)
        for name, value in arguments.items()
        for each in (value if name in several else [value])
    ]
