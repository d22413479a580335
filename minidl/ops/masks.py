"""Gradients that are 0 at some elements, such as those of ReLU, maximum and dropout."""

from minidl.backend import array_module
from minidl.dispatch import replaceable


@replaceable
def masked(dy, mask):
    """Return dy where the mask is True, and 0 elsewhere.

    The product dy·mask would be NaN where dy is infinite or NaN and the mask is False.

    >>> masked(np.array([1., np.inf, np.inf]), np.array([True, True, False]))
    array([ 1., inf,  0.])
    """
    return array_module(dy, mask).where(mask, dy, 0)
