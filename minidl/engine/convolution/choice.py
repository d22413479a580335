"""The choice of a convolution algorithm: `choose` takes the one with the lowest estimated cost.

Each algorithm estimates its own cost. The estimates were fitted to 630 measurements: the forward,
dx and dw of 105 convolutions, with one thread and with two. The convolutions had one, two or three
axes and 1 to 256 channels. (The processor had AVX-512. NumPy was 2.4. Other programs were running.)
In 535 of these cases, the chosen algorithm was the fastest or at most 10 % slower than the fastest.
In 41 cases it was more than 30 % slower, nearly always by a fraction of a millisecond.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from minidl.engine.convolution.algorithm import Algorithm, Problem
from minidl.engine.convolution.depthwise import DEPTHWISE
from minidl.engine.convolution.im2col import IM2COL
from minidl.engine.convolution.runs import RUNS
from minidl.engine.convolution.winograd import WINOGRAD
from minidl.engine.convolution.winograd_runs import WINOGRAD_RUNS
from minidl.errors import ArgumentError, brief, one_of

ALGORITHMS = {a.name: a for a in (IM2COL, RUNS, WINOGRAD, WINOGRAD_RUNS, DEPTHWISE)}

_forced: ContextVar[str] = ContextVar("forced", default="auto")  # the algorithm, or "auto"


@contextmanager
def forced(name: str) -> Iterator[None]:
    """Compute convolutions and their gradients by one algorithm, in this block and this thread.

    name: a key of ALGORITHMS, or "auto" for the choice by cost. Raises ArgumentError for another
    name.
    """
    one_of("convolution", name, ("auto", *ALGORITHMS))
    token = _forced.set(name)
    try:
        yield
    finally:
        _forced.reset(token)


def choose(problem: Problem) -> Algorithm:
    """Return the algorithm for a convolution: the forced one, or the one with the lowest cost.

    Raises ArgumentError if the forced algorithm cannot compute it.
    """
    if _forced.get() != "auto":
        algorithm = ALGORITHMS[_forced.get()]
        if not algorithm.applies(problem):
            windows = problem.windows
            raise ArgumentError(
                f"convolution={brief(algorithm.name)} takes {algorithm.takes}; found a kernel "
                f"{problem.w_shape}, stride {windows.stride}, dilation {windows.dilation}, groups "
                f"{problem.groups}: use convolution='auto'"
            )
        return algorithm
    applicable = (a for a in ALGORITHMS.values() if a.applies(problem))
    return min(applicable, key=lambda algorithm: algorithm.cost(problem))
