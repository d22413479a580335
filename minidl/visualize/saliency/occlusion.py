"""Occlusion (Zeiler & Fergus 2014, section 4.2): the decrease of a scalar if a square of the
picture is covered."""

from collections.abc import Sequence
from itertools import product
from math import prod

from minidl.backend import array_module
from minidl.errors import ArgumentError
from minidl.typing import Array
from minidl.visualize.scalars import ScalarFunction, batches, value


def occlusion(
    scalar: ScalarFunction, picture: Array, baseline: Array, window: int, stride: int
) -> Array:
    """Return M (*spatial), the mean decrease of a scalar F for a picture x (*spatial, C):

        M_p = mean of  F(x) - F(x with S as in the baseline)  over the squares S that contain p

    M is positive where covering lowers F.

    scalar: a Scalar, or a function that maps pictures (N, *spatial, C) to (N,).
    baseline: (*spatial, C), what covers the squares.
    window: side of the squares, in pixels.
    stride: distance between adjacent squares; the last one ends at the end of the picture.

    Raises ArgumentError as `must_cover` does. Cost: one evaluation of F for each square. (The paper
    draws F at the centre of each square, and covers with grey.)

    >>> picture, baseline = np.array([[1.], [2.], [4.]]), np.zeros((3, 1))
    >>> occlusion(lambda x: x.sum(axis=(1, 2)), picture, baseline, window=2, stride=1)
    array([3. , 4.5, 6. ])
    """
    spatial = picture.shape[:-1]
    must_cover(spatial, window, stride)
    squares = [
        tuple(slice(begin, begin + window) for begin in begins)
        for begins in product(*(_begins(length, window, stride) for length in spatial))
    ]
    xp = array_module(picture, baseline)
    original = value(scalar, picture[None])[0]
    total, count = (xp.zeros(spatial, picture.dtype) for _ in range(2))
    for part in batches(len(squares), picture.size):
        batch = squares[part]
        pictures = xp.stack([picture] * len(batch))
        for covered, square in zip(pictures, batch, strict=True):
            covered[square] = baseline[square]
        decreases = original - value(scalar, pictures)
        for number, square in enumerate(batch):
            total[square] += decreases[number]
            count[square] += 1
    return total / count


def must_cover(spatial: Sequence[int], window: int, stride: int) -> None:
    """Raise ArgumentError if the squares do not fit into a picture of this spatial size or do not
    cover all of it. window: side of a square; stride: distance of adjacent squares."""
    if not (1 <= window <= min(spatial) and 1 <= stride <= window):
        raise ArgumentError(
            f"occlusion of {'x'.join(map(str, spatial))} by squares of {window} every {stride}; "
            f"wanted a side from 1 to {min(spatial)}, and no gaps: a stride from 1 to the side"
        )


def count_squares(spatial: Sequence[int], window: int, stride: int) -> int:
    """Return the number of squares, which is that of the evaluations of the scalar, without the
    one of the whole picture.

    >>> count_squares((8, 8), 3, 2)
    16
    """
    return prod(len(_begins(length, window, stride)) for length in spatial)


def _begins(length, window, stride):
    """
    >>> _begins(8, 3, 2)
    [0, 2, 4, 5]
    """
    return sorted({*range(0, length - window, stride), length - window})
