"""The device: what was asked of it, its clock, its memory. All of it is pretence but the counts and
the time."""

import time
from types import SimpleNamespace


class Counts:
    """launches: calls that compute or fill, each once however many kernels CuPy would start; reads:
    device to host; uploads: host to device; syncs: waits for a stream, an event or the device;
    pool_releases: of the memory pool."""

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
    """Milliseconds between two recorded events."""
    if None in (start_event._time, end_event._time):
        raise RuntimeError("get_elapsed_time: an event was never recorded")
    if not end_event._done:
        raise RuntimeError("get_elapsed_time: nobody has waited for the last event")
    return 1e3 * (end_event._time - start_event._time)


class Device:
    compute_capability = "90"

    def __init__(self, device=0):
        self.id = device

    @property
    def mem_info(self):
        return runtime.memGetInfo()

    def synchronize(self):
        counts.syncs += 1


class MemoryPool:
    def free_all_blocks(self, stream=None):
        counts.pool_releases += 1

    def used_bytes(self):
        return 0

    def total_bytes(self):
        return 0


runtime = SimpleNamespace(
    getDeviceCount=lambda: 1,
    getDeviceProperties=lambda device: {
        "name": b"a stand-in for a GPU",
        "totalGlobalMem": 2**33,
        "multiProcessorCount": 1,
    },
    driverGetVersion=lambda: 12090,
    runtimeGetVersion=lambda: 12090,
    memGetInfo=lambda: (2**33, 2**33),  # free, total
)
