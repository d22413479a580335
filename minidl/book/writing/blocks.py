"""A docstring, or a chapter of the book, as a sequence of blocks.

Docstrings and chapters share one notation. Paragraphs are divided by empty lines. Formulas stand on
lines of their own, examples begin with >>>. Chapters add headings (##), lists (-), commands of a
terminal with what they print ($ minidl info) and instructions (@figure windows) that say what else
belongs there.
"""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple, Union

from minidl.book.writing.formula import WORDS, formula
from minidl.book.writing.trees import Text

Block = Union[
    "Heading",
    "Signature",
    "Formulas",
    "Paragraph",
    "Items",
    "Columns",
    "Example",
    "Terminal",
    "Verbatim",
    "Instruction",
]


class Heading(NamedTuple):
    text: str


class Signature(NamedTuple):
    """The shapes of an op: (N, D), (M, D) -> (N, M)"""

    shapes: str


class Formulas(NamedTuple):
    """Lines that are formulas. Each consists of pieces: (text, whether it is a formula)."""

    lines: list[list[tuple[str, bool]]]


class Paragraph(NamedTuple):
    text: str


class Items(NamedTuple):
    """A list."""

    texts: list[str]


class Columns(NamedTuple):
    """Lines of two columns, such as the names of files and what they contain."""

    rows: list[tuple[str, str]]


class Example(NamedTuple):
    """A Python session with its results."""

    text: str


class Terminal(NamedTuple):
    """Commands of a terminal, each after "$ ", and the lines that they print. "..." stands for any
    text."""

    text: str


class Verbatim(NamedTuple):
    """Lines whose columns are aligned."""

    text: str


class Instruction(NamedTuple):
    """What else belongs in a chapter, such as `figure` and `windows`."""

    name: str
    argument: str


_DEFINES = re.compile(r"\S+ (=|←) |\S+·?\(.*\)$|L = ")
MOST_WORDS = 0.45  # of a formula are words
MOST_ENGLISH = 3  # words of a formula, which may be names of the code too


def blocks(text: str, names: Collection[str] = ()) -> Iterator[Block]:
    """Yield the blocks of a text. names: the names of the code that it explains."""
    for place, part in enumerate(_parts(text)):
        lines = part.splitlines()
        first = lines[0]
        if first.startswith(">>>"):
            yield Example(part)
        elif first.startswith("$ "):
            yield Terminal(part)
        elif first.startswith("## "):
            yield Heading(first.removeprefix("## "))
        elif first.startswith("@"):
            for line in lines:
                name, _, argument = line.removeprefix("@").partition(" ")
                yield Instruction(name, argument)
        elif first.startswith("- "):
            yield Items([" ".join(item.split()) for item in re.split(r"^- ", part, flags=re.M)[1:]])
        elif place == 0 and "->" in first and first.startswith("("):
            yield from _signature(part, names)
        elif found := _matrices(lines):
            yield Formulas([[(matrix, True) for matrix in found]])
        elif _is_aligned(lines):
            yield Verbatim(part)
        elif first.startswith("    ") or all(_is_set_apart(line, names) for line in lines):
            yield _set_apart(lines, names)
        elif rows := _columns(lines):
            yield Columns(rows)
        else:
            yield from _paragraph(lines, names)


def is_formula(text: str, names: Collection[str] = ()) -> bool:
    """Whether a line is a formula, perhaps with a few words.

    >>> is_formula("y = x where x > 0"), is_formula("y = the numbers of x in another shape")
    (True, False)
    """
    is_sentence = text.rstrip().endswith(".") or re.search(r"\. [A-Z]", text)
    if not _DEFINES.match(text.strip()) or is_sentence:
        return False
    return _share_of_words(text, names) <= MOST_WORDS


def _share_of_words(text, names):
    items = formula(text, names).items
    words = sum(len(item.words.split()) for item in items if isinstance(item, Text))
    return words / max(words + sum(not isinstance(item, Text) for item in items), 1)


def _parts(text):
    """Divide a text at empty lines. An example is a part of its own."""
    for part in re.split(r"\n\s*\n", text.strip("\n")):
        if "\n>>> " in part and not part.startswith(">>>"):
            before, _, example = part.partition("\n>>> ")
            yield before
            yield f">>> {example}"
        elif part.strip():
            yield part


def _signature(part, names):
    shapes, colon, rest = part.partition(":  ")
    yield Signature(" ".join(shapes.split()))
    if colon:
        yield from blocks(rest.strip(), names)


def _paragraph(lines, names):
    """Yield a paragraph, or the formula with which its first lines begin and the paragraph."""
    count = 0
    while count < len(lines) and is_formula(lines[count], names):
        count += 1
    continues = count and lines[count][0].islower()  # the sentence of the last formula
    if count and not continues:
        yield Formulas([_pieces(line, names) for line in lines[:count]])
    rest = lines if continues else lines[count:]
    yield Paragraph(" ".join(" ".join(rest).split()))


def _pieces(line, names):
    texts = [piece for piece in re.split(r"\s{2,}", line.strip()) if piece]
    return [(text, _may_be_formula(text, names)) for text in texts]


def _may_be_formula(text, names):
    english = [word for word in re.findall(r"\b[a-z]{3,}\b", text) if word not in WORDS]
    is_text = (re.match(r"[\"'(]", text) and "=" not in text) or len(english) > MOST_ENGLISH
    has_sign = re.search(r"[=←≤≥<>·²√ΣᵀΠ+*/]", text) is not None
    return not is_text and has_sign and _share_of_words(text, names) <= MOST_WORDS


def _set_apart(lines, names):
    """Return the block of lines that are formulas, or that are indented like formulas."""
    formulas = [_pieces(line, names) for line in _unbroken(lines)]
    rows = _columns(lines)
    if rows and not any(is_formula for line in formulas for _, is_formula in line):
        return Columns(rows)
    return Formulas(formulas)


def _unbroken(lines):
    """Return lines, each joined with the lines that continue it, which are indented further."""
    first = len(lines[0]) - len(lines[0].lstrip())
    joined: list[str] = []
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if joined and indent >= first + 8:
            joined[-1] += f" {line.strip()}"
        else:
            joined.append(line)
    return joined


def _columns(lines):
    """Return the rows of two aligned columns, or nothing if the lines are not aligned. A line that
    begins in the second column continues the row above it."""
    match = re.match(r"(\s*)(\S+(?: \S+)*?)(\s{2,})\S", lines[0])
    if match is None or len(lines) < 2:
        return []
    second, rows = match.end() - 1, []
    for line in lines:
        first, gap, rest = line[:second].strip(), line[second - 2 : second], line[second:].strip()
        if first and gap.isspace() and rest:
            rows.append((first, rest))
        elif not first and rest and rows:
            rows[-1] = (rows[-1][0], f"{rows[-1][1]} {rest}")
        else:
            found = re.match(r"\s*(\S+(?: \S+)*?)\s{2,}(\S.*)", line)
            if found is None:
                return []
            rows.append((found[1], found[2]))
    return rows if len(rows) > 1 else []


def _is_set_apart(line, names):
    """Whether a line is a formula, or consists of columns of which one is a formula."""
    columns = re.split(r"\s{3,}", line.strip())
    return is_formula(line, names) or any(is_formula(column, names) for column in columns[1:])


def _matrices(lines):
    """Return the matrices that stand beside each other in lines, each in one line: A = [1 0; 0 1].
    Return nothing if there are other words."""
    begins = {match.end() - 1: match[1] for match in re.finditer(r"(\S+) = \[", lines[0])}
    rows: dict[int, list[str]] = {place: [] for place in begins}
    for line in lines:
        brackets = list(re.finditer(r"\[([^]]*)\]", line))
        if any(match.start() not in begins for match in brackets) or not brackets:
            return []
        for match in brackets:
            rows[match.start()].append(match[1].strip())
    found = [f"{name} = [{'; '.join(rows[place])}]" for place, name in begins.items()]
    return found if all(map(len, rows.values())) and len(lines) > 1 else []


def _is_aligned(lines):
    """Whether lines are a drawing, such as matrices: one begins with a bracket below another."""
    return any(re.match(r"\s+\[", line) for line in lines[1:])
