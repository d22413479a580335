"""The pages of the book: links, HTML, completeness, and what refuses to be built."""

import json
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest

from minidl.book.chapters import FOLDER, PARTS, chapters
from minidl.book.exercises import EXERCISES
from minidl.book.figures import NAMES
from minidl.book.network import exploration as exploration_of
from minidl.book.site import build as building
from minidl.book.site import commands, material, reference
from minidl.book.site.build import BookError, build
from minidl.book.site.folder import MARKER, new_folder
from minidl.book.subjects import SUBJECTS
from minidl.cli import program_parser
from minidl.errors import FileError
from minidl.layers import Convolution, Dense, Flatten, ReLU, Sequential
from tests.book.site.conftest import leave_out_what_is_slow
from tests.book.site.pages import Page


@pytest.fixture(scope="session")
def pages(book):
    return {path.name: Page(path) for path in book.glob("*.html")}


def test_every_link_leads_to_a_page_and_a_place_in_it(book, pages):
    for name, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme in ("https", "data", "file"):
                continue
            assert not parts.scheme, (name, link)
            target = parts.path or name
            assert (book / target).exists(), (name, link)
            if parts.fragment:
                assert unquote(parts.fragment) in pages[target].ids, (name, link)


def test_links_to_the_source_lead_to_files(pages):
    links = {link for page in pages.values() for link in page.links if link.startswith("file:")}
    assert len(links) > 50
    for link in links:
        assert Path(unquote(urlsplit(link).path)).is_file()


def test_nothing_is_fetched_from_the_network(book, pages):
    for name, page in pages.items():
        text = (book / name).read_text(encoding="utf-8")
        assert 'src="http' not in text
        assert not [link for link in page.links if link.startswith("//")]
    for style in book.glob("*.css"):
        assert "url(" not in style.read_text(encoding="utf-8")


def test_all_tags_are_closed_and_no_anchor_occurs_twice(pages):
    for name, page in pages.items():
        assert page.unclosed == [], name
        assert len(page.ids) == len({*page.ids}), name


@pytest.mark.thorough
def test_a_browser_reads_the_pages_without_errors(book):
    html5lib = pytest.importorskip("html5lib")
    for name in sorted(path.name for path in book.glob("*.html")):
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        parser.parse((book / name).read_text(encoding="utf-8"))
        assert parser.errors == [], name


def test_every_subject_command_exercise_and_public_name_is_in_the_book(pages):
    ids = {name: {*page.ids} for name, page in pages.items()}
    for chapter in chapters():
        assert {*chapter.subjects} <= ids[f"{chapter.name}.html"]
    assert SUBJECTS.keys() == {name for chapter in chapters() for name in chapter.subjects}
    assert {command.anchor for command in commands.commands(program_parser())} <= ids[
        "commands.html"
    ]
    for exercise in EXERCISES.values():
        assert f"exercise-{exercise.name}" in ids[f"{exercise.chapter}.html"]
    for package, public in reference.packages().items():
        assert {found.anchor for found in public} <= ids[reference.page_of(package)]


def test_every_figure_is_in_a_chapter_and_every_chapter_in_a_part():
    assert {*NAMES} == {name for chapter in chapters() for name in chapter.figures}
    listed = {name for names in PARTS.values() for name in names}
    assert listed == {path.stem for path in FOLDER.glob("*.md")}


def test_search_finds_all_of_this(book):
    text = (book / "search-data.js").read_text(encoding="utf-8")
    entries = json.loads(text.removeprefix("window.SEARCH = ").rstrip(";\n"))
    titles = {entry["title"] for entry in entries}
    wanted = {
        "Convolution", "convolution", "winograd", "minidl stylize", "minidl.losses.style_loss",
        "convolution-dx", "minidl.faces.FaceReader", "windows",
    }  # fmt: skip
    assert wanted <= titles
    for entry in entries:
        assert (book / urlsplit(entry["url"]).path).exists()


def test_every_option_of_a_command_is_described(pages):
    text = pages["commands.html"].text
    for command in commands.commands(program_parser()):
        for action in command.parser._actions:
            if action.help and action.help != "==SUPPRESS==":
                assert all(option in text for option in action.option_strings), command.name


def test_the_text_of_a_docstring_is_in_the_page(pages):
    words = "Positions that no window reads get 0, such as those that the stride leaves over"
    assert words in pages["convolution.html"].text


def test_a_book_without_a_fact_is_not_built(tmp_path, monkeypatch, exploration):
    monkeypatch.setattr(building, "incomplete", lambda: iter(["relu lacks the source."]))
    with pytest.raises(BookError, match="relu lacks the source"):
        build(tmp_path / "book", program_parser(), exploration)
    assert not (tmp_path / "book").exists()


def test_a_book_that_leaves_a_name_out_is_not_built(tmp_path, monkeypatch, exploration):
    monkeypatch.setitem(building.SUBJECTS, "forgotten", SUBJECTS["relu"])
    with pytest.raises(BookError, match="no chapter explains forgotten"):
        build(tmp_path / "book", program_parser(), exploration)


def test_a_chapter_with_a_wrong_example_is_not_built(tmp_path, monkeypatch, exploration):
    first = chapters()[0]
    wrong = first._replace(text=f"{first.text}\n\n>>> 1 + 1\n3\n")
    monkeypatch.setattr(material, "chapters", lambda: [wrong, *chapters()[1:]])
    with pytest.raises(BookError, match=r"shapes has a wrong example: 1 \+ 1 gives 2"):
        build(tmp_path / "book", program_parser(), exploration)
    assert [*tmp_path.iterdir()] == []


def test_a_folder_with_other_files_is_kept(tmp_path, exploration):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileError, match="exists and is not a book"):
        build(tmp_path, program_parser(), exploration)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_the_files_of_a_reader_in_a_book_are_kept(tmp_path, exploration):
    (tmp_path / MARKER).write_text("index.html\n")
    (tmp_path / "index.html").touch()
    (tmp_path / "solution.py").write_text("mine")
    with pytest.raises(FileError, match=r"also holds solution\.py"):
        build(tmp_path, program_parser(), exploration)
    assert (tmp_path / "solution.py").read_text() == "mine"


def test_an_earlier_book_stays_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / MARKER).write_text("index.html\n")
    (folder / "index.html").write_text("old")
    rename = Path.rename

    def fails(path, target):
        if path.name == "new":
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(KeyboardInterrupt), new_folder(folder) as made:
        (made / "index.html").write_text("new")
    assert (folder / "index.html").read_text() == "old"
    assert [*tmp_path.iterdir()] == [folder]


@pytest.mark.parametrize("name", ["x" * 300, "file/book"])
def test_a_folder_that_cannot_be_made_is_refused_at_once(tmp_path, name):
    (tmp_path / "file").touch()
    with pytest.raises(FileError), new_folder(tmp_path / name):
        raise AssertionError("the block runs")


def test_an_earlier_book_is_replaced_as_a_whole(tmp_path, monkeypatch, exploration):
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / MARKER).write_text("old.html\n")
    (folder / "old.html").touch()
    monkeypatch.setattr(building, "_pages", lambda *arguments: iter([]))
    build(folder, program_parser(), exploration)
    assert not (folder / "old.html").exists()
    assert (folder / "book.css").exists()
    assert [*tmp_path.iterdir()] == [folder]


def test_a_network_that_was_made_in_python_can_be_explored(tmp_path, monkeypatch):
    leave_out_what_is_slow(monkeypatch)
    rng = np.random.default_rng(0)
    layers = Convolution.new(rng, (3, 3), 3, 4), ReLU(), Flatten(), Dense.new(rng, 4 * 36, 2)
    picture = rng.uniform(0, 255, (8, 8, 3))
    explored = exploration_of(Sequential(*layers), picture, ["cat", "dog"], mean=127.5, std=63.0)
    first = build(tmp_path / "book", program_parser(), explored)
    assert "cat" in Page(first.parent / "network.html").text


@pytest.mark.thorough
def test_the_complete_book(complete_book):
    text = (complete_book / "convolution.html").read_text(encoding="utf-8")
    assert text.count(">proven<") >= 6
    assert ">wrong<" not in text
    assert 'class="verdict right"' in text
    assert 'class="verdict wrong"' not in text
    for path in complete_book.glob("*.html"):
        assert Page(path).unclosed == [], path.name
