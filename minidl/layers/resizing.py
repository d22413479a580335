"""Pad makes the spatial axes longer, and Upsample gives them other lengths.

A call raises the errors of the op that it runs.
"""

from collections.abc import Sequence
from typing import Any, get_args

from minidl import ops
from minidl.errors import ArgumentError, brief, one_of
from minidl.layers.module import Module
from minidl.layers.reading import Reading, reading_over
from minidl.ops import upsampling
from minidl.ops.padding import Mode
from minidl.shapes import Windows, windows_over
from minidl.typing import Operand, Padding, PerAxis, Result, Shape


class Pad(Module):
    """y = `pad(x, width, value, mode)` along the spatial axes

    width: positions before and after each axis: an int, one per axis, or a (before, after) pair per
    axis. mode, value: as for `ops.pad`.

    Raises ArgumentError for an unknown mode.

    >>> Pad(1, "reflect")(np.array([1., 2., 3.]).reshape(1, 3, 1)).ravel()
    array([2., 1., 2., 3., 2.])
    """

    def __init__(self, width: Padding, mode: str = "constant", value: float = 0) -> None:
        if isinstance(width, str):
            raise ArgumentError(f"the width of Pad is {brief(width)}; wanted ints, as for padding")
        self.width, self.value = width, value
        self.mode: Any = one_of("mode", mode, get_args(Mode))

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *out, C)"""
        width = ((0, 0), *self.windows(x.shape[1:-1]).padding, (0, 0))
        return ops.pad(x, width, self.value, self.mode)

    def windows(self, extent: Shape) -> Windows:
        """Return the Windows of one position over an input of these lengths along the spatial
        axes."""
        return windows_over(extent, 1, padding=self.width)

    def reading(self, extent: Shape) -> Reading:
        """Return which positions of an input of these lengths each output reads."""
        return reading_over(self.windows(extent), self.mode)


class Upsample(Module):
    """y = `upsample(x, factor, size=size, method=method, align_corners=align_corners)`

    >>> Upsample(2, method="linear")(np.array([0., 4.]).reshape(1, 2, 1)).ravel()
    array([0., 1., 3., 4.])
    """

    def __init__(
        self,
        factor: float | Sequence[float] | None = None,
        *,
        size: PerAxis | None = None,
        method: str = "nearest",
        align_corners: bool = False,
    ) -> None:
        self.factor = factor
        self.options: dict[str, Any] = {
            "size": size, "method": method, "align_corners": align_corners,
        }  # fmt: skip

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *size, C)"""
        return ops.upsample(x, self.factor, **self.options)

    def reading(self, extent: Shape) -> Reading:
        """Return which positions of an input of these lengths each output reads."""
        axes = upsampling.axes_of((1, *extent, 1), self.factor, self.options["size"])
        lengths = [
            upsampling.reach_of(L, S, f, self.options["method"], self.options["align_corners"])
            for L, S, f in axes
        ]
        taps, stride, before, spread = zip(*lengths, strict=True)
        ones, out = (1,) * len(axes), tuple(S for _, S, _ in axes)
        is_local = self.factor is not None and not self.options["align_corners"]
        return Reading(extent, out, taps, stride, ones, before, spread, "replicate", is_local)
