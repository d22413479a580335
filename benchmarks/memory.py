"""The memory of a case: `python -m benchmarks.memory MODULE CASE RIVAL` runs it in a process of its
own and prints bytes. Of a GPU's memory the libraries themselves keep count."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

RUNS = 3
RESET, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


def of_each(work, number, rivals):
    """{rival: bytes} that a case adds at its peak to what is there once the weights and pictures
    are loaded.

    The system's own count, VmHWM, which Linux alone can set back. (getrusage's ru_maxrss begins at
    the parent's peak.)
    """
    return {
        rival: _in_a_process(work.__name__, str(number), rival)
        for rival in rivals
        if os.access(RESET, os.W_OK)
    }


def _in_a_process(*arguments):
    command = [sys.executable, "-m", "benchmarks.memory", *arguments]
    return int(
        subprocess.run(
            command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1]
        ).stdout
    )


def _added(module, number, rival):
    makers, _ = importlib.import_module(module).cases(quick=False)[number].rivals(["cpu"])
    calls = makers[rival]()
    RESET.write_text("5")  # the peak becomes what is there now
    before = _bytes("VmRSS")
    for _ in range(RUNS):
        for call in calls.values():
            call()
    return _bytes("VmHWM") - before


def on_gpu(rival, calls):
    """Bytes of a GPU that fresh calls add at their peak: what CuPy and PyTorch take of it.

    Counted in a second run: what the first one keeps is in it, but not what PyTorch needs to try
    its algorithms.
    """
    if rival.startswith("minidl"):
        pool = importlib.import_module("cupy").get_default_memory_pool()
        forget, count, peak = pool.free_all_blocks, pool.total_bytes, pool.total_bytes
    else:
        cuda = importlib.import_module("torch").cuda
        forget, count, peak = (
            cuda.reset_peak_memory_stats,
            cuda.memory_reserved,
            cuda.max_memory_reserved,
        )
    forget()
    before = count()
    for _ in range(2):
        forget()
        for call in calls.values():
            call()
    return peak() - before


def _bytes(field):
    return 1024 * int(re.search(rf"{field}:\s+(\d+) kB", STATUS.read_text())[1])


if __name__ == "__main__":
    print(_added(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
