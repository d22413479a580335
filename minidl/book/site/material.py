"""What the book is made from, and where each name of it stands."""

import argparse
from collections.abc import Mapping
from typing import Any, NamedTuple

from minidl.book.chapters import Chapter, chapters
from minidl.book.exercises import EXERCISES
from minidl.book.site import commands, reference
from minidl.book.site.commands import Command
from minidl.book.site.page import Entry
from minidl.book.site.reference import Public
from minidl.book.subjects import SUBJECTS


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
            page = f"{chapter.name}.html"
            found.append(Entry(chapter.title, "chapter", chapter.summary, page, 3))
            place = f"in {chapter.title}"
            for name in chapter.subjects:
                found.append(Entry(name, SUBJECTS[name].kind, place, f"{page}#{name}", 2))
            for name in chapter.figures:
                title = name.replace("_", " ")
                found.append(Entry(title, "figure", place, f"{page}#figure-{name}"))
        for exercise in EXERCISES.values():
            url = f"{exercise.chapter}.html#exercise-{exercise.name}"
            found.append(Entry(exercise.name, "exercise", exercise.title, url, 1))
        for command in self.commands:
            url = f"commands.html#{command.anchor}"
            found.append(Entry(f"minidl {command.name}", "command", command.help, url, 1))
        for public in (found for names in self.packages.values() for found in names):
            url = f"{public.page}#{public.anchor}"
            found.append(Entry(public.anchor, "name", reference.summary(public), url))
        return found
