"""The program of the process that runs a reader's code. `process.py` starts it.

It imports NumPy and nothing of minidl, so that it starts in a tenth of a second. It reads one job
from its standard input, as JSON:

    source, name      the code, and the name of its file in messages
    function, calls   a function that the code defines, or null, and lists of encoded arguments
    memory, seconds   limits

It writes one line of JSON to its standard output when the code begins, one when the code has run,
and one after each call. Python's faulthandler adds the line that was running when it crashed, or
when the parent sends SIGUSR1. What the code prints goes to the standard error instead. The code has
no standard input.

Values travel as JSON with the bytes of arrays in base64. Nothing is pickled, so that the values
that come back cannot run code in the process that reads them.
"""

import base64
import contextlib
import faulthandler
import json
import math
import os
import signal
import sys
import threading
import time
import types
from typing import Any

import numpy as np

MOST_NUMBERS = 2**20  # in an array that is sent back; of a larger one only the shape is sent
MOST_ITEMS = 1000  # in a list that is sent back
MOST_CHARACTERS = 2000  # of the message of an exception
FILE_SIZE = 2**26  # bytes in a file that the code writes


class Formula:
    """A function of one array x that can be sent to the process: an expression of Python in x and
    np.

    >>> Formula("x * x")(3.0)
    9.0
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._function = eval(f"lambda x: {text}", {"np": np})

    def __call__(self, x):
        return self._function(x)

    def __repr__(self) -> str:
        return f"lambda x: {self.text}"


class Unknown:
    """Stands for a value that cannot be sent. kind: the name of its type."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


def encode(value: object) -> dict:
    """Return a value in the form in which it travels."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        found = {"dtype": array.dtype.str, "shape": array.shape}
        if array.dtype.kind not in "biufc" or array.size > MOST_NUMBERS:
            return {"unread": found}
        return {"array": {**found, "bytes": base64.b64encode(array.tobytes()).decode()}}
    if isinstance(value, int) and abs(value) >= 2**63:
        return {"other": "very large int"}
    if value is None or isinstance(value, bool | int | float | str):
        return {"plain": value[:MOST_CHARACTERS] if isinstance(value, str) else value}
    if isinstance(value, tuple | list) and len(value) <= MOST_ITEMS:
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [encode(item) for item in value]}
    if isinstance(value, Formula):
        return {"formula": value.text}
    return {"other": type(value).__name__}


def decode(form: dict, trusted: bool = False) -> object:
    """Return the value of an encoded form. Raise ValueError, TypeError or KeyError for other forms.

    trusted: whether a Formula, which is code, may be in it.
    """
    [(kind, content)] = form.items()
    if kind == "array":
        dtype, shape = np.dtype(str(content["dtype"])), tuple(content["shape"])
        data = base64.b64decode(content["bytes"])
        if dtype.kind not in "biufc" or math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError("the array is damaged")
        array = np.frombuffer(data, dtype).reshape(shape)
        return array.copy() if shape else array[()]
    if kind == "unread":
        return Unknown(f"array of {content['dtype']} and shape {tuple(content['shape'])}")
    if kind == "plain":
        return content
    if kind in ("tuple", "list"):
        items = [decode(item, trusted) for item in content]
        return tuple(items) if kind == "tuple" else items
    if kind == "formula" and trusted:
        return Formula(content)
    return Unknown(str(content))


def answered(function, arguments: list, name: str, lines: list[str]) -> dict:
    """Call the function. Return {"value": encoded} or {"error": description}.

    The arrays are read-only meanwhile. name, lines: of the file that defines the function.
    """
    arrays = [value for value in arguments if isinstance(value, np.ndarray)]
    before = [array.tobytes() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    try:
        value = encode(function(*arguments))
    except BaseException as error:
        return {"error": described(error, name, lines)}
    if [array.tobytes() for array in arrays] != before:
        return {"error": {"kind": "Overwritten", "message": "", "line": None, "text": ""}}
    return {"value": value}


def described(error: BaseException, name: str, lines: list[str]) -> dict:
    """Describe an exception: its kind and message, and the last line of the file that led to it."""
    number, trace = 0, error.__traceback__
    if isinstance(error, SyntaxError) and error.filename == name:
        number = error.lineno or 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == name:
            number = trace.tb_lineno
        trace = trace.tb_next
    known = 0 < number <= len(lines)
    # Of NumPy's exceptions, take the kind that readers know.
    kind = next(base for base in type(error).__mro__ if base.__module__ == "builtins").__name__
    try:
        message = str(error.msg if isinstance(error, SyntaxError) else error)
    except Exception:
        message = ""
    return {
        "kind": kind,
        "message": message[:MOST_CHARACTERS],
        "line": number if known else None,
        "text": lines[number - 1].strip()[:MOST_CHARACTERS] if known else "",
    }


def limit(memory: int, seconds: float) -> None:
    """Limit the memory of this process to `memory` bytes more than it has now. Limit also the size
    of files, and the processor time in case the parent ends first.

    Windows has no such limits, and macOS does not enforce the limit of memory.
    """
    try:
        import resource
    except ImportError:
        return
    try:
        with open("/proc/self/statm") as file:
            used = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    processor_time = math.ceil(2 * seconds) * (os.cpu_count() or 1) + 1
    for kind, most in (
        (resource.RLIMIT_AS, used + memory),
        (resource.RLIMIT_FSIZE, FILE_SIZE),
        (resource.RLIMIT_CPU, processor_time),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # the limit of the user may be lower
            resource.setrlimit(kind, (most, most))


def end_with_parent(seconds: float = 0.5) -> None:
    """Watch the parent, and end this process if it has ended."""
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(seconds)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Run the job of the standard input."""
    end_with_parent()
    job = json.loads(sys.stdin.buffer.read())
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    streams: list[Any] = [sys.stdout, sys.stderr]
    for stream in streams:
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)

    faulthandler.enable(results)  # a crash leaves the number of the line there
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, results, all_threads=False)

    def send(line):
        results.write(json.dumps(line).encode() + b"\n")
        results.flush()

    calls = [[decode(value, trusted=True) for value in call] for call in job["calls"]]
    source, name, function = job["source"], job["name"], job["function"]
    lines = source.split("\n")
    module = types.ModuleType("__main__" if function is None else "reader")
    module.__file__ = name
    sys.modules[module.__name__] = module
    limit(job["memory"], job["seconds"])
    send({"begins": True})
    try:
        exec(compile(source, name, "exec"), module.__dict__)
    except BaseException as error:
        send({"error": described(error, name, lines)})
        return
    send({"functions": [n for n, value in vars(module).items() if callable(value)][:MOST_ITEMS]})
    for arguments in calls:
        if callable(getattr(module, function, None)):
            send(answered(getattr(module, function), arguments, name, lines))


if __name__ == "__main__":
    main()
