"""Result files: the measurements, and the machine, the versions and the commit.

Each kind of machine has its own folder, so results of different kinds never replace each other.
"""

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
    """Write results/KIND/NAME.json, where KIND is the kind of this machine."""
    path = results_folder(_on_gpu(measured)) / f"{name}.json"
    path.write_text(as_json(measured))
    print(f"written: benchmarks/results/{path.parent.name}/{path.name}")


def as_json(measured):
    """Return the text of a result file."""
    return json.dumps({**measured, "measured_on": machine(_on_gpu(measured))}, indent=1) + "\n"


def kept(name, of_kind=None):
    """Return the contents of results/KIND/NAME.json, or None if there is no such file.

    of_kind: the kind of machine; by default that of this machine.
    """
    path = RESULTS / (of_kind or kind()) / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def kinds():
    """Return the kinds of machines that have results, sorted by name."""
    return sorted({path.parent.name for path in RESULTS.glob("*/*.json")})


def results_folder(has_gpu=False):
    """Return the folder of the results of this kind of machine, and create it if necessary."""
    path = RESULTS / (kind_with_gpu() if has_gpu else kind())
    path.mkdir(parents=True, exist_ok=True)
    return path


def _on_gpu(measured):
    return "gpu" in measured.get("devices", ())


def machine(has_gpu=False):
    """Return the properties of this machine, the versions of the libraries, commit and date."""
    on_gpu = {"gpu": gpu(), "cupy": installed(CUPY)[CUPY]} if has_gpu else {}
    return {
        "processor": processor(), "instructions": instructions(), "cores": os.cpu_count(),
        "threads": minidl.get_threads(), "python": platform.python_version(),
        "numpy": np.__version__, "blas": blas(), "torch": installed("torch")["torch"],
        **on_gpu, "commit": _commit(), "date": date.today().isoformat(),
    }  # fmt: skip


def _commit():
    """The commit of the repository; an empty string without a repository or without git."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        output = subprocess.run(command, capture_output=True, text=True, cwd=RESULTS).stdout
    except FileNotFoundError:  # git is not installed
        return ""
    return output.strip()


def watch_others():
    """Return a function that returns the share of the cores' time used by other programs since now.

    It returns None if the system does not report it. Other programs slow down PyTorch far more than
    minidl, because PyTorch's threads wait for each other in busy loops.
    """
    begun = _times()

    def share():
        if begun is None:
            return None
        elapsed, busy, own = (now - then for now, then in zip(_times(), begun, strict=True))
        return max(0.0, busy - own) / (elapsed * os.cpu_count())

    return share


def _times():
    """Seconds of wall-clock time, and of processor time by all programs and by this one.

    This program's time includes that of the processes that it ran.
    """
    if not STAT.exists():
        return None
    fields = STAT.read_text().partition("\n")[0].split()[1:9]
    user, nice, system, _, _, *interrupts_and_steal = map(int, fields)
    busy = (user + nice + system + sum(interrupts_and_steal)) / os.sysconf("SC_CLK_TCK")
    return time.perf_counter(), busy, sum(os.times()[:4])
