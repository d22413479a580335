"""The kernels, compiled for the host with sanitizers, pass the checks of their ops.

The sanitizers report errors of addresses and undefined behaviour.
"""

import re

import pytest

from tests.strict import HAS_COMPILER, needed
from tests.strict.kernels import sanitized

CHECKS = (
    "forward_equals_the_oracle",
    "gradients_are_proven",
    "strides_do_not_matter",
    "a_nan_is_seen",
    "parts",
    "64_bits",
)

LEAST = 15  # the smallest number of checks that must have run


@pytest.mark.thorough
@pytest.mark.strict
def test_the_kernels_access_only_their_own_memory():
    needed(HAS_COMPILER, "g++")
    wanted = f"strict and ({' or '.join(CHECKS)}) and (pool or winograd or test_gpu)"
    files = ["tests/test_op_table.py", "tests/test_gpu.py"]
    options = ["--thorough", "-p", "no:cacheprovider", "-k", wanted]
    result = sanitized(["-m", "pytest", *options, *files])
    assert result.returncode == 0, result.stdout + result.stderr
    [count] = re.findall(r"(\d+) on the strict stand-in", result.stdout)
    assert int(count) >= LEAST
