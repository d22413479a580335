"""The peak memory of a case.

`python -m benchmarks.memory MODULE CASE RIVAL` runs a case in its own process and prints bytes. On
a GPU, CuPy and PyTorch count their memory themselves.
"""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

RUNS = 3
RESET, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def of_each(work, number, rivals):
    """Return {rival: bytes}: the peak memory of a case, less the memory in use when it starts.

    The weights and pictures are loaded by then. The peak is VmHWM, which only Linux can reset; on
    other systems the result is empty. (ru_maxrss of getrusage starts at the parent's peak.)
    """
    return {
        rival: _in_a_process(work.__name__, str(number), rival)
        for rival in rivals
        if os.access(RESET, os.W_OK)
    }


def _in_a_process(*arguments):
    command = [sys.executable, "-m", "benchmarks.memory", *arguments]
    root = Path(__file__).parents[1]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=root).stdout)


def _added(module, number, rival):
    makers, _ = importlib.import_module(module).cases(quick=False)[number].rivals(["cpu"])
    calls = makers[rival]()
    RESET.write_text("5")  # set the peak to the memory in use
    before = bytes_of("VmRSS")
    for _ in range(RUNS):
        for call in calls.values():
            call()
    return bytes_of("VmHWM") - before


def on_gpu(rival, calls):
    """Return the bytes that CuPy or PyTorch reserves on the GPU for calls that have not run yet.

    They are counted in a second run. This includes what the first run keeps, and excludes what
    PyTorch uses to try its algorithms.
    """
    if rival.startswith("minidl"):
        pool = importlib.import_module("cupy").get_default_memory_pool()
        release, count, peak = pool.free_all_blocks, pool.total_bytes, pool.total_bytes
    else:
        cuda = importlib.import_module("torch").cuda
        release, count = cuda.reset_peak_memory_stats, cuda.memory_reserved
        peak = cuda.max_memory_reserved
    release()
    before = count()
    for _ in range(2):
        release()
        for call in calls.values():
            call()
    return peak() - before


def bytes_of(field):
    """Return a field of /proc/self/status, such as "VmHWM", in bytes."""
    return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", STATUS.read_text())[1])


if __name__ == "__main__":
    print(_added(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
