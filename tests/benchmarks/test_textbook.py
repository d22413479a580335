"""The comparison of the textbook with the engine."""

from functools import partial

import pytest

from benchmarks import __main__, recording, report, stylize, textbook, train
from benchmarks.turns import median_seconds


@pytest.mark.thorough
def test_both_are_measured_and_reported(monkeypatch, capsys):
    for work in (stylize, train):
        monkeypatch.setattr(work, "cases", partial(lambda cases, quick: cases(True), work.cases))
    monkeypatch.setattr(textbook, "median_seconds", partial(median_seconds, quick=True))
    assert __main__.main(["textbook"]) == 0
    [kind] = recording.kinds()
    steps = recording.kept("textbook", kind)["steps"]
    assert len(steps) == len(capsys.readouterr().out.splitlines()) - 1 == 3
    assert all(step["engine"] > 0 and step["textbook"] > 0 for step in steps)
    assert "### The textbook and the engine" in report.page()
