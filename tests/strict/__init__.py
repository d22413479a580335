"""A strict stand-in for CuPy, which tests minidl's GPU code on a computer without a GPU.

    with standing_in() as cupy:
        x = cupy.asarray(numbers)

The stand-in has exactly CuPy's names and parameters. It refuses every implicit transfer between
host and device, guarantees neither the contents of new memory nor the layout of results, and runs
CUDA kernels on the host. `counts` counts the operations on the device.
"""

import os
import shutil
import sys
from contextlib import contextmanager

import pytest

from tests.strict.device import counts
from tests.strict.module import compute_types, libraries, module

MODULES = {"cupy": module, "cupy_backends.cuda.libs": libraries}
HAS_COMPILER = shutil.which("g++") is not None
REQUIRED = os.environ.get("MINIDL_REQUIRE_GPU_TOOLS", "0") not in ("", "0")
__all__ = ["counts", "needed", "standing_in"]


@contextmanager
def standing_in():
    """Let `import cupy` return the stand-in, in its initial state. Restore the modules at exit."""
    before = {name: sys.modules[name] for name in MODULES if name in sys.modules}
    sys.modules.update(MODULES)
    compute_types.clear()
    try:
        yield module
    finally:
        for name in MODULES:
            del sys.modules[name]
        sys.modules.update(before)


def needed(installed, name):
    """Skip the test if a tool is not installed; fail it if MINIDL_REQUIRE_GPU_TOOLS=1."""
    if not installed:
        (pytest.fail if REQUIRED else pytest.skip)(f"{name} is not installed")
