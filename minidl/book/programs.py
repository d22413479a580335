"""Programs that a reader can change and run: the examples, and the code of an op with its proof."""

import ast
import doctest
import inspect
import textwrap
from collections.abc import Iterator
from types import ModuleType
from typing import NamedTuple

from minidl.autograd import Op
from minidl.book.sources import Source, definition, source
from minidl.book.subjects import Subject

# kind of a subject -> the package that exports it
PACKAGES = {
    "op": "ops", "loss": "losses", "layer": "layers", "optimiser": "optim", "schedule": "optim",
    "utility": "optim",
}  # fmt: skip
WIDTH = 90


class Step(NamedTuple):
    """A statement of an example. shows: whether its value is shown."""

    code: str
    shows: bool


def steps(session: str) -> list[Step]:
    """Return the statements of a Python session.

    >>> steps(">>> x = 2\\n>>> x + 1\\n3")
    [Step(code='x = 2', shows=False), Step(code='x + 1', shows=True)]
    """
    found = doctest.DocTestParser().get_examples(session)
    return [Step(example.source.rstrip(), bool(example.want)) for example in found]


def program(before: str, session: str) -> str:
    """Return a program that prints what a session shows.

    before: the program in front of it, such as imports.
    """
    lines = [
        f"print({step.code.partition('  #')[0]})" if step.shows else step.code
        for step in steps(session)
    ]
    return "\n".join([before, *lines]).strip()


def importing(module: ModuleType) -> str:
    """Return the imports that the examples of a module need."""
    return f"import numpy as np\nfrom {module.__name__} import *"


def definitions(subject: Subject) -> str | None:
    """Return the code of an op, of its gradients, and of the line that joins them, with their
    imports. Return None if the subject is no Op."""
    if not isinstance(subject.thing, Op):
        return None
    functions = [definition(thing) for thing in (subject.thing, *subject.derivations)]
    module = inspect.getmodule(functions[0])
    assert module is not None
    parts = [_text(source(function)) for function in dict.fromkeys(functions)]
    code = "\n\n\n".join([*parts, _joining_line(module, subject.name)])
    missing = sorted(name for name in _names_read(code) if hasattr(module, name))
    listed = textwrap.indent(textwrap.fill(", ".join(missing), WIDTH), "    ")
    imports = f"from {module.__name__} import (\n{listed},\n)\n\n\n" if missing else ""
    return imports + code


def proof(subject: Subject) -> str | None:
    """Return a program that proves the op that `definitions` defines, by its row of the table of
    proofs. Return None if it has no row."""
    rows = [row for row in subject.rows if row.op is subject.thing]
    if not rows:
        return None
    return (
        "from dataclasses import replace\n"
        "from minidl.proofs import ROWS, run\n\n"
        f"[row] = (row for row in ROWS if row.name == {rows[0].name!r})\n"
        f"for proof in run(replace(row, op={subject.name})).values():\n"
        "    print(proof.argument, proof.method, proof.error, proof.passed)"
    )


def _text(found: Source) -> str:
    return "\n".join(line.text for line in found.lines)


def _joining_line(module: ModuleType, name: str) -> str:
    """Return the assignment `name = differentiable(...)` of a module."""
    text = inspect.getsource(module)
    [line] = (
        ast.get_source_segment(text, node) or ""
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
    )
    return line


def _names_read(code: str) -> Iterator[str]:
    """Yield the names that code reads and does not define."""
    tree = ast.parse(code)
    own = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    yield from read - own
