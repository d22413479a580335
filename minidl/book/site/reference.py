"""The reference: every public name of every package, and where it stands in the book."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from html import escape
from types import ModuleType
from typing import Any, NamedTuple

import minidl
from minidl.book.site.code import names_in
from minidl.book.site.section import explained
from minidl.book.site.text import Links, Writer
from minidl.book.sources import docstring
from minidl.book.subjects import SUBJECTS
from minidl.dispatch import definition_of

# Packages whose public names are for minidl itself: the commands, and the book.
INTERNAL = ("minidl.cli", "minidl.book")
# Files that are public as a whole, because users call what they contain.
MODULES = (
    "minidl.gradcheck", "minidl.backend", "minidl.shapes", "minidl.errors", "minidl.evaluation",
    "minidl.engine.threads", "minidl.engine.memory", "minidl.grids", "minidl.visualize",
    "minidl.recipes",
)  # fmt: skip


class Public(NamedTuple):
    """A public name. package: where it is imported from."""

    package: str
    name: str
    thing: Any

    @property
    def page(self) -> str:
        """The file of the page of its package."""
        return page_of(self.package)

    @property
    def anchor(self) -> str:
        return f"{self.package}.{self.name}"


def page_of(package: str) -> str:
    """Return the file of the reference page of a package.

    >>> page_of("minidl.style_transfer")
    'api-style_transfer.html'
    """
    return f"api-{package.removeprefix('minidl.').replace('.', '-')}.html"


def packages() -> dict[str, list[Public]]:
    """Return the public names of each package, in the order of the packages' names."""
    names = ["minidl", *sorted({*MODULES, *_with_all()})]
    found = {name: list(_public(importlib.import_module(name))) for name in names}
    return {name: public for name, public in found.items() if public}


def _with_all() -> Iterator[str]:
    """Yield the names of all packages that list their public names."""
    for found in pkgutil.walk_packages(minidl.__path__, "minidl."):
        if found.ispkg and not found.name.startswith(INTERNAL):
            module = importlib.import_module(found.name)
            if hasattr(module, "__all__"):
                yield found.name


def _public(module: ModuleType) -> Iterator[Public]:
    listed = getattr(module, "__all__", None)
    own = [
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
        and callable(thing)
    ]  # fmt: skip
    for name in own if listed is None else listed:
        thing = getattr(module, name)
        if not inspect.ismodule(thing):
            yield Public(module.__name__, name, thing)


def page(package: str, public: list[Public], links: Links) -> str:
    """Return the content of the reference page of a package, as HTML."""
    module = importlib.import_module(package)
    intro = Writer(links, names_in(module)).text(docstring(module))
    return (
        f'<h1>{package} <small>reference</small></h1><div class="text wide">{intro}</div>'
        f"{''.join(_entry(found, links) for found in public)}"
    )


def summary(found: Public) -> str:
    """Return the first sentence about a public name."""
    if not _is_code(found.thing):
        return f"{type(found.thing).__name__} in {found.package}"
    text = docstring(found.thing).split("\n\n")
    first = next((part for part in text if not part.startswith("(")), text[0])
    return " ".join(first.split()).split(". ")[0]


def _entry(found: Public, links: Links) -> str:
    head = f'<h2 id="{found.anchor}">{escape(found.name)} <small>{_kind(found.thing)}</small></h2>'
    if found.name in SUBJECTS and SUBJECTS[found.name].thing is found.thing:
        words = Writer(links).inline(summary(found))
        body = (
            f"<p>{words}</p>"
            f'<p><a href="{links[found.name]}">Formula, derivations, code and proof of '
            f"<code>{found.name}</code></a></p>"
        )
    elif _is_code(found.thing):
        call = f'<p class="call"><code>{escape(_call(found))}</code></p>'
        body = f"{call}{explained(found.thing, links)}"
    else:
        body = f"<p>{escape(_value(found.thing))}</p>"
    return f'<section class="entry">{head}{body}</section>'


def _is_code(thing):
    found = inspect.unwrap(definition_of(thing))
    return inspect.isfunction(found) or inspect.isclass(found)


def _kind(thing):
    if inspect.isclass(thing):
        return "class"
    return "function" if callable(thing) else "value"


def _call(found: Public) -> str:
    try:
        signature = str(inspect.signature(inspect.unwrap(definition_of(found.thing))))
        return found.name + re.sub(r"<function .*? at 0x[0-9a-f]+>", "...", signature)
    except (TypeError, ValueError):
        return found.name


def _value(thing):
    if isinstance(thing, dict):
        return f"A table with the entries {', '.join(map(str, thing))}."
    if isinstance(thing, (list, tuple)):
        return f"A list of {len(thing)} items."
    return f"The value {thing!r}."
