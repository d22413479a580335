"""The file, the lines and the code of a function or class, and of the helpers that it calls."""

import ast
import functools
import inspect
import sys
import textwrap
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from minidl.dispatch import definition_of

ROOT = Path(__file__).parents[1]  # the package


class Line(NamedTuple):
    """A line of code and its number in its file."""

    number: int
    text: str


class Source(NamedTuple):
    """Where a function, a class or a constant is defined.

    path: from the folder that contains the package. lines: its code, without the docstring if it is
    the source of a subject.
    """

    path: str
    lines: list[Line]

    def __str__(self) -> str:
        return f"{self.path}:{self.lines[0].number}"


def source(thing: Any) -> Source:
    """Return the Source of a function or a class. Of an op or a replaceable function, it is that of
    the definition.

    >>> print(source(source).path)
    minidl/book/sources.py
    """
    thing = definition(thing)
    lines, first = inspect.getsourcelines(thing)
    hidden = _docstring_lines("".join(lines))
    numbered = [
        Line(first + place, line.rstrip("\n"))
        for place, line in enumerate(lines)
        if place not in hidden
    ]
    return Source(path_of(thing), numbered)


def file_source(module: ModuleType) -> Source:
    """Return the Source of a whole file, without its docstring.

    >>> file_source(sys.modules["minidl.book.things"]).lines[0].text
    'import importlib'
    """
    file = module.__file__ or ""
    _, second, *_ = ast.parse("\n".join(_lines_of(file))).body
    lines = enumerate(_lines_of(file)[second.lineno - 1 :], second.lineno)
    path = Path(file).relative_to(ROOT.parent).as_posix()
    return Source(path, [Line(number, text) for number, text in lines])


def helpers(things: Collection[Any], explained: Collection[str] = ()) -> list[Source]:
    """Return the Source of each function, class and constant that the code of some things uses,
    directly or through others, and that stands in the same file. They are in the order of the file
    and have their docstrings.

    explained: names that are left out, because they are explained elsewhere.

    >>> [helper.lines[0].text for helper in helpers([docstring])]
    ['def definition(thing: Any) -> Any:']
    """
    things = [*map(definition, things)]
    file = inspect.getsourcefile(things[0]) or ""
    defined, names = _top_level(file), [thing.__name__ for thing in things]
    waiting = [node for name in names for node in defined.get(name, [])[:1]]
    found: dict[int, ast.stmt] = {}
    while waiting:
        for name in _names_read_in(waiting.pop()) - {*names, *explained}:
            new = [node for node in defined.get(name, []) if node.lineno not in found]
            found |= {node.lineno: node for node in new}
            waiting += new
    path, lines = path_of(things[0]), _lines_of(file)
    return [Source(path, _with_comments(lines, found[number])) for number in sorted(found)]


def globals_read_by(thing: Any) -> Iterator[Any]:
    """Yield the global values of its file that the code of a function or class reads.

    >>> docstring in globals_read_by(comment)
    True
    """
    tree = ast.parse(textwrap.dedent(inspect.getsource(definition(thing))))
    known = vars(sys.modules[definition(thing).__module__])
    yield from (known[name] for name in sorted({*_names_in(tree, ast.Load)}) if name in known)


def docstring(thing: Any) -> str:
    """Return the docstring of a function, class or module without indentation, or an empty text."""
    return inspect.getdoc(definition(thing)) or ""


def family(thing: Any) -> str:
    """Return the docstring of the file that defines a function or class: what it has in common with
    the others in this file. A module is not part of a family."""
    return "" if inspect.ismodule(thing) else docstring(inspect.getmodule(definition(thing)))


def comment(constant: Any) -> str:
    """Return the text about a public constant: its definition, if there is a comment above or
    beside it, or else the docstring of its file, if that contains its name. Otherwise return an
    empty text.

    >>> from minidl.engine.convolution import ALGORITHMS
    >>> comment(ALGORITHMS).partition(":")[0]
    'The choice of a convolution algorithm'
    """
    own = [module for name, module in sys.modules.items() if name.partition(".")[0] == ROOT.name]
    for module in own:
        names = [name for name, value in vars(module).items() if value is constant]
        defined = _top_level(module.__file__) if names else {}
        for name in {*names} & {*defined}:
            lines = [
                line.text for line in _with_comments(_lines_of(module.__file__), defined[name][0])
            ]
            if "#" in lines[0] or "#" in lines[-1]:
                return "\n".join(lines)
            if name.lower().rstrip("s") in docstring(module).lower():
                return docstring(module)
    return ""


def definition(thing: Any) -> Any:
    """Return the function of the textbook that an op or a replaceable function runs, and any other
    thing itself."""
    return inspect.unwrap(definition_of(thing))


def path_of(thing: Any) -> str:
    """Return the path of the file that defines a function or class, from the folder that contains
    the package."""
    path = Path(sys.modules[thing.__module__].__file__ or "")
    return path.relative_to(ROOT.parent).as_posix()


@functools.cache
def _lines_of(file):
    return Path(file).read_text(encoding="utf-8").splitlines()


@functools.cache
def _top_level(file) -> dict[str, list[ast.stmt]]:
    """Return {name: the statements of a file that define it, in order}. An op has two: its forward
    and the line that joins it with its gradients."""
    defined: dict[str, list[ast.stmt]] = {}
    for node in ast.parse("\n".join(_lines_of(file))).body:
        for name in _names_defined_by(node):
            defined.setdefault(name, []).append(node)
    return defined


def _names_defined_by(node) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        yield from _names_in(node, ast.Store)


def _names_read_in(node) -> set[str]:
    """Return the names that a statement reads, without those of its own variables."""
    own = {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
    return {*_names_in(node, ast.Load)} - {*_names_in(node, ast.Store)} - own


def _names_in(node, use) -> Iterator[str]:
    """Yield the names that a statement reads (use = ast.Load) or sets (use = ast.Store)."""
    names = (part for part in ast.walk(node) if isinstance(part, ast.Name))
    return (name.id for name in names if isinstance(name.ctx, use))


def _with_comments(lines, node):
    """Return the Lines of a statement, with its decorators and the comments above it."""
    first = min([node.lineno, *(part.lineno for part in getattr(node, "decorator_list", []))])
    while lines[first - 2].startswith("#"):
        first -= 1
    return [Line(number, lines[number - 1]) for number in range(first, node.end_lineno + 1)]


def _docstring_lines(code):
    """Return the places of the lines that belong to the docstring of a definition."""
    [node] = ast.parse(textwrap.dedent(code)).body
    first = node.body[0]  # type: ignore[attr-defined]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if not is_text or not isinstance(first.value.value, str):
        return range(0)
    return range(first.lineno - 1, first.end_lineno)
