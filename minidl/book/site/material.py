"""What the book is made from, and where each name of it stands."""

import argparse
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from minidl.book.chapters import Chapter, chapters
from minidl.book.exercises import EXERCISES
from minidl.book.site import commands, reference
from minidl.book.site.anchors import anchor_of
from minidl.book.site.commands import Command
from minidl.book.site.page import Entry
from minidl.book.site.reference import Public
from minidl.book.sources import docstring
from minidl.book.subjects import SUBJECTS
from minidl.book.writing.blocks import Heading


class Material(NamedTuple):
    """The chapters, the public names by package, the commands, and an explored network."""

    chapters: list[Chapter]
    packages: dict[str, list[Public]]
    commands: list[Command]
    explored: Mapping[str, Any]

    @classmethod
    def of(cls, parser: argparse.ArgumentParser, explored: Mapping[str, Any]) -> "Material":
        """Read the material. parser: of the program. explored: an exploration of a network."""
        return cls(chapters(), reference.packages(), [*commands.commands(parser)], explored)

    def links(self) -> dict[str, str]:
        """Return the address of every name: the section of a chapter, or the reference."""
        public = (found for names in reversed(self.packages.values()) for found in names)
        links = {found.name: f"{found.page}#{found.anchor}" for found in public}
        for command in self.commands:
            links[f"minidl {command.name}"] = f"commands.html#{command.anchor}"
        for chapter in self.chapters:
            links |= {name: f"{chapter.name}.html#{name}" for name in chapter.subjects}
        return links

    def entries(self) -> list[Entry]:
        """Return what search finds."""
        found = [Entry("A network, explored", "chapter", "forward and back", "network.html", 3)]
        for chapter in self.chapters:
            found += _of_chapter(chapter)
        for exercise in EXERCISES.values():
            url = f"{exercise.chapter}.html#exercise-{exercise.name}"
            found.append(Entry(exercise.name, "exercise", exercise.title, url, 1, exercise.task))
        for command in self.commands:
            url = f"commands.html#{command.anchor}"
            words = command.parser.format_help()
            found.append(Entry(f"minidl {command.name}", "command", command.help, url, 1, words))
        for public in (found for names in self.packages.values() for found in names):
            url = f"{public.page}#{public.anchor}"
            found.append(Entry(public.anchor, "name", reference.summary(public), url))
        return [_with_short_words(entry) for entry in found]


def _of_chapter(chapter: Chapter) -> Iterator[Entry]:
    """Yield a chapter, its sections, and what it explains."""
    page, place = f"{chapter.name}.html", f"in {chapter.title}"
    yield Entry(chapter.title, "chapter", chapter.summary, page, 3, chapter.text)
    for block in chapter.blocks:
        if isinstance(block, Heading):
            yield Entry(block.text, "section", place, f"{page}#{anchor_of(block.text)}", 1)
    for name in chapter.subjects:
        found = SUBJECTS[name]
        texts = [found.thing, *found.derivations]
        words = " ".join(
            [docstring(thing) for thing in texts] + [thing.__name__ for thing in texts]
        )
        yield Entry(name, found.kind, place, f"{page}#{name}", 2, words)
    for name in chapter.figures:
        yield Entry(name.replace("_", " "), "figure", place, f"{page}#figure-{name}")


def _with_short_words(entry: Entry) -> Entry:
    """Return an entry whose words occur once each, in lower case."""
    words = dict.fromkeys(re.findall(r"[\w-]{3,}", entry.words.lower()))
    return replace(entry, words=" ".join(words))
