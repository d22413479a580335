"""The fast `masked`: bits instead of a choice.

The bits of dy, multiplied by 0 or 1 as integers, are 0 or unchanged, even where dy is infinite or
NaN. NumPy computes this as fast as the product dy·mask. `where` takes several times as long on an
irregular mask.
"""

from minidl.backend import array_module


def masked(dy, mask, out=None):
    """Return dy where the mask is True and 0 elsewhere.

    dy: floating-point array; mask: bools that broadcast with it; out: array for the result, or None
    for a new one.
    """
    xp, bits = array_module(dy, mask), f"i{dy.dtype.itemsize}"
    return xp.multiply(dy.view(bits), mask, out=None if out is None else out.view(bits)).view(
        dy.dtype
    )


def applies(dy, mask, out=None):
    """Whether there is an integer dtype of the size of dy's numbers."""
    return dy.dtype.kind == "f" and dy.dtype.itemsize <= 8
