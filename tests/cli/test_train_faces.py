"""`minidl train faces` on drawings of people, from scratch and on embeddings of a reader."""

import csv
import json

import numpy as np
import pytest

from minidl.cli import main, train, training_results
from minidl.cli.train import read_people
from minidl.data import read_image, write_image
from minidl.faces import FaceReader
from minidl.faces.framing import Framing
from minidl.recipes import faces
from tests.faces.fake import FakeReader, write_portrait
from tests.faces.fake import write_people as write_portraits
from tests.recipes.people import write_people

FEW = ["--hold-out", "2", "--people", "3", "--pictures", "2", "--epochs", "1", "--seed", "1"]


@pytest.fixture(autouse=True)
def framing(monkeypatch):
    """Replace the search for faces in the drawings, which takes seconds."""
    asked = []

    def framing_of(files, reader):
        asked.append(files)
        return Framing(0.5, 0.6, 0.9, 0.8)

    monkeypatch.setattr(training_results, "framing_of", framing_of)
    return asked


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    return write_people(tmp_path_factory.mktemp("people"), 6, 3)


@pytest.fixture
def portraits(tmp_path, monkeypatch):
    """Write portraits whose embeddings a FakeReader decodes."""
    monkeypatch.setattr(train, "FaceReader", FakeReader)
    write_portraits(tmp_path / "portraits", 5, 3)
    return tmp_path / "portraits"


def command(folder, run, *more):
    return ["train", "faces", str(folder), "--folder", str(run), *FEW, *map(str, more)]


def result(run):
    return json.loads((run / "result.json").read_text())


def refused(capsys, *words):
    assert main(list(words)) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_triplets_from_scratch(drawn, tmp_path, capsys):
    run = tmp_path / "run"
    assert main(command(drawn, run)) == 0
    out = capsys.readouterr().out
    assert "on people that are held out: equal error rate" in out
    assert "pixels equal error rate" in out
    assert "(losses to compare with: one distance for all: 0.2000)" in out
    found = result(run)
    assert set(found["test"]) == {
        "equal_error_rate",
        "one_shot",
        "pixels_equal_error_rate",
        "pixels_one_shot",
    }
    assert found["settings"]["head"] == "triplet" and found["settings"]["examples"] == [12, 6]
    with (run / "log.csv").open(newline="") as file:
        [row] = csv.DictReader(file)
    assert {
        "active",
        "near",
        "far",
        "all_triplets_loss",
        "spread",
        "empty_batches",
        "validation_one_shot",
    } <= row.keys()
    assert float(row["validation_equal_error_rate"]) == found["test"]["equal_error_rate"]


def test_the_result_says_what_other_commands_need_to_know(drawn, tmp_path, framing):
    assert main(command(drawn, tmp_path / "run")) == 0
    known = result(tmp_path / "run")["faces"]
    assert known["framing"] == [0.5, 0.6, 0.9, 0.8] and 0 < known["threshold"] < 2
    [files] = framing
    assert len(files) == 18 and files[0] == drawn / "p1" / "1.png"
    network = FaceReader(tmp_path / "run")
    assert (network.threshold, network.numbers) == (known["threshold"], 128)


@pytest.mark.parametrize("head", ["absolute", "chi-square"])
def test_pairs_with_a_head(head, drawn, tmp_path, capsys):
    assert main(command(drawn, tmp_path / "run", "--head", head, "--hold-out", "p1,p4")) == 0
    assert "losses to compare with: one logit for all pairs: 0.6931" in capsys.readouterr().out
    found = result(tmp_path / "run")
    assert found["settings"]["hold_out"] == "p1,p4" and 0 <= found["test"]["one_shot"] <= 1
    assert found["faces"]["threshold"] is None  # a head compares no distances


@pytest.mark.parametrize("head", ["triplet", "chi-square"])
def test_on_top_of_the_shipped_network(head, portraits, tmp_path, capsys):
    write_portrait(portraits / "person-01" / "9.png")
    options = ["--on-top", "yes", "--head", head, "--learning-rate", "1e-4"]
    assert main(command(portraits, tmp_path / "run", *options)) == 0
    out, err = capsys.readouterr()
    assert "in 1 picture no face was found: person-01/9.png" in err
    found = result(tmp_path / "run")
    assert found["settings"]["examples"] == [9, 6] and found["settings"]["example"] == [128]
    assert found["test"]["one_shot"] == found["test"]["vectors_one_shot"] == 1
    assert found["faces"]["framing"] is None
    assert found["test"]["pixels_one_shot"] < 1
    assert "vectors equal error rate" in out
    network = faces.trained(tmp_path / "run" / "checkpoint.h5").embedding
    assert network.layers["embedding"].kernel.shape[0] == 128


def test_pictures_are_grey_and_of_one_size(drawn, tmp_path):
    people = read_people(drawn, on_top=False)
    assert people.pictures.shape == (18, *faces.SIZE, 1)
    assert people.names == [f"p{number}" for number in range(1, 7)]
    first_of_second_person = people.pictures[(people.labels == 1).argmax(), ..., 0]
    grey = read_image(drawn / "p2" / "1.png").mean(axis=2)
    np.testing.assert_allclose(first_of_second_person, grey, atol=1)
    for person in ("a", "b"):
        (tmp_path / person).mkdir()
        write_image(tmp_path / person / "1.png", np.full((30, 200, 3), 100))
    assert read_people(tmp_path, on_top=False).pictures.shape == (2, *faces.SIZE, 1)


@pytest.mark.parametrize("on_top", [True, False])
def test_files_that_are_not_pictures_are_reported_and_left_out(on_top, portraits, capsys):
    before = read_people(portraits, on_top)
    (portraits / "person-01" / "Thumbs.db").write_text("no picture")
    (portraits / "nobody").mkdir()
    after = read_people(portraits, on_top)
    assert after.names == before.names and after.labels.tolist() == before.labels.tolist()
    np.testing.assert_array_equal(after.examples, before.examples)
    pictures = read_people(portraits, not on_top).pictures
    np.testing.assert_allclose(after.pictures, pictures, rtol=1e-5)
    about_folder, about_file = capsys.readouterr().err.splitlines()[:2]
    assert "has no pictures in nobody" in about_folder
    assert "Thumbs.db is no picture" in about_file


def test_a_resumed_run_keeps_its_settings_and_its_people(drawn, tmp_path, capsys):
    run, files = tmp_path / "run", ["train", "faces", str(drawn), "--folder", str(tmp_path / "run")]
    assert main(command(drawn, run, "--triplets", "all,0.5:batch-hard", "--margin", "0.5")) == 0
    settings = result(run)["settings"]
    assert (settings["triplets"], settings["margin"], settings["preset"]) == (
        "all,0.5:batch-hard",
        0.5,
        "original",
    )
    (run / "result.json").unlink()
    assert main([*files, "--resume", "--quiet"]) == 0
    assert result(run)["settings"] == settings
    capsys.readouterr()
    assert "is of a run with --margin 0.5" in refused(capsys, *files, "--resume", "--margin", "0.3")
    others = write_people(tmp_path / "others", 7, 3)
    assert "was trained with other settings (digest_of_pictures, examples, names)" in refused(
        capsys, "train", "faces", str(others), "--folder", str(run), "--resume"
    )
    similar = write_people(tmp_path / "similar", 6, 3)
    changed = similar / "p1" / "1.png"
    write_image(changed, 255 - read_image(changed))
    assert "was trained with other settings (digest_of_pictures)" in refused(
        capsys, "train", "faces", str(similar), "--folder", str(run), "--resume"
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--hold-out", "p9"], "there is nobody named p9 to hold out"),
        (
            ["--hold-out", "5"],
            "1 people are left to train on and 5 to test on; to train on, wanted at least two",
        ),
        (["--hold-out", "9" * 5000], "there is nobody named 9999"),
        (["--margin", "nan"], "--margin is nan; wanted a finite number"),
        (["--clip", "nan"], "--clip is nan; wanted a finite number"),
        (["--learning-rate", "inf"], "--learning-rate is inf; wanted a finite number"),
        (["--triplets", "hardest"], "hardest"),
        (["--triplets", "all,2:batch-hard"], "wanted rising ones, below 1"),
        (["--margin", "-1"], "margin is -1.0; wanted a number of at least 0"),
        (["--people", "1"], "--people is 1; wanted at least 2"),
        (["--keep", "0"], "dropout keeps a share of 0.0"),
        (
            ["--head", "absolute", "--margin", "0.3"],
            "--margin would change nothing with --head absolute; leave it out",
        ),
        (
            ["--on-top", "yes", "--dimensions", "9", "--keep", "0.5"],
            "--dimensions, --keep would change nothing with --on-top yes",
        ),
    ],
)
def test_invalid_options_are_refused(more, message, drawn, tmp_path, capsys):
    assert message in refused(capsys, *command(drawn, tmp_path / "run", *more))
    assert not (tmp_path / "run" / "checkpoint.h5").exists()


def test_invalid_folders_of_people(tmp_path, capsys):
    assert "is no folder; name the folder that has a subfolder" in refused(
        capsys, *command(tmp_path / "x", tmp_path / "run")
    )
    for person in ("a", "b", "c", "d"):
        (tmp_path / "bad" / person).mkdir(parents=True)
        (tmp_path / "bad" / person / "1.png").write_text("no picture")
    assert "4 files that cannot be read as pictures" in refused(
        capsys, *command(tmp_path / "bad", tmp_path / "run")
    )
