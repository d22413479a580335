r"""Formulas as LaTeX, for notebooks.

>>> from minidl.book.writing.formula import formula
>>> latex(formula("y[n] = Σ_t x[n + t] / 2"))
'y_{n} = \\sum_{t} \\frac{x_{n + t}}{2}'
"""

from minidl.book.writing.trees import (
    LARGE,
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

LETTERS = {
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "ε": r"\varepsilon", "λ": r"\lambda",
    "μ": r"\mu", "σ": r"\sigma", "π": r"\pi", "φ": r"\varphi", "Φ": r"\Phi", "Λ": r"\Lambda",
    "θ": r"\theta", "â": r"\hat{a}", "x̂": r"\hat{x}", "b̂": r"\hat{b}",
}  # fmt: skip
SIGNS = {
    "Σ": r"\sum", "Π": r"\prod", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx",
    "←": r"\leftarrow", "→": r"\to", "∈": r"\in", "·": r"\cdot", "*": r"\odot", "∂": r"\partial",
    "…": r"\dots", "∞": r"\infty", "±": r"\pm", "√": r"\surd", "⌈": r"\lceil", "⌉": r"\rceil",
    "⌊": r"\lfloor", "⌋": r"\rfloor", "⟨": r"\langle", "⟩": r"\rangle", "{": r"\{", "}": r"\}",
    "|": "|", "%": r"\%", "#": r"\#", "&": r"\&", "$": r"\$",
}  # fmt: skip


def latex(tree: Tree) -> str:
    """Return a formula as LaTeX, without the signs around it."""
    if isinstance(tree, Symbol):
        return _symbol(tree.name)
    if isinstance(tree, Number):
        return tree.digits
    if isinstance(tree, Operator):
        return SIGNS.get(tree.sign, tree.sign)
    if isinstance(tree, Text):
        words = _escaped(tree.words)
        return r"\mathsf{T}" if words == "T" else rf"\text{{ {words} }}"
    if isinstance(tree, Row):
        return " ".join(map(latex, tree.items))
    if isinstance(tree, Fraction):
        return rf"\frac{{{latex(tree.above)}}}{{{latex(tree.below)}}}"
    if isinstance(tree, Root):
        return rf"\sqrt{{{latex(tree.of)}}}"
    if isinstance(tree, Limits):
        name = SIGNS.get(tree.operator) or _large(tree.operator)
        return rf"{name}_{{{latex(tree.below)}}}"
    if isinstance(tree, Fence):
        left, right = (SIGNS.get(sign, sign) for sign in (tree.left, tree.right))
        return rf"\left{left} {latex(tree.inside)} \right{right}"
    if isinstance(tree, Matrix):
        rows = r" \\ ".join(" & ".join(map(latex, row)) for row in tree.rows)
        return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
    return _scripts(tree)


def _large(name: str) -> str:
    return rf"\{name}" if name in ("max", "min") else rf"\operatorname*{{{name}}}"


def _scripts(tree: Scripts) -> str:
    below = "" if tree.below is None else f"_{{{latex(tree.below)}}}"
    above = "" if tree.above is None else f"^{{{latex(tree.above)}}}"
    return f"{latex(tree.base)}{below}{above}"


def _symbol(name: str) -> str:
    if name in LETTERS:
        return LETTERS[name]
    if name in LARGE:
        return _large(name)
    letter, digits = name[:1], name[1:]
    if digits.isdigit():
        return f"{LETTERS.get(letter, letter)}_{{{digits}}}"
    is_word = len(name.rstrip("'′")) > 1 and not (name[0] == "d" and len(name) == 2)
    return rf"\mathrm{{{_escaped(name)}}}" if is_word else name


def _escaped(text: str) -> str:
    return "".join(rf"\{letter}" if letter in "_%&#$" else letter for letter in text)
