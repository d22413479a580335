"""The kernels' text, compiled for the host, runs the checks of its ops under the address and
undefined-behaviour sanitizers."""

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

LEAST = 15  # checks that must have run


@pytest.mark.thorough
@pytest.mark.strict
def test_the_kernels_touch_nothing_that_is_not_theirs():
    needed(HAS_COMPILER, "g++")
    wanted = f"strict and ({' or '.join(CHECKS)}) and (pool or winograd or test_gpu)"
    done = sanitized(
        [
            "-m",
            "pytest",
            "--thorough",
            "-p",
            "no:cacheprovider",
            "tests/test_op_table.py",
            "tests/test_gpu.py",
            "-k",
            wanted,
        ]
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [count] = re.findall(r"(\d+) on the strict stand-in", done.stdout)
    assert int(count) >= LEAST
