"""What minidl runs on: the processor, the libraries, the GPU if there is one."""

import importlib
import platform
from importlib import metadata
from pathlib import Path

from threadpoolctl import ThreadpoolController

from minidl.backend import why_no_gpu

CUPY = "cupy-cuda12x/cupy-cuda13x/cupy"  # the names of its packages


def processor():
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def blas():
    """The library that multiplies NumPy's matrices, such as "openblas 0.3.30 (SkylakeX)"; None if it does not say."""
    for library in ThreadpoolController().select(user_api="blas").info():
        kernels = f" ({library['architecture']})" if library.get("architecture") else ""
        return f"{library['internal_api']} {library['version'] or ''}".strip() + kernels
    return None


def gpu():
    """{"name": .., "memory": bytes, "compute_capability": "9.0", "driver": the version of CUDA that it knows, "runtime": the
    one that CuPy uses}; None where no GPU can be used."""
    if why_no_gpu():
        return None
    cuda = importlib.import_module("cupy").cuda
    found, capability = cuda.runtime.getDeviceProperties(cuda.Device().id), cuda.Device().compute_capability
    return {
        "name": found["name"].decode(), "memory": found["totalGlobalMem"],
        "compute_capability": f"{capability[:-1]}.{capability[-1]}",
        "driver": _version(cuda.runtime.driverGetVersion()), "runtime": _version(cuda.runtime.runtimeGetVersion()),
    }  # fmt: skip


def installed(*packages):
    """{package: its version, or None where it is not installed}; the first of several names of one, "a/b", that is there"""
    return {package: next(filter(None, map(_installed, package.split("/"))), None) for package in packages}


def _installed(package):
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _version(number):
    """13000 -> "13.0", as CUDA counts"""
    return f"{number // 1000}.{number % 1000 // 10}"
