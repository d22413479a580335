"""Ctrl-C while the command starts prints one line and gives exit code 130. Programs that import
minidl keep their handlers."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from minidl import cli, interruption

# The interpreter imports this file first. The process then sends itself SIGINT when it searches for
# the module in the environment variable AT.
SITE = """
import os, signal, sys

class Interrupting:
    def find_spec(name, path=None, target=None):
        if name == os.environ["AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting)
"""
SCRIPT = "import sys\nfrom minidl.cli import main\nsys.exit(main())\n"  # the script of pip


def interrupted(tmp_path, at, *start):
    (tmp_path / "sitecustomize.py").write_text(SITE)
    root = Path(interruption.__file__).parents[1]
    folders = [str(tmp_path), str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    path = os.pathsep.join(folders)
    environment = {**os.environ, "AT": at, "PYTHONPATH": path}
    return subprocess.run(
        [sys.executable, *start],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("at", ["numpy", "minidl.style_transfer", "minidl.cli.parser"])
@pytest.mark.parametrize("start", [["-m", "minidl"], ["minidl"]])
def test_ctrl_c_during_the_imports_prints_one_line(at, start, tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "minidl").write_text(SCRIPT)
    words = start if start[0] == "-m" else [str(tmp_path / "bin" / "minidl")]
    found = interrupted(tmp_path, at, *words, "info")
    assert (found.returncode, found.stderr, found.stdout) == (130, "minidl: stopped\n", "")


def test_other_programs_get_a_keyboard_interrupt(tmp_path):
    program = "try:\n    import minidl\nexcept KeyboardInterrupt:\n    print('caught')\n"
    found = interrupted(tmp_path, "minidl.backend", "-c", program)
    assert (found.returncode, found.stdout) == (0, "caught\n")


def test_another_handler_is_kept(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/minidl"])
    before = signal.getsignal(signal.SIGINT)
    try:
        for handler in (signal.SIG_IGN, signal.SIG_DFL, lambda number, frame: None):
            signal.signal(signal.SIGINT, handler)
            interruption.quit_at_ctrl_c()
            assert signal.getsignal(signal.SIGINT) == handler
        signal.signal(signal.SIGINT, signal.default_int_handler)
        interruption.quit_at_ctrl_c()
        ending = signal.getsignal(signal.SIGINT)
        assert ending is not signal.default_int_handler
        undo = interruption.interruptible()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        undo()
        assert signal.getsignal(signal.SIGINT) is ending
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    ("argv", "words", "expected"),
    [
        (["-m"], ["python", "-m", "minidl"], True),
        (["-m"], ["python", "-X", "dev", "-Im", "minidl.cli", "info"], True),
        (["-m"], ["python", "-m", "pytest", "-k", "minidl"], False),
        (["/usr/bin/minidl"], ["python", "/usr/bin/minidl"], True),
        (["minidl.exe"], ["minidl.exe"], True),
        (["train.py"], ["python", "train.py", "-m", "minidl"], False),
        ([""], [], False),
    ],
)
def test_which_processes_are_the_command(argv, words, expected, monkeypatch):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", words)
    assert interruption._is_the_command() is expected


@pytest.mark.parametrize("moment", ["program_parser", "run"])
def test_ctrl_c_in_a_command_prints_one_line(moment, monkeypatch, capsys):
    def stop(*arguments):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(cli if moment == "program_parser" else cli.info, moment, stop)
    assert cli.main(["info"]) == 130
    assert capsys.readouterr().err == "minidl: stopped\n"
