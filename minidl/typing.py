"""Names for the types in minidl's annotations.

>>> isinstance(np.ones(3), Array)
True
"""

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

# An array on either device. On a GPU it is a cupy.ndarray, which has the same interface. CuPy
# publishes no types, so type checkers accept its arrays wherever any type is expected.
Array: TypeAlias = np.ndarray

# An input of an op: a Tensor, an array or, where the op takes it, a number.
Operand: TypeAlias = Any
# The result of an op: a Tensor if one of its inputs is a Tensor, and an array otherwise. The type
# system cannot express this.
Result: TypeAlias = Any

# The lengths of an array's axes.
Shape: TypeAlias = tuple[int, ...]
PerAxis: TypeAlias = int | Sequence[int]  # one int for all spatial axes, or one for each axis
# As PerAxis, or a (before, after) pair for each axis, or the name of a rule (see `windows_over`).
Padding: TypeAlias = int | Sequence[int] | Sequence[tuple[int, int]] | Literal["same", "valid"]
Axes: TypeAlias = int | Sequence[int] | None  # None means all axes
Device: TypeAlias = Literal["cpu", "gpu", "auto"]
Path: TypeAlias = str | os.PathLike[str]
