"""`minidl book`: what is built, opened and served, and what is refused."""

import subprocess
import sys

import pytest

from minidl.book.chapters import chapters
from minidl.book.network import shipped_network
from minidl.book.site import build as building
from minidl.book.site import server as serving
from minidl.cli import main
from minidl.extras import ExtraError


@pytest.fixture
def opened(monkeypatch):
    """The addresses that the command opens."""
    addresses = []
    monkeypatch.setattr("minidl.cli.book.open_page", addresses.append)
    return addresses


@pytest.fixture
def built(monkeypatch):
    """The arguments of each build. No page is made."""
    calls = []

    def build(folder, parser, explored, watch):
        folder.mkdir(exist_ok=True)
        (folder / "index.html").write_text("a page")
        watch("a chapter")
        calls.append((folder, explored))
        return folder / "index.html"

    monkeypatch.setattr(building, "build", build)
    return calls


def test_the_book_is_written_and_opened(tmp_path, built, opened, capsys):
    folder = tmp_path / "folder"
    assert main(["book", "-o", str(folder)]) == 0
    assert [call[0] for call in built] == [folder]
    assert opened == [(folder / "index.html").as_uri()]
    assert f"the first page of the book is {folder / 'index.html'}" in capsys.readouterr().out


def test_the_default_folder_is_in_the_current_one(tmp_path, built, opened, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["book", "--no-open"]) == 0
    assert (tmp_path / "minidl-book" / "index.html").exists()
    assert opened == []


def test_another_picture_is_explored(tmp_path, built, opened):
    from minidl.data import shipped_picture

    picture = shipped_picture("rocket")
    assert main(["book", "-o", str(tmp_path / "b"), "--no-open", "--picture", str(picture)]) == 0
    [(_, explored)] = built
    network = shipped_network()
    assert explored["source"] == "from the file rocket.jpg"
    assert explored == network.explored(network.read(picture), explored["source"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--network", "no/such/run"], "no/such/run"),
        (["--picture", "no-such.png"], "no-such.png"),
    ],
)
def test_a_missing_file_is_named(tmp_path, built, words, message, capsys):
    assert main(["book", "--no-open", "-o", str(tmp_path / "book"), *words]) == 2
    assert message in capsys.readouterr().err
    assert built == []


def test_a_folder_that_is_no_book_is_kept(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["book", "--no-open", "-o", str(tmp_path)]) == 2
    assert "exists and is not a book" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_notebooks_are_written_instead(tmp_path, built, capsys):
    assert main(["book", "--notebooks", str(tmp_path / "notebooks")]) == 0
    assert built == []
    count = len(chapters())
    assert len([*(tmp_path / "notebooks").glob("*.ipynb")]) == count
    assert f"wrote {count} notebooks" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--serve"], ["--no-open"], ["-o", "x"], ["--picture", "x"]])
def test_notebooks_are_not_written_with_options_of_pages(tmp_path, words, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["book", "--notebooks", "notebooks", *words]) == 2
    assert f"leave out {words[0]}" in capsys.readouterr().err
    assert [*tmp_path.iterdir()] == []


class Stopped:
    """A server that Ctrl-C ends at once."""

    def serve_forever(self):
        raise KeyboardInterrupt


def test_the_book_is_served_until_ctrl_c(tmp_path, built, opened, monkeypatch, capsys):
    monkeypatch.setattr(serving, "server", lambda folder: (Stopped(), "http://127.0.0.1:1/token/"))
    assert main(["book", "--serve", "-o", str(tmp_path / "book")]) == 0
    assert opened == ["http://127.0.0.1:1/token/"]
    out = capsys.readouterr().out
    assert "http://127.0.0.1:1/token/" in out
    assert "the server has ended" in out


@pytest.mark.parametrize("words", [["--no-open"], ["--serve"], ["--notebooks", "notebooks"]])
def test_a_missing_library_names_the_extra(tmp_path, words, monkeypatch, capsys):
    def need(module, extra, purpose):
        raise ExtraError(f"{purpose} needs {module}, pip install 'minidl[{extra}]'")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minidl.cli.book.need", need)
    assert main(["book", *words]) == 2
    assert "minidl[book]" in capsys.readouterr().err


@pytest.mark.thorough
def test_the_complete_command(tmp_path):
    command = [sys.executable, "-m", "minidl", "book", "--no-open", "-o", "book"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "book" / "index.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
