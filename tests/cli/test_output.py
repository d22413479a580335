"""Messages contain no control characters, and a closed terminal does not end a command."""

import os
import sys

from minidl.cli import info, main
from minidl.cli.output import TolerantStream, say


def test_control_characters_are_replaced(capsys):
    say("runs/\x1b[31mred\n")
    assert capsys.readouterr().out == "runs/?[31mred?\n"


def test_a_stream_without_a_reader_accepts_text():
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", buffering=1) as pipe:
        stream = TolerantStream(pipe)
        stream.write("first\n")
        assert os.read(reading, 100) == b"first\n" and not stream.isatty()
        os.close(reading)
        for _ in range(3):
            stream.write("second\n")
            stream.flush()


def test_a_command_without_a_reader_of_its_output_gives_exit_code_141(monkeypatch, tmp_path):
    def fail(arguments):
        raise BrokenPipeError

    monkeypatch.setattr(info, "run", fail)
    with open(tmp_path / "out", "w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert main(["info"]) == 141


def test_commands_run_without_a_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert main(["info"]) == 0
