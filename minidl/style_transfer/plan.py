"""The plan of a painting: memory, arithmetic and time before it is painted, and how it is made to
fit into the memory."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np

from minidl.backend import current_module
from minidl.engine.memory import touched
from minidl.errors import LackOfMemoryError
from minidl.machine import available_memory, memory_in_use
from minidl.models import VGG19
from minidl.style_transfer.costs import Costs, Scale
from minidl.style_transfer.measures import MEASURES
from minidl.style_transfer.memory import Memory
from minidl.style_transfer.scales import scale_sizes, scale_steps, style_size
from minidl.style_transfer.settings import Settings

GIB = 1 << 30
RESERVE = 1.1  # a painting may need this multiple of the prediction
LEAST_HISTORY = 2
# A painting takes at most LARGEST_START bytes, and LARGEST_PIXEL for each pixel of its pictures
LARGEST_START, LARGEST_PIXEL = GIB, 3000
SIDES = (2048, 1536, 1024, 768, 512, 384, 256, 128)  # of tiles, in pixels


class Plan(NamedTuple):
    """What a painting will cost, and how it fits into the memory.

    memory: for `Run`. peak: bytes of the process at the most, of which `present` are in use now.
    available: bytes that it can still allocate, or None if that is unknown. step, multiply_adds:
    of one step at the full size, and of all steps. seconds: of the whole painting on this machine.
    words: one sentence for each way in which memory is saved, with the reason.
    """

    memory: Memory
    peak: int
    present: int
    available: int | None
    step: int
    multiply_adds: int
    seconds: float
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        free = "" if self.available is None else f", and {_gib(self.available)} more are available"
        lines = [
            f"memory      {_gib(self.peak)} at the most, of which {_gib(self.present)} are in use"
            f"{free}",
            f"arithmetic  {_count(self.multiply_adds)} multiply-adds, {_count(self.step)} for a "
            "step at the full size",
            f"time        about {_duration(self.seconds)} on this machine",
        ]
        return "\n".join([*lines, *self.words])


def plan(
    model: VGG19,
    shape: Sequence[int],
    styles: Sequence[Sequence[int]],
    settings: Settings,
    available: int | None = None,
) -> Plan:
    """Return the Plan of a painting on the current device, from its size and probes of a step.

    model: VGG19. shape: of the painting, (H, W, 3). styles: the shapes of the style pictures, as
    `Run` gets them. available: the bytes that may be allocated, by default all that are available.

    If the memory does not suffice, L-BFGS keeps fewer pairs; then the activations are also computed
    again, block by block; then tile by tile instead. Raise LackOfMemoryError if that does not
    suffice.
    """
    present, available = _present(), _available() if available is None else available
    costs, scales = Costs(model, settings), _scales(shape, styles, settings)
    tried = []
    for memory in _ways(settings, shape):
        needed = costs.memory(scales, memory)
        tried.append((memory, needed))
        if available is None or needed * RESERVE <= available:
            words = _words(tried, available)
            return _planned(costs, scales, memory, present, available)._replace(words=words)
    raise LackOfMemoryError(
        f"the painting may need {_gib(needed * RESERVE)} of memory beyond the {_gib(present)} in "
        f"use, and {_gib(available)} are available; take a smaller size"
    )


def fitting(
    model: VGG19, shape: Sequence[int], styles: Sequence[Sequence[int]], settings: Settings
) -> tuple[Memory, tuple[str, ...]]:
    """Return the memory and the words of the Plan of a painting: see `plan`.

    A painting that certainly fits is not planned, because the probes take seconds.
    """
    available, pictures = _available(), [shape, *styles]
    pixels = sum(height * width for height, width, *_ in pictures)
    if available is None or LARGEST_START + LARGEST_PIXEL * pixels < available:
        return Memory(), ()
    found = plan(model, shape, styles, settings, available)
    return found.memory, found.words


def planned(
    model: VGG19,
    shape: Sequence[int],
    styles: Sequence[Sequence[int]],
    settings: Settings,
    memory: Memory,
) -> Plan:
    """Return the Plan of a painting that uses the memory in a given way: see `plan`."""
    present, available = _present(), _available()
    costs, scales = Costs(model, settings), _scales(shape, styles, settings)
    return _planned(costs, scales, memory, present, available)


def _planned(costs, scales, memory, present, available):
    operations = [costs.multiply_adds(scale.size, memory) for scale in scales]
    return Plan(
        memory,
        present + costs.memory(scales, memory),
        present,
        available,
        operations[-1],
        sum(count * scale.steps for count, scale in zip(operations, scales, strict=True)),
        costs.seconds(scales, memory),
    )


def _ways(settings: Settings, shape: Sequence[int]) -> Iterator[Memory]:
    """Yield ways to use the memory. Each takes less of it and more time than those before."""
    memory = Memory()
    yield memory
    if settings.optimizer == "lbfgs":
        while memory.history > LEAST_HISTORY:
            memory = memory._replace(history=memory.history - 1)
            yield memory
    yield memory._replace(blocks=True)
    if all(MEASURES[name].tiles for name, _ in settings.measures.values()):
        yield from (memory._replace(side=side) for side in SIDES if side < max(shape[:2]))


def _words(tried, available):
    """Return a sentence for each kind of saving.

    tried: the ways with the bytes that they need, of which the last is taken.
    """
    last_of_each = [list(group)[-1] for _, group in groupby(tried, _kind)]
    return tuple(
        f"The painting may need {_gib(before * RESERVE)}, and {_gib(available)} are available: "
        f"{_saving(memory)}."
        for (_, before), (memory, _) in pairwise(last_of_each)
    )


def _kind(way):
    memory, _ = way
    return memory != Memory(), memory.blocks, memory.side is not None


def _saving(memory):
    """Return how a way saves memory, as a part of a sentence."""
    if memory.side:
        return f"the gradient is computed in tiles of {memory.side} pixels"
    if memory.blocks:
        return "activations are not kept, but computed again block by block"
    return f"L-BFGS keeps {memory.history} pairs instead of {Memory().history}"


def _scales(shape, styles, settings):
    """Return the Scales of a painting, the coarsest first."""
    sizes = scale_sizes(shape, settings.scales)
    steps = scale_steps(settings.steps, len(sizes))
    scales = []
    for size, count in zip(sizes, steps, strict=True):
        factor = max(size) / max(sizes[-1])
        own = [style_size(style, factor) for style in styles]
        scales.append(Scale(size, count, own))
    return scales


def _present():
    """Return the bytes of memory in use now, without those that `empty` keeps for new arrays."""
    xp = current_module()
    if xp is np:
        return memory_in_use() - touched()
    return xp.get_default_memory_pool().used_bytes()


def _available():
    """Return the bytes of memory that can still be allocated, or None if that is unknown."""
    xp = current_module()
    if xp is np:
        available = available_memory()
        return None if available is None else available + touched()
    free, _ = xp.cuda.runtime.memGetInfo()
    return free + xp.get_default_memory_pool().free_bytes()


def _gib(count):
    return f"{count / GIB:.1f} GiB"


def _count(number):
    """Return a number in words: 21 billion."""
    for name, unit in (("trillion", 1e12), ("billion", 1e9)):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return f"{number / 1e6:.3g} million"


def _duration(seconds):
    """Return a time in words: 90 s, 20 min or 3.5 h."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
