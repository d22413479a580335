"""Code as HTML: coloured, with the numbers of its lines and marked variables."""

import ast
import inspect
import textwrap
from collections.abc import Collection, Iterator
from html import escape
from typing import Any

from pygments.lexers import PythonConsoleLexer, PythonLexer
from pygments.token import STANDARD_TYPES, Name, Token

from minidl.book.sources import Source, definition

PLAIN = (Token.Text, Token.Text.Whitespace, Name)  # tokens without a colour


def listing(found: Source, marked: Collection[str] = (), label: str = "") -> str:
    """Return the code of a function or class as HTML.

    marked: the variables that a formula has too. A reader who points at one sees all of them.
    label: describes the listing for a screen reader.
    """
    code = textwrap.dedent("\n".join(line.text for line in found.lines))
    rows = [
        f'<span class="row"><span class="number">{line.number}</span><code>{html}</code></span>'
        for line, html in zip(found.lines, _lines(code, marked), strict=True)
    ]
    return (
        f'<div class="listing" data-label="{escape(label or f"Code, {found}")}">'
        f"<pre>{''.join(rows)}</pre></div>"
    )


def session(text: str) -> str:
    """Return a Python session, with its results, as HTML."""
    return f"<pre><code>{_coloured(PythonConsoleLexer(), text)}</code></pre>"


def program(text: str) -> str:
    """Return a Python program as HTML."""
    return f"<pre><code>{_coloured(PythonLexer(), text)}</code></pre>"


def names_in(thing: Any) -> set[str]:
    """Return the names of the parameters, variables and attributes of a function, class or module.

    >>> sorted(names_in(names_in) & {"thing", "names_in", "return"})
    ['names_in', 'thing']
    """
    return set(_names(ast.parse(textwrap.dedent(inspect.getsource(definition(thing))))))


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name


def _lines(code, marked) -> Iterator[str]:
    line = ""
    for kind, text in PythonLexer(stripnl=False, ensurenl=False).get_tokens(code):
        first, *rest = text.split("\n")
        line += _token(kind, first, marked)
        for piece in rest:
            yield line
            line = _token(kind, piece, marked)
    yield line


def _token(kind, text, marked=()):
    if not text:
        return ""
    html = escape(text, quote=False)
    if kind in Name and text in marked:
        return f'<span class="{STANDARD_TYPES[kind]}" data-name="{escape(text)}">{html}</span>'
    if kind in PLAIN:
        return html
    return f'<span class="{STANDARD_TYPES.get(kind, "")}">{html}</span>'


def _coloured(lexer, text):
    return "".join(_token(kind, part) for kind, part in lexer.get_tokens(text)).rstrip("\n")
