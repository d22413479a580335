"""Formulas in Unicode, as docstrings write them, and their trees.

    y[n,o,k] = b[k] + Σ_t Σ_c x[n, o·stride + t - before, c] w[t,c,k]

An index in brackets is a subscript, `Σ_t` and `Σ_{o: o reads i}` are sums with a range, and x², xᵀ
and e^-x are powers. A fraction takes the product on its left as its numerator, and the next factor
as its denominator; without spaces, as in ∂y/∂x, it takes one factor on each side. `[i = k]` is an
Iverson bracket, and [1 0; 0 1] a matrix. A word that is not a name of the code is text.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from minidl.book.writing.tokens import LETTERS, Token, tokens
from minidl.book.writing.trees import (
    ARITHMETIC,
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

INDICES = {digit: str(value) for value, digit in enumerate("₀₁₂₃₄₅₆₇₈₉")}
POWERS = {"²": "2", "³": "3", "⁴": "4", "⁵": "5", "⁶": "6", "¹": "1", "⁰": "0", "ᵀ": "T"}
FUNCTIONS = ("cos", "sin", "exp", "log", "ln", "sign", "arccos", "floor", "ceil", "sqrt", "round")
# Words of formulas that may be names in code too.
WORDS = (
    "where", "otherwise", "elsewhere", "if", "or", "and", "of", "for", "with", "is", "are", "do",
    "the", "at", "so", "in", "over", "as", "that",
)  # fmt: skip
PAIRS = {"(": ")", "[": "]", "{": "}", "⌈": "⌉", "⌊": "⌋"}
RELATIONS = ("=", "←", "→", "≤", "≥", "<", ">", "≠", "≈", "∈", ":", ",", ";")


def formula(
    source: str, names: Collection[str] = (), aliases: Mapping[str, str] | None = None
) -> Row:
    """Return the tree of a formula.

    names: the names of the code that it explains. Other words of two letters and more are text.
    aliases: {symbol of the formula: name in the code} of those that differ.

    >>> formula("y = 2 x²").items[-1]
    Scripts(base=Symbol(name='x'), below=None, above=Number(digits='2'))
    """
    return _Parser(tokens(source), frozenset(names), aliases or {}).row(())


@dataclass
class _Parser:
    tokens: list[Token]
    names: frozenset[str]
    aliases: Mapping[str, str]
    place: int = 0
    bars: int = field(default=0)  # open bars of |x| at the present depth

    def peek(self, ahead=0):
        place = self.place + ahead
        return self.tokens[place] if place < len(self.tokens) else None

    def take(self):
        self.place += 1
        return self.tokens[self.place - 1]

    def row(self, ends: tuple[str, ...]) -> Row:
        """Parse to one of the ends, which is not taken, or to the end of the formula."""
        items: list[Tree] = []
        while (token := self.peek()) and token.text not in ends:
            if token.text == "/" and items:
                self._fraction(items, ends)
            else:
                items.append(self.factor())
        return Row(tuple(_joined(items)))

    def _fraction(self, items, ends):
        """Replace the last items by a fraction of them and of what follows the bar."""
        bar = self.take()
        following = self.peek()
        if following is None or following.text in ends:
            items.append(Operator("/"))
            return
        is_tight = bar.tight and following.tight
        first = len(items) - 1 if is_tight else _product_before(items)
        first -= is_tight and first > 0 and items[first - 1] == Operator("∂")
        above = _bare(_row_of(items[first:]))
        if above == Row(()):
            items.append(Operator("/"))
            return
        below = self.factor()
        if isinstance(below, (Limits, Number)) or below == Operator("Σ"):
            below = _row_of([below, *self._rest_of_product(below, ends)])
        items[first:] = [Fraction(above, _bare(below))]

    def _rest_of_product(self, first, ends):
        """Return the factors that belong to a sum, or that stand close to a number, as in 2y."""
        rest: list[Tree] = []
        while (token := self.peek()) and token.text not in (*ends, *RELATIONS, *SUMS, "/", ")"):
            is_close = token.tight and (token.kind == "name" or token.text == "√")
            if isinstance(first, Number) and not is_close:
                break
            rest.append(self.factor())
        return rest

    def factor(self) -> Tree:
        """Parse an atom with its indices and powers."""
        token = self.peek()
        if token.kind == "name" and token.text.startswith("∂"):
            token.text = token.text[1:]
            return Row((Operator("∂"), self.factor()))
        base = self.atom()
        if isinstance(base, Operator):
            return self._raised(base)  # the square of a difference: ↓²
        if not isinstance(base, (Symbol, Number, Fence, Scripts)):
            return base
        below = above = None
        while token := self.peek():
            if token.text in POWERS and token.tight:
                above = self._small()
            elif token.text in INDICES and token.tight and below is None:
                below = Number(INDICES[self.take().text])
            elif token.text == "^" and above is None:
                self.take()
                above = self._power()
            elif token.text == "[" and token.tight and isinstance(base, Symbol) and below is None:
                self.take()
                below = self._inside("]")
            elif token.text == "(" and token.tight and isinstance(base, Symbol):
                self.take()
                applied = Fence("(", self._inside(")"), ")")
                named = _scripted(base, below, above)
                return _row_of([named, self._raised(applied)])
            else:
                break
        return _scripted(base, below, above)

    def _raised(self, base):
        token = self.peek()
        if token and token.text in POWERS and token.tight:
            return Scripts(base, above=self._small())
        return base

    def _small(self):
        """Parse a raised letter or number, such as ᵀ or ¹²."""
        text = POWERS[self.take().text]
        while (token := self.peek()) and token.text in POWERS and token.tight:
            text += POWERS[self.take().text]
        return Text(text) if text == "T" else Number(text)

    def _power(self):
        token = self.peek()
        if token and token.text in SUMS:
            return _row_of([Operator(self.take().text), self.factor()])
        return _bare(self.factor())

    def atom(self) -> Tree:
        token = self.take()
        if token.kind == "number":
            return Number(token.text)
        if token.kind == "code":
            return Symbol(token.text)
        if token.kind == "hyphened":
            return Text(token.text)
        if token.kind in ("name", "large"):
            return self._named(token.text)
        if token.text == "√":
            return Root(_bare(self.factor())) if self.peek() else Operator("√")
        if token.text == "|":
            return self._between_bars()
        if token.text == "[" and (end := self._end_of_matrix()):
            return self._matrix(end)
        if token.text in PAIRS and token.text != "{":
            right = PAIRS[token.text]
            return Fence(token.text, self._inside(right), right)
        following = self.peek()
        if token.text == "<" and following and following.tight and self._closes(">"):
            return Fence("⟨", self._inside(">"), "⟩")
        return Operator(token.text, not token.tight and bool(following and not following.tight))

    def _named(self, name):
        following, next_but_one = self.peek(), self.peek(1)
        if name in ("Σ", "Π") and following and following.text == "_" and next_but_one:
            self.take()
            if self.peek().text == "{":
                self.take()
                return Limits(name, self._inside("}"))
            return Limits(name, self._letters(self.take().text))
        if name in ("Σ", "Π"):
            return Operator(name)
        first, _, rest = name.partition("_")
        if first in LARGE and rest and len(rest) <= 2 and name not in self.names:
            return Limits(first, self._letters(rest))
        if name in WORDS:
            return Text(name)
        if name in self.names or name in FUNCTIONS or name in LARGE:
            return self.symbol(name)
        if rest and len(first) == 1:
            below = Number(rest) if rest.isdigit() else Symbol(rest)
            return Scripts(self.symbol(first), below)
        if following and following.text == "(" and following.tight:
            return self.symbol(name)  # a function
        is_word = len(re.sub(r"[0-9'′\u0302_]", "", name)) > 1 and not rest
        is_differential = re.fullmatch(rf"d[{LETTERS}]\u0302?\d?", name) is not None
        return Text(name) if is_word and not is_differential else self.symbol(name)

    def symbol(self, name):
        return Symbol(name, self.aliases.get(name, ""))

    def _letters(self, text):
        """Return the range below a sum: one name, or letters such as pq, which are two indices."""
        if text in self.names or len(text) == 1 or not text.isalpha():
            return Number(text) if text.isdigit() else Symbol(text)
        return Row(tuple(Symbol(letter) for letter in text))

    def _inside(self, right):
        outer, self.bars = self.bars, 0
        inside = self.row((right,))
        self.bars = outer
        if self.peek():
            self.take()
        return inside

    def _end_of_matrix(self):
        """Return the place of the bracket that ends a matrix here, or 0 if there is no matrix."""
        texts = [token.text for token in self.tokens[self.place :]]
        end = texts.index("]") if "]" in texts else 0
        return self.place + end if ";" in texts[:end] else 0

    def _matrix(self, end):
        rows: list[list[list[Token]]] = [[]]
        for token in self.tokens[self.place : end]:
            if token.text == ";":
                rows.append([])
            elif token.tight and rows[-1]:
                rows[-1][-1].append(token)
            else:
                rows[-1].append([token])
        self.place = end + 1
        entries = (
            (_Parser(entry, self.names, self.aliases).row(()) for entry in row) for row in rows
        )
        return Matrix(tuple(map(tuple, entries)))

    def _closes(self, sign):
        return any(token.text == sign for token in self.tokens[self.place :])

    def _between_bars(self):
        self.bars += 1
        inside = self.row(("|", ",", ")", "]"))
        self.bars -= 1
        if self.peek() and self.peek().text == "|":
            self.take()
            return Fence("|", inside, "|")
        return _row_of([Operator("|"), *inside.items])


def _scripted(base, below, above):
    if below is None and above is None:
        return base
    if isinstance(base, Scripts):
        return Scripts(base.base, base.below or below, above)
    return Scripts(base, below, above)


def _product_before(items):
    """Return where the product begins that ends a list of items: after the last sum, relation or
    range of a sum."""
    for place in reversed(range(len(items))):
        item = items[place]
        is_sign = isinstance(item, Operator) and item.sign not in ("·", "*")
        if is_sign or isinstance(item, (Limits, Text)):
            return place + 1
    return 0


def _row_of(items) -> Tree:
    return items[0] if len(items) == 1 else Row(tuple(items))


def _bare(tree: Tree) -> Tree:
    """Return a tree without the parentheses around it."""
    if isinstance(tree, Fence) and tree.left == "(":
        return _row_of(tree.inside.items) if isinstance(tree.inside, Row) else tree.inside
    return tree


def _joined(items):
    """Yield the items, with words beside each other as one text. A word beside a sign of arithmetic
    is a symbol."""
    words: list[str] = []
    for place, item in enumerate(items):
        if isinstance(item, Text):
            beside = items[max(place - 1, 0) : place] + items[place + 1 : place + 2]
            is_operand = any(isinstance(it, Operator) and it.sign in ARITHMETIC for it in beside)
            if not is_operand:
                words.append(item.words)
                continue
            item = Symbol(item.words)
        if words:
            yield Text(" ".join(words))
            words = []
        yield item
    if words:
        yield Text(" ".join(words))
