"""The tokens of a formula in Unicode."""

import re
from dataclasses import dataclass

LETTERS = "A-Za-zÀ-ÖØ-öø-ʯΑ-ΡΤ-ωϵ\u0302ε"
_TOKEN = re.compile(
    rf"(?P<space>\s+)|`(?P<code>[^`]+)`|(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)"
    rf"|(?P<hyphened>[A-Za-z]{{2,}}(?:-[A-Za-z]{{2,}})+)"
    rf"|(?P<large>[ΣΠ])|(?P<name>∂?[{LETTERS}][{LETTERS}0-9\u0302]*(?:_[{LETTERS}0-9]+)*['′]*)"
    rf"|(?P<arrow>->)|(?P<added>\+=)|(?P<dots>\.\.\.?|…)|(?P<sign>.)"
)


@dataclass
class Token:
    """A name, a number or a sign. tight: whether no space is in front of it."""

    kind: str
    text: str
    tight: bool


def tokens(source: str) -> list[Token]:
    """Return the tokens of a formula.

    >>> [token.text for token in tokens("y[n] = Σ_t x²")]
    ['y', '[', 'n', ']', '=', 'Σ', '_', 't', 'x', '²']
    """
    found, tight = [], True
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or "sign"
        if kind == "space":
            tight = False
            continue
        text = {"arrow": "→", "dots": "…", "code": match["code"]}.get(kind, match.group())
        found.append(Token(kind, text, tight))
        tight = True
    return found
