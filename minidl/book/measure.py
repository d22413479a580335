"""The worked example, the proofs and the time of a subject, computed on this machine, now."""

import doctest
import inspect
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import is_array
from minidl.book.sizes import SIZES
from minidl.book.sources import definition, docstring
from minidl.book.subjects import Subject
from minidl.dispatch import textbook
from minidl.gradcheck import Proof
from minidl.proofs import Row, fill, run

CASES = 5  # geometries of a proof
FEWEST = 3  # repetitions of a timed call
LEAST = 0.05  # seconds for which a timed call is repeated
Call = Callable[[], Any]


class Example(NamedTuple):
    """The worked example of a docstring.

    text: as it ends the docstring, or an empty text if it stands within. wrong: the number of its
    lines that do not give the results that the docstring states.
    """

    text: str
    lines: int
    wrong: int


class Times(NamedTuple):
    """Seconds by the textbook and by the engine, of the forward alone, and of forward and
    gradients together.

    shapes: of the arrays that are read, by name. bytes: of these and of the result, in float32.
    """

    shapes: dict[str, tuple[int, ...]]
    bytes: int
    forward: tuple[float, float]
    gradients: tuple[float, float] | None


def example(subject: Subject) -> Example | None:
    """Run the worked example of a subject. Return None if it has none."""
    text = docstring(subject.thing)
    found = doctest.DocTestParser().get_examples(text)
    if not found:
        return None
    names = {**vars(inspect.getmodule(definition(subject.thing))), "np": np}
    test = doctest.DocTest(found, names, subject.name, None, None, text)
    result = doctest.DocTestRunner(verbose=False).run(test, out=lambda words: None)
    return Example(_at_the_end(text), result.attempted, result.failed)


def wrong_examples(text: str, name: str) -> list[str]:
    """Run the examples of a text, such as a chapter, one after the other. Return the code of those
    that do not give what the text states. name: of the text."""
    test = doctest.DocTestParser().get_doctest(text, {"np": np}, name, None, None)
    wrong: list[str] = []

    class Runner(doctest.DocTestRunner):
        def report_failure(self, out, test, example, got):
            wrong.append(f"{example.source.strip()} gives {got.strip()}")

        def report_unexpected_exception(self, out, test, example, exc_info):
            wrong.append(f"{example.source.strip()} raises {exc_info[0].__name__}")

    Runner(verbose=False).run(test, out=lambda words: None)
    return wrong


def proofs(subject: Subject, cases: int = CASES) -> Iterator[tuple[Row, Proof]]:
    """Yield the proof of each gradient of a subject, in all its forms."""
    for row in subject.rows:
        for proof in run(row, cases).values():
            yield row, proof


def times(subject: Subject, least: float = LEAST) -> Times | None:
    """Return the Times of a subject, or None if it is not in the table of proofs.

    least: seconds in which each call is repeated. The fastest call counts.
    """
    row = next(iter(subject.rows), None)
    if row is None:
        return None
    size = SIZES[row.name if row.name in SIZES else row.name.partition("[")[0]]
    given = {name: _in_float32(value) for name, value in fill(row, size, 0).items()}
    arrays = {name: value for name, value in given.items() if is_array(value)}
    leaves = {
        name: Tensor(arrays[name], requires_grad=True) for name in row.kinds if name in arrays
    }

    def forward():
        return row.op(**given)

    def forward_and_back():
        y = row.op(**{**given, **leaves})
        y.backward(np.ones_like(y.data))

    y = forward()
    count = sum(array.nbytes for array in arrays.values()) + np.asarray(y).nbytes
    shapes = {name: array.shape for name, array in arrays.items()}
    both = _pair(forward_and_back, least) if leaves else None
    return Times(shapes, count, _pair(forward, least), both)


def in_words(seconds: float) -> str:
    """Return a time in words.

    >>> in_words(0.00123)
    '1.23 ms'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


def _at_the_end(text):
    """Return the examples with which a docstring ends, or an empty text if words come after one."""
    examples = text[text.index(">>> ") :]
    pieces = doctest.DocTestParser().parse(examples)
    is_end = all(isinstance(piece, doctest.Example) or not piece.strip() for piece in pieces)
    return examples if is_end else ""


def _in_float32(value):
    is_float = is_array(value) and value.dtype == np.float64
    return value.astype(np.float32) if is_float else value


def _pair(call: Call, least: float) -> tuple[float, float]:
    """Return the seconds of a call by the textbook and by the engine."""
    with textbook():
        by_definitions = _seconds(call, least)
    return by_definitions, _seconds(call, least)


def _seconds(call: Call, least: float) -> float:
    """Return the smallest time of calls that are repeated for `least` seconds, after a first."""
    call()
    times: list[float] = []
    while len(times) < FEWEST or sum(times) < least:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return min(times)
