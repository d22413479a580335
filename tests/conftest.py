"""How hard the tests search (hypothesis profiles), and where large data lie.

pytest                                  profile ci: the same modest number of examples each time
pytest --hypothesis-profile=dev         other examples each time
pytest --hypothesis-profile=deep        thousands of them; HYPOTHESIS_PROFILE=deep does the same
"""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from minidl.backend import why_no_gpu

settings.register_profile("ci", max_examples=40, deadline=None, derandomize=True, print_blob=True, database=None)
settings.register_profile("dev", max_examples=200, deadline=None)
settings.register_profile("deep", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_configure():
    """Signals as at a terminal, here and in the programs that tests start: whoever runs the tests in the background, or under
    nohup, has some of them ignored, and minidl leaves ignored ones alone."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.fixture(scope="session")
def minidl_data():
    """The folder of weights and pictures that are too large for the repository."""
    folder = os.environ.get("MINIDL_DATA")
    if not folder:
        pytest.skip("MINIDL_DATA is not set: it names the folder of the large files that this test reads")
    if not Path(folder).is_dir():
        pytest.fail(f"MINIDL_DATA is {folder}, which is not a folder")
    return Path(folder)


def pytest_terminal_summary(terminalreporter):
    """How many checks ran where."""
    passed = terminalreporter.stats.get("passed", [])
    strict, cupy = (sum(place in report.keywords for report in passed) for place in ("strict", "cupy"))
    reason = why_no_gpu()
    told = f" ({reason})" if reason else ""
    where = f"{len(passed) - strict - cupy} on NumPy, {strict} on the strict stand-in for a GPU, {cupy} on a GPU{told}"
    terminalreporter.write_line(f"checks passed: {where}")
