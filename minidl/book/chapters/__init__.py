"""The chapters of the book, in the order in which they are read.

A chapter is a file NAME.md: a title, an introduction, and what belongs to it. It is written in the
notation of docstrings (see `minidl.book.writing.blocks`), with instructions:

@explain NAME ...     the text, the code, the proof and the time of ops, losses, layers, ...
@code MODULE.NAME     the text and the code of another function or class
@text MODULE          the docstring of a file or package
@figure NAME          a moving picture
@network              a link to the network that can be explored

Its exercises follow at the end. Examples (>>>) are run when the book is built. Commands ($) are run
by tests/book/test_terminal.py.
"""

import re
from pathlib import Path
from typing import NamedTuple

from minidl.book.writing.blocks import Block, Instruction, blocks

FOLDER = Path(__file__).parent
PARTS = {
    "The maths": (
        "shapes", "derivative", "tape", "broadcasting", "axes", "matmul", "activations",
        "convolution", "winograd", "pooling", "normalization", "softmax", "picture-losses",
        "likeness-losses", "optimisers", "proofs",
    ),
    "The systems": ("painting", "faces", "family-album", "digits", "cifar10", "seeing", "verdict"),
    "The engine": ("speed",),
}  # fmt: skip


class Chapter(NamedTuple):
    """A chapter. name: that of its file. part: a key of PARTS."""

    name: str
    part: str
    title: str
    text: str

    @property
    def blocks(self) -> list[Block]:
        """The blocks of the text after the title."""
        return list(blocks(self.text))

    @property
    def subjects(self) -> list[str]:
        """The names that the chapter explains."""
        return [name for argument in self._arguments("explain") for name in argument.split()]

    @property
    def figures(self) -> list[str]:
        """The names of its moving pictures."""
        return self._arguments("figure")

    def _arguments(self, instruction):
        found = (block for block in self.blocks if isinstance(block, Instruction))
        return [block.argument for block in found if block.name == instruction]

    @property
    def summary(self) -> str:
        """The first paragraph, without marks."""
        first = self.text.strip().split("\n\n")[0]
        return re.sub(r"[`*]", "", " ".join(first.split()))


def chapters() -> list[Chapter]:
    """Return all chapters, in the order of reading."""
    return [_read(name, part) for part, names in PARTS.items() for name in names]


def _read(name, part):
    title, _, text = (FOLDER / f"{name}.md").read_text(encoding="utf-8").partition("\n")
    return Chapter(name, part, title.removeprefix("# ").strip(), text.strip())
