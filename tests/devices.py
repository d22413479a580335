"""The GPUs that the checks run on: the strict stand-in, and a real one where there is one.

MINIDL_REQUIRE_GPU=1 wants a GPU: what would run there fails without one.
"""

import os
from contextlib import contextmanager, nullcontext

import pytest

from minidl.backend import device, why_no_gpu
from minidl.engine.kernels import plain_arrays
from tests.strict import HAS_COMPILER, REQUIRED, standing_in

WANTS_GPU = os.environ.get("MINIDL_REQUIRE_GPU", "0") not in ("", "0")
GPUS = [pytest.param("strict", id="strict", marks=pytest.mark.strict)]
if WANTS_GPU or not why_no_gpu():
    GPUS.append(pytest.param("cupy", id="cupy", marks=pytest.mark.cupy))


@contextmanager
def at(place):
    """The GPU is this one, and new arrays are made on it. The stand-in needs g++ for kernels: plain
    arrays do without it."""
    stand_in = standing_in() if place == "strict" else nullcontext()
    kernels = nullcontext() if place == "cupy" or REQUIRED or HAS_COMPILER else plain_arrays()
    with stand_in, device("gpu"), kernels:
        yield
