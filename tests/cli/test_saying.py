"""What is said reaches whoever listens, without what a terminal would obey; and nothing ends where
nobody does."""

import os
import sys

from minidl.cli import info, main
from minidl.cli.saying import Unheard, say


def test_escape_codes_do_not_reach_the_terminal(capsys):
    say("runs/\x1b[31mred\n")
    assert capsys.readouterr().out == "runs/?[31mred?\n"


def test_to_write_goes_on_where_nobody_reads():
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", buffering=1) as pipe:
        stream = Unheard(pipe)
        stream.write("heard\n")
        assert os.read(reading, 100) == b"heard\n" and not stream.isatty()
        os.close(reading)
        for _ in range(3):
            stream.write("unheard\n")
            stream.flush()


def test_a_command_whose_reader_is_gone_has_not_done_its_work(monkeypatch, tmp_path):
    def gone(arguments):
        raise BrokenPipeError

    monkeypatch.setattr(info, "run", gone)
    with open(tmp_path / "out", "w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["info"]) == 141


def test_without_a_stderr_commands_run(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["info"]) == 0
