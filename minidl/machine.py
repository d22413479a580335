"""What minidl runs on: the processor, the libraries, the GPU if there is one."""

import importlib
import platform
import re
from importlib import metadata
from pathlib import Path

import numpy as np
from threadpoolctl import ThreadpoolController

from minidl.backend import why_no_gpu

CUPY = "cupy-cuda12x/cupy-cuda13x/cupy"  # the names of its packages
MAKERS = "intel", "amd", "apple"
WIDEST = {"AVX-512": r"AVX512|X86_V4", "AVX2": r"AVX2|X86_V3", "SVE": r"SVE", "NEON": r"NEON|ASIMD"}


def processor():
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(
            line.partition(":")[2].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def instructions():
    """The widest vector instructions that NumPy uses here: "AVX-512", "AVX2", "NEON", ..., or the
    name of the architecture where NumPy lists none of them."""
    listed = np.show_config(mode="dicts")["SIMD Extensions"]
    names = [*listed.get("baseline", ()), *listed.get("found", ())]
    found = (
        widest for widest, pattern in WIDEST.items() if any(re.match(pattern, n) for n in names)
    )
    return next(found, platform.machine())


def kind():
    """The maker of the processor and its instructions, such as "intel-avx512" or "amd-avx2". Speed
    and the last digits of results follow from them."""
    name = processor().lower()
    maker = next((maker for maker in MAKERS if maker in name), platform.machine())
    return _slug(f"{maker}-{instructions().replace('-', '')}")


def kind_with_gpu():
    """The kind of the GPU and of the processor, such as "nvidia-h200-intel-avx512"."""
    return f"{_slug(gpu()['name'])}-{kind()}"


def _slug(text):
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def blas():
    """The library that multiplies NumPy's matrices, such as "openblas 0.3.30 (SkylakeX)"; None if
    it does not say."""
    for library in ThreadpoolController().select(user_api="blas").info():
        kernels = f" ({library['architecture']})" if library.get("architecture") else ""
        return f"{library['internal_api']} {library['version'] or ''}".strip() + kernels
    return None


def gpu():
    """{"name": .., "memory": bytes, "compute_capability": "9.0", "driver": the version of CUDA that
    it knows, "runtime": the one that CuPy uses}; None where no GPU can be used."""
    if why_no_gpu():
        return None
    cuda = importlib.import_module("cupy").cuda
    found, capability = (
        cuda.runtime.getDeviceProperties(cuda.Device().id),
        cuda.Device().compute_capability,
    )
    return {
        "name": found["name"].decode(), "memory": found["totalGlobalMem"],
        "compute_capability": f"{capability[:-1]}.{capability[-1]}",
        "driver": _version(cuda.runtime.driverGetVersion()), "runtime": _version(cuda.runtime.runtimeGetVersion()),
    }  # fmt: skip


def installed(*packages):
    """{package: its version, or None where it is not installed}; the first of several names of one,
    "a/b", that is there"""
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
    """13000 -> "13.0", as CUDA counts"""
    return f"{number // 1000}.{number % 1000 // 10}"
