"""Compare a wrong array with the right one."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minidl.typing import Array

TOLERANCE = 1e-9  # relative to the largest number of the right array, or to 1


class Observation(NamedTuple):
    """A result of a call. name: of the result. found, right: the arrays. axes: the names of the
    axes of arguments and results, where they have names."""

    name: str
    arguments: dict[str, Any]
    found: Array
    right: Array
    axes: Mapping[str, tuple[str, ...]] = {}

    def axis_name(self, name: str, axis: int) -> str:
        """Return the name of an axis of an argument or of the result, or ""."""
        array = self.right if name == self.name else self.arguments[name]
        names = self.axes.get(name, ())
        return names[axis] if len(names) == np.ndim(array) else ""


# A pattern yields sentences about a wrong array. {found} and {right} stand for the shapes.
Pattern: TypeAlias = Callable[[Observation], Iterator[str]]


def is_close(found: Array, right: Array, tolerance: float = TOLERANCE) -> bool:
    """Return whether two arrays have one shape and the same numbers, apart from rounding."""
    return found.shape == right.shape and not wrong_numbers(found, right, tolerance).any()


def wrong_numbers(found: Array, right: Array, tolerance: float = TOLERANCE) -> Array:
    """Return bools: where two arrays of one shape differ by more than rounding."""
    scale = max(1.0, abs(right[np.isfinite(right)]).max(initial=0))
    same = (found == right) | (np.isnan(found) & np.isnan(right))
    with np.errstate(invalid="ignore"):
        return ~(same | (abs(found - right) <= tolerance * scale))


def axes_in_words(axes):
    """Return "axis 1" or "axes 0, 1"."""
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {', '.join(map(str, axes))}"
