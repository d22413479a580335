"""The book as a static site: a folder of pages that opens from the disk, without a server.

`minidl book` builds it. In Python, a network of your own can be explored, which is a Sequential of
convolutions, dense layers, pooling, normalization and activations:

    from minidl.book.network import exploration
    from minidl.book.site.build import build
    from minidl.cli import program_parser

    explored = exploration(model, picture, classes, mean=mean, std=std)
    build(Path("minidl-book"), program_parser(), explored)
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from minidl import __version__
from minidl.book import network
from minidl.book.chapters import PARTS
from minidl.book.completeness import incomplete
from minidl.book.measure import wrong_examples
from minidl.book.site import commands, cover, reference
from minidl.book.site.chapter import write
from minidl.book.site.folder import new_folder
from minidl.book.site.material import Material
from minidl.book.site.page import Page
from minidl.book.site.section import measure
from minidl.book.subjects import SUBJECTS
from minidl.errors import MinidlError

ASSETS = Path(__file__).parent / "assets"
TEMPLATE = Path(__file__).parent / "templates" / "page.html"
COPIED = "book.css", "book.js", "theme.js", "icon.svg"  # assets
REFERENCE = "Reference"  # the last part of the contents
EXPLORED_AFTER = "cifar10"  # the chapter before the page of the network
Watch = Callable[[str], None]


class BookError(MinidlError):
    """The source lacks what a page of the book needs."""


def build(
    folder: Path,
    parser: argparse.ArgumentParser,
    explored: Mapping[str, Any],
    watch: Watch = lambda page: None,
) -> Path:
    """Write the book into a folder and return its first page.

    folder: new, empty, or an earlier book, which is replaced when the new one is complete. parser:
    of the program, whose commands are described. explored: an exploration of a network. watch:
    called with the title of each page.

    Raises BookError if a public name lacks what the book needs, and FileError if the folder holds
    other files or cannot be written.
    """
    material = Material.of(parser, explored)
    _must_be_complete(material)
    with new_folder(folder) as made:
        _write(made, [*_pages(material, watch)])
        entries = json.dumps([vars(entry) for entry in material.entries()], ensure_ascii=False)
        files = {"search-data.js": f"window.SEARCH = {entries};\n", **network.files(explored)}
        for name, content in files.items():
            (made / name).write_text(content, encoding="utf-8")
        for name in COPIED:
            (made / name).write_bytes((ASSETS / name).read_bytes())
    return folder / "index.html"


def _must_be_complete(material):
    """Refuse a docstring without a fact, and a name that no chapter explains."""
    if lacking := [*incomplete()]:
        raise BookError(f"the book cannot be built: {'; '.join(lacking)}")
    explained = {name for chapter in material.chapters for name in chapter.subjects}
    if forgotten := SUBJECTS.keys() - explained:
        raise BookError(f"no chapter explains {', '.join(sorted(forgotten))}")


def _pages(material: Material, watch: Watch) -> Iterator[Page]:
    links = material.links()
    html = cover.page(material.chapters)
    yield Page("index.html", "The book of minidl", html, short="The book")
    for chapter in material.chapters:
        watch(chapter.title)
        _must_be_right(chapter)
        written = write(chapter, links, measure)
        page = Page(f"{chapter.name}.html", chapter.title, written.html, chapter.part)
        page.sections, page.sources = written.sections, written.sources
        yield page
        if chapter.name == EXPLORED_AFTER:
            yield _network_page(chapter.part, material.explored)
    watch("Commands")
    sections = [(command.anchor, command.name) for command in material.commands]
    html = commands.page(material.commands)
    yield Page("commands.html", "Commands", html, REFERENCE, sections=sections)
    for package, public in material.packages.items():
        watch(package)
        file, short = reference.page_of(package), package.removeprefix("minidl.")
        sections = [(found.anchor, found.name) for found in public]
        html = reference.page(package, public, links)
        yield Page(file, package, html, REFERENCE, short=short, sections=sections)


def _must_be_right(chapter):
    """Refuse a chapter with an example that does not give what it states."""
    if wrong := wrong_examples(chapter.text, chapter.name):
        raise BookError(f"the chapter {chapter.name} has a wrong example: {'; '.join(wrong)}")


def _network_page(part, explored):
    title = "A network, explored"
    html = f"<h1>{title}</h1>\n{network.body(explored)}"
    styles, scripts = (network.STYLE,), (network.DATA, network.SCRIPT)
    return Page("network.html", title, html, part, styles=styles, scripts=scripts)


def _write(folder: Path, pages: list[Page]) -> None:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    parts = (*PARTS, REFERENCE)
    contents = {part: [page for page in pages if page.part == part] for part in parts}
    for page, before, after in zip(pages, [None, *pages], [*pages[1:], None], strict=False):
        html = template.render(
            page=page,
            content=Markup(page.content),
            contents=contents,
            before=before,
            after=after,
            version=__version__,
        )
        (folder / page.file).write_text(html, encoding="utf-8")
