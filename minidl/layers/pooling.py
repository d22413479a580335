"""Pooling shrinks the spatial axes, and Flatten flattens them.

A call raises the errors of the op that it runs.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import prod
from typing import Any, ClassVar

from minidl import ops
from minidl.layers.module import Module
from minidl.layers.reading import Reading, reading_over
from minidl.ops.adaptive_pooling import sizes
from minidl.ops.pooling import extent_of
from minidl.shapes import Windows, windows_over
from minidl.typing import Operand, PerAxis, Result, Shape


class _Pool(Module):
    """An op that pools, with a window and options that are fixed.

    window: lengths along the spatial axes, one int for all or one for each; options: those of the
    op.
    """

    op: ClassVar[Callable[..., Result]]

    def __init__(self, window: PerAxis, **options: Any) -> None:
        self.size, self.options = window, options

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *out, C)"""
        return self.op(x, self.size, **self.options)

    def windows(self, extent: Shape) -> Windows:
        """Return the Windows over an input of these lengths along the spatial axes."""
        geometry = {
            name: value
            for name, value in self.options.items()
            if name != "count_padding" and value is not None
        }
        return windows_over(extent, self.size, **{"stride": self.size, **geometry})


class MaxPool(_Pool):
    """y = `max_pool(x, window, **options)`

    >>> MaxPool(2)(np.array([1., 3., 2., 5.]).reshape(1, 4, 1)).ravel()
    array([3., 5.])
    """

    op = staticmethod(ops.max_pool)


class AvgPool(_Pool):
    """y = `avg_pool(x, window, **options)`

    >>> AvgPool(2)(np.array([1., 3., 2., 6.]).reshape(1, 4, 1)).ravel()
    array([2., 4.])
    """

    op = staticmethod(ops.avg_pool)


class _Adaptive(Module):
    """An adaptive pooling to a fixed size, as for its op."""

    op: ClassVar[Callable[..., Result]]

    def __init__(self, size: int | Sequence[int | None]) -> None:
        self.size = size

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, *size, C)"""
        return self.op(x, self.size)

    def reading(self, extent: Shape) -> Reading:
        """Return which positions of an input of these lengths each output reads: q with
        ⌊o L / S⌋ ≤ q < ⌈(o + 1) L / S⌉, which is o s - m < q m < (o + 1) s with L / S = s / m."""
        out = sizes((1, *extent, 1), self.size)
        shares = [Fraction(L, S) for L, S in zip(extent, out, strict=True)]
        stride, spread = tuple(f.numerator for f in shares), tuple(f.denominator for f in shares)
        taps = tuple(s + m - 1 for s, m in zip(stride, spread, strict=True))
        before, ones = tuple(m - 1 for m in spread), (1,) * len(out)
        return Reading(extent, out, taps, stride, ones, before, spread, is_local=False)


class AdaptiveMaxPool(_Adaptive):
    """y = `adaptive_max_pool(x, size)`

    >>> AdaptiveMaxPool(2)(np.array([1., 3., 2., 5.]).reshape(1, 4, 1)).ravel()
    array([3., 5.])
    """

    op = staticmethod(ops.adaptive_max_pool)


class AdaptiveAvgPool(_Adaptive):
    """y = `adaptive_avg_pool(x, size)`

    >>> AdaptiveAvgPool(2)(np.array([1., 3., 2., 6.]).reshape(1, 4, 1)).ravel()
    array([2., 4.])
    """

    op = staticmethod(ops.adaptive_avg_pool)


class _Global(Module):
    """A reduction of all positions to one.

    keepdims: whether y keeps the spatial axes, with length 1.
    """

    op: ClassVar[Callable[..., Result]]

    def __init__(self, keepdims: bool = False) -> None:
        self.keepdims = keepdims

    def __call__(self, x: Operand) -> Result:
        """(N, *spatial, C) -> (N, C), or (N, 1, .., 1, C) with keepdims"""
        axes = tuple(range(1, len(extent_of(x.shape)) + 1))
        return self.op(x, axes, self.keepdims)

    def reading(self, extent: Shape) -> Reading:
        """Return that the one output reads all positions of an input of these lengths."""
        return replace(reading_over(windows_over(extent, extent)), is_local=False)


class GlobalMaxPool(_Global):
    """y = `max(x, axis, keepdims)` over all spatial axes

    >>> GlobalMaxPool()(np.array([1., 3., 2., 6.]).reshape(1, 4, 1))
    array([[6.]])
    """

    op = staticmethod(ops.max)


class GlobalAvgPool(_Global):
    """y = `mean(x, axis, keepdims)` over all spatial axes

    >>> GlobalAvgPool()(np.array([1., 3., 2., 6.]).reshape(1, 4, 1))
    array([[3.]])
    """

    op = staticmethod(ops.mean)


class Flatten(Module):
    """y = reshape(x, (N, P))

    y has one row for each example. P is the product of the lengths of the other axes. y is the
    input of a Dense layer.

    >>> Flatten()(np.array([[[1., 2.], [3., 4.]]]))
    array([[1., 2., 3., 4.]])
    """

    def __call__(self, x: Operand) -> Result:
        """(N, *axes) -> (N, product of the axes)"""
        return ops.reshape(x, (x.shape[0], prod(x.shape[1:])))
