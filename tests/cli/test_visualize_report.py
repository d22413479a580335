"""`minidl visualize report` of a tiny network."""

import os
import re
import signal
from pathlib import Path

import numpy as np
import pytest

from minidl.cli import main
from minidl.cli.visualize import report as command
from minidl.data import write_image
from minidl.visualize.drawing.page import Figure, Row, Section
from minidl.visualize.report import CHAPTERS, Settings
from tests.visualize import tiny


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "open_network", lambda source: tiny.two_convolutions())
    monkeypatch.setattr(
        command,
        "Settings",
        lambda seed: Settings(likes=1, inversion=1, octaves=1, steps=1, seed=seed),
    )
    draw("a.png")


def draw(path, height=40, width=48):
    write_image("drawn.png", np.random.default_rng(1).uniform(0, 255, (height, width, 3)))
    os.replace("drawn.png", path)


def report(*arguments):
    return main(["visualize", "report", *map(str, arguments)])


def written(name, *arguments):
    """Make a report, and return the page without its footer, which contains the command."""
    assert report(*arguments, "-o", name) == 0
    return Path(name).read_text(encoding="utf-8").split("<footer>")[0]


def test_a_page_of_all_chapters_and_the_same_bytes_twice(capsys):
    first, again = written("1.html", "a.png"), written("2.html", "a.png")
    other = written("3.htm", "a.png", "--seed", 1)
    assert first == again != other
    assert first.count("<section ") == 1 + len(CHAPTERS)
    assert "48x40, as the network saw it." in first
    assert "the page is 1.html" in capsys.readouterr().out


@pytest.mark.parametrize(("height", "width"), [(20, 200), (200, 20), (3, 90)])
def test_a_long_picture(height, width):
    draw("long.png", height, width)
    assert "<section " in written("long.html", "long.png", "--size", 100)


@pytest.mark.parametrize(
    ("name", "title"),
    [
        (b"bad\xff.png", "bad\\udcff.png"),
        (b"<b>&.png", "&lt;b&gt;&amp;.png"),
        ("ä \n語.png".encode(), "ä \n語.png"),
    ],
)
def test_special_characters_in_names(name, title):
    draw(os.fsdecode(name))
    assert f"<h1>Inside a network: {title}</h1>" in written("page.html", os.fsdecode(name))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a.png", "-o", "a.pdf"), "pages are written as .html or .htm"),
        (("a.png", "--size", 31), "--size is 31"),
        (("a.png", "--seed", -1), "--seed is -1"),
        (("none.png",), "there is no such picture"),
        (("a.npy",), "holds an array (30, 2); wanted a picture (H, W, 3)"),
        (("line.png",), "the picture is 40x1"),
        (("a.html", "-o", "a.html"), "would overwrite it"),
    ],
)
def test_errors_are_one_sentence_and_nothing_is_written(capsys, arguments, message):
    np.save("a.npy", np.ones((30, 2), np.float32))
    draw("line.png", 1, 40)
    Path("a.html").touch()
    before = sorted(os.listdir())
    assert report(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("minidl: ") and error.count("\n") == 1
    assert sorted(os.listdir()) == before


def test_the_classes_stand_first(monkeypatch, capsys):
    monkeypatch.setattr(command, "open_network", lambda source: tiny.classifier(40, ("dim", "b")))
    text = written("page.html", "a.png")
    out = capsys.readouterr().out
    assert out.startswith("b: ") and out.count("probability") == 2
    assert text.index("The verdict") < text.index("Saliency")
    assert "that b depends on" in text
    assert "that dim depends on" in written("page.html", "a.png", "--class", "0")
    assert "that dim depends on" in written("page.html", "a.png", "--unit", "dim")


def test_layers_are_chosen():
    text = written("page.html", "a.png", "--layers", "near,far")
    assert "<h3>far · " in text and "far_relu · " not in text


def test_chapters_are_chosen(capsys):
    text = written("page.html", "a.png", "--chapters", "maps", "saliency")
    titles = re.findall("<h2>(.*?)</h2>", text)
    assert titles == ["The picture", "Saliency", "Activation maps"]
    with pytest.raises(SystemExit):
        report("a.png", "--chapters", "map")
    assert "did you mean 'maps'?" in capsys.readouterr().err


def test_one_unit_is_explained(capsys):
    assert report("a.png", "--units", "far:1,2") == 2
    assert "found 2 units; a report explains one" in capsys.readouterr().err


def test_long_work_is_refused_and_begins_with_the_option(monkeypatch, capsys):
    monkeypatch.setattr("minidl.cli.visualize.effort.LIMIT", 0)
    assert report("a.png") == 2
    error = capsys.readouterr().err
    assert "a report on 48x40 will take about 0 s; take a smaller --size" in error
    assert report("a.png", "--long") == 0


def test_ctrl_c_keeps_the_chapters_so_far(monkeypatch, capsys):
    def stopping(subject):
        os.kill(os.getpid(), signal.SIGINT)
        return Section("Stopped", "", [Row([Figure(subject.example, "so far")])])

    stopping.__name__ = "stopping"
    monkeypatch.setattr(command, "CHAPTERS", (CHAPTERS[0], stopping, *CHAPTERS[2:]))
    options = ["--chapters", "saliency,channels,maps"]
    assert report("a.png", "-o", "page.html", *options) == 130
    text = Path("page.html").read_text(encoding="utf-8")
    assert text.count("<section ") == 3 and "</html>" in text and "so far" in text
    assert "The computation was stopped before the end." in text
    assert "in chapter 3 of 4; the page is page.html" in capsys.readouterr().out


def test_ctrl_c_before_the_first_chapter_writes_nothing(monkeypatch, capsys):
    def interrupted(*arguments):
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(command, "value", interrupted)
    assert report("a.png", "-o", "page.html") == 130
    assert not os.path.exists("page.html") and "stopped" in capsys.readouterr().err
