"""What stands for an object of a pickle that is not a part of a network's weights.

Checkpoints hold settings, numbers of epochs, paths and random states beside the weights. The
unpickler reads past them: it puts an Inert in the place of each, which has only a name. Nothing is
imported or called, and the contents of the object are dropped.
"""

from typing import NamedTuple


class Inert(NamedTuple):
    """An imported name of a pickle, or an object that was made with it."""

    name: str


def _names(module, names):
    return {f"{module}.{name}" for name in names.split()}


# The names that a pickle may call, which means here: that an Inert stands for what they return.
# All others are refused when they are called. Calling these would have no effect outside of the
# pickle. Each module has the names that it has and had in versions of Python, NumPy and PyTorch.
CALLABLE = frozenset().union(
    *(
        _names(module, "set frozenset bytearray complex slice range xrange")
        for module in ("builtins", "__builtin__")
    ),
    *(
        _names(module, "Path PurePath PosixPath PurePosixPath WindowsPath PureWindowsPath")
        for module in ("pathlib", "pathlib._local")
    ),
    *(
        _names(f"numpy.{core}", "multiarray.scalar multiarray._reconstruct numeric._frombuffer")
        for core in ("core", "_core")
    ),
    _names("numpy", "dtype"),
    _names("collections", "Counter deque"),
    _names("datetime", "date datetime time timedelta timezone"),
    _names("torch", "Size device serialization._get_layout torch_version.TorchVersion"),
    _names("_codecs", "encode"),  # the bytes of pickles for Python 2
    _names("decimal", "Decimal"),
    _names("fractions", "Fraction"),
    _names("types", "SimpleNamespace"),
)
