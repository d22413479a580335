"""These ops join arrays: concatenate.

Each number of an input is copied to one place of y. The gradient with respect to an input is
therefore the part of dy at its places.

Cost: no arithmetic. The forward copies each number of y. The gradients are views of dy.

Source: Harris et al. 2020, "Array programming with NumPy".
"""

from collections.abc import Sequence

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ShapeError
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
