"""An embedding stands for each of V things, such as words, by a vector of C numbers. The vectors
are the rows of a matrix, and are learned.

Source: Bengio, Ducharme, Vincent, Jauvin 2003, "A Neural Probabilistic Language Model".
"""

from typing import Any

from minidl.autograd import differentiable
from minidl.backend import array_module, device_of, must_be_floating
from minidl.dispatch import replaceable
from minidl.errors import ArgumentError, ShapeError
from minidl.shapes import is_int
from minidl.typing import Operand, Result


def embedding(w: Operand, indices: Any, padding: int | None = None) -> Result:
    """(V, C), (...) -> (..., C)

    y[i,c] = w[k,c],  k = indices[i],      and y[i,c] = 0 where k = padding

    It is the product of one-hot vectors and w, computed without the products with 0. indices: an
    array of integers from 0 to V - 1, or a list of them. padding: an index that stands for no
    thing, such as the places after the end of a short sentence, or None.

    Cost: no arithmetic. For the gradient, one addition per number of y. Raises ShapeError if w is
    not a matrix, and ArgumentError if w is not floating-point, or for other indices. On a GPU,
    indices beyond w are not detected, because reading them would stall it.

    >>> embedding(np.array([[1., 2.], [3., 4.]]), [1, 1, 0])
    array([[3., 4.],
           [3., 4.],
           [1., 2.]])
    """
    xp = array_module(w)
    indices = xp.asarray(indices)
    y = w.take(indices, axis=0)
    return y if padding is None else xp.where((indices == padding)[..., None], 0, y)


def embedding_dw(dy, indices, w_shape, padding):
    """(..., C) -> (V, C)

    Row k of w is copied to each y[i] with indices[i] = k, so that

        dw[k,c] = Σ_{i: indices[i] = k} dy[i,c]

    and dw[k,c] = 0 for the padding, whose y do not depend on w.
    """
    dw = rows_added(dy, array_module(dy).asarray(indices), w_shape)
    if padding is not None:
        dw[padding] = 0
    return dw


@replaceable
def rows_added(rows, places, shape):
    """(..., C), (...) -> shape (V, C): zeros to which each row is added at its place"""
    xp = array_module(rows)
    total = xp.zeros(shape, rows.dtype)
    xp.add.at(total, places, rows)
    return total


def must_be_indices(w, indices, padding=None):
    """Raise an error if the arguments of embedding do not fit."""
    must_be_floating("w", w)
    if w.ndim != 2:
        raise ShapeError(f"embedding with w {w.shape}; wanted w (V, C), one row for each thing")
    try:
        indices = array_module(w).asarray(indices)
    except ValueError:
        raise ArgumentError(
            "the lists of indices of an embedding have different lengths; wanted equal ones: fill "
            "them up with the index `padding`"
        ) from None
    if indices.dtype.kind not in "iu":
        raise ArgumentError(
            f"the indices of an embedding are {indices.dtype}; wanted integers: use .astype(int)"
        )
    count = len(w)
    must_be_below = f"wanted integers from 0 to {count - 1}, because w has {count} rows"
    if padding is not None and not (is_int(padding) and 0 <= padding < count):
        raise ArgumentError(f"the padding of an embedding is {padding}; {must_be_below}")
    # Reading the indices would stall a GPU.
    on_cpu = device_of(w) == "cpu" and indices.size
    if on_cpu and not (indices.min() >= 0 and indices.max() < count):
        raise ArgumentError(
            f"the indices of an embedding go from {indices.min()} to {indices.max()}; "
            f"{must_be_below}"
        )


embedding = differentiable(embedding, dw=embedding_dw, check=must_be_indices)
