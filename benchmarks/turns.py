"""The clocks: rivals take turns in one process, so that whatever else the machine does meets all of
them alike."""

import importlib
import math
import time
from statistics import median

ROUNDS, SECONDS = 7, 2.0  # the least of each case
TURN = 10e-3  # seconds that a short call is repeated for
# seconds that the threads of the rival before look out for more work, on cores that this one needs
LEAD = 20e-3


def by_host(call, count):
    """Seconds that so many calls take."""
    begun = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - begun


def by_cupy(call, count):
    """The same of calls that a GPU works off after they return, by its own clock."""
    cuda = importlib.import_module("cupy").cuda
    begun, ended = cuda.Event(), cuda.Event()
    _between(begun, ended, call, count)
    return cuda.get_elapsed_time(begun, ended) / 1e3


def by_torch(call, count):
    """The same of PyTorch's calls."""
    event = importlib.import_module("torch").cuda.Event
    begun, ended = event(enable_timing=True), event(enable_timing=True)
    _between(begun, ended, call, count)
    return begun.elapsed_time(ended) / 1e3


def _between(begun, ended, call, count):
    begun.record()
    for _ in range(count):
        call()
    ended.record()
    ended.synchronize()


def turn_about(rivals, quick=False, clocks={}):  # noqa: B006
    """{rival: {map: call}} -> {rival: {map: median seconds of one call}}

    Each rival begins its turn with calls that are not timed; the first round is warm-up. quick: one
    short round counts. clocks: {rival: its clock}, by_host where none is given.
    """
    rounds, least, turn, lead = (1, 0, 0, 0) if quick else (ROUNDS, SECONDS, TURN, LEAD)
    times = {rival: {name: [] for name in calls} for rival, calls in rivals.items()}
    done, begun = -1, None
    while done < rounds or time.perf_counter() - begun < least:
        for rival, calls in rivals.items():
            clock = clocks.get(rival, by_host)
            for call in calls.values():
                _seconds(call, lead, clock)
            for name, call in calls.items():
                times[rival][name].append(_seconds(call, turn, clock))
        done, begun = done + 1, begun or time.perf_counter()
    return {
        rival: {name: median(found[1:]) for name, found in maps.items()}
        for rival, maps in times.items()
    }


def _seconds(call, least, clock=by_host):
    """Of one call; of a short one the mean of as many as fill that many seconds"""
    first = clock(call, 1)
    count = math.ceil(least / first) if first else 1
    return clock(call, count) / count if count > 1 else first
