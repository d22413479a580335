"""Docstrings and chapters as HTML."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from html import escape
from typing import Any

from minidl.book.programs import program, steps
from minidl.book.site.code import session
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
from minidl.book.writing.mathml import chunks, code_name, mathml
from minidl.book.writing.prose import Span, spans
from minidl.book.writing.trees import symbols

_SYMBOL = r"[^\W\d_]\d?"
LONG = 30  # characters of a formula that may not fit on a phone
_TOGETHER = r'<span class="together">\1\2</span>'
_AFTER_TERMS = re.compile(r"(?<=\.) (?=Raises? |Cost: )")  # what follows a list of terms
Links = Mapping[str, str]  # the address of each public name


class Writer:
    """Writes texts about one piece of code as HTML.

    links: the addresses of other names, for words in backticks. names: the names of the code.
    program: what the examples need, such as imports; it grows by the examples that are written.
    symbols: the names that formulas have used until now and the code has too. parameters: of the
    function, which are no links. aliases: {symbol of the formulas: name in the code}.
    """

    parameters: Collection[str] = ()
    aliases: Mapping[str, str] = {}

    def __init__(
        self, links: Links, names: Collection[str] = (), program: str = "import numpy as np"
    ) -> None:
        self.links, self.names, self.program = links, frozenset(names), program
        self.symbols: set[str] = set()

    def text(self, text: str) -> str:
        """Return a text as HTML."""
        return self.blocks(blocks(text, self.names))

    def blocks(self, found: Iterable[Block]) -> str:
        """Return blocks as HTML. Instructions are left to the caller, and are not written."""
        return "\n".join(self.block(block) for block in found)

    def block(self, block: Block) -> str:
        """Return one block as HTML."""
        return _WRITERS[type(block)](self, block)

    def inline(self, text: str) -> str:
        """Return a sentence as HTML, without a paragraph around it."""
        html = "".join(map(self._span, spans(text, self.names)))
        # punctuation stays on the line of the formula in front of it
        return re.sub(r"(<math>(?:(?!</math>).)*</math>)([.,:;)]+)", _TOGETHER, html)

    def formula(self, text: str, display: bool = False) -> str:
        """Return a formula as HTML."""
        return mathml(self._tree(text), display)

    def _paragraph(self, block):
        terms = _definitions(block.text, self.names)
        if not terms:
            return f"<p>{self.inline(block.text)}</p>"
        (name, text), rest = terms[-1], ""
        if found := _AFTER_TERMS.search(text):
            text, rest = text[: found.start()], text[found.end() :]
        html = self._terms([*terms[:-1], (name, text)])
        return f"{html}<p>{self.inline(rest)}</p>" if rest else html

    def _terms(self, terms):
        rows = (
            f"<dt>{', '.join(map(self._term, names.split(', ')))}</dt><dd>{self.inline(text)}</dd>"
            for names, text in terms
        )
        return f"<dl>{''.join(rows)}</dl>"

    def _term(self, name):
        bare = name.strip("`")
        if len(bare) == 1 or bare in ("dx", "dy", "dw", "db"):
            return self.formula(bare)
        if bare in self.names:
            self.symbols.add(bare)
        return f'<code data-name="{escape(bare)}">{escape(bare)}</code>'

    def _columns(self, block):
        rows = "".join(
            f"<dt>{self.inline(first)}</dt><dd>{self.inline(rest)}</dd>"
            for first, rest in block.rows
        )
        return f'<dl class="columns">{rows}</dl>'

    def _formulas(self, block):
        lines = []
        for pieces in block.lines:
            parts = (
                self._displayed(text) if is_formula else f"<span>{self.inline(text)}</span>"
                for text, is_formula in pieces
            )
            lines.append(f"<div>{''.join(parts)}</div>")
        label = "The formula" if len(lines) == 1 else "The formulas"
        return f'<div class="formulas" data-label="{label}">{"".join(lines)}</div>'

    def _example(self, block):
        html = workshop(program(self.program, block.text), session(block.text), "example")
        silent = [step.code for step in steps(block.text) if not step.shows]
        self.program = "\n".join([self.program, *silent])
        return html

    def _displayed(self, text):
        """Return a formula on a line of its own. A long one may be broken on a narrow page."""
        if len(text) <= LONG:
            return self.formula(text, display=True)
        tree = self._tree(text)
        return f'<span class="chunks">{"".join(chunks(tree))}</span>'

    def _tree(self, text):
        tree = formula(text, self.names, self.aliases)
        used = {self.aliases.get(name) or code_name(name) for name in symbols(tree)}
        self.symbols |= used & self.names
        return tree

    def _span(self, span: Span) -> str:
        written: dict[str, Callable[[], str]] = {
            "words": lambda: escape(span.text, quote=False),
            "formula": lambda: self._within(span.text),
            "code": lambda: self._code(span.text),
            "strong": lambda: f"<strong>{escape(span.text)}</strong>",
            "emphasis": lambda: f"<em>{escape(span.text)}</em>",
            "link": lambda: f'<a href="{escape(span.target)}">{escape(span.text)}</a>',
        }
        return written[span.kind]()

    def _within(self, text):
        """Return a formula within a line. A long one can be scrolled on a phone."""
        html = self.formula(text)
        return html if len(text) <= LONG else f'<span class="long">{html}</span>'

    def _code(self, text):
        bare = re.sub(r"^minidl\.|\(.*\)$", "", text)
        if text in self.parameters:
            return f'<code data-name="{escape(text)}">{escape(text)}</code>'
        address = self.links.get(bare) or self.links.get(bare.rpartition(".")[2])
        if address and "(N" not in text:
            return f'<a href="{address}"><code>{escape(text)}</code></a>'
        mark = f' data-name="{escape(text)}"' if text in self.names else ""
        return f"<code{mark}>{escape(text)}</code>"


_WRITERS: dict[type, Callable[["Writer", Any], str]] = {
    Heading: lambda writer, block: f"<h2>{writer.inline(block.text)}</h2>",
    Signature: lambda writer, block: f'<p class="shapes"><code>{_shapes(block.shapes)}</code></p>',
    Formulas: Writer._formulas,
    Paragraph: Writer._paragraph,
    Items: lambda writer, block: (
        f"<ul>{''.join(f'<li>{writer.inline(text)}</li>' for text in block.texts)}</ul>"
    ),
    Example: Writer._example,
    Columns: Writer._columns,
    Terminal: lambda writer, block: f'<pre class="terminal">{_commands(block.text)}</pre>',
    Verbatim: lambda writer, block: f"<pre>{escape(block.text)}</pre>",
    Instruction: lambda writer, block: "",
}


def aliases_in(text: str, names: Collection[str]) -> dict[str, str]:
    """Return the symbols for which a docstring says which name of the code they are.

    >>> aliases_in("L = k (F - P)²,   F: generated, P: content", {"generated", "content"})
    {'F': 'generated', 'P': 'content'}
    """
    pairs = re.findall(rf"(?<![\w`])({_SYMBOL}): `?([a-z]\w+)`?(?=[,.;)\s]|$)", text)
    lists = re.findall(rf"((?:[a-z]\w+, )*[a-z]\w+): ((?:{_SYMBOL}, )*{_SYMBOL})(?=[.;\s]|$)", text)
    for listed, letters in lists:
        known, their_symbols = listed.split(", "), letters.split(", ")
        if len(known) == len(their_symbols):
            pairs += zip(their_symbols, known, strict=True)
    return {symbol: name for symbol, name in pairs if name in names and symbol not in names}


def workshop(code: str, html: str, style: str) -> str:
    """Return HTML that the served book replaces by code that can be edited and run."""
    return f'<div class="{style}" data-program="{escape(code)}">{html}</div>'


def _commands(text):
    """Return the lines of a terminal as HTML. What the user types is marked."""
    return re.sub(r"^\$ (.*)$", r"$ <kbd>\1</kbd>", escape(text, quote=False), flags=re.M)


def _shapes(text):
    return escape(text.replace("->", "→"))


def _definitions(text, names):
    """Return [(names, text)] of a paragraph that explains names: "o: position. t: tap of w." """
    term = r"(?:`?[A-Za-zα-ω][\w']{0,24}`?)(?:, `?[A-Za-zα-ω]\w{0,24}`?)*"
    pieces = re.split(rf"(?:^|(?<=[.;)] ))({term}): (?=\S)", text)
    if pieces[0] or len(pieces) < 3:
        return []
    pairs = list(zip(pieces[1::2], pieces[2::2], strict=True))
    is_known = [any(_is_term(name, names) for name in known.split(", ")) for known, _ in pairs]
    if not is_known[0]:
        return []
    terms: list[tuple[str, str]] = []
    for (known, rest), is_term in zip(pairs, is_known, strict=True):
        if is_term:
            terms.append((known, rest.strip()))
        else:
            terms[-1] = (terms[-1][0], f"{terms[-1][1]} {known}: {rest.strip()}")
    return terms


def _is_term(name, names):
    """Whether a word may be explained in a list: a parameter, or the letter of a formula."""
    return name[0] == "`" or len(name) == 1 or (name in names and name[0].islower())
