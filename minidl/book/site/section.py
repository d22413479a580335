"""The section about one subject: its text beside its code, and what is measured of it."""

import inspect
from collections.abc import Callable
from html import escape
from types import ModuleType
from typing import Any, NamedTuple

from minidl.book.measure import CASES, Example, Times, example, in_words, proofs, times
from minidl.book.programs import definitions, importing, proof
from minidl.book.site.code import listing, names_in
from minidl.book.site.text import Links, Writer, aliases_in, workshop
from minidl.book.sources import ROOT, definition, docstring, file_source, source
from minidl.book.subjects import Subject
from minidl.gradcheck import Proof
from minidl.machine import kind
from minidl.proofs import Row

LONG = 60  # lines of code, above which a reader has to open them
QUICK = 0.01  # seconds for which each timed call is repeated


class Measured(NamedTuple):
    """What minidl computes about a subject while the book is built."""

    example: Example | None
    proofs: list[tuple[Row, Proof]]
    times: Times | None


Measure = Callable[[Subject], Measured]


def measure(subject: Subject) -> Measured:
    """Run the worked example and the proofs of a subject, and time it."""
    return Measured(example(subject), list(proofs(subject)), times(subject, QUICK))


def section(subject: Subject, measured: Measured, links: Links) -> str:
    """Return the section about a subject as HTML."""
    is_file = subject.kind == "algorithm"
    parts = [_file(subject.thing, links) if is_file else explained(subject.thing, links)]
    forward = docstring(subject.thing)
    for gradient, names in subject.derivations.items():
        parts += [_gradient_heading(subject, names), explained(gradient, links, forward)]
    parts += [
        _helpers(subject),
        _workshop(subject),
        _example(measured.example),
        _twins(subject),
        _proofs(measured),
        _times(measured),
    ]
    return (
        f'<section class="subject" id="{subject.name}" aria-labelledby="{subject.name}-title">'
        f'<h2 id="{subject.name}-title">{subject.name} <small>{subject.kind}</small></h2>'
        f"{''.join(parts)}</section>"
    )


def file_text(module: ModuleType, links: Links) -> str:
    """Return the docstring of a file as HTML."""
    text = Writer(links, names_in(module), importing(module)).text(docstring(module))
    return f'<div class="text wide">{text}</div>'


def _file(module, links):
    """Return the text of a file, and its code."""
    found = file_source(module)
    place = f'<p class="place">{_link(found, found.path)}</p>'
    details = f"<details><summary>Code of the file</summary>{listing(found)}</details>"
    return f"{file_text(module, links)}{place}{details}"


def explained(thing: Any, links: Links, forward: str = "") -> str:
    """Return the text and the code of a function or class beside each other, as HTML.

    forward: of a gradient, the docstring of its forward, which explains the symbols of both.
    """
    found = source(thing)
    module = inspect.getmodule(definition(thing))
    writer = Writer(links, names_in(thing), importing(module) if module else "")
    writer.parameters = _parameters(thing)
    writer.aliases = aliases_in(f"{forward}\n\n{docstring(thing)}", writer.names)
    text = writer.text(docstring(thing))
    code = listing(found, writer.symbols, f"Code, {found}")
    if len(found.lines) > LONG:
        code = f"<details><summary>Code, {len(found.lines)} lines</summary>{code}</details>"
    return (
        f'<div class="pair"><div class="text">{text}{_symbols(writer)}</div>'
        f'<div class="code">{code}<p class="place">{_link(found, str(found))}</p></div></div>'
    )


def _parameters(thing):
    try:
        return [*inspect.signature(definition(thing)).parameters]
    except (TypeError, ValueError):
        return []


def _link(found, words):
    """Return a link to the file of a Source on this disk."""
    address = (ROOT.parent / found.path).as_uri()
    return f'<a href="{escape(address)}">{escape(words)}</a>'


def _symbols(writer):
    """Return buttons that mark a variable in the text and in the code, for keyboards and touch."""
    if not writer.symbols:
        return ""
    buttons = (
        f'<button type="button" data-mark="{escape(name)}" aria-pressed="false">'
        f"{escape(name)}</button>"
        for name in sorted(writer.symbols, key=lambda name: (name.lower(), name))
    )
    return (
        '<p class="symbols" role="group" aria-label="Mark a variable in the formulas and the code">'
        f"<span>Mark in both:</span>{''.join(buttons)}</p>"
    )


def _gradient_heading(subject, names):
    words = "The gradient" if len(names) == 1 else "The gradients"
    *others, last = (f"<code>{escape(name)}</code>" for name in names)
    listed = f"{', '.join(others)} and {last}" if others else last
    return f'<h3 id="{subject.name}.{names[0]}">{words} {listed}</h3>'


def _workshop(subject):
    """Return the place where the served book offers the code of an op with its proof."""
    code, proven = definitions(subject), proof(subject)
    return workshop(f"{code}\n\n\n{proven}\n", "", "prove") if code and proven else ""


def _helpers(subject):
    found = subject.helpers
    if not found:
        return ""
    listings = "".join(map(listing, found))
    return f"<details><summary>Helpers in {escape(found[0].path)}</summary>{listings}</details>"


def _example(found: Example | None) -> str:
    if found is None:
        return ""
    if found.wrong:
        words = f"{found.wrong} of {found.lines} lines of the example gave another result."
        return f'<p class="verdict wrong">{words}</p>'
    words = "The example was run when this page was built, and gave the results shown."
    return f'<p class="verdict right">{words}</p>'


def _twins(subject):
    twins = [(twin.__name__, source(twin)) for twin in subject.implementations]
    if not twins:
        return ""
    found = ", ".join(f"<code>{name}</code> in {_link(at, str(at))}" for name, at in twins)
    return (
        f'<p class="twins">For speed, minidl runs the <a href="speed.html">engine</a>: {found}.</p>'
    )


def _proofs(measured):
    if not measured.proofs:
        return ""
    arguments = [*dict.fromkeys(proven.argument for _, proven in measured.proofs)]
    forms: dict[str, dict[str, Proof]] = {}
    for row, proven in measured.proofs:
        forms.setdefault(row.name, {})[proven.argument] = proven
    rows = [
        (form, ", ".join(dict.fromkeys(each.method for each in found.values())),
         *(f"{found[name].error:.1e}" if name in found else "" for name in arguments),
         f"{max(each.tolerance for each in found.values()):.0e}",
         "proven" if all(each.passed for each in found.values()) else "wrong")
        for form, found in forms.items()
    ]  # fmt: skip
    errors = (f"error of d{name}" for name in arguments)
    heads = ("form", "method", *errors, "permitted", "verdict")
    found = table(f"Proof, for {CASES} random shapes and options, in float64", heads, rows)
    return f'{found}<p class="twins"><a href="proofs.html">How a proof works</a></p>'


def _times(measured):
    found = measured.times
    if found is None:
        return ""
    shapes = ", ".join(f"{name} {shape}" for name, shape in found.shapes.items())
    pairs = {"forward": found.forward, "forward and gradients": found.gradients}
    rows = [
        (name, *map(in_words, pair), f"{pair[0] / pair[1]:.1f}")
        for name, pair in pairs.items()
        if pair
    ]
    caption = (
        f"Time on this machine ({kind()}), float32: {shapes}, "
        f"{found.bytes / 1e6:.3g} MB with the result"
    )
    return table(caption, ("", "textbook", "engine", "textbook / engine"), rows)


def table(caption: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a table as HTML. The first column names the rows."""
    head = "".join(
        f'<th scope="col">{escape(name)}</th>' if name else "<td></td>" for name in heads
    )
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>'
        f"{''.join(f'<td>{escape(cell)}</td>' for cell in rest)}</tr>"
        for first, *rest in rows
    )
    return (
        f'<div class="table" data-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )
