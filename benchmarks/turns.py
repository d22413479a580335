"""Clocks. Rivals run alternately in one process, so that other load affects all of them alike."""

import importlib
import math
import time
from statistics import median

ROUNDS, SECONDS = 7, 2.0  # the minimum for each case
TURN = 10e-3  # seconds for which a short call is repeated
# Seconds of untimed calls at the start of a turn. For that long, the threads of the previous rival
# poll for more work on the cores.
LEAD = 20e-3


def by_host(call, count):
    """Return the seconds that `count` calls take."""
    begun = time.perf_counter()
    for _ in range(count):
        call()
    return time.perf_counter() - begun


def by_cupy(call, count):
    """Return the seconds that `count` calls take on a GPU, by its own clock, through CuPy."""
    cuda = importlib.import_module("cupy").cuda
    begun, ended = cuda.Event(), cuda.Event()
    _between(begun, ended, call, count)
    return cuda.get_elapsed_time(begun, ended) / 1e3


def by_torch(call, count):
    """Return the seconds that `count` calls take on a GPU, by its own clock, through PyTorch."""
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


def median_seconds(rivals, quick=False, clocks=None):
    """{rival: {map: call}} -> {rival: {map: median seconds of one call}}

    The rivals take turns. Each turn begins with untimed calls, and the first round is a warm-up.
    quick: measure one short round. clocks: {rival: clock}; the default clock is by_host.
    """
    rounds, minimum, turn, lead = (1, 0, 0, 0) if quick else (ROUNDS, SECONDS, TURN, LEAD)
    times = {rival: {name: [] for name in calls} for rival, calls in rivals.items()}
    done, begun = -1, None
    while done < rounds or time.perf_counter() - begun < minimum:
        for rival, calls in rivals.items():
            clock = (clocks or {}).get(rival, by_host)
            for call in calls.values():
                _seconds(call, lead, clock)
            for name, call in calls.items():
                times[rival][name].append(_seconds(call, turn, clock))
        done, begun = done + 1, begun or time.perf_counter()
    return {
        rival: {name: median(seconds[1:]) for name, seconds in maps.items()}
        for rival, maps in times.items()
    }


def _seconds(call, minimum, clock=by_host):
    """The seconds of one call. Short calls are repeated for `minimum` seconds and averaged."""
    first = clock(call, 1)
    count = math.ceil(minimum / first) if first else 1
    return clock(call, count) / count if count > 1 else first
