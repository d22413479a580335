"""Result files: what was measured, on which machine, with which versions, at which commit."""

import json
import os
import platform
import subprocess
import time
from datetime import date
from pathlib import Path

import numpy as np

import minidl
from minidl.machine import CUPY, gpu, installed, processor

RESULTS = Path(__file__).parent / "results"
STAT = Path("/proc/stat")


def keep(name, measured):
    """Write results/NAME.json."""
    path = RESULTS / f"{name}.json"
    path.write_text(as_json(measured))
    print(f"kept in benchmarks/results/{path.name}")


def as_json(measured):
    """The text of a result file."""
    return json.dumps({**measured, "measured_on": machine("gpu" in measured.get("devices", ()))}, indent=1) + "\n"


def kept(name):
    """Read results/NAME.json; None where that was never measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def machine(has_gpu=False):
    """Where and with what something is measured."""
    on_gpu = {"gpu": gpu(), "cupy": installed(CUPY)[CUPY]} if has_gpu else {}
    return {
        "processor": processor(), "cores": os.cpu_count(), "threads": minidl.get_threads(),
        "python": platform.python_version(), "numpy": np.__version__, "torch": installed("torch")["torch"],
        **on_gpu, "commit": _commit(), "date": date.today().isoformat(),
    }  # fmt: skip


def _commit():
    """Of this repository; nothing in a copy without one"""
    try:
        found = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=RESULTS)
    except FileNotFoundError:  # git itself
        return ""
    return found.stdout.strip()


def watch_others():
    """A function that tells the share of the cores' time which other programs have taken from now on; None if the system does
    not tell. They slow PyTorch, whose threads wait for each other in loops, far more than minidl."""
    begun = _times()

    def share():
        if begun is None:
            return None
        passed, busy, own = (now - then for now, then in zip(_times(), begun, strict=True))
        return max(0.0, busy - own) / (passed * os.cpu_count())

    return share


def _times():
    """Seconds: of the clock, of all programs, of this one and the processes that it ran"""
    if not STAT.exists():
        return None
    user, nice, system, _, _, *interrupts_and_steal = map(int, STAT.read_text().partition("\n")[0].split()[1:9])
    busy = (user + nice + system + sum(interrupts_and_steal)) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), busy, sum(os.times()[:4])
