"""A strict stand-in for CuPy: the library's GPU path is proven where there is no GPU.

    with standing_in() as cupy:
        x = cupy.asarray(numbers)

It has CuPy's names and parameters and no others, refuses whatever moves numbers between host and
device without a word, keeps nothing that code might count on by accident, and runs CUDA kernels on
the host. `counts` says what was asked of the device.
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
    """`import cupy` gives the stand-in, as new, and afterwards what it gave before."""
    before = {name: sys.modules[name] for name in MODULES if name in sys.modules}
    sys.modules.update(MODULES)
    compute_types.clear()
    try:
        yield module
    finally:
        for name in MODULES:
            del sys.modules[name]
        sys.modules.update(before)


def needed(found, name):
    """Skip a test where something is not installed, or fail it where MINIDL_REQUIRE_GPU_TOOLS=1
    says that all is."""
    if not found:
        (pytest.fail if REQUIRED else pytest.skip)(f"{name} is not installed")
