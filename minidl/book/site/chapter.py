"""A chapter as HTML: its text, and what its instructions ask for."""

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from minidl.book.chapters import Chapter
from minidl.book.figures import draw
from minidl.book.site.anchors import anchor_of
from minidl.book.site.code import names_in
from minidl.book.site.exercises import exercises
from minidl.book.site.figures import figure_html
from minidl.book.site.section import Measure, explained, file_text, section
from minidl.book.site.text import Links, Writer
from minidl.book.sources import ROOT, definition, docstring
from minidl.book.subjects import subject
from minidl.book.things import thing_at
from minidl.book.writing.blocks import Heading, Instruction
from minidl.errors import one_of


class Written(NamedTuple):
    """A chapter as HTML. sections: (anchor, title). sources: (name, address) of the files that it
    explains."""

    html: str
    sections: list[tuple[str, str]]
    sources: list[tuple[str, str]]


def write(chapter: Chapter, links: Links, measure: Measure) -> Written:
    """Return a chapter as HTML."""
    return _Chapter(chapter, links, measure).write()


def _names_of(chapter):
    """Return the names of the code that a chapter explains."""
    things = [subject(name).thing for name in chapter.subjects if subject(name).kind != "algorithm"]
    return set().union(*map(names_in, things))


class _Chapter:
    def __init__(self, chapter: Chapter, links: Links, measure: Measure) -> None:
        self.chapter, self.links, self.measure = chapter, links, measure
        self.writer = Writer(links, _names_of(chapter))
        self.sections: list[tuple[str, str]] = []
        self.families: set[str] = set()
        self.files: dict[str, str] = {}
        self.instructions: Mapping[str, Callable[[str], str]] = {
            "explain": self._explain,
            "code": self._code,
            "text": self._text,
            "figure": self._figure,
            "network": self._network,
        }

    def write(self):
        found = exercises(self.chapter.name, self.links)
        parts = [f"<h1>{self.writer.inline(self.chapter.title)}</h1>"]
        if found:
            parts.append('<p class="jump"><a href="#on-exercises">Go to the exercises</a></p>')
        for block in self.chapter.blocks:
            if isinstance(block, Instruction):
                one_of("instruction", block.name, self.instructions)
                parts.append(self.instructions[block.name](block.argument))
            elif isinstance(block, Heading):
                parts.append(self._heading(block.text))
            else:
                parts.append(self.writer.block(block))
        if found:
            parts += [self._heading("Exercises"), found]
        return Written("\n".join(parts), self.sections, [*self.files.items()])

    def _heading(self, text):
        anchor = anchor_of(text)
        self.sections.append((anchor, text))
        return f'<h2 id="{anchor}">{self.writer.inline(text)}</h2>'

    def _explain(self, names):
        parts = []
        for name in names.split():
            found = subject(name)
            self.sections.append((name, name))
            self._add_file(found.thing)
            parts.append(self._family(found))
            parts.append(section(found, self.measure(found), self.links))
        return "".join(parts)

    def _family(self, found):
        """Return what the ops of a file have in common, before the first of them."""
        if found.family in self.families or "\n\n" not in found.family:
            return ""
        return self._text(definition(found.thing).__module__)

    def _code(self, place):
        thing = thing_at(place)
        self._add_file(thing)
        name = place.rpartition(".")[2]
        self.sections.append((name, name))
        return (
            f'<section class="subject" id="{name}" aria-labelledby="{name}-title">'
            f'<h2 id="{name}-title">{name}</h2>{explained(thing, self.links)}</section>'
        )

    def _text(self, place):
        module = thing_at(place)
        self._add_file(module)
        self.families.add(docstring(module))
        return file_text(module, self.links)

    def _add_file(self, thing):
        file = Path(inspect.getsourcefile(definition(thing)) or "")
        self.files[file.relative_to(ROOT.parent).as_posix()] = file.as_uri()

    def _figure(self, name):
        return figure_html(name, draw(name))

    def _network(self, argument):
        return (
            '<p><a href="network.html">Explore a small network, forward and back</a>, down to the '
            "numbers.</p>"
        )
