"""Code in a process of its own: results, exceptions and limits."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from minidl.book import child
from minidl.book.child import Formula, Unknown, decode, encode
from minidl.book.process import OUTPUT, run

SECONDS = 0.3  # the limit of time in tests that reach it
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


def call(body, *arguments, seconds=10.0, memory=2**28):
    """Run a function f(x) with this body, and return the Run."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"import numpy as np\ndef f(x):\n{lines}\n"
    calls = [[argument] for argument in arguments or (0,)]
    return run(source, "f", calls, seconds=seconds, memory=memory)


def test_values_come_back_as_they_are():
    values = [
        np.arange(6.0).reshape(2, 3), np.float64(0.1), np.array([True]), 3, 0.1, "text", None,
        (1, [2.5, None]), True, float("nan"), np.zeros((0, 2), np.float32),
    ]  # fmt: skip
    done = call("return x", *values)
    assert done.problem is None and done.functions == ["f"]
    for value, answer in zip(values, done.answers, strict=True):
        assert answer.problem is None
        np.testing.assert_equal(answer.value, value)
        assert getattr(answer.value, "dtype", None) == getattr(value, "dtype", None)


def test_a_formula_is_a_function_in_the_process():
    assert call("return x(3.0) + x(1.0)", Formula("x * x")).answers[0].value == 10.0
    assert repr(Formula("x + 1")) == "lambda x: x + 1"


def test_code_without_a_function_is_a_program():
    done = run(
        "import sys\nif __name__ == '__main__':\n    print('ä', file=sys.stderr)\n    print(1)"
    )
    assert (done.output, done.problem, done.answers) == ("ä\n1\n", None, [])


def test_the_code_has_no_terminal_and_an_empty_folder():
    done = run(
        "import os, sys\nprint(os.listdir(), sys.stdin.read() == '')\nopen('a', 'w').close()"
    )
    assert done.output == "[] True\n" and done.problem is None


def test_minidl_can_be_imported_and_its_modules_hide_no_others():
    source = "import minidl, sys\nprint(any('minidl' in path for path in sys.path))"
    assert run(source + "\nimport site, process").problem.message == "No module named 'process'"


@pytest.mark.parametrize(
    "body, sentence",
    [
        ("y = 1\nreturn y / 0",
         "line 4 raises ZeroDivisionError (division by zero): `return y / 0`"),
        ("raise NotImplementedError",
         "the function is not filled in yet: line 3 raises NotImplementedError"),
        ("import sys\nsys.exit(0)",
         "line 4 ends the program: `sys.exit(0)`; return the result instead"),
        ("return f(x)", "line 3 raises RecursionError (maximum recursion depth exceeded"),
        ("return input()", "line 3 raises EOFError (EOF when reading a line): `return input()`"),
        ("raise KeyboardInterrupt", "line 3 raises KeyboardInterrupt: `raise KeyboardInterrupt`"),
        ("return np.linalg.inv(np.zeros((2, 2)))",
         "line 3 raises ValueError (Singular matrix): `return np.linalg.inv(np.zeros((2, 2)))`"),
        ("class E(Exception):\n    def __str__(self):\n        return 1\nraise E",
         "line 6 raises Exception: `raise E`"),
    ],
)  # fmt: skip
def test_an_exception_is_one_sentence_with_its_line(body, sentence):
    [answer] = call(body).answers
    assert str(answer.problem).startswith(sentence)


def test_calls_after_an_exception_are_answered():
    first, second = call("return 1 / x", 0, 2).answers
    assert first.problem.kind == "ZeroDivisionError" and second.value == 0.5


def test_arrays_are_read_only():
    [answer] = call("x += 1\nreturn x", np.ones(2)).answers
    words = "line 3 writes to an array that was passed in: `x += 1`; make a copy first"
    assert str(answer.problem) == words
    [answer] = call("x.flags.writeable = True\nx += 1\nreturn x", np.ones(2)).answers
    assert str(answer.problem) == "it writes to an array that was passed in; make a copy first"


@pytest.mark.parametrize(
    "source, sentence",
    [
        ("def f(x:\n  pass", "line 1 raises SyntaxError ('(' was never closed): `def f(x:`"),
        ("x = 1\ny = z", "line 2 raises NameError (name 'z' is not defined): `y = z`"),
        (
            "raise SystemExit",
            "line 1 ends the program: `raise SystemExit`; return the result instead",
        ),
    ],
)
def test_code_that_cannot_run_is_one_sentence(source, sentence):
    done = run(source, "f", [[0]])
    assert str(done.problem) == sentence and not done.has_run and done.answers == []


# ---- limits --------------------------------------------------------------------------------------


def test_an_endless_loop_ends_at_the_limit():
    begun = time.monotonic()
    done = call("print('here')\nwhile x: pass\nreturn x", 0, 1, 2, seconds=SECONDS)
    assert time.monotonic() - begun < 10
    assert done.output == "here\nhere\n" and [answer.value for answer in done.answers] == [0]
    line = "line 4" if hasattr(os, "killpg") else "it"
    assert str(done.problem).startswith(f"{line} is still running after 0.3 seconds")


def test_the_start_of_python_does_not_count():
    assert run("print(1)", seconds=0.05).problem is None


@POSIX
@pytest.mark.parametrize(
    "body", ["return np.ones(2**30)", "return [bytes(2**20) for _ in range(2**20)]"]
)
def test_a_memory_hog_ends_at_the_limit(body):
    [answer] = call(body).answers
    assert str(answer.problem) == f"line 3 needs more memory than the limit allows: `{body}`"


@pytest.mark.parametrize("line", ["print('x' * 2**19)", "import os\nos.write(2, b'x' * 2**19)"])
def test_an_endless_output_ends_at_the_limit(line):
    done = call(f"while True:\n    {line.replace(chr(10), '; ')}")
    assert done.problem.message == f"prints more than {OUTPUT:,} characters"
    assert len(done.output) == OUTPUT


@pytest.mark.parametrize(
    "body, how",
    [
        ("import os\nos._exit(0)", None),
        ("import os\nos._exit(3)", "it ends its process with exit code 3"),
        ("import os\nos.abort()", "line 4 ends its process by signal SIGABRT: `os.abort()`"),
        ("import ctypes\nreturn ctypes.string_at(0)",
         "line 4 ends its process by signal SIGSEGV: `return ctypes.string_at(0)`"),
    ],
)  # fmt: skip
@POSIX
def test_a_crash_is_one_sentence(body, how):
    done = call(body)
    assert done.answers == [] and (done.problem and str(done.problem)) == how


def is_running(state):
    """Return whether a process exists and is no zombie. state: its file in /proc."""
    try:
        return state.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the state in /proc")
def test_processes_that_the_code_starts_end_with_it():
    done = call("import os\npid = os.fork()\nwhile not pid: pass\nreturn pid")
    state = Path(f"/proc/{done.answers[0].value}/stat")
    deadline = time.monotonic() + 5
    while is_running(state) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(state)


@POSIX
def test_a_large_file_is_refused():
    [answer] = call(f"open('a', 'wb').write(bytes({child.FILE_SIZE + 2**20}))").answers
    assert answer.problem.kind == "OSError"


# ---- what comes back is data ---------------------------------------------------------------------


def test_unknown_values_are_only_named():
    kinds = ["array of |O and shape (1,)", "function", "very large int", "dict"]
    bodies = ["np.array([None])", "f", "10**5000", "{}"]
    for body, kind in zip(bodies, kinds, strict=True):
        [answer] = call(f"return {body}").answers
        assert isinstance(answer.value, Unknown) and answer.value.kind == kind


def test_code_in_results_is_not_run():
    form = encode(Formula("1 / 0"))
    assert isinstance(decode(form), Unknown) and isinstance(decode(form, trusted=True), Formula)


@pytest.mark.parametrize(
    "line",
    [
        "{", "[1]", "{}", '{"value": 1}', '{"value": {"array": {}}}', '{"value": {"a": 1, "b": 2}}',
        '{"value": {"array": {"dtype": "O", "shape": [1], "bytes": "AAAAAAAAAAA="}}}',
        '{"value": {"array": {"dtype": "f8", "shape": [-1, -1], "bytes": "AAAAAAAAAAA="}}}',
        '{"value": {"array": {"dtype": "f8", "shape": [9], "bytes": "AAAAAAAAAAA="}}}',
        '{"error": 1}', '{"error": {"kind": "E"}}', '{"value": ' + '{"list": [' * 2000,
    ],
)  # fmt: skip
def test_damaged_results_are_no_results(line):
    """The code finds the stream of the results, and writes to it."""
    source = (
        "import gc, io\n"
        "def f(x):\n"
        "    [stream] = [o for o in gc.get_objects() if isinstance(o, io.BufferedWriter)\n"
        "                and isinstance(o.name, int) and o.name > 2]\n"
        f"    stream.write({line.encode()!r} + b'\\n')\n"
    )
    done = run(source, "f", [[0]])
    assert [answer for answer in done.answers if answer.value is not None] == []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux")
def test_the_process_ends_if_its_parent_is_killed(tmp_path):
    """A loop that has no limit left would otherwise run on."""
    code = f"open({str(tmp_path / 'pid')!r}, 'w').write(str(__import__('os').getpid()))\n"
    program = (
        "from minidl.book.process import run\n"
        f"run({code + 'import time' + chr(10) + 'time.sleep(300)'!r}, seconds=300)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    child = wait(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    wait(lambda: not is_running(Path(f"/proc/{child}/stat")))


def wait(condition):
    end = time.monotonic() + 30
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found
