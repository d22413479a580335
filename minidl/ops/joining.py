"""These ops join arrays, and divide them: concatenate, stack, split.

Each number of an input is copied to one place of the output. The gradient with respect to an input
is therefore the part of dy at its places.

Cost: no arithmetic. concatenate and stack copy each number of y, and their gradients are views of
dy. The parts of split are views of x, and the gradient copies each number of dy.

Source: Harris et al. 2020, "Array programming with NumPy".
"""

from collections.abc import Sequence
from itertools import pairwise

from minidl.autograd import differentiable, plain
from minidl.backend import array_module, must_be_an_array
from minidl.errors import ShapeError, brief
from minidl.ops.indexing import index
from minidl.ops.reductions import axes_of
from minidl.ops.repetition import numbers
from minidl.shapes import is_int
from minidl.typing import Operand, Result


def concatenate(arrays: Sequence[Operand], axis: int = 0) -> Result:
    """(..., L[0], ...), (..., L[1], ...), ... -> (..., Σ_k L[k], ...)

    y[i] = a[k,i - b[k]] where b[k] ≤ i < b[k] + L[k],      b[k] = Σ_{m: m < k} L[m],  a: arrays

    axis: along which the arrays are joined. i: place along it. L[k]: length of array k. Raises
    ShapeError if their lengths along another axis differ, or if there is no array.

    >>> concatenate([np.array([1., 2.]), np.array([3.])])
    array([1., 2., 3.])
    """
    xp = array_module(*arrays)
    try:
        return xp.concatenate(arrays, axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(xp.shape(a)) for a in arrays) or "nothing"
        raise ShapeError(f"concatenate along axis {axis} of shapes {shapes}: {error}") from None


def concatenate_darrays(dy, arrays_shape, axis, which):
    """da[k,i] = dy[b[k] + i],      k: which

    The gradient with respect to an array is the part of dy at its place.
    """
    begin = sum(shape[axis] for shape in arrays_shape[:which])
    part = [slice(None)] * dy.ndim
    part[axis] = slice(begin, begin + arrays_shape[which][axis])
    return dy[tuple(part)]


concatenate = differentiable(concatenate, darrays=concatenate_darrays)


def stack(arrays: Sequence[Operand], axis: int = 0) -> Result:
    """(...), (...), ... -> (..., K, ...)

    y[k,i] = a[k,i],      a: arrays

    axis: of y, along which the K arrays lie. k: place along it. i: place in an array. Raises
    ShapeError if their shapes differ, or if there is no array.

    >>> stack([np.array([1., 2.]), np.array([3., 4.])], axis=1)
    array([[1., 3.],
           [2., 4.]])
    """
    xp = array_module(*arrays)
    try:
        return xp.stack(arrays, axis=axis)
    except ValueError as error:
        shapes = ", ".join(str(xp.shape(a)) for a in arrays) or "nothing"
        raise ShapeError(f"stack along axis {axis} of shapes {shapes}: {error}") from None


def stack_darrays(dy, axis, which):
    """da[k,i] = dy[k,i],      k: which"""
    return dy[(slice(None),) * (axis % dy.ndim) + (which, ...)]


stack = differentiable(stack, darrays=stack_darrays)


def split(x: Operand, sections: int | Sequence[int], axis: int = 0) -> list[Result]:
    """(..., L, ...) -> [(..., L[0], ...), (..., L[1], ...), ...], a list of parts

    y[k,i] = x[b[k] + i] where 0 ≤ i < L[k]

    sections: the number of equal parts, or a list of the places along the axis where the second
    part and the following ones begin, as in NumPy. axis: along which x is divided. b[k]: where part
    k begins. L[k]: its length. split is made of `index`: each part is copied, so that

        ∂y[k,i]/∂x[b[k] + i] = 1

    Raises ShapeError if L is not divisible
    by the number of parts, or if the places do not ascend from 0 to L.

    >>> split(np.array([1., 2., 3., 4.]), [1])
    [array([1.]), array([2., 3., 4.])]
    """
    must_be_an_array("split", plain(x))
    [along], length = axes_of(axis, x.ndim), x.shape[axis]
    sections = numbers(sections)
    places = sections if isinstance(sections, (tuple, list)) else equal_places(length, sections)
    bounds = [0, *places, length]
    if not all(is_int(end) and begin <= end for begin, end in pairwise(bounds)):
        raise ShapeError(
            f"split of shape {x.shape} along axis {axis} at the places {brief(places)}; wanted "
            f"ascending ints from 0 to {length}"
        )
    before = (slice(None),) * along
    return [index(x, (*before, slice(begin, end))) for begin, end in pairwise(bounds)]


def equal_places(length, parts):
    """Return the places at which equal parts begin, without the first."""
    if not is_int(parts) or parts < 1 or length % parts:
        raise ShapeError(
            f"split of an axis of length {length} into {brief(parts)} equal parts; wanted a "
            "divisor of the length, or a list of places"
        )
    return [part * (length // parts) for part in range(1, parts)]
