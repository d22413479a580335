"""Options of the test run: which tests run, and how many examples of each property.

pytest                                  every kind of check, few examples of each: some minutes
pytest --thorough                       every test, with several times as many examples
pytest --hypothesis-profile=dev         different examples in each run
pytest --hypothesis-profile=deep        thousands of examples; HYPOTHESIS_PROFILE=deep does the same
"""

import os
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from minidl.backend import why_no_gpu
from minidl.dispatch import uses_textbook
from minidl.engine.threads import available

# Hypothesis looks up a setting of a parametrized test through those of all its cases before.
sys.setrecursionlimit(20_000)

MOST_PROCESSES = 8  # each process has its own copy of the libraries in memory

REPEATABLE = {"deadline": None, "derandomize": True, "print_blob": True, "database": None}
settings.register_profile("quick", max_examples=5, **REPEATABLE)
settings.register_profile("thorough", max_examples=40, **REPEATABLE)
settings.register_profile("dev", max_examples=200, deadline=None)
settings.register_profile(
    "deep", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


def pytest_addoption(parser):
    parser.addoption(
        "--thorough",
        action="store_true",
        help="also run the tests marked as thorough, and try more examples of each property",
    )


def pytest_configure(config):
    """Choose the hypothesis profile, share compiled kernels and restore the signal handlers.

    Test modules read the profile when they are imported, so it is chosen here. All processes of a
    run share one folder for the kernels that g++ compiles. A program that runs in the background or
    under nohup inherits ignored signals, and minidl leaves ignored signals ignored; the tests, and
    the programs that they start, need the default handlers.
    """
    thorough = config.getoption("thorough")
    chosen = config.getoption("hypothesis_profile", None) or os.environ.get("HYPOTHESIS_PROFILE")
    settings.load_profile(chosen or ("thorough" if thorough else "quick"))
    kernels = tempfile.TemporaryDirectory(prefix="kernels_of_")
    # A worker of pytest-xdist inherits the variable, and uses the folder of its parent.
    if os.environ.setdefault("MINIDL_KERNELS", kernels.name) == kernels.name:
        config.add_cleanup(lambda: os.environ.pop("MINIDL_KERNELS"))
    config.add_cleanup(kernels.cleanup)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


def pytest_collection_modifyitems(config, items):
    """Skip tests of the engine if the environment selects the textbook, and deselect the tests
    marked as thorough, unless an option or a test name selects them."""
    if uses_textbook():
        skip = pytest.mark.skip(reason="a test of the engine; MINIDL_TEXTBOOK is set")
        for item in items:
            if item.get_closest_marker("engine") or "engine" in item.path.parts:
                item.add_marker(skip)
    if config.getoption("thorough") or any("::" in argument for argument in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("thorough")]


def pytest_xdist_auto_num_workers(config):
    """Return one process per core. A single test file runs in this process, which starts faster."""
    files = [argument for argument in config.args if Path(argument.split("::")[0]).is_file()]
    return 0 if len(files) == len(config.args) == 1 else min(available(), MOST_PROCESSES)


@pytest.fixture(scope="session")
def minidl_data():
    """Return the folder of weights and pictures that are too large for the repository."""
    folder = os.environ.get("MINIDL_DATA")
    if not folder:
        pytest.skip("MINIDL_DATA is not set; this test needs it: the folder of the large files")
    if not Path(folder).is_dir():
        pytest.fail(f"MINIDL_DATA is {folder}, which is not a folder")
    return Path(folder)


def pytest_terminal_summary(terminalreporter):
    """Report how many checks passed on each array library."""
    passed = terminalreporter.stats.get("passed", [])
    strict, cupy = (
        sum(place in report.keywords for report in passed) for place in ("strict", "cupy")
    )
    numpy = len(passed) - strict - cupy
    reason = why_no_gpu()
    on_gpu = f"{cupy} on a GPU ({reason})" if reason else f"{cupy} on a GPU"
    terminalreporter.write_line(
        f"checks passed: {numpy} on NumPy, {strict} on the strict stand-in for a GPU, {on_gpu}"
    )
