"""Fixtures of the tests of the benchmarks."""

import time

import pytest

from benchmarks import recording, stylize, twins
from tests.strict import HAS_COMPILER, needed, standing_in


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """An empty folder that replaces benchmarks/results. RESULTS.md is written next to it."""
    folder = tmp_path / "results"
    folder.mkdir()
    monkeypatch.setattr(recording, "RESULTS", folder)
    monkeypatch.setattr(stylize.shutil, "which", lambda name: None)
    return folder


@pytest.fixture
def gpu():
    """The stand-in for CuPy."""
    needed(HAS_COMPILER, "g++")
    with standing_in() as cupy:
        yield cupy


@pytest.fixture
def gpu_of_pytorch(monkeypatch):
    """PyTorch, which uses the CPU in place of a GPU."""
    torch = pytest.importorskip("torch")
    monkeypatch.setitem(twins.PLACES, "gpu", "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "Event", Event)
    memory = {
        "reset_peak_memory_stats": None,
        "memory_reserved": 10**6,
        "max_memory_reserved": 9 * 10**6,
    }
    for name, value in memory.items():
        monkeypatch.setattr(torch.cuda, name, lambda value=value: value)
    return torch


class Event:
    def __init__(self, enable_timing=False):
        assert enable_timing

    def record(self):
        self.time = time.perf_counter()

    def synchronize(self):
        pass

    def elapsed_time(self, ended):
        return 1e3 * (ended.time - self.time)
