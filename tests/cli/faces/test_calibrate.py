"""`minidl faces calibrate`."""

import os
from pathlib import Path

import pytest

from minidl.faces.calibration import SHIPPED
from minidl.faces.database import Database
from minidl.faces.identification import THRESHOLD
from tests.cli.faces.commands import faces, printed, records, refused
from tests.faces.fake import embedding, write_people


def stored_calibration():
    return Database("people.db", "fake").calibration()


def test_the_threshold_of_a_folder_is_printed(capsys, people, enrolled):
    lines, errors = printed(capsys, "calibrate", "people")
    assert len(lines) == 4 and not errors
    assert lines[0] == f"threshold {THRESHOLD:.3f}: {SHIPPED}"
    assert (
        "0.000% of 135 pairs of different people are accepted, "
        "0.000% of 18 pairs of the same person rejected"
    ) in lines[1]
    assert lines[3].startswith(
        "each person as a stranger to the 5 others: 0.0% of the pictures are accepted as one of "
        "them; 6 people prove only"
    )
    assert "the share of all strangers is at most 39% (with 95% confidence)" in lines[3]
    assert stored_calibration() is None


def test_the_threshold_of_a_folder_is_stored_on_request(capsys, people, enrolled):
    [result] = records(capsys, "calibrate", "people", "--store", "people.db")
    threshold, evidence = stored_calibration()
    assert threshold == result["threshold"] == THRESHOLD and result["stored"] == "people.db"
    assert evidence["different_pairs"] == 135 and evidence["source"] == "people"
    assert evidence["equal_error_rate"] == 0
    last_line = printed(capsys, "list", "people.db")[0][-1]
    assert f"threshold {threshold:.3f}: {evidence['rule']}; false accept 0.0; " in last_line
    assert "source people; stored 20" in last_line
    [result] = records(capsys, "identify", "people.db", "ann1.png")
    assert result["threshold"] == threshold


def test_the_threshold_of_a_database_is_stored_in_it(capsys, enrolled):
    assert faces("enroll", "people.db", "Ann", "ann1.png", "ann2.png") == 0
    [result] = records(capsys, "calibrate", "people.db")
    assert (result["same_pairs"], result["different_pairs"]) == (4, 6)
    assert result["stored"] == "people.db"
    assert stored_calibration()[0] == result["threshold"]


def test_options_choose_another_threshold(capsys, people, enrolled):
    [result] = records(capsys, "calibrate", "people", "--false-accept", "0.01")
    assert result["false_accept"] == pytest.approx(1 / 135)
    assert result["rule"] == "at most 0.01 of different pairs accepted"
    lines, _ = printed(capsys, "calibrate", "people", "--false-accept", "0.001")
    assert lines[-1] == "these pairs are too few for shares below 0.0074: use more people"
    [result] = records(capsys, "calibrate", "people", "--threshold", "0", "--store", "people.db")
    assert (result["threshold"], result["false_accept"], result["false_reject"]) == (0, 0, 1)
    assert stored_calibration()[0] == 0
    assert faces("identify", "people.db", "ann1.png") == 1


def test_sources_that_cannot_be_calibrated(capsys, enrolled):
    write_people(Path("alone"), 1, 3)
    error = refused(capsys, "calibrate", "alone")
    assert "wanted at least two people, one of them with two pictures" in error
    assert "leave --store out" in refused(capsys, "calibrate", "people.db", "--store", "other.db")
    error = refused(capsys, "calibrate", "alone", "--store", "missing.db")
    assert "there is no such database" in error
    error = refused(capsys, "calibrate", "missing")
    assert "there is no such database or folder" in error
    os.mkdir("empty")
    assert "has no subfolders" in refused(capsys, "calibrate", "empty")
    assert stored_calibration() is None


def test_an_unreliable_calibration_is_reported(capsys, enrolled):
    database = Database("people.db", "fake")
    for look in range(4):
        database.enroll("Ann", embedding(look, 0), digest=str(look))
        database.enroll("Bob", embedding(look, 1), digest=str(look))
    [error] = printed(capsys, "calibrate", "people.db")[1]
    assert "people.db hardly tells people apart, with an equal error rate of" in error
    assert "show that person" in error
