"""`minidl faces --network RUN`, with a fake network and with one that the test trains."""

import os
import shutil

import pytest

from minidl.cli import main
from minidl.data import shipped_picture
from minidl.faces.database import Database
from tests.cli.faces.commands import faces, printed, records, refused
from tests.faces.fake import embedding


def test_a_database_remembers_its_network(capsys, new_folder):
    assert faces("enroll", "own.db", "Ann", "ann0.png", "--network", "run") == 0
    [result] = records(capsys, "identify", "own.db", "ann1.png", "--network", "run")
    assert result["threshold"] == 0.9  # that of the run
    last = printed(capsys, "list", "own.db")[0][-1]
    assert last.startswith("1 person, threshold 0.900: the one of the network run")
    error = refused(capsys, "identify", "own.db", "ann1.png")
    assert "(fake run of run; this one is fake), which cannot be compared; use --network" in error
    error = refused(capsys, "enroll", "own.db", "Ann", "ann1.png", "--network", "other")
    assert "use --network run, or enroll the pictures anew" in error
    error = refused(capsys, "calibrate", "own.db")
    assert "use --network run" in error


def test_the_threshold_of_the_run_is_used(capsys, people):
    [result] = records(capsys, "compare", "ann0.png", "ann1.png", "--network", "run")
    assert result["threshold"] == 0.9
    [result] = records(
        capsys, "compare", "ann0.png", "ann1.png", "--network", "run", "--threshold", "0.2", code=1
    )
    assert result["threshold"] == 0.2
    [result] = records(capsys, "evaluate", "people", "--network", "run")
    assert result["threshold"] == 0.9


def test_a_threshold_of_equal_error_rates_is_calibrated(capsys, people):
    assert faces("enroll", "own.db", "people", "--network", "run") == 0
    lines, _ = printed(capsys, "calibrate", "own.db", "--network", "run")
    threshold, evidence = Database("own.db", "fake run").calibration()
    assert evidence["rule"] == "equal error rates" and 0.3 < threshold < 0.9
    assert lines[0] == f"threshold {threshold:.3f}: equal error rates (that of the run is 0.9)"


def test_lookalikes_are_judged_by_the_threshold_of_the_run(capsys, new_folder):
    Database("own.db", "fake run", create=True, network="run").enroll("Eve", embedding(0, 9) * 2)
    Database("own.db", "fake run").calibrate(0.9, {})
    _, errors = printed(capsys, "enroll", "own.db", "Ann", "ann0.png", "--network", "run")
    assert "than the threshold of 0.900" in errors[0]


@pytest.mark.thorough
def test_a_trained_network_is_used_in_every_command(capsys, real_reader, minidl_data):
    """A network on top of the shipped one, trained on a few people of ORL."""
    for person in range(1, 6):
        os.makedirs(f"orl/s{person}")
        for number in (1, 2, 5):
            source = minidl_data / f"orl/orl_faces/s{person}/{number}.pgm"
            shutil.copy(source, f"orl/s{person}")
    options = ["--hold-out", "2", "--people", "3", "--pictures", "3", "--epochs", "1"]
    train = ["train", "faces", "orl", "--on-top", "yes", *options, "--folder", "run", "-q"]
    assert main(train) == 0
    network = ["--network", "run"]
    assert faces("enroll", "own.db", "s1", "orl/s1/1.pgm", *network) == 0
    assert faces("identify", "own.db", "orl/s1/2.pgm", *network) == 0
    assert faces("identify", "own.db", shipped_picture("astronaut"), *network) == 1
    [rates] = records(capsys, "evaluate", "orl", *network)
    assert rates["equal_error_rate"] < 0.03
    assert faces("compare", "orl/s1/1.pgm", "orl/s1/5.pgm", *network) == 0
    assert faces("calibrate", "orl", *network) == 0
