"""`minidl faces evaluate`."""

import os
from pathlib import Path

import pytest

from minidl.cli.faces import evaluate, options
from minidl.data import read_image
from minidl.errors import FileError
from minidl.faces import evaluation
from tests.cli.faces.commands import BOB, EVE, printed, records, refused
from tests.faces.fake import write_portrait


def test_a_folder_is_evaluated_and_its_faults_are_reported(capsys, people):
    write_portrait("people/person-00/0.png")
    write_portrait("people/person-01/0.png", (BOB, 0, 20), (EVE, 0, 10))
    Path("people/person-02/words.png").write_text("no picture")
    os.mkdir("people/nobody")
    [result] = records(capsys, "evaluate", "people", "--threshold", "0.5", code=2)
    assert (result["people"], result["pictures"], result["faces_found"]) == (6, 18, 17)
    assert result["threshold"] == 0.5
    assert result["faceless"] == ["people/person-00/0.png"]
    assert result["several_faces"] == ["people/person-01/0.png"]
    assert result["equal_error_rate"] == 0 and 0 <= result["strangers_accepted"] < 0.05
    lines, errors = printed(capsys, "evaluate", "people", code=2)
    assert lines[0] == "6 people, 18 pictures, a face found in 17"
    assert "pixels alone" in lines[1] and len(lines) == 5
    messages = [
        "people has no pictures in nobody",
        "words.png is no picture",
        "in 1 picture no face was found: person-00/0.png",
        "in 1 picture there are several faces, and the largest is used: person-01/0.png",
    ]
    for error, message in zip(errors, messages, strict=True):
        assert message in error


def test_the_error_rates_are_plotted(capsys, people):
    pytest.importorskip("matplotlib")
    lines, _ = printed(capsys, "evaluate", "people", "--plot", "rates.png")
    assert lines[-1] == "the plot is in rates.png" and len(lines) == 6
    assert read_image("rates.png").std() > 10
    assert len(records(capsys, "evaluate", "people", "--plot", "rates.png")) == 1
    assert "drawings are written as" in refused(capsys, "evaluate", "people", "--plot", "rates.txt")


def test_the_results_are_printed_before_a_plot_that_fails(capsys, people, monkeypatch):
    def fail(*arguments):
        raise FileError("the disk is full; make room")

    pytest.importorskip("matplotlib")
    monkeypatch.setattr(evaluate.faces, "plot_evaluation", fail)
    lines, errors = printed(capsys, "evaluate", "people", "--plot", "rates.png", code=2)
    assert lines[0].startswith("6 people") and errors == ["minidl: the disk is full; make room"]


def test_too_many_pictures_are_refused_before_one_is_read(capsys, people, monkeypatch):
    monkeypatch.setattr(evaluation, "MOST", 17)
    monkeypatch.setattr(options, "FaceReader", None)
    assert "people has 18 pictures; wanted at most 17" in refused(capsys, "evaluate", "people")
