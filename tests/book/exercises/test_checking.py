"""A reader's file is judged in a process of its own."""

import inspect

import pytest

from minidl.book.exercises import EXERCISES, check
from minidl.errors import ArgumentError
from tests.book.exercises import solutions, solutions_of_systems

SOFTMAX = EXERCISES["softmax-dx"]


def softmax(body, seconds=10.0):
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return check(SOFTMAX, f"import numpy as np\n\ndef softmax_dx(dy, y):\n{lines}\n", seconds)


SOME = ("softmax-dx", "central-difference", "tape-backward", "winograd-matrices")


@pytest.mark.parametrize(
    "name",
    [*SOME, *(pytest.param(n, marks=pytest.mark.thorough) for n in EXERCISES if n not in SOME)],
)
def test_a_right_file_passes(name):
    [module] = (
        m for m in (solutions, solutions_of_systems) if hasattr(m, EXERCISES[name].function)
    )
    verdict = check(EXERCISES[name], inspect.getsource(module))
    assert verdict.passed, verdict.lines


def test_an_error_is_named_with_the_case():
    verdict = softmax("return dy * y")
    assert not verdict.passed
    assert verdict.lines[1] == "The sum is missing: each y depends on all x of its row."


def test_an_exception_is_named_with_its_line():
    verdict = softmax("return dy.dot(y)")
    assert verdict.lines[1].startswith(
        "Line 4 raises ValueError (shapes (1,2) and (1,2) not aligned"
    )
    assert verdict.lines[1].endswith(": `return dy.dot(y)`.")


def test_what_the_code_prints_is_shown():
    verdict = softmax("print(y.shape, '\\x1b[2J')\nreturn dy * y")
    place = verdict.lines.index("Your code has printed:")
    assert verdict.lines[place + 1] == "  (1, 2) ?[2J"
    verdict = softmax("for i in range(10): print(i)\nreturn dy * y")
    assert verdict.lines[-1] == "  ... and 60 more lines"


def test_a_limit_is_a_wrong_answer_that_names_the_case():
    verdict = softmax(
        "while len(y) == 3: pass\nreturn solve(dy, y)".replace("solve(dy, y)", RIGHT), 0.3
    )
    assert not verdict.passed
    assert verdict.lines[1:4] == [
        "Line 4 is still running after 0.3 seconds: `while len(y) == 3: pass`.",
        "Right for: the example; one row.",
        "Wrong for: 3 rows, with",
    ]


def test_a_limit_before_the_function_is_a_wrong_answer():
    verdict = check(SOFTMAX, "while True: pass", 0.3)
    assert verdict.lines[1] == "Line 1 is still running after 0.3 seconds: `while True: pass`."


RIGHT = "y * (dy - (dy * y).sum(axis=1, keepdims=True))"


@pytest.mark.parametrize(
    "text, words",
    [
        ("def softmax(dy, y): pass", "does not define softmax_dx; did you mean 'softmax'?"),
        ("softmax_dx = 1\ndef other(): pass", "does not define softmax_dx; it defines other"),
        ("x = 1", "does not define softmax_dx$"),
        ("def f(:", r"a.py cannot be run: line 1 raises SyntaxError"),
        ("import nothing_of_this_name", "a.py cannot be run: line 1 raises ModuleNotFoundError"),
    ],
)
def test_a_file_without_the_function_is_an_error_of_the_reader(text, words):
    with pytest.raises(ArgumentError, match=words):
        check(SOFTMAX, text, name="a.py")


def test_a_function_may_use_others_and_classes_of_its_file():
    text = (
        "from dataclasses import dataclass\n"
        "@dataclass\n"
        "class Row:\n"
        "    y: float\n"
        "def helper(dy, y):\n"
        f"    return Row({RIGHT}).y\n"
        "softmax_dx = lambda dy, y: helper(dy, y)\n"
        "if __name__ == '__main__':\n"
        "    raise SystemExit\n"
    )
    assert check(SOFTMAX, text).passed
