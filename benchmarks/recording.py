"""Result files: what was measured, on which machine, with which versions, at which commit."""

import json
import os
import platform
import subprocess
from datetime import date
from pathlib import Path

import numpy as np

RESULTS = Path(__file__).parent / "results"


def keep(name, measured):
    """Write results/NAME.json."""
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**measured, "measured_on": _machine()}, indent=1) + "\n")
    print(f"kept in benchmarks/results/{path.name}")


def kept(name):
    """Read results/NAME.json; None where that was never measured."""
    path = RESULTS / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else None


def _machine():
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=RESULTS)
    return {
        "processor": _processor(), "cores": os.cpu_count(), "python": platform.python_version(), "numpy": np.__version__,
        "commit": commit.stdout.strip(), "date": date.today().isoformat(),
    }  # fmt: skip


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
