"""The clock: rivals take turns in one process, so that whatever else the machine does meets all of them alike."""

import time
from statistics import median

from threadpoolctl import threadpool_limits

import minidl
from minidl.backend import current_module

ROUNDS, SECONDS = 7, 2.0  # the least of each case
TURN = 10e-3  # seconds that a short call is repeated for
LEAD = 20e-3  # seconds that the threads of the rival before look out for more work, on cores that this one needs


def turn_about(rivals, quick=False):
    """{rival: {map: call}} -> {rival: {map: median seconds of one call}}

    Each rival begins its turn with calls that are not timed; the first round is warm-up. quick: one short round counts.
    """
    rounds, least, turn, lead = (1, 0, 0, 0) if quick else (ROUNDS, SECONDS, TURN, LEAD)
    times = {rival: {name: [] for name in calls} for rival, calls in rivals.items()}
    done, begun = -1, None
    while done < rounds or time.perf_counter() - begun < least:
        for rival, calls in rivals.items():
            for call in calls.values():
                _seconds(call, lead)
            for name, call in calls.items():
                times[rival][name].append(_seconds(call, turn))
        done, begun = done + 1, begun or time.perf_counter()
    return {rival: {name: median(found[1:]) for name, found in maps.items()} for rival, maps in times.items()}


def _seconds(call, least):
    """Of one call, repeated until that many seconds have passed"""
    begun, count, passed = time.perf_counter(), 0, 0.0
    while not count or passed < least:
        call()
        count, passed = count + 1, time.perf_counter() - begun
    return passed / count


def matrix_rate(device, quick=False):
    """GFLOP/s of the product of two float32 matrices of 2048x2048 on a device, with minidl's number of threads."""
    n = 256 if quick else 2048
    with minidl.device(device), threadpool_limits(minidl.get_threads(), "blas"):
        a = current_module().ones((n, n), "float32")
        found = turn_about({"": {"": finishing(lambda: a @ a, device)}}, quick)
    return 2 * n**3 / found[""][""] / 1e9


def finishing(call, device):
    """The call on a device, to its end: a GPU's calls return before their work is done."""
    if device == "cpu":
        return call

    def finished():
        with minidl.device(device):
            result = call()
            current_module().cuda.get_current_stream().synchronize()
        return result

    return finished
