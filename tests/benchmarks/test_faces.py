"""Faces are measured, timed, kept and told of in the README."""

import pytest

from benchmarks import faces, faces_timed, readme, recording
from benchmarks.__main__ import main
from minidl.data import shipped_picture
from minidl.faces import FaceReader
from minidl.faces.identification import THRESHOLD
from tests.faces.fake import FakeReader, write_people

TIMED = {
    "networks": {"face_detector, 128 pixels, batch 1": 0.01}, "picture to name": {"photograph, 512x512": 0.2},
    "among": {"100,000 embeddings": 0.009}, "start": {"`minidl faces identify`": 0.75},
}  # fmt: skip


@pytest.fixture(autouse=True)
def results(tmp_path, monkeypatch):
    """A folder in the place of benchmarks/results."""
    folder = tmp_path / "results"
    folder.mkdir()
    for module in (recording, readme):
        monkeypatch.setattr(module, "RESULTS", folder)
    return folder


@pytest.mark.thorough
def test_everything_is_timed(monkeypatch):
    for name, few in {"ROUNDS": 1, "PEOPLE": 2, "MANY": 30}.items():
        monkeypatch.setattr(faces_timed, name, few)
    found = faces_timed.everything(FaceReader(), shipped_picture("astronaut"))
    assert found.keys() == TIMED.keys() and all(
        seconds > 0 for part in found.values() for seconds in part.values()
    )
    assert list(found["among"]) == ["2 embeddings", "30 embeddings"] and len(found["networks"]) == 8
    assert {"portrait of ORL, 512x512", "photograph, 4000x3000"} <= found["picture to name"].keys()
    assert len(found["start"]) == 2


def test_what_is_kept_and_told(results, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    write_people(tmp_path / faces.FOLDER, 6, 3)
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path))
    monkeypatch.setattr(faces, "FaceReader", FakeReader)
    monkeypatch.setattr(faces_timed, "everything", lambda reader, portrait: TIMED)
    assert main(["faces"]) == 0
    kept = recording.kept("faces")
    assert (kept["people"], kept["faces_found"], kept["threshold"], kept["seconds"]) == (
        6,
        18,
        THRESHOLD,
        TIMED,
    )
    assert len(kept["at_thresholds"]) == len(faces.THRESHOLDS)
    assert (results / recording.kind() / "faces.png").stat().st_size > 5000
    assert "among: 100,000 embeddings" in capsys.readouterr().out
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text("<!-- results: here -->\n<!-- end of results -->\n")
    assert main(["readme"]) == 0
    text = readme.README.read_text()
    assert (
        "18 found in 18 pictures of ORL's 6 people" in text
        and "| equal error rate of all pairs | 0.00% | " in text
    )
    assert "| the whole process: `minidl faces identify` | 750 ms |" in text
    assert "| photograph, 512x512: from the file to the name among 1,000 people | 200 ms |" in text
    assert "| one face among 100,000 embeddings | 9 ms |" in text and text.count("faces.png") == 1


def test_without_orl_it_says_what_is_missing(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path))
    for words in (["faces"], ["learn", "faces"]):
        assert main(words) == 2
        assert (
            "name a folder that holds orl/orl_faces in the variable MINIDL_DATA"
            in capsys.readouterr().err
        )
