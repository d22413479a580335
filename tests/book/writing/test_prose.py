"""The formulas and the code of paragraphs, which docstrings do not mark."""

import re

import pytest

from minidl.book.sources import docstring
from minidl.book.subjects import SUBJECTS
from minidl.book.writing.blocks import Paragraph, blocks
from minidl.book.writing.prose import spans

NAMES = {"stride", "dilation", "before", "dx", "dy"}


def parts(text, kind):
    return [span.text for span in spans(text, NAMES) if span.kind == kind]


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("b is added to every y[n,k]: db[k] = Σ_n dy[n,k]", ["b", "y[n,k]", "db[k] = Σ_n dy[n,k]"]),
        ("In every y[n,k], w[k] is a factor.", ["y[n,k]", "w[k]"]),
        (
            "if i = o·stride + t·dilation - before, it is read",
            ["i = o·stride + t·dilation - before"],
        ),
        ("The formula |a|² + |b|² - 2 a·b cancels.", ["|a|² + |b|² - 2 a·b"]),
        ("where a and b are 0, r is 0", ["a", "b", "r"]),
        ("a factor of a sum", []),
        ("y = max(x, 0), in pictures", ["y = max(x, 0)"]),
        ("L = dᵀ e. y is the derivative of L.", ["L = dᵀ e", "y", "L"]),
        ("from Y = Aᵀ M A follows more", ["Y = Aᵀ M A"]),
        ("the sums <A u, v> and <u, v> agree", ["<A u, v>", "<u, v>"]),
        ("the triples (o, i, t) of both", ["(o, i, t)"]),
        ("Lavin & Gray 2015, arXiv 1509.09308, F(4, 3)", []),
        ("It needs 36 instead of 144.", []),
        ("cells of 32 x 32 pixels", []),
        ("the factor 1/n(o) of both", ["1/n(o)"]),
        ('"none" Z = 1, "size" Z = H W C.', ["Z = 1", "Z = H W C"]),
    ],
)
def test_the_formulas_of_a_sentence(text, formulas):
    assert parts(text, "formula") == formulas


def test_shapes_and_words_in_backticks_are_code():
    text = "x (N, H, W, C) is the input of `max_pool`"
    assert parts(text, "code") == ["(N, H, W, C)", "max_pool"]


def test_strong_words_and_links():
    found = spans("**Strips.** See [the table](table.html).")
    assert [(span.kind, span.text, span.target) for span in found if span.kind != "words"] == [
        ("strong", "Strips.", ""),
        ("link", "the table", "table.html"),
    ]


def test_no_letter_of_a_docstring_is_lost():
    for subject in SUBJECTS.values():
        for block in blocks(docstring(subject.thing)):
            if isinstance(block, Paragraph):
                joined = "".join(span.text for span in spans(block.text))
                marked = re.sub(r"(?<=\s)\*(\w+)\*(?=\s)", r"\1", block.text)
                assert joined == marked.replace("`", "").replace("**", "")
