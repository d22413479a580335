"""The chapters as Jupyter notebooks, which run from top to bottom.

Texts and formulas become Markdown cells. Examples, figures and the code of ops become code cells. A
reader can change the code of an op and run its proof again.
"""

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from minidl.book.chapters import Chapter, chapters
from minidl.book.exercises import EXERCISES, template
from minidl.book.programs import PACKAGES, definitions, proof, steps
from minidl.book.site.code import names_in
from minidl.book.sources import docstring
from minidl.book.subjects import Subject, subject
from minidl.book.things import thing_at
from minidl.book.writing.blocks import (
    Block,
    Columns,
    Example,
    Formulas,
    Heading,
    Instruction,
    Items,
    Paragraph,
    Signature,
    Terminal,
    Verbatim,
    blocks,
)
from minidl.book.writing.formula import formula
from minidl.book.writing.latex import latex
from minidl.book.writing.prose import Span, spans
from minidl.errors import FileError, listed
from minidl.extras import need
from minidl.files import make_folder, replacing

START = """\
import numpy as np  # write cupy instead of numpy to use a GPU
import minidl

minidl.set_device("gpu" if np.__name__ == "cupy" else "cpu")"""


class Cell(NamedTuple):
    """A cell of a notebook. kind: "markdown" or "code"."""

    kind: str
    text: str


def write_notebooks(folder: Path) -> list[Path]:
    """Write each chapter as a notebook NAME.ipynb into a folder, and return their paths.

    Raises FileError if one of them exists, or if a file cannot be written.
    """
    nbformat = need("nbformat.v4", "book", "`minidl book --notebooks`")
    make_folder(folder)
    _must_not_exist(folder)
    written = []
    for chapter in chapters():
        cells = [_as_node(nbformat, chapter.name, *found) for found in enumerate(cells_of(chapter))]
        notebook = nbformat.new_notebook(cells=cells)
        notebook.metadata["language_info"] = {"name": "python"}
        path = folder / f"{chapter.name}.ipynb"
        with replacing(path) as temporary:
            temporary.write_text(nbformat.writes(notebook), encoding="utf-8")
        written.append(path)
    return written


def _must_not_exist(folder):
    names = (f"{chapter.name}.ipynb" for chapter in chapters())
    if found := [name for name in names if (folder / name).exists()]:
        raise FileError(
            f"{folder} already holds {listed(found)}, which may contain your changes; give another "
            "folder, or remove them first"
        )


def cells_of(chapter: Chapter) -> Iterator[Cell]:
    """Yield the cells of a chapter."""
    yield Cell("markdown", f"# {chapter.title}")
    yield Cell("code", START)
    for block in chapter.blocks:
        if isinstance(block, Instruction):
            yield from _INSTRUCTIONS[block.name](block.argument)
        else:
            yield from _cells(block, frozenset())
    yield from _exercises(chapter)


def _as_node(nbformat, name, number, cell):
    make = nbformat.new_markdown_cell if cell.kind == "markdown" else nbformat.new_code_cell
    node = make(cell.text)
    node["id"] = f"{name}-{number}"  # the same notebook has the same bytes
    return node


def _cells(block: Block, names) -> Iterator[Cell]:
    if isinstance(block, Example):
        yield from (Cell("code", step.code) for step in steps(block.text))
    else:
        yield Cell("markdown", _markdown(block, names))


def _markdown(block: Block, names) -> str:
    if isinstance(block, Heading):
        return f"## {block.text}"
    if isinstance(block, Signature):
        return f"`{block.shapes}`"
    if isinstance(block, (Terminal, Verbatim)):
        return f"```\n{block.text}\n```"
    if isinstance(block, Columns):
        rows = (
            f"| {_inline(first, names)} | {_inline(rest, names)} |" for first, rest in block.rows
        )
        return "\n".join(["| | |", "|---|---|", *rows])
    if isinstance(block, Items):
        return "\n".join(f"- {_inline(text, names)}" for text in block.texts)
    if isinstance(block, Formulas):
        return "\n\n".join(_line(pieces, names) for pieces in block.lines)
    assert isinstance(block, Paragraph)
    return _inline(block.text, names)


def _line(pieces, names):
    if all(is_formula for _, is_formula in pieces):
        joined = r" \qquad ".join(latex(formula(text, names)) for text, _ in pieces)
        return f"$${joined}$$"
    return " &emsp; ".join(
        f"$\\displaystyle {latex(formula(text, names))}$" if is_formula else _inline(text, names)
        for text, is_formula in pieces
    )


def _inline(text, names):
    return "".join(_span(span, names) for span in spans(text, names))


def _span(span: Span, names) -> str:
    forms = {
        "words": lambda: span.text.replace("*", r"\*").replace("<", "&lt;"),
        "formula": lambda: f"${latex(formula(span.text, names))}$",
        "code": lambda: f"`{span.text}`",
        "strong": lambda: f"**{span.text}**",
        "emphasis": lambda: f"*{span.text}*",
        "link": lambda: f"[{span.text}]({span.target})",
    }
    return forms[span.kind]()


def _text(thing: Any, names=frozenset()) -> Iterator[Cell]:
    for block in blocks(docstring(thing), names):
        yield from _cells(block, names)


def _explain(names: str) -> Iterator[Cell]:
    for name in names.split():
        found = subject(name)
        yield Cell("markdown", f"## {name}")
        if not inspect.ismodule(found.thing):
            yield Cell("code", f"from minidl.{PACKAGES[found.kind]} import {name}")
        yield from _about(found)


def _about(found: Subject) -> Iterator[Cell]:
    if inspect.ismodule(found.thing):
        own = [name for name in ("A", "B", "G") if hasattr(found.thing, name)]
        if own:
            listed = ", ".join(own)
            moved = f"{listed} = map(np.asarray, ({listed}))  # to the device"
            yield Cell("code", f"from {found.thing.__name__} import {listed}\n\n{moved}")
        yield from _text(found.thing)
        return
    yield from _text(found.thing, names_in(found.thing))
    for gradient, names in found.derivations.items():
        yield Cell("markdown", f"### The gradient {', '.join(names)}")
        yield from _text(gradient, names_in(gradient))
    for code in (definitions(found), proof(found)):
        if code:
            yield Cell("code", code)


def _code_of(place: str) -> Iterator[Cell]:
    thing = thing_at(place)
    yield Cell("markdown", f"## {place.rpartition('.')[2]}")
    yield Cell(
        "code", f"from {thing.__module__} import *\nfrom {thing.__module__} import {thing.__name__}"
    )
    yield from _text(thing)


def _figure(name: str) -> Iterator[Cell]:
    yield Cell(
        "code",
        "from IPython.display import HTML\n"
        "from minidl.book.figures.still import still\n\n"
        f"HTML(still({name!r}))",
    )


def _exercises(chapter: Chapter) -> Iterator[Cell]:
    for name, exercise in EXERCISES.items():
        if exercise.chapter == chapter.name:
            yield Cell("markdown", f"## Exercise: {exercise.title}")
            yield Cell("code", f"%%writefile {name}.py\n{template(exercise)}")
            yield Cell("code", f"!minidl exercise {name} {name}.py")


_INSTRUCTIONS = {
    "explain": _explain,
    "code": _code_of,
    "text": lambda place: _text(thing_at(place)),
    "figure": _figure,
    "network": lambda argument: iter(()),
}
