"""How long an action will take and how much memory it needs: said before it begins, and refused if
that is much and was not confirmed."""

import time
from collections.abc import Callable
from typing import TypeVar

from minidl.backend import current_device
from minidl.cli.progress import announce, duration
from minidl.errors import ArgumentError, LackOfMemoryError
from minidl.machine import available_memory
from minidl.visualize.effort import NUMBER, numbers_kept

LIMIT = 600.0  # seconds that an action may take without --long
WORTH_SAYING = 10.0  # seconds
REPEATED = 10.0  # seconds: a first pass that takes less is measured again, as it prepares kernels
GIB = 1 << 30

Result = TypeVar("Result")


def add_long(parser):
    parser.add_argument(
        "--long",
        action="store_true",
        help=f"begin also if the work will take more than {LIMIT / 60:.0f} minutes",
    )


def announced(
    arguments, run: Callable[[], Result], passes: float, work: str, smaller: str
) -> Result:
    """Return the result of one forward pass, run(), and say before the remaining work how long it
    will take. Raise ArgumentError if that is more than LIMIT and --long was not typed.

    passes: of the remaining work; work: what it consists of, such as "50 steps"; smaller: how to
    make it smaller
    """
    result, seconds = _timed(run)
    if seconds < REPEATED and passes * seconds > WORTH_SAYING:
        _, seconds = _timed(run)
    seconds *= passes
    if seconds > LIMIT and not arguments.long:
        raise ArgumentError(
            f"{work} will take about {duration(seconds)}; {smaller}, or confirm with --long"
        )
    if seconds > WORTH_SAYING:
        announce(f"{work} will take about {duration(seconds)}")
    return result


def _timed(run):
    start = time.perf_counter()
    result = run()
    return result, time.perf_counter() - start


def must_fit(network, extent, layers, copies=1):
    """Raise LackOfMemoryError if a gradient for a picture will not fit into the memory.

    extent: the spatial size of the picture; layers: those that are computed; copies: pictures in a
    batch. On a GPU, nothing is checked: its own error says how much was missing.
    """
    available = available_memory() if current_device() == "cpu" else None
    needed = copies * NUMBER * numbers_kept(network, extent, layers)
    if available is not None and needed > available:
        raise LackOfMemoryError(
            f"the activations for {in_words(extent)} need about {needed / GIB:.0f} GiB of memory, "
            f"and {available / GIB:.0f} are available; take a smaller --size"
        )


def in_words(extent):
    """Return the spatial size of an example as a text, of a picture its width first.

    >>> in_words((149, 224)), in_words((400,))
    ('224x149', '400')
    """
    return "x".join(map(str, extent[::-1] if len(extent) == 2 else extent))
