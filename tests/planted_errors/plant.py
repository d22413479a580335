"""Plant: an op with an error, and the check that must find it."""

from collections.abc import Callable
from typing import NamedTuple

from minidl.autograd import Op, differentiable
from tests import checks

FORWARD, GRADIENT = checks.forward_equals_the_oracle, checks.gradients_are_proven
SHAPE, TIE = checks.shape_dtype_and_device_are_kept, checks.a_tie_goes_to_the_first


class Plant(NamedTuple):
    """error: in words; row: the name of its row of the table; op: the op with the error; caught_by:
    the check that must find it."""

    error: str
    row: str
    op: Op | Callable
    caught_by: Callable


def wrong(op, forward=None, **gradients):
    """Return the op with another forward, or with other gradients."""
    return differentiable(forward or op.forward, **{**op.gradients, **gradients})
