"""Occlusion (Zeiler & Fergus 2014, section 4.2): what the number loses when a square of the picture
is covered."""

from itertools import product

from minidl.backend import array_module
from minidl.errors import ArgumentError
from minidl.visualize.scalars import batches, value


def occlusion(scalar, picture, baseline, window, stride):
    """(*spatial, C), (*spatial, C) -> (*spatial)

    M_p = mean over the squares S that cover p of  F(x) - F(x with S as in the baseline)

    Positive where covering lowers F. Squares of side `window` begin every `stride` pixels along
    each axis, the last one at the picture's end. (The paper paints F at each square's centre, and
    covers in grey.) Cost: F once for each square.

    >>> occlusion(lambda x: x.sum(axis=(1, 2)), np.array([[1.], [2.], [4.]]), np.zeros((3, 1)), window=2, stride=1)
    array([3. , 4.5, 6. ])
    """
    spatial = picture.shape[:-1]
    must_cover(spatial, window, stride)
    squares = [
        tuple(slice(begin, begin + window) for begin in begins)
        for begins in product(*(_begins(length, window, stride) for length in spatial))
    ]
    xp = array_module(picture, baseline)
    whole, total, covers = (
        value(scalar, picture[None])[0],
        xp.zeros(spatial, picture.dtype),
        xp.zeros(spatial, picture.dtype),
    )
    for part in batches(len(squares), picture.size):
        some = squares[part]
        pictures = xp.stack([picture] * len(some))
        for covered, square in zip(pictures, some, strict=True):
            covered[square] = baseline[square]
        losses = whole - value(scalar, pictures)
        for number, square in enumerate(some):
            total[square] += losses[number]
            covers[square] += 1
    return total / covers


def must_cover(spatial, window, stride):
    """Raise ArgumentError where the squares do not fit into the picture, or leave gaps."""
    if not (1 <= window <= min(spatial) and 1 <= stride <= window):
        raise ArgumentError(
            f"occlusion of {'x'.join(map(str, spatial))} by squares of {window} every {stride}; wanted a side from 1 to "
            f"{min(spatial)}, and no gaps: a stride from 1 to the side"
        )


def _begins(length, window, stride):
    """
    >>> _begins(8, 3, 2)
    [0, 2, 4, 5]
    """
    return sorted({*range(0, length - window, stride), length - window})
