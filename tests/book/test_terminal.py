"""The commands in the chapters run, and print what stands below them."""

import doctest
import os
import shlex
import subprocess
import sys
import sysconfig

import pytest

from minidl.book.chapters import chapters
from minidl.book.writing.blocks import Terminal, blocks
from tests.book.readers_files import FILES, LONG

CHAPTERS = [
    pytest.param(chapter, marks=[pytest.mark.thorough] * (chapter.name in LONG), id=chapter.name)
    for chapter in chapters()
    if any(isinstance(block, Terminal) for block in chapter.blocks)
]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def runs(found):
    """Yield (command, what it prints) of the terminals among the blocks."""
    for block in found:
        if isinstance(block, Terminal):
            for part in block.text.removeprefix("$ ").split("\n$ "):
                command, _, output = part.partition("\n")
                yield command, output


def must_print(command, output, folder):
    """Run a command in a folder, and compare what it prints, without its progress on the standard
    error. Commands of pip are not run: the tests run in an installation."""
    if command.startswith("pip install"):
        command = command.partition("&&")[2].strip() or "true"
    scripts = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    cache = str(folder / ".cache")
    environment = os.environ | {"PATH": scripts, "COLUMNS": "100", "XDG_CACHE_HOME": cache}
    result = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, text=True, timeout=300,
        capture_output=True,
    )  # fmt: skip
    assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    is_as_written = doctest.OutputChecker().check_output(output or "...", result.stdout, FLAGS)
    assert is_as_written, f"{command}\nprints\n{result.stdout}\nthe chapter has\n{output}"


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_command_prints_what_the_chapter_says(chapter, tmp_path):
    FILES.get(chapter.name, lambda folder: None)(tmp_path)
    for command, output in runs(chapter.blocks):
        must_print(command, output, tmp_path)


def python(code):
    return f"{shlex.quote(sys.executable)} -c {shlex.quote(code)}"


def test_a_wrong_output_is_reported(tmp_path):
    with pytest.raises(AssertionError, match="the chapter has"):
        must_print(python("print(3)"), "2", tmp_path)


def test_a_command_that_fails_is_reported(tmp_path):
    with pytest.raises(AssertionError):
        must_print(python("raise SystemExit(2)"), "", tmp_path)


def test_the_runs_of_a_terminal():
    text = "Write\n\n$ one\n$ two\nits line\nanother\n"
    assert [*runs(blocks(text))] == [("one", ""), ("two", "its line\nanother")]
