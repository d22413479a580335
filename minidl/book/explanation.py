"""The text about one subject, for a terminal."""

import textwrap
from collections.abc import Callable, Iterable, Iterator

from minidl.book.measure import CASES, Example, Times, example, in_words, proofs, times
from minidl.book.sources import Source, definition, docstring, file_source, path_of, source
from minidl.book.subjects import KINDS, SUBJECTS, Subject
from minidl.machine import kind

TITLES = {
    "op": "Ops",
    "loss": "Losses",
    "layer": "Layers",
    "optimiser": "Optimisers",
    "schedule": "Schedules of the learning rate",
    "utility": "Utilities of optimisers",
    "algorithm": "Algorithms of convolution",
}
STYLES = {"title": "1", "heading": "1;36", "number": "2", "good": "32", "bad": "1;31"}  # of ANSI
WIDTH = 96  # of the lines that are not read from a file
Styled = Callable[[str, str], str]


def overview(colour: bool = False) -> Iterator[str]:
    """Yield the lines of the list of all subjects, in groups. colour: for a terminal."""
    styled = _styled(colour)
    for kind_of in KINDS:
        names = [name for name, subject in SUBJECTS.items() if subject.kind == kind_of]
        yield styled("heading", TITLES[kind_of])
        yield from textwrap.wrap("  ".join(names), WIDTH)
        yield ""
    yield "`minidl explain NAME` shows the maths, the code, the proof and the time of one."


def explanation(subject: Subject, colour: bool = False) -> Iterator[str]:
    """Yield the lines of the text about a subject. Examples, proofs and times are computed when
    their lines are reached. colour: for a terminal."""
    styled, own = _styled(colour), example(subject)
    yield f"{styled('title', subject.name)} ({TITLES[subject.kind].lower()})"
    yield ""
    yield from _without_example(docstring(subject.thing), own).splitlines()
    if subject.family:
        file = path_of(definition(subject.thing))
        yield from _headed(styled, f"The file {file}", subject.family.splitlines())
    if own:
        yield from _headed(styled, "Example, run now", _example_lines(own, styled))
    is_file = subject.kind == "algorithm"
    code = file_source(subject.thing) if is_file else source(subject.thing)
    yield from _code(subject.name, code, styled)
    for gradient, names in subject.derivations.items():
        heading = f"Gradient {names[0]}" if len(names) == 1 else f"Gradients {', '.join(names)}"
        yield from _headed(styled, heading, docstring(gradient).splitlines())
        yield from _code(gradient.__name__, source(gradient), styled)
    if used := subject.helpers:
        yield from _headed(styled, f"Helpers, {used[0]}", _helper_lines(used, styled))
    if replacing := subject.implementations:
        twins = [f"{twin.__name__:32} {source(twin)}" for twin in replacing]
        yield from _headed(styled, "In the engine", twins)
    if subject.rows:
        heading = f"Proof, on {CASES} random geometries in float64"
        yield from _headed(styled, heading, _proof_lines(subject, styled))
    if found := times(subject):
        heading = f"Cost, and time on this machine ({kind()})"
        cost = textwrap.wrap(subject.cost, WIDTH)
        yield from _headed(styled, heading, [*cost, *_time_lines(found)])


def _code(name: str, found: Source, styled: Styled) -> Iterator[str]:
    yield from _headed(styled, f"{name}, {found}", _numbered(found, styled))


def _numbered(found: Source, styled: Styled, width: int = 0) -> Iterator[str]:
    """Yield the lines of code after their numbers, which are as wide as the last one."""
    width = width or len(str(found.lines[-1].number))
    for line in found.lines:
        yield f"{styled('number', f'{line.number:{width}}')}  {line.text}".rstrip()


def _helper_lines(found: list[Source], styled: Styled) -> Iterator[str]:
    width = len(str(found[-1].lines[-1].number))
    for place, helper in enumerate(found):
        if place:
            yield ""
        yield from _numbered(helper, styled, width)


def _example_lines(own: Example, styled: Styled) -> Iterator[str]:
    yield from own.text.splitlines()
    right = own.lines - own.wrong
    word = "bad" if own.wrong else "good"
    yield styled(word, f"{right} of {own.lines} lines give what is stated here")


def _proof_lines(subject: Subject, styled: Styled) -> Iterator[str]:
    for row, proof in proofs(subject):
        verdict = styled("good", "proven") if proof.passed else styled("bad", "WRONG")
        yield (
            f"{row.name:34} d{proof.argument:16} {proof.method:17} error {proof.error:.1e} of "
            f"{proof.tolerance:.0e}  {verdict}"
        )


def _time_lines(found: Times) -> Iterator[str]:
    shapes = ", ".join(f"{name} {shape}" for name, shape in found.shapes.items())
    yield f"{shapes}, float32: {found.bytes / 1e6:.3g} MB with the result"
    yield f"{'':24}{'textbook':>12}{'engine':>12}"
    for name, pair in (("forward", found.forward), ("forward and gradients", found.gradients)):
        if pair:
            yield f"{name:24}" + "".join(f"{in_words(seconds):>12}" for seconds in pair)


def _headed(styled: Styled, heading: str, lines: Iterable[str]) -> Iterator[str]:
    yield ""
    yield styled("heading", heading)
    yield from lines


def _without_example(text: str, own: Example | None) -> str:
    return text.removesuffix(own.text).rstrip() if own else text


def _styled(colour: bool) -> Styled:
    """Return a function that gives a text a style of STYLES, or that leaves it as it is."""
    if not colour:
        return lambda style, text: text
    return lambda style, text: f"\x1b[{STYLES[style]}m{text}\x1b[0m"
