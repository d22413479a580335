"""What can be explained: ops, losses, layers, optimisers, schedules, algorithms of convolution."""

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, get_args

from minidl import engine, layers, losses, ops, optim
from minidl.autograd import Op
from minidl.book.sources import (
    Source,
    definition,
    docstring,
    family,
    globals_read_by,
    helpers,
)
from minidl.dispatch import definition_of
from minidl.engine import convolution
from minidl.engine.table import TABLE
from minidl.errors import ArgumentError, did_you_mean, listed, printable
from minidl.optim import schedules
from minidl.proofs import ROWS, Row

# From "Cost: " to the end of its paragraph, or to what follows about errors or the source.
COST = re.compile(r"Cost: .+?\.(?=\s+Raises|\s+Source:|\s*\n\n|\s*$)", re.DOTALL)
KINDS = ("op", "loss", "layer", "optimiser", "schedule", "utility", "algorithm")


class Subject(NamedTuple):
    """Something that can be explained.

    kind: one of KINDS. thing: the op, function, class or module. gradients: {"dx": function, ...}
    of an op, where several names may have one joint function. rows: those of the table of proofs.
    """

    name: str
    kind: str
    thing: Any
    gradients: dict[str, Callable[..., Any]]
    rows: list[Row]

    @property
    def family(self) -> str:
        """The docstring of the file: what the subject has in common with the others in it."""
        return family(self.thing)

    @property
    def helpers(self) -> list[Source]:
        """The functions, classes and constants of the same file that the code of the subject and of
        its gradients uses, without those that are subjects themselves."""
        if self.kind == "algorithm":
            return []
        return helpers([self.thing, *self.gradients.values()], SUBJECTS.keys())

    @property
    def cost(self) -> str:
        """The sentence or sentences about the cost, "Cost: ...", of the docstring or else of the
        file, in one line. An empty text if there are none."""
        for text in (docstring(self.thing), self.family):
            if found := COST.search(text):
                return " ".join(found[0].split())
        return ""

    @property
    def derivations(self) -> dict[Callable[..., Any], list[str]]:
        """{gradient: ["dx"]}, or {joint gradient: ["da", "db"]} if it computes several."""
        found: dict[Callable[..., Any], list[str]] = {}
        for name, gradient in self.gradients.items():
            found.setdefault(gradient, []).append(name)
        return found

    @property
    def implementations(self) -> list[Callable[..., Any]]:
        """The functions of the engine that replace the forward, a gradient, or a function that the
        code of these or of a class calls."""
        own = [self.thing.forward, *self.gradients.values()] if isinstance(self.thing, Op) else []
        definitions = [definition_of(function) for function in own]
        code = [] if inspect.ismodule(self.thing) else [self.thing, *self.derivations]
        called = {id(found) for thing in map(definition, code) for found in globals_read_by(thing)}
        rows = (
            row.implementation
            for row in TABLE
            if definition_of(row.definition) in definitions or id(row.definition) in called
        )
        return [*dict.fromkeys(rows)]


def subject(name: str) -> Subject:
    """Return the subject of a name. Raise ArgumentError, which names the nearest, for another."""
    if name not in SUBJECTS:
        hint = _nearest(name) or "; `minidl explain` lists all names"
        raise ArgumentError(f"there is nothing named {printable(name, 80)!r} to explain{hint}")
    return SUBJECTS[name]


def _nearest(name: str) -> str:
    """Return which names are meant: those that contain the word, in any case, or similar ones."""
    containing = [known for known in SUBJECTS if name.lower() in known.lower()] if name else []
    if containing:
        return f"; did you mean {listed(containing)}?"
    # of two names that differ in case only, the last is proposed: the one in the case of the word
    return did_you_mean(name, sorted(SUBJECTS, key=lambda known: known.islower() == name.islower()))


def _subjects() -> Iterator[Subject]:
    for kind, package in (("op", ops), ("loss", losses), ("layer", layers), ("optimiser", optim)):
        for name in package.__all__:
            thing = getattr(package, name)
            gradients = _gradients(thing) if isinstance(thing, Op) else {}
            rows = [row for row in ROWS if row.name.partition("[")[0] == name]
            own = _kind_in_optim(thing) if package is optim else kind
            yield Subject(name, own, thing, gradients, rows)
    for name in get_args(engine.ConvolutionAlgorithm):
        if name != "auto":
            rows = [row for row in ROWS if row.name == f"convolution[{name}]"]
            yield Subject(
                name, "algorithm", import_module(f"{convolution.__name__}.{name}"), {}, rows
            )


def _kind_in_optim(thing: Any) -> str:
    """Return the kind of what `minidl.optim` contains: optimisers, schedules, and what serves all
    optimisers."""
    if thing.__module__ == schedules.__name__:
        return "schedule"
    is_optimiser = isinstance(thing, type) and issubclass(thing, optim.Optimizer)
    return "optimiser" if is_optimiser else "utility"


def _gradients(op: Op) -> dict[str, Callable[..., Any]]:
    """Return {"dx": function, ...}. Those of a joint gradient are one function, the joint one, in
    which the derivation stands. (Op.gradients has a function for each, to be called alone.)"""
    joint = {f"d{name}": gradient for names, gradient in op.joint.items() for name in names}
    return {**op.gradients, **joint}


# name -> Subject, in the order of KINDS
SUBJECTS = {
    found.name: found for found in sorted(_subjects(), key=lambda each: KINDS.index(each.kind))
}
