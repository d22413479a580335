"""A fast `masked`, which multiplies bits.

The bits of dy, read as integers and multiplied by 0 or 1, become 0 or stay unchanged, even if dy is
infinite or NaN. NumPy computes this as fast as the product dy·mask. `where` takes several times as
long for an irregular mask.
"""

from minidl.backend import array_module


def masked(dy, mask, out=None):
    """Return dy where the mask is True and 0 elsewhere.

    dy: floating-point array; mask: bools that broadcast with it; out: array for the result, or None
    for a new one.
    """
    xp, bits = array_module(dy, mask), f"i{dy.dtype.itemsize}"
    if dy.dtype.kind != "f" or dy.dtype.itemsize > 8:  # no integer dtype has this size
        result = xp.where(mask, dy, 0)
        if out is None:
            return result
        out[...] = result
        return out
    out = None if out is None else out.view(bits)
    return xp.multiply(dy.view(bits), mask, out=out).view(dy.dtype)
