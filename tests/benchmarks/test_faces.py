"""The benchmark of faces measures, keeps its results, and shows them in RESULTS.md."""

import pytest

from benchmarks import faces, faces_timed, recording
from benchmarks.__main__ import main
from minidl.data import shipped_picture
from minidl.faces import FaceReader
from minidl.faces.identification import THRESHOLD
from tests.faces.fake import FakeReader, write_people

SECONDS = {
    "networks": {"face_detector, 128 pixels, batch 1": 0.01},
    "picture to name": {"photograph, 512x512": 0.2},
    "among": {"100,000 embeddings": 0.009},
    "start": {"`minidl faces identify`": 0.75},
}


@pytest.mark.thorough
def test_everything_is_timed(monkeypatch):
    for name, value in {"ROUNDS": 1, "PEOPLE": 2, "MANY": 30}.items():
        monkeypatch.setattr(faces_timed, name, value)
    times = faces_timed.everything(FaceReader(), shipped_picture("astronaut"))
    assert times.keys() == SECONDS.keys()
    assert all(seconds > 0 for kind in times.values() for seconds in kind.values())
    assert list(times["among"]) == ["2 embeddings", "30 embeddings"] and len(times["networks"]) == 8
    assert {"portrait of ORL, 512x512", "photograph, 4000x3000"} <= times["picture to name"].keys()
    assert len(times["start"]) == 2


def test_the_results_are_kept_and_shown(results, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    write_people(tmp_path / faces.FOLDER, 6, 3)
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path))
    monkeypatch.setattr(faces, "FaceReader", FakeReader)
    monkeypatch.setattr(faces_timed, "everything", lambda reader, portrait: SECONDS)
    assert main(["faces"]) == 0
    kept = recording.kept("faces")
    assert (kept["people"], kept["faces_found"], kept["threshold"]) == (6, 18, THRESHOLD)
    assert kept["seconds"] == SECONDS and len(kept["at_thresholds"]) == len(faces.THRESHOLDS)
    assert (results / recording.kind() / "faces.png").stat().st_size > 5000
    assert "among: 100,000 embeddings" in capsys.readouterr().out
    assert main(["results"]) == 0
    page = (tmp_path / "RESULTS.md").read_text()
    assert "finds 18 faces in the 18 pictures of ORL's 6 people" in page
    assert "| equal error rate of all pairs | 0.00% | " in page
    assert "| the whole process: `minidl faces identify` | 750 ms |" in page
    assert "| photograph, 512x512: from the file to the name among 1,000 people | 200 ms |" in page
    assert "| one face among 100,000 embeddings | 9 ms |" in page and page.count("faces.png") == 1


@pytest.mark.parametrize("words", [["faces"], ["learn", "faces"]])
def test_a_missing_folder_of_orl_is_named(words, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path))
    assert main(words) == 2
    error = capsys.readouterr().err
    assert f"MINIDL_DATA is {tmp_path}, which does not contain orl/orl_faces; set " in error
    monkeypatch.delenv("MINIDL_DATA")
    assert main(words) == 2
    error = capsys.readouterr().err
    assert "MINIDL_DATA is not set; set MINIDL_DATA to a folder that contains orl/orl_fac" in error
