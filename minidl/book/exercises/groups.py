"""Which channels an output of a convolution with groups reads, and the errors that readers make
there."""

from collections.abc import Callable

import numpy as np

from minidl.typing import Array


def whole_kernel(
    w: Array,
    groups: int,
    group: Callable[..., Array] = lambda k, size, groups: k // size,
    channel: Callable[..., Array] = lambda g, c, inputs, groups: g * inputs + c,
) -> Array:
    """(T, C / groups, K) -> (T, C, K): with 0 where output k does not read channel c

    group(k, K / groups, groups): the group of output k. channel(g, c, C / groups, groups): channel
    c of group g.
    """
    taps, inputs, outputs = w.shape
    c, k = np.ogrid[:inputs, :outputs]
    whole = np.zeros((taps, inputs * groups, outputs))
    whole[:, channel(group(k, outputs // groups, groups), c, inputs, groups), k] = w
    return whole


def _group_by_remainder(k, size, groups):
    return k % groups


def _every(g, c, inputs, groups):
    return c * groups + g


FIRST_GROUP = {"channel": lambda g, c, inputs, groups: c}
INTERLEAVED: tuple[dict, ...] = (
    {"group": _group_by_remainder},
    {"channel": _every},
    {"group": _group_by_remainder, "channel": _every},
)
GROUPS_INTERLEAVED = "The groups are interleaved. A group consists of consecutive channels."
