"""The words, the formulas and the code of a paragraph.

Docstrings do not mark formulas: "b is added to y[n,o,k], so db[k] = Σ_n dy[n,o,k]." A formula is a
sequence of words that contain a mathematical sign, stand beside one, or are a single letter.
"""

import re
from collections.abc import Collection
from itertools import groupby
from typing import Literal, NamedTuple

from minidl.book.writing.formula import WORDS

Kind = Literal["words", "formula", "code", "strong", "emphasis", "link"]


class Span(NamedTuple):
    """A part of a paragraph. target: the address of a link."""

    kind: Kind
    text: str
    target: str = ""


_MARKED = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|(?<![\w(*])\*(?P<emphasis>[A-Za-z]+)\*(?![\w*])"
    r"|\[(?P<link>[^\]]+)\]\((?P<target>[^)\s]+)\)"
)
_SIGNS = re.compile(r"[=²³⁴⁵ᵀ√ΣΠ∂·←≤≥≠≈^∞∈αβγεθλμπσφΦΛ⌈⌉]")
_OPERATORS = ("=", "<", ">", "≤", "≥", "≠", "≈", "←", "+", "-", "·", "*", "/", "∈", "->")
_ARITHMETIC = ("+", "-", "·", "*", "/")
_SHAPE = re.compile(
    r"\((?:(?:\.\.\.?|\*?[A-Za-z·]+'?(?: ?/ ?groups)?|\d+), ?)+(?:\*?[A-Za-z·]+'?|\d+)?\)$"
)
_INDEXED = re.compile(
    r"[\w\u0302]+\[[^\]]+\]$|\|[^|]+\|$|\d+/\w+(\(\w\))?$|[A-Za-z]/[A-Za-z\d]$|\w'?\(\w\)$"
    r"|(max|min)\(.*\)$|[^\W\d_]_[a-z]{1,2}$|[^\W\d_][₀-₉]$|-[a-z]$"
)
_LETTER = re.compile(r"(?:d?[B-HJ-Zb-zâα-ωΦ]\u0302?|d[A-Zabwxy]\u0302?|[a-zα-ω]\d)['′]?$")
_FUNCTION = re.compile(r"-?(?:ln|log|tr|cos|exp)$")  # in front of its argument
_FACTOR = re.compile(
    r"[A-Z]$|\d+$|\((?:[\w·]{1,2} ?)+\)$|\[\(|\(.*[*+/=-].*\)$"
)  # beside a formula
_PRODUCT = r"<[^<>=]+, [^<>=]+>"  # an inner product
_AFTER_A = ("and", "or", "is", "are", "exceeds", "equals")  # after the letter a, not the article
_CLOSERS = ".,:;?!"


def spans(text: str, names: Collection[str] = ()) -> list[Span]:
    """Return the parts of a paragraph. names: the names of the code that it explains.

    >>> [span.text for span in spans("Every y is Σ_t x[t].")]
    ['Every ', 'y', ' is ', 'Σ_t x[t]', '.']
    """
    found: list[Span] = []
    end = 0
    for match in _MARKED.finditer(text):
        found += _unmarked(text[end : match.start()], names)
        kind: Kind = match.lastgroup if match.lastgroup != "target" else "link"  # type: ignore
        found.append(Span(kind, match.group(kind), match.group("target") or ""))
        end = match.end()
    return found + _unmarked(text[end:], names)


def _unmarked(text, names):
    words = _words(text)
    found: list[Span] = []
    for word, kind in zip(words, _kinds([word.strip() for word in words], names), strict=True):
        before = found[-1] if found else Span("words", "")
        ends = before.text.rstrip().endswith(tuple(_CLOSERS))
        if found and before.kind == kind and not (kind == "formula" and ends):
            found[-1] = Span(kind, before.text + word)
        else:
            found.append(Span(kind, word))
    return [*_joined(piece for span in found for piece in _without_ends(span))]


def _joined(pieces):
    """Yield the spans, with words beside each other as one."""
    for kind, group in groupby(pieces, key=lambda piece: piece.kind):
        if kind == "words":
            yield Span("words", "".join(piece.text for piece in group))
        else:
            yield from group


def _without_ends(span):
    """Yield a span, and the spaces and punctuation at its end as words."""
    bare = span.text.rstrip().rstrip(_CLOSERS) if span.kind != "words" else span.text
    if bare:
        yield Span(span.kind, bare)
    if rest := span.text[len(bare) :]:
        yield Span("words", rest)


def _words(text):
    """Split a text after spaces that are not within the brackets of a formula or a shape."""
    words, depth = [""], 0
    for piece in re.findall(rf"{_PRODUCT}\S*|\S+|\s+", text):
        words[-1] += piece
        if not piece.isspace():
            opened, closed = (sum(map(piece.count, signs)) for signs in ("([{", ")]}"))
            depth = max(0, depth + opened - closed)
        elif not depth:
            words.append("")
    return [part for word in words for part in _divided(word)]


def _divided(word):
    bare = word.strip().rstrip(_CLOSERS)
    is_aside = bare.startswith("(") and len(re.findall(r"\b[a-z]{3,}\b", bare)) > 1
    if is_aside and not re.search(r"[=+·]", bare):
        return re.findall(r"\S+\s*|\s+", word)
    is_whole = (
        re.match(_PRODUCT, word)
        or re.match(r"\w+\(.*\)$", bare)
        or _SIGNS.search(word)
        or "[" in word
        or _SHAPE.match(bare)
        or _FACTOR.match(bare)
    )
    return [word] if is_whole else re.findall(r"\S+\s*|\s+", word)


def _kinds(words, names):
    """Return for each word whether it is a word, code, or belongs to a formula."""
    neighbours = zip(["", *words], words, [*words[1:], ""], strict=False)
    certain = [_is_mathematical(word, before, after, names) for before, word, after in neighbours]
    found = certain.copy()
    for place, word in enumerate(words):
        before, after = words[place - 1] if place else "", "".join(words[place + 1 : place + 2])
        bare = word.rstrip(_CLOSERS)
        if bare == "x" and re.fullmatch(r"\d+", before) and after[:1].isdigit():
            found[place] = False  # a size, such as 32 x 32
            continue
        is_english = bare in WORDS or (bare.isalpha() and len(bare) > 1 and bare not in names)
        continues = place > 0 and found[place - 1] and not before.endswith(tuple(_CLOSERS))
        if word in _OPERATORS:
            found[place] = continues or (place + 1 < len(words) and certain[place + 1])
        elif _FUNCTION.match(bare) and place + 1 < len(words) and certain[place + 1]:
            found[place] = True
        elif not is_english and bare:
            starts = after in _OPERATORS and word == bare and not word.startswith('"')
            found[place] |= starts or (continues and bool(_FACTOR.match(bare)))
            found[place] |= continues and before in _OPERATORS
        elif bare:
            found[place] |= continues and before in (_OPERATORS if bare in names else _ARITHMETIC)
    return [
        "formula" if is_formula else "code" if _is_code(word.rstrip(_CLOSERS), names) else "words"
        for word, is_formula in zip(words, found, strict=True)
    ]


def _is_code(bare, names):
    return bare == "+=" or _is_shape(bare) or ("_" in bare and bare in names)


def _is_shape(bare):
    return _SHAPE.match(bare) is not None and not re.match(r"\([a-z](, ?[a-z])+\)$", bare)


def _is_mathematical(word, before, after, names):
    bare = word.rstrip(_CLOSERS)
    if not bare or bare in (*_OPERATORS, "+=") or bare in WORDS or _is_shape(bare):
        return False
    if re.match(r"[\"']|https?:", bare):
        return False
    if bare == "a":
        return after in (*_AFTER_A, *_OPERATORS) or word != bare
    if bare == "A":  # no article, which begins a sentence
        return bool(before) and not before.endswith((".", ":"))
    is_multiple = bare.isdigit() and word == bare and re.match(r"\(.*[+-].*\)", after) is not None
    is_index = re.match(rf"{_PRODUCT}$|\([a-z](, ?[a-z])+\)$", bare)
    found = any(pattern.search(bare) for pattern in (_SIGNS, _INDEXED))
    return found or bool(is_multiple or is_index or _LETTER.match(bare))
