"""CuPy's names and parameters, from the list that list_cupy.py writes, and facts about them."""

import functools
import inspect
import json
from pathlib import Path

NAMES = Path(__file__).with_name("cupy_names.json")
NUMPYS = "NumPy's own"
LIST = json.loads(NAMES.read_text())
CUPY = "CuPy " + ".".join(LIST["version"].split(".")[:2])

# functions whose results have NumPy's memory order in CuPy too
KEEP_THE_ORDER = {
    "arange", "ascontiguousarray", "asfortranarray", "astype", "copy", "empty", "empty_like", "eye",
    "flatten", "full", "full_like", "identity", "ones", "ones_like", "ravel", "reshape", "zeros",
    "zeros_like",
}  # fmt: skip
ANSWER_AT_ONCE = {  # functions that read only shape, dtype and address, which the host knows
    "broadcast_shapes", "can_cast", "common_type", "iscomplexobj", "isfortran", "isrealobj",
    "isscalar", "may_share_memory", "min_scalar_type", "ndim", "result_type", "shape", "size",
}  # fmt: skip
# functions that wait for the device: the shape of the result, or the output, depends on the data
WAIT_FOR_THE_DEVICE = {
    "argwhere", "bincount", "compress", "dump", "dumps", "extract", "flatnonzero", "intersect1d",
    "nonzero", "setdiff1d", "setxor1d", "shares_memory", "tofile", "trim_zeros", "union1d",
    "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values",
}  # fmt: skip
# parameters that must be arrays
ARRAYS = {"a", "arr", "array", "ary", "condition", "m", "prototype"}
OPERANDS = ARRAYS | {  # parameters that may be arrays or numbers, but not lists
    "a1", "a2", "a_max", "a_min", "args", "arrays", "arys", "b", "dst", "fill_value", "indices",
    "max", "min", "operands", "out", "src", "v", "val", "value", "values", "x", "x1", "x2", "y",
}  # fmt: skip
HOST_PARAMETERS = {  # parameters that the host reads before the launch, so not arrays
    "axes", "axis", "axis1", "axis2", "copy", "destination", "indices_or_sections", "k", "keepdims",
    "M", "N", "newshape", "offset", "order", "pad_width", "repeats", "shape", "shift", "source",
    "start", "step", "stop",
}  # fmt: skip


def missing_name(name, namespace="cupy"):
    """Return the error for a name that CuPy lacks, or that the stand-in does not implement."""
    lacking = "the stand-in" if name in LIST["namespaces"].get(namespace, ()) else CUPY
    return AttributeError(f"{lacking} has no {namespace}.{name}")


def hidden_transfer(operation, instead):
    """Return the error for an operation that moves numbers between host and device implicitly."""
    return TypeError(f"{operation} is a hidden transfer between host and device; {instead}")


@functools.cache
def _signature(parameters):
    return inspect.signature(eval(f"lambda {parameters}: None"))


def bound_arguments(name, parameters, args, kwargs):
    """Return [(CuPy's name of the parameter, value)], with one entry for each of *args.

    Raise TypeError if the arguments do not fit CuPy's parameters.
    """
    signature = _signature(parameters)
    try:
        arguments = signature.bind(*args, **kwargs).arguments
    except TypeError as error:
        raise TypeError(f"{CUPY}'s {name}({parameters}): {error}") from None
    kinds = {name: parameter.kind for name, parameter in signature.parameters.items()}
    pairs = []
    for name, value in arguments.items():
        values = value if kinds[name] is inspect.Parameter.VAR_POSITIONAL else [value]
        pairs += [(name, element) for element in values]
    return pairs
