"""The blocks of docstrings and chapters."""

import pytest

from minidl.book.writing.blocks import (
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
    is_formula,
)


def kinds(text):
    return [type(block) for block in blocks(text)]


def test_a_docstring():
    text = """(N, D) -> (N,)

y[n] = Σ_k x[n,k]

x is an array. Raises ShapeError.

    dx[n,k] = dy[n]

>>> add(1, 2)
3
"""
    assert kinds(text) == [Signature, Formulas, Paragraph, Formulas, Example]


def test_a_formula_after_the_shapes_in_one_line():
    [shapes, found] = blocks("(..., C) -> (..., C):  y = x / |x|")
    assert shapes == Signature("(..., C) -> (..., C)")
    assert found == Formulas([[("y = x / |x|", True)]])


def test_several_pieces_in_a_line():
    [found] = blocks("L = k Σ (F - P)²,      F: generated, P: content")
    assert found == Formulas([[("L = k Σ (F - P)²,", True), ("F: generated, P: content", False)]])


def test_commands_of_a_terminal():
    text = "$ minidl info\nPython 3\n$ minidl"
    assert [*blocks(text)] == [Terminal(text)]


def test_columns_of_which_one_is_a_formula():
    [found] = blocks('"keras"    v ← m v + g,   x ← x - v\n"other"    v ← g,   x ← v', {"m"})
    assert [[is_math for _, is_math in line] for line in found.lines] == [[False, True, True]] * 2


def test_columns_with_a_line_that_continues_a_row():
    text = "task.py    what is trained, and\n           how\nlog.py     the table"
    assert [*blocks(text)] == [
        Columns([("task.py", "what is trained, and how"), ("log.py", "the table")])
    ]


def test_columns_that_are_indented():
    [found] = blocks("    block1   2 convolutions\n    block2   2 of 128")
    assert found == Columns([("block1", "2 convolutions"), ("block2", "2 of 128")])


def test_a_line_that_continues_a_column_of_formulas():
    [found] = blocks(
        "    linear   y = a x     of x\n                         alone\n    other    y = x²"
    )
    assert [len(line) for line in found.lines] == [3, 2]
    assert found.lines[0][2] == ("of x alone", False)


def test_matrices_beside_each_other():
    text = "In numbers,\n\n    A = [1 -2]    Bᵀ = [1/2]\n        [3  4]         [ 0 ]"
    [_, found] = blocks(text)
    assert found == Formulas([[("A = [1 -2; 3  4]", True), ("Bᵀ = [1/2; 0]", True)]])


def test_other_lines_with_a_bracket_below_another_keep_their_columns():
    assert kinds("Such as\n\n    a row [1 2]\n        [3 4]") == [Paragraph, Verbatim]


def test_a_chapter():
    text = "A word.\n\n## A title\n\n- one\n- two\n  lines\n\n@figure windows\n@explain add sum"
    assert [*blocks(text)] == [
        Paragraph("A word."),
        Heading("A title"),
        Items(["one", "two lines"]),
        Instruction("figure", "windows"),
        Instruction("explain", "add sum"),
    ]


@pytest.mark.parametrize(
    "text", ["y = x where x > 0, and slope·x elsewhere", "x ← x - α g", "∂y/∂x = 1 / n"]
)
def test_formulas(text):
    assert is_formula(text)


@pytest.mark.parametrize(
    "text",
    [
        "y = the numbers of x, in row-major order, in another shape",
        "The gradient dx = dy is a copy.",
        "a = b. Hence c = d",
    ],
)
def test_sentences(text):
    assert not is_formula(text)
