"""Whether the text is complete: what the docstrings lack. The book is built only if they lack
nothing.

A fact stands in the docstring of a subject. What holds for a whole family, such as the errors of
all element-wise ops, may stand once in the docstring of the file instead.

op, loss         the shapes, a formula, the errors, the cost, the source, and a worked example; each
                 parameter; a formula for each name of a normalization or form; a derivation of each
                 gradient, in the docstring of the gradient. A loss that is made of ops derives it
                 in its own docstring.
layer            a formula, which may name the op that it calls, the shapes, the errors, and a
                 worked example; each parameter
optimiser, schedule, utility
                 a formula, the errors, the source, and a worked example; each parameter; a formula
                 for each name of a form
algorithm        the formulas of y, dx and dw, the cost, the source, and the reason why it is right

Module, Optimizer and Group compute nothing themselves. They have a docstring that names each
parameter. All other names in the `__all__` of a package have a docstring or, if they are constants,
a comment. The docstring of a function of arrays says their shapes. The commands in `minidl.cli` are
described by their parsers instead.
"""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

import numpy as np

import minidl
from minidl.autograd import Op
from minidl.book.sources import comment, definition, docstring
from minidl.book.subjects import SUBJECTS, Subject
from minidl.layers import Module
from minidl.optim import Group, Optimizer

AXIS = r"(?:\*\w+|\.{2,3}|[A-Z][\w']*|\d+)(?: ?[·/+-] ?[\w']+)*"
AUTHOR = r"[A-ZÀ-Þ][\w’'-]*"
UNITS = "multiply-add|addition|subtraction|comparison|exponential|operation|arithmetic"
SIGNS = "=←Σ√·/²"  # one of which each formula has

FACTS = {  # words -> pattern, at the beginning of a line where it has ^
    "the shapes": rf"^\({AXIS}.*\).*-> |[hs]a(?:s|ve)\s+the\s+(?:same\s+)?shape",
    "a formula": r'^ *(?:"\w+" +)?[^\s>."]+(?:\[[^\]]*\])? [=←] \S',
    "the errors": r"\b[Rr]aises?\s+(?:no error|the errors of|\w+Error)",
    "the cost": rf"\bCost: [^.]*\b(?:{UNITS})",
    "the source": rf"{AUTHOR}(?:,?\s+(?:&|et al\.|{AUTHOR}))*,?\s+(?:1[89]|20)\d\d\b"
    r"|Digital Library of Mathematical Functions",
    "a worked example": r"^>>> ",
    "a formula of y": r"\by(?:\[[^\]]*\])? \+?=",
    "a formula of dx": r"\bdx(?:\[[^\]]*\])? (?:\+?=|is a convolution)",
    "a formula of dw": r"\b(?:dw|dW|dU)(?:\[[^\]]*\])? \+?=",
    "the reason why it is right": r"\b(?:[Bb]ecause|[Tt]herefore|[Ss]o that|[Hh]ence)\b",
}
OWN = ("a formula", "a worked example")  # facts that cannot hold for a family
OF_OPS = (
    "the shapes", "a formula", "the errors", "the cost", "the source", "a worked example",
)  # fmt: skip
OF_OPTIMISERS = ("a formula", "the errors", "the source", "a worked example")
OF_KIND = {
    "op": OF_OPS,
    "loss": OF_OPS,
    "layer": ("the shapes", "a formula", "the errors", "a worked example"),
    "optimiser": OF_OPTIMISERS,
    "schedule": OF_OPTIMISERS,
    "utility": OF_OPTIMISERS,
    "algorithm": (
        "a formula of y", "a formula of dx", "a formula of dw", "the cost", "the source",
        "the reason why it is right",
    ),
}  # fmt: skip
BASES = (Module, Optimizer, Group)  # the subjects that compute nothing themselves
MOST_LINES = 6  # of an example that is checked by hand
SHAPE = rf"\({AXIS}(?:, {AXIS})*,?\)|\bshapes?\b"
GREEK = {"gamma": "γ", "beta": "β"}


def missing(subject: Subject) -> list[str]:
    """Return what the text about a subject lacks, in words such as "the source" or "a derivation of
    db".

    >>> missing(SUBJECTS["convolution"])
    []
    """
    own, family = docstring(subject.thing), subject.family
    if subject.thing in BASES:
        return [*_lacks(subject.thing), *_parameters(subject, own)]
    if subject.kind == "layer":  # The docstring of its call has the shapes.
        own += f"\n\n{docstring(subject.thing.__call__)}"
    both = f"{own}\n\n{family}"
    facts = [fact for fact in OF_KIND[subject.kind] if not _is_told(fact, own, both)]
    if subject.kind == "algorithm":
        return facts
    return [
        *facts,
        *_short_example(own),
        *_parameters(subject, both),
        *_forms(subject, own),
        *_derivations(subject, own),
    ]


def incomplete() -> Iterator[str]:
    """Yield a sentence about each subject and each other public name whose text lacks something."""
    for subject in SUBJECTS.values():
        if lacking := missing(subject):
            yield f"{subject.name} ({subject.kind}) lacks {', '.join(lacking)}."
    for name, thing in public_names().items():
        if lacking := _lacks(thing):
            yield f"{name} lacks {', '.join(lacking)}."


def public_names() -> dict[str, Any]:
    """Return {"minidl.data.flip": thing, ...}: the names in the `__all__` of all packages, each
    thing once, without the subjects and without the commands."""
    names: dict[str, Any] = {}
    known = {id(subject.thing) for subject in SUBJECTS.values()}
    for package in _packages():
        for name in getattr(package, "__all__", ()):
            thing = getattr(package, name)
            if id(thing) not in known:
                known.add(id(thing))
                names[f"{package.__name__}.{name}"] = thing
    return names


def _packages() -> Iterator[ModuleType]:
    yield minidl
    for found in pkgutil.walk_packages(minidl.__path__, "minidl."):
        if found.ispkg and not found.name.startswith("minidl.cli"):
            yield importlib.import_module(found.name)


def _is_told(fact, own, both):
    return re.search(FACTS[fact], own if fact in OWN else both, re.MULTILINE)


def _short_example(own) -> Iterator[str]:
    """Yield a word if the worked example has too many lines."""
    examples = re.findall(r"^>>> (?:.+\n?)+", own, re.MULTILINE)
    if any(len(example.splitlines()) > MOST_LINES for example in examples):
        yield f"a worked example of at most {MOST_LINES} lines"


def _signature(subject):
    return inspect.signature(definition(subject.thing)).parameters


def _parameters(subject, text) -> Iterator[str]:
    """Yield the parameters that are neither described, as in "axis, keepdims: as for `sum`" and in
    "F: features", nor part of a formula."""
    formulas = re.findall(f"{FACTS['a formula']}.*", text, re.MULTILINE)
    for name in _signature(subject):
        described = rf"(?<![\w-]){name}(?:, \w+)*\)?:\s|`{name}`|\b\w: {name}\b"
        if not re.search(described, text) and name not in re.findall(r"\w+", " ".join(formulas)):
            yield f"the parameter {name}"


def _forms(subject, own) -> Iterator[str]:
    """Yield the names of normalizations and forms that no formula follows."""
    module = inspect.getmodule(definition(subject.thing))
    for parameter in _signature(subject).values():
        for name in _names(parameter, module):
            if not re.search(rf'"{name}"[^"]*[{SIGNS}]', own):
                yield f'the formula of "{name}"'


def _names(parameter, module):
    """Return the names among which a parameter leaves a choice, by its type or by the table of its
    module that contains its default."""
    if get_origin(parameter.annotation) is Literal:
        return get_args(parameter.annotation)
    if not isinstance(parameter.default, str):
        return ()
    constants = [value for name, value in vars(module).items() if name.isupper()]
    tables = [value for value in constants if isinstance(value, (dict, tuple))]
    return next((tuple(table) for table in tables if parameter.default in table), ())


def _derivations(subject, own) -> Iterator[str]:
    """Yield the gradients that are not derived."""
    if isinstance(subject.thing, Op):
        texts = {name[1:]: docstring(of) for name, of in subject.gradients.items()}
    else:  # a loss that is made of ops. The table of proofs says which gradients it has.
        texts = {name: own for row in subject.rows for name in row.kinds}
    for name, text in texts.items():
        symbols = "|".join({name, name[0], GREEK.get(name, name), *_said(name, own)})
        formula = rf"/∂(?:{symbols})(?!\w)|\bd(?:{symbols})(?:\[[^\]]*\])* (?:=|is) "
        if not text or not re.search(formula, text):
            yield f"a derivation of d{name}"


def _said(name, text) -> list[str]:
    """Return what the text calls an input in formulas: F if it says "F: features"."""
    return re.findall(rf"(\w+): {name}\b", text)


def _lacks(thing) -> list[str]:
    """Return what a public name lacks: a docstring, the shapes, or the comment on a constant."""
    if not callable(thing) and not inspect.ismodule(thing):
        return [] if comment(thing) else ["a comment"]
    thing = definition(thing)
    text = thing.__doc__ or ""
    if not text or text.startswith(f"{thing.__name__}("):  # which a dataclass writes itself
        return ["a docstring"]
    return ["the shapes"] if _takes_arrays(thing) and not re.search(SHAPE, text) else []


def _takes_arrays(thing):
    if not inspect.isfunction(thing):
        return False
    types = [parameter.annotation for parameter in inspect.signature(thing).parameters.values()]
    return any(np.ndarray in (found, *get_args(found)) for found in types)
