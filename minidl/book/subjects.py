"""What can be explained: ops, losses, layers, optimisers and the algorithms of convolution."""

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, get_args

from minidl import engine, layers, losses, ops, optim
from minidl.autograd import Op
from minidl.dispatch import definition_of
from minidl.engine import convolution
from minidl.engine.table import TABLE
from minidl.errors import ArgumentError, did_you_mean, printable
from minidl.proofs import ROWS, Row

KINDS = ("op", "loss", "layer", "optimiser", "algorithm")


class Subject(NamedTuple):
    """Something that can be explained.

    kind: one of KINDS. thing: the op, function, class or module. gradients: {"dx": function, ...}
    of an op. rows: those of the table of proofs.
    """

    name: str
    kind: str
    thing: Any
    gradients: dict[str, Callable[..., Any]]
    rows: list[Row]

    @property
    def implementations(self) -> list[Callable[..., Any]]:
        """The functions of the engine that replace the forward or a gradient."""
        own = [self.thing.forward, *self.gradients.values()] if isinstance(self.thing, Op) else []
        definitions = [definition_of(function) for function in own]
        found = [
            row.implementation for row in TABLE if definition_of(row.definition) in definitions
        ]
        return [*dict.fromkeys(found)]


def subject(name: str) -> Subject:
    """Return the subject of a name. Raise ArgumentError, which names the nearest, for another."""
    if name not in SUBJECTS:
        names = [known for known in SUBJECTS if known.islower() == name.islower()]
        hint = did_you_mean(name, names) or "; `minidl explain` lists all names"
        raise ArgumentError(f"there is nothing named {printable(name, 80)!r} to explain{hint}")
    return SUBJECTS[name]


def _subjects() -> Iterator[Subject]:
    for kind, module in zip(KINDS, (ops, losses, layers, optim), strict=False):
        for name in module.__all__:
            thing = getattr(module, name)
            gradients = thing.gradients if isinstance(thing, Op) else {}
            rows = [row for row in ROWS if row.name.partition("[")[0] == name]
            yield Subject(name, kind, thing, dict(gradients), rows)
    for name in get_args(engine.ConvolutionAlgorithm):
        if name != "auto":
            rows = [row for row in ROWS if row.name == f"convolution[{name}]"]
            yield Subject(
                name, "algorithm", import_module(f"{convolution.__name__}.{name}"), {}, rows
            )


SUBJECTS = {found.name: found for found in _subjects()}
