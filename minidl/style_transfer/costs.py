"""What a painting costs: memory, arithmetic and time, computed from a probe of small pictures.

**Memory.** The peak of a process on a CPU is the sum of

    the memory in use
    the activations     `engine.memory.empty` keeps memory for reuse. A probe records in which
                        order arrays come and go. Their sizes are proportional to the number of
                        pixels, so that the same order, with larger sizes, gives the memory that
                        they touch.
    kept kernels        of Winograd's algorithm at its points: see `winograd.keeps`
    scratch             the largest kernel at the points, and two buffers for each thread
    pictures            HELD arrays of the size of the picture, two for each pair of L-BFGS, and the
                        features of the photograph; besides these, the larger of MOVING arrays while
                        the optimiser moves the picture, and the differences from the features with
                        their squares
    means               the Gram matrices of all tiles, before and after they are weighted

On a GPU, the activations are the bytes of CuPy's pool for each pixel, by a probe. The pictures and
the means are added.

**Time.** A pass takes a + b·pixels. Probes of two sizes give a and b, for the pass without and with
a gradient, and a probe of the optimiser its time for each pixel. By tiles, the pixels include the
halos.
"""

import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import replace
from functools import cached_property, partial
from math import prod
from typing import NamedTuple

import numpy as np

from minidl.autograd import Tensor
from minidl.backend import current_module
from minidl.engine.convolution import winograd
from minidl.engine.memory import Event, recorded, release, replayed
from minidl.engine.threads import get_threads
from minidl.models import VGG19
from minidl.style_transfer.memory import Memory
from minidl.style_transfer.objective import Objective
from minidl.style_transfer.run import Run, evaluate
from minidl.style_transfer.settings import Settings
from minidl.style_transfer.tiles import tiles

PROBES = (96, 128), (240, 320)  # height and width
HELD, MOVING = 4, 7  # arrays of the size of the picture: see above
NUMBER = 4  # bytes of float32
BUFFERS = 18 << 20  # bytes of scratch for each thread
REST = 16 << 20  # bytes of everything else

Size = tuple[int, int]


class Scale(NamedTuple):
    """A scale of a painting: its size, the number of its steps, and the sizes of its styles."""

    size: Size
    steps: int
    styles: list[Size]

    @property
    def pixels(self) -> int:
        """Pixels of the painting."""
        return prod(self.size)


class Line(NamedTuple):
    """Seconds of a pass: start + rate·pixels."""

    start: float
    rate: float

    def __call__(self, pixels: float) -> float:
        return self.start + self.rate * pixels


class Costs:
    """The costs of paintings with the same network and settings on the current device.

    The probes are made when their results are first needed. They use a copy of the network, so that
    the kernels that are kept for the sizes of the probes are released with it.
    """

    def __init__(self, model: VGG19, settings: Settings) -> None:
        self.model, self.settings = model, settings
        self.layers = [*settings.weighted_content, *settings.layers_read]
        self._copy = deepcopy(model).freeze()
        self._recordings: dict[Memory, list[Event]] = {}
        self._pooled: dict[Memory, int] = {}  # bytes of CuPy's pool

    # ---- memory ---------------------------------------------------------------------------------

    def memory(self, scales: list[Scale], memory: Memory) -> int:
        """Return the bytes that a painting needs at the most, besides the network and the given
        pictures."""
        last, outer = scales[-1], self._outer(scales[-1], memory)
        pairs = min(memory.history, last.steps - 1) if self._has_pairs else 0
        features = sum(
            prod(self.model.shape_at(last.size, layer)) for layer in self.settings.weighted_content
        )
        differences = 0 if memory.side else 2 * features
        moving = max(3 * last.pixels * MOVING, differences)
        numbers = 3 * last.pixels * (HELD + 2 * pairs) + features + moving
        if memory.side:
            numbers += 2 * len(outer) * sum(channels**2 for _, channels in self._grams(last.size))
        if current_module() is not np:
            return round(self._bytes_on_gpu(memory) * max(map(prod, outer))) + NUMBER * numbers
        fixed = REST + self._kernels(scales, memory) + BUFFERS * get_threads()
        return self._activations(scales, memory) + fixed + NUMBER * numbers

    def _activations(self, scales, memory):
        """Return the bytes that the arrays of `empty` touch: those of a step, and of the forward
        pass of each style, which may be larger than the painting."""
        step, style = self._recording(memory), self._recording_of_style
        recordings = []
        for scale in scales:
            seen = [size for own in scale.styles for size in self._outer_sizes(own, memory)]
            recordings += [(style, size) for size in dict.fromkeys(seen)]
            recordings += [(step, size) for size in dict.fromkeys(self._outer(scale, memory))]
        return replayed(
            _enlarged(events, prod(size) / prod(PROBES[0])) for events, size in recordings
        )

    def _recording(self, memory):
        """Return the Events of a painting of one step, of the size of the first probe."""
        way = _way_of_probe(memory, PROBES[0])
        if way not in self._recordings:
            with recorded() as events:
                self._paint(PROBES[0], way)
            self._recordings[way] = events
        return self._recordings[way]

    @cached_property
    def _recording_of_style(self):
        """The Events of a forward pass of the style layers, of the size of the first probe."""
        with recorded() as events:
            self._copy.features(_noise(PROBES[0]), self.settings.layers_read)
        return events

    def _bytes_on_gpu(self, memory):
        """Return the bytes of CuPy's pool that a painting of one step needs for each pixel."""
        way, xp = _way_of_probe(memory, PROBES[1]), current_module()
        if way not in self._pooled:
            release(xp)
            before = xp.get_default_memory_pool().total_bytes()
            self._paint(PROBES[1], way)
            self._pooled[way] = xp.get_default_memory_pool().total_bytes() - before
        return self._pooled[way] / prod(PROBES[1])

    def _paint(self, size, memory):
        content, style = _noise(size), _noise(size)
        settings = _first_step(self.settings)
        for _ in Run(self._copy, content, [style], settings, memory=memory):
            pass

    def _kernels(self, scales, memory):
        """Return the bytes of the kernels at Winograd's points: those that are kept, and the
        largest, which each call computes in the same place."""
        painted = {size for scale in scales for size in self._outer(scale, memory)}
        seen = painted | {style for scale in scales for style in scale.styles}
        kept, largest = 0, 0
        for layer, kernel in self._convolutions():
            stride, _ = self.model.reach([layer])
            size = NUMBER * winograd.INPUTS**2 * prod(kernel.shape[2:])
            largest = max(largest, size)
            for sizes in (painted, seen):  # the kernel of the gradient, and that of the forward
                outs = [(height // stride, width // stride) for height, width in sizes]
                kept += size * any(winograd.keeps(kernel, 1, out) for out in outs)
        return kept + largest

    # ---- arithmetic -----------------------------------------------------------------------------

    def multiply_adds(self, size: Size, memory: Memory) -> int:
        """Return the multiply-adds of the convolutions and Gram matrices in one step."""
        passes = 2 if memory.has_tape else 3
        return passes * sum(map(self._forward, self._outer_sizes(size, memory)))

    def _forward(self, size):
        convolutions = sum(
            prod(self.model.shape_at(size, layer)[1:3]) * kernel.size
            for layer, kernel in self._convolutions()
        )
        return convolutions + sum(n * channels**2 for n, channels in self._grams(size))

    def _grams(self, size):
        """Yield (positions, channels) of the Gram matrices of a picture."""
        for name, layers in self.settings.measures.values():
            if name in ("gram", "wasserstein"):
                shapes = [self.model.shape_at(size, layer) for layer in layers]
                yield prod(shapes[-1][1:3]), sum(shape[-1] for shape in shapes)

    def _convolutions(self):
        """Yield (layer, kernel) of all convolutions that a step computes."""
        deepest = self.model.reach(self.layers)
        for layer, convolution in self.model.layers.items():
            if "conv" in layer and self.model.reach([layer]) <= deepest:
                yield layer, convolution.kernel.data

    # ---- time -----------------------------------------------------------------------------------

    def seconds(self, scales: list[Scale], memory: Memory) -> float:
        """Return the seconds of a whole painting."""
        (forward, gradient), optimizer = self._passes, self._optimizer(memory)
        total = 0.0
        for number, scale in enumerate(scales):
            outer = [prod(size) for size in self._outer(scale, memory)]
            step = sum(map(gradient, outer))
            if not memory.has_tape:
                step += sum(map(forward, outer))
            balances = not number and self.settings.content_weight is None
            total += (scale.steps + 2 * balances) * step
            total += scale.steps * optimizer * scale.pixels
            total += sum(map(forward, map(prod, [scale.size, *scale.styles])))
        return total + forward(scales[-1].pixels)  # the loss of the saved picture

    @cached_property
    def _passes(self):
        """The Lines of a pass without and with a gradient."""
        seconds = []
        for size in PROBES:
            content, style, picture = _noise(size), _noise(size), _noise(size)
            objective = Objective(self._copy, content, [style], _first_step(self.settings))
            images = Tensor(picture), Tensor(picture, requires_grad=True)
            seconds.append([_least(partial(evaluate, objective, image)) for image in images])
        return [_line(*times) for times in zip(*seconds, strict=True)]

    def _optimizer(self, memory):
        """Return the seconds that a step of the optimiser takes for each pixel."""
        x = Tensor(_noise(PROBES[1]), requires_grad=True)
        optimizer = self.settings.make_optimizer([x], memory.history)
        slope = current_module().linspace(1, 2, x.data.size, dtype=x.dtype).reshape(x.shape)

        def step():
            x.grad = 1e-3 * slope * x.data
            optimizer.step(float((x.grad * x.data).sum()) / 2)

        for _ in range(memory.history if self._has_pairs else 1):
            step()
        return _least(step) / prod(PROBES[1])

    # ---- sizes ----------------------------------------------------------------------------------

    @property
    def _has_pairs(self):
        return self.settings.optimizer == "lbfgs"

    def _outer(self, scale, memory):
        return self._outer_sizes(scale.size, memory)

    def _outer_sizes(self, size, memory):
        """Return the sizes of the tiles of a picture with their halos."""
        divided = tiles(size, memory.side, *self.model.reach(self.layers))
        return [
            tuple(part.stop - part.start for part in tile.outer)  # type: ignore[misc]
            for tile in divided
        ]


def _enlarged(events: Iterable[Event], factor: float) -> Iterable[Event]:
    """Yield the Events with `factor` times the bytes."""
    for array, size in events:
        yield Event(array, None if size is None else round(size * factor))


def _way_of_probe(memory, size):
    """Return the Memory of a probe of one step, whose only tile is the picture."""
    return Memory(blocks=memory.blocks, side=memory.side and max(size))


def _noise(size):
    """Return a picture of noise in float32."""
    picture = np.random.default_rng(0).uniform(0, 255, (*size, 3)).astype(np.float32)
    return current_module().asarray(picture)


def _first_step(settings):
    """Return settings of one step at one scale, without masks or other pictures."""
    return replace(settings, scales=1, steps=1, start="content", size=None)


def _least(call: Callable[[], object], times: int = 3) -> float:
    """Return the least seconds of some calls, the first of which is not counted."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return min(seconds[1:])


def _line(small, large):
    """Return the Line through the seconds of both probes."""
    few, many = map(prod, PROBES)
    rate = max(0.0, large - small) / (many - few)
    return Line(max(0.0, small - rate * few), rate)
