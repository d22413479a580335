"""Resampling reads a picture at places between its pixels. It can rotate, scale, shift or warp a
picture. The gradient is with respect to the picture, not to the places.

Source: Jaderberg, Simonyan, Zisserman, Kavukcuoglu 2015, "Spatial Transformer Networks", eq. 5
and 6.
"""

from minidl.autograd import differentiable
from minidl.backend import array_module, must_be_floating
from minidl.errors import ShapeError
from minidl.typing import Array, Operand, Result


def resample(x: Operand, rows: Array, columns: Array) -> Result:
    """(N, H, W, C), (N, H', W'), (N, H', W') -> (N, H', W', C)

    y[n,i,j,c] = Σ_p Σ_q Λ(r - p) Λ(s - q) x[n,p,q,c],      r = rows[n,i,j],  s = columns[n,i,j]

    Λ(t) = max(0, 1 - |t|)

    Each new pixel is the weighted mean of the four pixels around its place (r, s). r and s are
    measured in pixels from the centre of the first pixel. A place outside the picture is first
    moved to the nearest place in the picture.

    Cost: 4·C multiply-adds per new pixel. Raises ShapeError if the shapes do not fit, and
    ArgumentError if x is not floating-point.

    >>> x = np.array([[0., 10.], [20., 30.]]).reshape(1, 2, 2, 1)
    >>> resample(x, np.array([[[0., 0.5, 9.]]]), np.array([[[0.5, 0.5, 1.]]])).ravel()
    array([ 5., 15., 30.])
    """
    image = array_module(x).arange(len(x))[:, None, None]
    corners = corners_of(rows, columns, x.shape, x.dtype)
    return sum(weight * x[image, row, column] for row, column, weight in corners)


def resample_dx(dy, rows, columns, x_shape):
    """(N, H', W', C) -> (N, H, W, C)

    y is linear in x. x[n,p,q,c] has the factor Λ(r - p) Λ(s - q) in y[n,i,j,c]:

        ∂L/∂x[n,p,q,c] = Σ_i Σ_j Λ(r - p) Λ(s - q) dy[n,i,j,c]
    """
    xp = array_module(dy)
    dx, image = xp.zeros(x_shape, dy.dtype), xp.arange(len(dy))[:, None, None]
    for row, column, weight in corners_of(rows, columns, x_shape, dy.dtype):
        xp.add.at(dx, (image, row, column), weight * dy)
    return dx


def corners_of(rows, columns, shape, dtype):
    """Return four times (row, column, weight): one for each of the four pixels around each place.

    row, column: (N, H', W'), whole numbers. weight: (N, H', W', 1).
    """
    top, bottom, below_top = between(rows, shape[1])
    left, right, beyond_left = between(columns, shape[2])
    v, u = below_top.astype(dtype)[..., None], beyond_left.astype(dtype)[..., None]
    return (
        (top, left, (1 - v) * (1 - u)), (top, right, (1 - v) * u),
        (bottom, left, v * (1 - u)), (bottom, right, v * u),
    )  # fmt: skip


def between(places, size):
    """Return (index before, index after, fraction between them) of places along an axis of length
    `size`. For a NaN, the fraction is NaN and the indices are those of the first two pixels."""
    xp = array_module(places)
    places = xp.clip(places, 0, size - 1)
    first = xp.minimum(xp.floor(xp.where(xp.isnan(places), 0, places)), max(size - 2, 0))
    first = first.astype(int)
    return first, xp.minimum(first + 1, size - 1), places - first


def check(x, rows, columns):
    """Raise an error if x is not floating-point, or if the shapes do not fit."""
    must_be_floating("x", x)
    fit = x.ndim == 4 and rows.ndim == 3 and rows.shape == columns.shape and len(rows) == len(x)
    if not fit or 0 in x.shape[1:3]:
        raise ShapeError(
            f"resample of {x.shape} at rows {rows.shape} and columns {columns.shape}; wanted "
            "x (N, H, W, C), H and W at least 1, and rows and columns (N, H', W')"
        )


resample = differentiable(resample, dx=resample_dx, check=check)
