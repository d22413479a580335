"""Describe the processor, the libraries and the GPU that minidl runs on."""

import importlib
import os
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from minidl.backend import why_no_gpu
from minidl.errors import DeviceError

CUPY = "cupy-cuda12x/cupy-cuda13x/cupy"  # the names of its packages
GROUP = Path("/sys/fs/cgroup")  # the limits of the control group, in version 2
MAKERS = "intel", "amd", "apple"
WIDEST = {"AVX-512": r"AVX512|X86_V4", "AVX2": r"AVX2|X86_V3", "SVE": r"SVE", "NEON": r"NEON|ASIMD"}


def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(
            line.partition(":")[2].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def instructions() -> str:
    """Return the widest vector instructions that NumPy uses: "AVX-512", "AVX2", "SVE" or "NEON". If
    NumPy lists none of them, return the name of the architecture."""
    extensions = np.show_config(mode="dicts")["SIMD Extensions"]
    names = [*extensions.get("baseline", ()), *extensions.get("found", ())]
    for widest, pattern in WIDEST.items():
        if any(re.match(pattern, name) for name in names):
            return widest
    return platform.machine()


def kind() -> str:
    """Return the maker of the processor and its vector instructions, such as "intel-avx512" or
    "amd-avx2". The speed and the last digits of results depend on them."""
    name = processor().lower()
    maker = next((maker for maker in MAKERS if maker in name), platform.machine())
    return _slug(f"{maker}-{instructions().replace('-', '')}")


def kind_with_gpu() -> str:
    """Return the kind of the GPU and of the processor, such as "nvidia-h200-intel-avx512". Raises
    DeviceError if no GPU can be used."""
    description = gpu()
    if description is None:
        raise DeviceError(f"there is no GPU to describe: {why_no_gpu()}")
    return f"{_slug(description['name'])}-{kind()}"


def _slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def blas() -> str | None:
    """Return the BLAS library of NumPy, such as "openblas 0.3.30 (SkylakeX)", or None if it is
    unknown."""
    for library in ThreadpoolController().select(user_api="blas").info():
        kernels = f" ({library['architecture']})" if library.get("architecture") else ""
        return f"{library['internal_api']} {library['version'] or ''}".strip() + kernels
    return None


def gpu() -> dict[str, Any] | None:
    """Return a description of the GPU, or None if no GPU can be used.

    The description has the keys "name", "memory" (bytes), "compute_capability" (such as "9.0"),
    "driver" (the newest CUDA version that the driver supports) and "runtime" (the CUDA version that
    CuPy uses).
    """
    if why_no_gpu():
        return None
    cuda = importlib.import_module("cupy").cuda
    runtime, device = cuda.runtime, cuda.Device()
    properties = runtime.getDeviceProperties(device.id)
    capability = device.compute_capability  # such as "90"
    return {
        "name": properties["name"].decode(),
        "memory": properties["totalGlobalMem"],
        "compute_capability": f"{capability[:-1]}.{capability[-1]}",
        "driver": _version(runtime.driverGetVersion()),
        "runtime": _version(runtime.runtimeGetVersion()),
    }


def memory_in_use() -> int:
    """Return the bytes of memory that this process uses, or 0 if the system does not say."""
    return _kibibytes("/proc/self/status", "VmRSS") or 0


def available_memory() -> int | None:
    """Return the bytes of memory that this process can still allocate, or None if the system does
    not say.

    On Linux, it is what the system can provide without swapping, and not more than the control
    group of the process allows. On other systems, it is half of the memory of the machine.
    """
    available = _kibibytes("/proc/meminfo", "MemAvailable")
    if available is None:
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
        except (AttributeError, OSError, ValueError):  # Windows has no sysconf
            return None
    limit, used = (_number(GROUP / name) for name in ("memory.max", "memory.current"))
    return available if limit is None or used is None else min(available, limit - used)


def _kibibytes(path, field):
    """Return the bytes of a line such as "VmRSS:  1234 kB", or None without such a line."""
    try:
        found = re.search(rf"^{field}:\s+(\d+) kB", Path(path).read_text(), re.MULTILINE)
    except OSError:
        return None
    return 1024 * int(found[1]) if found else None


def _number(path):
    """Return the number in a file, or None."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max" means that there is no limit
        return None


def installed(*packages: str) -> dict[str, str | None]:
    """Return {package: its version, or None if it is not installed}.

    A package may have several names, separated by slashes. The first installed one counts.
    """
    return {
        package: next(filter(None, map(_installed, package.split("/"))), None)
        for package in packages
    }


def _installed(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _version(number):
    """Convert CUDA's version number: 13000 -> "13.0"."""
    return f"{number // 1000}.{number % 1000 // 10}"
