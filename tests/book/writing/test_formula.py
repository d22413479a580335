"""Formulas: their trees, and that MathML and LaTeX show every name and number of the source."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from minidl.book.site.code import names_in
from minidl.book.sources import docstring
from minidl.book.subjects import SUBJECTS
from minidl.book.writing.blocks import Formulas, blocks
from minidl.book.writing.formula import formula
from minidl.book.writing.latex import latex
from minidl.book.writing.mathml import LATIN, chunks, mathml
from minidl.book.writing.trees import (
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
    symbols,
)

x, y, a, b, t = (Symbol(name) for name in "xyabt")


def only(source, names=()):
    """Return the tree of a formula that consists of one part."""
    [tree] = formula(source, names).items
    return tree


@pytest.mark.parametrize(
    ("source", "tree"),
    [
        ("x²", Scripts(x, above=Number("2"))),
        ("xᵀ", Scripts(x, above=Text("T"))),
        ("x[t]", Scripts(x, below=Row((t,)))),
        ("x[t]²", Scripts(x, Row((t,)), Number("2"))),
        ("√x", Root(x)),
        ("√(x)", Root(x)),
        ("|x|", Fence("|", Row((x,)), "|")),
        ("a / b", Fraction(a, b)),
        ("(a) / (b)", Fraction(a, b)),
        ("Σ_t", Limits("Σ", t)),
        ("Σ_pq", Limits("Σ", Row((Symbol("p"), Symbol("q"))))),
        ("max_t", Limits("max", t)),
        ("[a = b]", Fence("[", Row((a, Operator("=", True), b)), "]")),
        (
            "[a b; x -1]",
            Matrix(((Row((a,)), Row((b,))), (Row((x,)), Row((Operator("-"), Number("1")))))),
        ),
        ("<a, b>", Fence("⟨", Row((a, Operator(","), b)), "⟩")),
    ],
)
def test_the_tree_of_a_formula(source, tree):
    assert only(source) == tree


def test_a_fraction_takes_the_product_before_it_and_one_factor_after_it():
    tree = formula("y = a x / b t")
    assert tree.items[-2:] == (Fraction(Row((a, x)), b), t)


def test_a_fraction_within_a_sum_leaves_the_sum_outside():
    assert formula("Σ_t x[t] / b").items == (Limits("Σ", t), Fraction(only("x[t]"), b))


def test_without_spaces_a_fraction_takes_one_factor_on_each_side():
    tree = formula("2 ∂y/∂x")
    assert tree.items[0] == Number("2")
    assert tree.items[1] == Fraction(Row((Operator("∂"), y)), Row((Operator("∂"), x)))


def test_an_exponent_has_a_sign():
    assert only("e^-x") == Scripts(Symbol("e"), above=Row((Operator("-"), x)))


def test_a_word_is_text_unless_the_code_has_this_name():
    assert only("slope") == Text("slope")
    assert only("slope", {"slope"}) == Symbol("slope")


def test_a_word_in_a_sum_is_a_symbol():
    assert symbols(formula("t + before")) == {"t", "before"}


def test_a_long_formula_within_a_line_has_no_fraction_bar():
    text = "".join(ElementTree.fromstring(mathml(formula("(a + b) / (x y)"))).itertext())
    assert text == "(a+b)/(xy)"


def test_a_call_within_a_line_has_its_own_brackets_only():
    text = "".join(ElementTree.fromstring(mathml(formula("1/n(x)"))).itertext())
    assert text == "1/n(x)"


def test_the_name_of_a_function_is_no_large_operator():
    assert formula("max_pool(x)").items[0].items[0] == Symbol("max_pool")


def test_a_symbol_carries_the_name_that_the_code_uses():
    assert 'data-name="gamma">γ<' in mathml(formula("γ"))


def docstring_formulas():
    for name, subject in SUBJECTS.items():
        for thing in (subject.thing, *subject.derivations):
            names = names_in(thing)
            for block in blocks(docstring(thing), names):
                if isinstance(block, Formulas):
                    for line in block.lines:
                        yield from ((name, text, names) for text, is_formula in line if is_formula)


FORMULAS = [*docstring_formulas()]


def words_of(text):
    """Return the names and numbers of a text, in order of the alphabet."""
    found = re.findall(r"[^\W\d_]+|\d+(?:\.\d+)?", text.replace("Σ", " ").replace("Π", " "))
    return sorted(word for word in found if word not in ("max", "min", "argmax"))


def test_there_are_many_formulas_in_the_docstrings():
    assert len(FORMULAS) > 150


@pytest.mark.parametrize("display", [True, False])
def test_mathml_shows_every_name_and_number_of_a_formula(display):
    for name, source, names in FORMULAS:
        shown = ElementTree.fromstring(
            mathml(formula(source, names), display).replace("&nbsp;", " ")
        )
        tokens = " ".join(shown.itertext())
        for power, digit in {"²": "2", "³": "3", "⁴": "4", "⁵": "5", "ᵀ": "T", "∂": " "}.items():
            source = source.replace(power, f" {digit} ")
        tokens = tokens.replace("∂", " ")
        letters = sorted("".join(words_of(tokens)))
        assert letters == sorted("".join(words_of(source))), (name, source, tokens)


def test_a_long_formula_in_pieces_shows_the_same():
    for _, source, names in FORMULAS:
        tree = formula(source, names)
        pieces = "".join(
            "".join(ElementTree.fromstring(piece.replace("&nbsp;", " ")).itertext())
            for piece in chunks(tree)
        )
        whole = ElementTree.fromstring(mathml(tree, True).replace("&nbsp;", " ")).itertext()
        assert pieces == "".join(whole)


def test_a_formula_breaks_before_signs_and_factors():
    assert len(chunks(formula("y = b + Σ_t x[t] w[t]"))) == 4


def test_latex_has_balanced_braces_and_only_known_commands():
    known = {
        "frac", "sqrt", "sum", "prod", "left", "right", "text", "mathrm", "mathsf", "cdot", "odot",
        "partial", "le", "ge", "ne", "to", "leftarrow", "approx", "in", "dots", "infty", "pm",
        "lceil", "rceil", "lfloor", "rfloor", "langle", "rangle", "operatorname", "max", "min",
        "hat", "surd", "begin", "end", "bmatrix", "varepsilon", "varphi", "Phi", "Lambda",
        *LATIN.values(), "lambda", "mu", "sigma", "pi", "theta",
    }  # fmt: skip
    for _, source, names in FORMULAS:
        written = latex(formula(source, names))
        bare = re.sub(r"\\[{}_%&#$]", "", written)
        assert bare.count("{") == bare.count("}"), source
        assert {*re.findall(r"\\([A-Za-z]+)", written)} <= known, written
