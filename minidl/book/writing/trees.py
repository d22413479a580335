"""The tree of a formula."""

from dataclasses import dataclass, field
from typing import Union

Tree = Union[
    "Symbol",
    "Number",
    "Operator",
    "Text",
    "Row",
    "Fraction",
    "Root",
    "Scripts",
    "Limits",
    "Fence",
    "Matrix",
]


@dataclass(frozen=True)
class Symbol:
    """A variable or the name of a function. code: the name that the code gives it, if it has
    another one there."""

    name: str
    code: str = field(default="", repr=False)


@dataclass(frozen=True)
class Number:
    digits: str


@dataclass(frozen=True)
class Operator:
    """A sign such as + or =. spaced: whether spaces surround it in the source."""

    sign: str
    spaced: bool = False


@dataclass(frozen=True)
class Text:
    """Words between formulas, such as "where"."""

    words: str


@dataclass(frozen=True)
class Row:
    """Trees beside each other."""

    items: tuple[Tree, ...]


@dataclass(frozen=True)
class Fraction:
    above: Tree
    below: Tree


@dataclass(frozen=True)
class Root:
    of: Tree


@dataclass(frozen=True)
class Scripts:
    """A base with a subscript, a superscript, or both."""

    base: Tree
    below: Tree | None = None
    above: Tree | None = None


@dataclass(frozen=True)
class Limits:
    """A large operator, such as Σ, Π or max, with its range below."""

    operator: str
    below: Tree


@dataclass(frozen=True)
class Fence:
    """A tree within brackets or bars."""

    left: str
    inside: Tree
    right: str


@dataclass(frozen=True)
class Matrix:
    """A matrix, as rows of entries."""

    rows: tuple[tuple[Tree, ...], ...]


LARGE = ("Σ", "Π", "max", "min", "argmax", "argmin")
SUMS = ("+", "-", "±")
ARITHMETIC = (*SUMS, "·", "*", "/")


def symbols(tree: Tree) -> set[str]:
    """Return the names of all symbols of a tree.

    >>> sorted(symbols(Fraction(Symbol("x"), Symbol("n"))))
    ['n', 'x']
    """
    if isinstance(tree, Symbol):
        return {tree.name}
    if isinstance(tree, Matrix):
        return set().union(*(symbols(entry) for row in tree.rows for entry in row))
    parts = tree.items if isinstance(tree, Row) else vars(tree).values()
    trees = [part for part in parts if part is not None and not isinstance(part, str | bool)]
    return set().union(*map(symbols, trees)) if trees else set()
