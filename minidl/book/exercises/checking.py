"""Judge a reader's function.

The function runs in a process of its own, and this process reads its results only. They are first
compared with the right ones, from the simplest case to the most general. If all agree, the proof is
computed from them: the same one that `minidl gradcheck` computes for minidl's own ops.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minidl.book import child
from minidl.book.exercises.calls import AGAIN, calls, proofs
from minidl.book.exercises.exercise import Exercise, Function
from minidl.book.exercises.known_errors import is_wrong
from minidl.book.exercises.report import what_is_wrong
from minidl.book.exercises.results import arrays_of
from minidl.book.process import Answer, Problem, run
from minidl.errors import ArgumentError, did_you_mean, listed, printable

NEARLY = "is nearly right, but the proof finds more than rounding errors."
SHOWN = 20  # lines of what the reader's code prints


class Verdict(NamedTuple):
    """Whether a function is right, and the lines that say so or what is wrong."""

    passed: bool
    lines: list[str]


def check(
    exercise: Exercise, source_text: str, seconds: float = 10, name: str = "solution.py"
) -> Verdict:
    """Run the reader's code in a process of its own, and judge its function.

    seconds: the limit of time, from the begin of the code. name: of its file, for messages. Raises
    ArgumentError if the text is not valid Python, raises an exception outside of the function, or
    does not define it.
    """
    arguments = [[*call.arguments.values()] for call in calls(exercise)]
    done = run(source_text, exercise.function, arguments, name=name, seconds=seconds)
    _must_have_run(exercise, done, name)
    found = verdict(exercise, done.answers, done.problem)
    return Verdict(found.passed, [*found.lines, *_printed(done.output)])


def judge(exercise: Exercise, function: Function) -> Verdict:
    """Judge a function in this process, without limits."""
    answers = []
    for call in calls(exercise):
        arguments = [
            value.copy() if isinstance(value, np.ndarray) else value
            for value in call.arguments.values()
        ]
        result = child.answered(function, arguments, "", [])
        if "value" in result:
            answers.append(Answer(child.decode(result["value"])))
        else:
            answers.append(Answer(problem=Problem(**result["error"])))
    return verdict(exercise, answers)


def verdict(exercise: Exercise, answers: Sequence[Answer], end: Problem | None = None) -> Verdict:
    """Return the Verdict on the answers to `calls`.

    end: why the process ended before it had answered all calls.
    """
    wanted = calls(exercise)
    if len(answers) < len(wanted):
        answers = [*answers, Answer(problem=end or Problem("Died", "has returned no result"))]
    found = [
        arrays_of(answer, exercise.returns, call.arguments, call.right)
        for answer, call in zip(answers, wanted, strict=False)
    ]
    if any(is_wrong(exercise, *pair) for pair in zip(wanted, found, strict=False)):
        return Verdict(False, what_is_wrong(exercise, found))
    proven = proofs(exercise, found)
    passed = all(proof.passed for proof in proven)
    cases = [*dict.fromkeys(call.case for call in wanted if call.case != AGAIN)]
    several = f" for {len(cases)} cases: {'; '.join(cases)}" if len(cases) > 1 else ""
    lines = [f"{exercise.name} is right{several}." if passed else f"{exercise.name} {NEARLY}"]
    lines += [_about_proof(proof) for proof in proven]
    return Verdict(passed, lines)


def _about_proof(proof):
    fits, but = ("also fits", "and") if proof.passed else ("does not fit", "but")
    return (
        f"Your function {fits} the proof of minidl's own op: the relative error of "
        f"d{proof.argument} is {proof.error:.1e} (method: {proof.method}), {but} at most "
        f"{proof.tolerance:.0e} is permitted."
    )


def _must_have_run(exercise, done, name):
    """Raise ArgumentError if the code gave no function that can be judged."""
    is_limit = done.problem and done.problem.kind in ("Time", "Output", "Died")
    if done.problem and not is_limit and not done.has_run:
        raise ArgumentError(f"{name} cannot be run: {done.problem}")
    if not is_limit and exercise.function not in done.functions:
        near = did_you_mean(exercise.function, done.functions)
        others = f"; it defines {listed(done.functions)}" if done.functions else ""
        raise ArgumentError(f"{name} does not define {exercise.function}{near or others}")


def _printed(output):
    """Yield the first lines that the reader's code has printed, without control characters."""
    lines = output.splitlines()
    if lines:
        yield "Your code has printed:"
    for line in lines[:SHOWN]:
        yield f"  {printable(line, 200)}"
    if len(lines) > SHOWN:
        yield f"  ... and {len(lines) - SHOWN} more lines"
