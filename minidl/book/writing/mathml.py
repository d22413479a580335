"""Formulas as MathML, which browsers typeset and screen readers read.

A symbol carries its name in the attribute data-name, so that a page can mark the variable of the
code with the same name.
"""

import re
from collections.abc import Sequence
from html import escape

from minidl.book.writing.trees import (
    LARGE,
    SUMS,
    Fence,
    Fraction,
    Limits,
    Matrix,
    Number,
    Operator,
    Root,
    Row,
    Scripts,
    Symbol,
    Text,
    Tree,
)

LATIN = {  # the names of Greek letters in code
    "α": "alpha", "β": "beta", "γ": "gamma", "ε": "epsilon", "μ": "mean", "σ": "variance",
    "λ": "weight_decay",
}  # fmt: skip
FACTORS = (Symbol, Scripts, Fraction, Root, Number)
THIN = '<mspace width="0.17em"/>'
SIGNS = {"-": "−", "*": "∗", "Σ": "∑", "Π": "∏"}


def mathml(tree: Tree, display: bool = False) -> str:
    """Return a formula as MathML. display: on a line of its own.

    >>> from minidl.book.writing.formula import formula
    >>> mathml(formula("x²"))
    '<math><mrow><msup><mi data-name="x">x</mi><mn>2</mn></msup></mrow></math>'
    """
    if display:
        return f'<math displaystyle="true">{_of(tree)}</math>'
    return f"<math>{_of(_in_line(tree))}</math>"


def chunks(tree: Row) -> list[str]:
    """Return a displayed formula as several pieces of MathML, between which a line may break: one
    for each factor or term, with the signs in front of it."""
    pieces: list[list[Tree]] = [[]]
    for item in tree.items:
        is_sign = isinstance(item, Operator | Limits)
        is_complete = bool(pieces[-1]) and not isinstance(pieces[-1][-1], Operator | Limits)
        is_comma = isinstance(item, Operator) and item.sign in ",;"
        starts = is_complete and not is_comma and (is_sign or isinstance(item, FACTORS))
        if starts and not (is_sign and isinstance(item, Operator) and item.sign in "·/*"):
            pieces.append([])
        pieces[-1].append(item)
    return [_piece(piece) for piece in pieces]


def _piece(items: list[Tree]) -> str:
    """Return a piece of a formula. A sign in front of it stands between two terms all the same."""
    written = mathml(Row(tuple(items)), display=True)
    is_sign = isinstance(items[0], Operator)
    return written.replace("<mo>", '<mo form="infix">', 1) if is_sign else written


def _in_line(tree: Tree) -> Tree:
    """Return a formula whose fractions are written with a slash, for a line of text."""
    if isinstance(tree, Fraction):
        above, below = map(_in_line, (tree.above, tree.below))
        return Row((_whole(above, SUMS), Operator("/"), _whole(below, (*SUMS, "·"))))
    if isinstance(tree, Row):
        followed = zip(tree.items, [*tree.items[1:], None], strict=True)
        return Row(tuple(_before(_in_line(item), item, after) for item, after in followed))
    if isinstance(tree, Fence):
        return Fence(tree.left, _in_line(tree.inside), tree.right)
    if isinstance(tree, Scripts):
        return Scripts(_in_line(tree.base), tree.below, tree.above)
    return Root(_in_line(tree.of)) if isinstance(tree, Root) else tree


def _before(written: Tree, item: Tree, after: Tree | None) -> Tree:
    """Return an item within a line, with parentheses around a fraction in front of a factor."""
    is_factor = isinstance(after, (*FACTORS, Fence, Row, Limits))
    return Fence("(", written, ")") if isinstance(item, Fraction) and is_factor else written


def _whole(tree: Tree, signs: tuple[str, ...]) -> Tree:
    """Return a tree with parentheses around it if one of the signs divides it."""
    items = tree.items if isinstance(tree, Row) else ()
    parts = any(isinstance(item, Operator) and item.sign in signs for item in items)
    is_call = len(items) == 2 and isinstance(items[1], Fence)
    is_product = len(items) > 1 and "·" in signs and items[0] != Operator("∂") and not is_call
    return Fence("(", tree, ")") if parts or is_product else tree


def code_name(name: str) -> str:
    """Return the name in code of a symbol: gamma of γ, x of x."""
    return LATIN.get(name, name)


def _of(tree: Tree) -> str:
    if isinstance(tree, Symbol):
        return _symbol(tree.name, tree.code or code_name(tree.name))
    if isinstance(tree, Number):
        return f"<mn>{tree.digits}</mn>"
    if isinstance(tree, Operator):
        return _operator(tree.sign)
    if isinstance(tree, Text):
        words = escape(tree.words)
        return f"<mtext>{words}</mtext>" if words == "T" else f"<mtext>&nbsp;{words}&nbsp;</mtext>"
    if isinstance(tree, Row):
        return _row(tree.items)
    if isinstance(tree, Fraction):
        return f"<mfrac>{_of(tree.above)}{_of(tree.below)}</mfrac>"
    if isinstance(tree, Root):
        return f"<msqrt>{_of(tree.of)}</msqrt>"
    if isinstance(tree, Limits):
        return f"<munder>{_operator(tree.operator)}{_of(tree.below)}</munder>"
    if isinstance(tree, Fence):
        return f"<mrow>{_bracket(tree.left)}{_of(tree.inside)}{_bracket(tree.right)}</mrow>"
    if isinstance(tree, Matrix):
        return _matrix(tree)
    return _scripts(tree)


def _matrix(tree: Matrix) -> str:
    rows = "".join(
        f"<mtr>{''.join(f'<mtd>{_of(entry)}</mtd>' for entry in row)}</mtr>" for row in tree.rows
    )
    return f"<mrow>{_bracket('[')}<mtable>{rows}</mtable>{_bracket(']')}</mrow>"


def _row(items: Sequence[Tree]) -> str:
    """Return trees beside each other, with a narrow space between two factors of a product."""
    written = ""
    for item, before in zip(items, [None, *items], strict=False):
        is_factor = isinstance(before, FACTORS) and (isinstance(item, FACTORS) or _is_call(item))
        is_multiple = isinstance(item, Fence) and isinstance(before, Number)
        written += (THIN if is_factor or is_multiple else "") + _of(item)
    return f"<mrow>{written}</mrow>"


def _is_call(tree: Tree) -> bool:
    if not isinstance(tree, Row) or len(tree.items) != 2:
        return False
    return isinstance(tree.items[0], Symbol) and isinstance(tree.items[1], Fence)


def _scripts(tree: Scripts) -> str:
    parts = [_of(part) for part in (tree.base, tree.below, tree.above) if part is not None]
    kind = "subsup" if len(parts) == 3 else "sub" if tree.below is not None else "sup"
    return f"<m{kind}>{''.join(parts)}</m{kind}>"


def _symbol(name: str, code: str) -> str:
    if name in LARGE:
        return f"<mo>{name}</mo>"
    mark = f' data-name="{escape(code)}"'
    if numbered := re.fullmatch(r"(\D)(\d+)", name):
        letter, digits = numbered.groups()
        return f"<msub{mark}><mi>{letter}</mi><mn>{digits}</mn></msub>"
    is_letter = re.fullmatch(r"d?[^\W\d_]\u0302?['′]*", name) and len(name) > 1
    style = ' class="italic"' if is_letter else ""  # browsers do this for single letters only
    return f"<mi{mark}{style}>{escape(name)}</mi>"


def _operator(sign: str) -> str:
    if sign in ("Σ", "Π", *LARGE):
        return f'<mo movablelimits="false">{SIGNS.get(sign, sign)}</mo>'
    separator = ' separator="true"' if sign in ",;" else ""
    return f"<mo{separator}>{escape(SIGNS.get(sign, sign))}</mo>"


def _bracket(sign: str) -> str:
    return f'<mo fence="true" stretchy="true">{sign}</mo>'
