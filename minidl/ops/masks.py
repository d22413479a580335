"""Gradients that stop at some elements: those of a ReLU, a maximum, dropout."""

from minidl.backend import array_module


def masked(dy, mask, out=None):
    """dy where the mask is True and 0 elsewhere, even where dy is infinite or NaN.

    The product dy·mask would be NaN there, since 0·∞ is NaN. As integers, the bits of dy times 0 or
    1 are 0 or those of dy. This takes NumPy as long as dy·mask; `where` takes several times as long
    on an irregular mask.

    dy: floating-point array; mask: bools that broadcast with it; out: array for the result, or None
    for a new one.

    >>> masked(np.array([1., np.inf, np.inf]), np.array([True, True, False]))
    array([ 1., inf,  0.])
    """
    xp, bits = array_module(dy, mask), f"i{dy.dtype.itemsize}"
    if dy.dtype.kind != "f" or dy.dtype.itemsize > 8:
        return xp.where(mask, dy, xp.zeros_like(dy))
    return xp.multiply(dy.view(bits), mask, out=None if out is None else out.view(bits)).view(dy.dtype)
