"""`minidl exercise` lists the exercises, writes their files, and checks them."""

import pytest

from minidl.book.exercises import EXERCISES
from minidl.cli import main


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_list_is_grouped_by_chapter(capsys):
    assert main(["exercise"]) == 0
    *lines, _, last = capsys.readouterr().out.splitlines()
    assert last.startswith("`minidl exercise NAME` writes a file")
    assert lines[0] == "Arrays and shapes"
    names = [line.split()[0] for line in lines if line.startswith("  ")]
    assert names == [*EXERCISES]
    place = lines.index("Convolution")
    assert lines[place + 1].split()[0] == "convolution-1d"


def test_a_file_is_written_filled_in_and_checked(tmp_path, capsys):
    assert main(["exercise", "softmax-dx"]) == 0
    assert "minidl exercise softmax-dx softmax-dx.py" in capsys.readouterr().out
    path = tmp_path / "softmax-dx.py"
    assert main(["exercise", "softmax-dx", "softmax-dx.py"]) == 1
    assert "not filled in yet: line" in capsys.readouterr().out
    body = "return y * (dy - (dy * y).sum(axis=1, keepdims=True))"
    path.write_text(path.read_text().replace("raise NotImplementedError", body))
    assert main(["exercise", "softmax-dx", "softmax-dx.py"]) == 0
    assert capsys.readouterr().out.startswith("softmax-dx is right for 4 cases")
    path.write_text(path.read_text().replace(", keepdims=True", ""))
    assert main(["exercise", "softmax-dx", "softmax-dx.py"]) == 1
    assert "softmax-dx is wrong." in capsys.readouterr().out


def test_another_file_is_named_in_its_text(tmp_path):
    assert main(["exercise", "softmax-dx", "-o", "my file.py"]) == 0
    assert "minidl exercise softmax-dx 'my file.py'" in (tmp_path / "my file.py").read_text()


def test_a_file_is_never_overwritten(tmp_path, capsys):
    (tmp_path / "softmax-dx.py").write_text("mine")
    assert main(["exercise", "softmax-dx"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minidl: softmax-dx.py exists already; check it with") and "-o" in error
    assert (tmp_path / "softmax-dx.py").read_text() == "mine"


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["softmx-dx"], "did you mean 'softmax-dx'?"),
        (["q"], "`minidl exercise` lists all exercises"),
        (["softmax-dx", "nowhere.py"], "nowhere.py: there is no such file"),
        (["softmax-dx", "."], "is not a file"),
        (["softmax-dx", "empty.py"], "empty.py does not define softmax_dx"),
        (["softmax-dx", "binary.py"], "binary.py is not a text in UTF-8"),
        (["softmax-dx", "large.py"], "large.py has more than"),
        (["softmax-dx", "empty.py", "-o", "other.py"], "wanted one of them"),
        (["softmax-dx", "-o", "no/folder.py"], "there is no folder no"),
        (["softmax-dx", "empty.py", "--seconds", "0"], "wanted a number above 0"),
        (["softmax-dx", "empty.py", "--seconds", "nan"], "wanted a number above 0"),
        (["-o", "other.py"], "found no NAME"),
    ],
)
def test_errors_are_one_sentence_with_exit_code_2(tmp_path, capsys, arguments, words):
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")
    (tmp_path / "large.py").write_bytes(b"#" * 2**21)
    assert main(["exercise", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("minidl: ") and words in error
    assert error.count("\n") == 1


def test_the_limit_of_time_is_an_option(tmp_path, capsys):
    (tmp_path / "loop.py").write_text("def softmax_dx(dy, y):\n    while True: pass\n")
    assert main(["exercise", "softmax-dx", "loop.py", "--seconds", "0.3"]) == 1
    assert "still running after 0.3 seconds" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["0", "-1", "inf", "nan", "1e300"])
def test_a_limit_of_time_that_is_none_is_refused(tmp_path, seconds, capsys):
    (tmp_path / "solution.py").write_text("")
    words = ["exercise", "unroll", str(tmp_path / "solution.py"), "--seconds", seconds]
    assert main(words) == 2
    assert "--seconds is" in capsys.readouterr().err
