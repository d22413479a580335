"""Pairwise distances in strips of rows that fit the cache, on all threads.

The definition stores the differences of all pairs, N·M·D numbers. A strip stores its part only.
"""

from minidl.backend import array_module
from minidl.engine.strips import equal_parts, fair_strip
from minidl.engine.threads import parallel_map
from minidl.ops.directions import root, square_length
from minidl.ops.distances import weights


def pairwise_distances(a, b=None, squared=False):
    """(N, D), (M, D) -> (N, M);  without b, (N, D) -> (N, N)"""
    b = a if b is None else b
    xp = array_module(a, b)
    y = xp.empty((len(a), len(b)), xp.result_type(a, b))

    def work(rows):
        y[rows] = square_length(a[rows, None] - b)

    parallel_map(xp, work, _strips(xp, a, b))
    return y if squared else root(y)


def pairwise_distances_gradients(dy, y, a, b, squared, wanted):
    """(N, M) -> {"a": da (N, D), "b": db (M, D)}, of which those in `wanted`"""
    W, b = weights(dy, y, b, squared), a if b is None else b
    xp = array_module(a, b)

    def work(rows):
        difference = a[rows, None] - b
        terms = {"a": "ij,ijk->ik", "b": "ij,ijk->jk"}
        return {name: xp.einsum(terms[name], W[rows], difference) for name in wanted}

    parts = parallel_map(xp, work, _strips(xp, a, b))
    combine = {"a": xp.concatenate, "b": lambda sums: -sum(sums)}
    return {name: combine[name]([part[name] for part in parts]) for name in wanted}


def _strips(xp, a, b):
    """Return slices of the rows of a, each of which is compared with all rows of b. If a has no
    rows, return one empty slice, because b still has a gradient."""
    return equal_parts(len(a), fair_strip(xp, a.size * len(b)) // max(1, b.size)) or [slice(0, 0)]
