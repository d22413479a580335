"""The first page: what the book is, and its chapters."""

from html import escape

from minidl.book.chapters import PARTS, Chapter
from minidl.machine import kind

INTRODUCTION = (
    "This book shows how deep learning computes. Its text, formulas and code are those of minidl, "
    "read from the source when the book was built. Each formula stands beside the lines that "
    "compute it.",
    "minidl has two parts. The textbook is the shortest code that states each formula. The engine "
    "has faster implementations of the expensive ops. The book explains the textbook, and its last "
    "chapter the engine. Below each op, tables show how its gradients were tested when the book "
    "was built, and how long the textbook and the engine took on this computer.",
    "Read the chapters in order, or press / and search. Point at a symbol to mark its variable in "
    "the code. Each chapter ends with exercises, which minidl checks.",
)


def page(chapters: list[Chapter]) -> str:
    """Return the content of the first page, as HTML."""
    words = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in INTRODUCTION)
    parts = "".join(f"<h2>{part}</h2>{_cards(part, chapters)}" for part in PARTS)
    return (
        f"<h1>How deep learning computes</h1>{words}{parts}<h2>Reference</h2>"
        '<p><a href="commands.html">All commands</a> and <a href="api-minidl.html">all public '
        f"names</a>.</p><p>Times in this book were measured on: {escape(kind())}.</p>"
    )


def _cards(part, chapters):
    items = "".join(
        f'<li><a href="{chapter.name}.html"><strong>{escape(chapter.title)}</strong>'
        f"<span>{escape(chapter.summary)}</span></a></li>"
        for chapter in chapters
        if chapter.part == part
    )
    return f'<ol class="cards">{items}</ol>'
