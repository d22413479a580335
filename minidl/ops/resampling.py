"""Pictures between their pixels: turned, zoomed, moved, or bent in any way, with a gradient."""

from minidl.autograd import differentiable
from minidl.backend import array_module
from minidl.errors import ShapeError

BITS = 46  # of the sums in the gradient: finer than float32's 24, with room for 2^16 of the largest shares in one pixel


def resample(x, rows, columns):
    """(N, H, W, C), (N, H', W'), (N, H', W') -> (N, H', W', C)

    y[n,i,j,c] = Σ_pq Λ(r - p) Λ(s - q) x[n,p,q,c],      r = rows[n,i,j],  s = columns[n,i,j],  Λ(t) = max(0, 1 - |t|)

    Each new pixel is the mean of the four old ones around its place (r, s), weighted with their nearness; Λ is 0 for all
    others. A place outside of the picture is moved to the nearest one on its border.

    Cost: 4·C multiply-adds a new pixel.

    >>> x = np.array([[0., 10.], [20., 30.]]).reshape(1, 2, 2, 1)
    >>> resample(x, np.array([[[0., 0.5, 9.]]]), np.array([[[0.5, 0.5, 1.]]])).ravel()
    array([ 5., 15., 30.])
    """
    if x.ndim != 4 or rows.ndim != 3 or rows.shape != columns.shape or len(rows) != len(x):
        raise ShapeError(
            f"resample of {x.shape} at rows {rows.shape} and columns {columns.shape}; wanted (N, H, W, C) and twice (N, H', W')"
        )
    corners, below, beside = _around(rows, columns, x.shape, x.dtype)
    pixels = x.reshape(-1, x.shape[-1])
    upper, lower = (pixels[left] * (1 - beside) + pixels[right] * beside for left, right in corners)
    return upper * (1 - below) + lower * below


def resample_dx(dy, rows, columns, x_shape):
    """y is linear in x, and x[n,p,q,c] has the same weight in y[n,i,j,c] wherever it is read. Each dy goes back to the four
    pixels that its y was made of, and a pixel adds up what comes:

        ∂L/∂x[n,p,q,c] = Σ_ij Λ(r - p) Λ(s - q) dy[n,i,j,c]

    They are added up as whole numbers, of which the largest |dy| is 2^46: a GPU adds in any order, and their sum is the same.
    """
    xp = array_module(dy)
    corners, below, beside = _around(rows, columns, x_shape, dy.dtype)
    largest = abs(dy).max()
    largest += largest == 0
    scaled = dy / largest * 2.0**BITS
    channels = xp.arange(x_shape[-1])
    dx = xp.zeros(x_shape, xp.uint64).reshape(-1)  # unsigned, as CuPy adds; a negative number wraps around and back
    for (left, right), part in zip(corners, (scaled * (1 - below), scaled * below), strict=True):
        for places, shares in ((left, part * (1 - beside)), (right, part * beside)):
            numbers = (places[..., None] * x_shape[-1] + channels).reshape(-1)
            xp.add.at(dx, numbers, xp.rint(shares).astype(xp.int64).reshape(-1).view(xp.uint64))
    return (dx.view(xp.int64).astype(dy.dtype) / 2.0**BITS * largest).reshape(x_shape)


resample = differentiable(resample, dx=resample_dx)


def _around(rows, columns, shape, dtype):
    """((upper left, upper right), (lower left, lower right)): where the four pixels around each place stand in the list of all
    pixels; and how far the place is below the upper ones and beside the left ones, (N, H', W', 1)."""
    n, height, width, _ = shape
    (top, low, below), (left, right, beside) = (_between(at, size) for at, size in ((rows, height), (columns, width)))
    first = array_module(rows).arange(n)[:, None, None] * height
    corners = [[(first + row) * width + column for column in (left, right)] for row in (top, low)]
    return corners, below.astype(dtype)[..., None], beside.astype(dtype)[..., None]


def _between(places, size):
    """(whole places at or before, those behind, how far between them) along an axis of that size"""
    xp = array_module(places)
    places = xp.clip(places, 0, size - 1)
    first = xp.minimum(xp.floor(places), max(size - 2, 0)).astype(int)
    return first, xp.minimum(first + 1, size - 1), places - first
