"""Result files: what was measured, on which machine, with which versions, at which commit.

Each kind of machine has a folder of its own, so that its results never replace those of another."""

import json
import os
import platform
import subprocess
import time
from datetime import date
from pathlib import Path

import numpy as np

import minidl
from minidl.machine import (
    CUPY,
    blas,
    gpu,
    installed,
    instructions,
    kind,
    kind_with_gpu,
    processor,
)

RESULTS = Path(__file__).parent / "results"
STAT = Path("/proc/stat")


def keep(name, measured):
    """Write results/KIND/NAME.json, KIND being the kind of this machine."""
    path = results_folder(_on_gpu(measured)) / f"{name}.json"
    path.write_text(as_json(measured))
    print(f"kept in benchmarks/results/{path.parent.name}/{path.name}")


def as_json(measured):
    """The text of a result file."""
    return json.dumps({**measured, "measured_on": machine(_on_gpu(measured))}, indent=1) + "\n"


def kept(name, of_kind=None):
    """Read results/KIND/NAME.json, by default of the kind of this machine; None where it was never
    measured."""
    path = RESULTS / (of_kind or kind()) / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def kinds():
    """The kinds of machines that have results, sorted by name."""
    return sorted({path.parent.name for path in RESULTS.glob("*/*.json")})


def results_folder(has_gpu=False):
    """The folder for the results and pictures of this kind of machine. It is created if it does not
    exist."""
    path = RESULTS / (kind_with_gpu() if has_gpu else kind())
    path.mkdir(parents=True, exist_ok=True)
    return path


def _on_gpu(measured):
    return "gpu" in measured.get("devices", ())


def machine(has_gpu=False):
    """Where and with what something is measured."""
    on_gpu = {"gpu": gpu(), "cupy": installed(CUPY)[CUPY]} if has_gpu else {}
    return {
        "processor": processor(), "instructions": instructions(), "cores": os.cpu_count(),
        "threads": minidl.get_threads(), "python": platform.python_version(),
        "numpy": np.__version__, "blas": blas(), "torch": installed("torch")["torch"],
        **on_gpu, "commit": _commit(), "date": date.today().isoformat(),
    }  # fmt: skip


def _commit():
    """Of this repository; nothing in a copy without one"""
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=RESULTS
        )
    except FileNotFoundError:  # git itself
        return ""
    return found.stdout.strip()


def watch_others():
    """A function that tells the share of the cores' time which other programs have taken from now
    on; None if the system does not tell. They slow PyTorch, whose threads wait for each other in
    loops, far more than minidl."""
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
    user, nice, system, _, _, *interrupts_and_steal = map(
        int, STAT.read_text().partition("\n")[0].split()[1:9]
    )
    busy = (user + nice + system + sum(interrupts_and_steal)) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), busy, sum(os.times()[:4])
