"""The GPUs that the tests run on: the strict stand-in, and a real GPU if there is one.

MINIDL_REQUIRE_GPU=1 requires a GPU: without one, the tests on it fail.
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
PLACES = [pytest.param("numpy"), *GPUS]


@contextmanager
def at(place):
    """Use "strict" or "cupy" as the GPU, and make new arrays on it.

    The stand-in compiles kernels with g++. Without g++, the ops run on plain arrays.
    """
    stand_in = standing_in() if place == "strict" else nullcontext()
    kernels = nullcontext() if place == "cupy" or REQUIRED or HAS_COMPILER else plain_arrays()
    with stand_in, device("cpu" if place == "numpy" else "gpu"), kernels:
        yield
