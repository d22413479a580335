"""Run a reader's code in a process of its own, with limits.

The limits hold accidents: an endless loop, too much memory, an endless output, a crash. The code
has no terminal, works in an empty folder of its own, and hands back data only, so that it cannot
confuse the process that reads them. This is no sandbox: the code has the rights of the user who
starts it, and can read and delete their files.

Windows has no limit of memory, and macOS does not enforce it. There, only time and output are
limited.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from minidl.book import child
from minidl.book.child import decode, encode
from minidl.errors import MinidlError, printable

SECONDS = 10.0
MEMORY = 2**30  # bytes
OUTPUT = 2**18  # bytes that the code may print
RESULTS = 2**26  # bytes of encoded results
STARTUP = 60.0  # seconds in which Python must have started
ROOT = pathlib.Path(__file__).parents[2]  # the folder that contains the package
START = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"


class Problem(NamedTuple):
    """Why code or a call of it gave no result.

    kind: the name of a built-in exception, or "Time", "Output", "Died" for a limit or a crash, or
    "Overwritten" for a call that writes to an array that was passed in. message: of the exception.
    line, text: the line of the code that led to it, where that is known, and what it says.
    """

    kind: str
    message: str = ""
    line: int | None = None
    text: str = ""

    def __str__(self) -> str:
        """One sentence without its full stop, such as "line 3 raises NameError: ...: `y = z`"."""
        where = f"line {self.line}" if self.line else "it"
        code = f": `{printable(self.text, 100)}`" if self.text else ""
        is_refused = self.kind == "ValueError" and "read-only" in self.message
        if self.kind == "Overwritten" or is_refused:
            return f"{where} writes to an array that was passed in{code}; make a copy first"
        if self.kind == "MemoryError":
            return f"{where} needs more memory than the limit allows{code}"
        if self.kind == "SystemExit":
            return f"{where} ends the program{code}; return the result instead"
        if self.kind == "NotImplementedError" and not self.message:
            return f"the function is not filled in yet: {where} raises NotImplementedError"
        if self.kind in ("Time", "Output", "Died"):
            return f"{where} {self.message}{code}"
        message = f" ({printable(self.message, 300)})" if self.message else ""
        return f"{where} raises {self.kind}{message}{code}"


class Answer(NamedTuple):
    """The value that a call returned, or the Problem of the call."""

    value: Any = None
    problem: Problem | None = None


class Run(NamedTuple):
    """What code did.

    output: what it printed. problem: why it did not run to its end, or None. has_run: whether it
    ran to the first call. functions: the names of the functions that it defines. answers: one for
    each call that returned or raised.
    """

    output: str
    problem: Problem | None
    has_run: bool
    functions: list[str]
    answers: list[Answer]


def run(
    source: str,
    function: str | None = None,
    calls: Iterable[Sequence[Any]] = (),
    *,
    name: str = "code.py",
    seconds: float = SECONDS,
    memory: int = MEMORY,
) -> Run:
    """Run code in a new process, then call a function that it defines, and return the Run.

    source: the text of the code. Without a function, it runs as a program, that is as `__main__`.
    calls: the arguments of each call: numbers, texts, arrays, Formulas, and lists and tuples of
    them. name: of the code's file, for messages.

    seconds: from the begin of the code to the end of the last call. memory: bytes that it may
    allocate. Raises MinidlError if the process cannot be started.
    """
    job = {
        "source": source, "name": name, "function": function, "seconds": seconds, "memory": memory,
        "calls": [[encode(value) for value in call] for call in calls],
    }  # fmt: skip
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = _started(folder)
        try:
            results = _Reader(process, process.stdout, RESULTS)
            output = _Reader(process, process.stderr, OUTPUT)
            with contextlib.suppress(OSError):  # the process has died
                process.stdin.write(json.dumps(job).encode())
                process.stdin.close()
            problem = _waited(process, results, output, seconds)
        finally:
            _end(process)
        results.join(1)
        output.join(1)
    problem, has_run, functions, answers = _read(results.data, problem)
    if problem and problem.line is None:
        problem = _located(problem, results.data, name, source.split("\n"))
    return Run(output.data[:OUTPUT].decode(errors="replace"), problem, has_run, functions, answers)


class _Reader(threading.Thread):
    """Reads a stream of the process to its end. Ends the process if it writes more than `most`
    bytes.

    begun: set when the first line or the end has been read. is_full: whether it wrote too much.
    """

    def __init__(self, process, stream, most):
        super().__init__(daemon=True)
        self.data, self.begun, self.is_full = bytearray(), threading.Event(), False
        self._process, self._stream, self._most = process, stream, most
        self.start()

    def run(self):
        with contextlib.suppress(OSError, ValueError), self._stream:
            while chunk := self._stream.read1(2**16):
                self.data += chunk
                if not self.begun.is_set() and b"\n" in self.data:
                    self.begun.set()
                if len(self.data) > self._most:
                    self.is_full = True
                    _end(self._process)
                    break
        self.begun.set()


def _started(folder):
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        return subprocess.Popen(
            [sys.executable, "-c", START, child.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            env={**os.environ, **threads, "PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,  # Ctrl-C is for the parent
        )
    except OSError as error:
        raise MinidlError(
            f"Python cannot be started for the code ({error}); free memory or processes"
        ) from None


def _waited(process, results, output, seconds):
    """Wait until the process ends or breaks a limit. Return the Problem or None."""
    if not results.begun.wait(STARTUP):
        return Problem("Died", f"has not started within {STARTUP:g} seconds")
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        if hasattr(signal, "SIGUSR1"):  # the process then says which line is running
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.1)
        return Problem("Time", f"is still running after {seconds:g} seconds")
    if output.is_full:
        return Problem("Output", f"prints more than {OUTPUT:,} characters")
    if results.is_full:
        return Problem("Output", f"returns more than {RESULTS:,} characters")
    if code == 0:
        return None
    try:
        how = f"by signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
    except ValueError:
        how = f"by signal {-code}"
    return Problem("Died", f"ends its process {how}")


def _end(process):
    """End the process and those that it has started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()


def _read(data, problem):
    """Return (problem, has_run, functions, answers) from the lines of the results."""
    functions: list[str] = []
    answers: list[Answer] = []
    has_run = False
    for line in bytes(data).split(b"\n"):
        if line[:1] != b"{":
            continue
        try:
            found = json.loads(line)
            if "functions" in found:
                has_run, functions = True, [str(name) for name in found["functions"]]
            elif "value" in found:
                answers.append(Answer(decode(found["value"])))
            elif "error" in found and has_run:
                answers.append(Answer(problem=_problem(**found["error"])))
            elif "error" in found:
                problem = problem or _problem(**found["error"])
        except (ValueError, TypeError, KeyError, RecursionError, OverflowError, AttributeError):
            problem = problem or Problem("Died", "writes to the results of its process")
    return problem, has_run, functions, answers


def _located(problem, data, name, lines):
    """Return the problem with the line that was running when the process ended, if Python's
    faulthandler has reported it in the results."""
    report = data.decode(errors="replace")
    found = re.search(rf'^  File "{re.escape(name)}", line (\d+) ', report, re.MULTILINE)
    number = int(found[1]) if found else 0
    if not 0 < number <= len(lines):
        return problem
    return problem._replace(line=number, text=lines[number - 1].strip())


def _problem(kind, message, line, text):
    return Problem(str(kind), str(message), None if line is None else int(line), str(text))
