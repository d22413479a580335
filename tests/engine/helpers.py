"""What several tests of the engine use."""

import threading

import numpy as np

from minidl.engine import threads as cores
from tests.algorithms import by
from tests.running import using_threads


def on_each_thread(threads, function):
    """Return the results of function() on so many threads, of which this thread is one. Each of
    them computes one item, because none finishes before all have started."""
    all_started = threading.Barrier(threads, timeout=20)
    with using_threads(threads):
        return cores.parallel_map(np, lambda _: (all_started.wait(), function())[1], range(threads))


def three_maps(x, w, dy, padding, algorithm):
    """Return y, dx and dw, computed by an algorithm or, for "textbook", by the definition."""
    op, options = by(algorithm), (1, padding, 1, 1)
    return (
        op(x, w, padding=padding),
        op.gradients["dx"](dy, w, x.shape, *options),
        op.gradients["dw"](dy, x, w.shape, *options),
    )
