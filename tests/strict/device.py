"""The stand-in for the device: operation counts, events, streams and memory.

Only the counts and the measured times are real.
"""

import time
from types import SimpleNamespace


class Counts:
    """Counts of operations on the device.

    launches: calls that compute or fill, each counted once even if CuPy starts several kernels.
    reads: transfers from device to host. uploads: transfers from host to device.
    syncs: waits for a stream, an event or the device. pool_releases: releases of the memory pool.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        self.launches = self.reads = self.uploads = self.syncs = self.pool_releases = 0


counts = Counts()


class Stream:
    def synchronize(self):
        counts.syncs += 1


class Event:
    def __init__(self, block=False, disable_timing=False, interprocess=False):
        self._time, self._done = None, False

    def record(self, stream=None):
        self._time, self._done = time.perf_counter(), False

    def synchronize(self):
        counts.syncs += 1
        self._done = True


def get_elapsed_time(start_event, end_event):
    """Return the milliseconds between two recorded events."""
    if None in (start_event._time, end_event._time):
        raise RuntimeError("get_elapsed_time: an event was never recorded")
    if not end_event._done:
        raise RuntimeError("get_elapsed_time: the last event was not synchronized")
    return 1e3 * (end_event._time - start_event._time)


class Device:
    compute_capability = "90"

    def __init__(self, device=0):
        self.id = device

    def synchronize(self):
        counts.syncs += 1


class MemoryPool:
    def free_all_blocks(self, stream=None):
        counts.pool_releases += 1

    def total_bytes(self):
        return 0

    def used_bytes(self):
        return 0

    def free_bytes(self):
        return 0


runtime = SimpleNamespace(
    getDeviceProperties=lambda device: {
        "name": b"a stand-in for a GPU",
        "totalGlobalMem": 2**33,
    },
    memGetInfo=lambda: (2**33, 2**33),
    driverGetVersion=lambda: 12090,
    runtimeGetVersion=lambda: 12090,
)
