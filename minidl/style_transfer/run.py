"""A painting in progress: the minimisation of the objective, scale by scale and step by step."""

import time
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL.Image import Resampling

from minidl.autograd import Tensor
from minidl.backend import array_module, current_device, current_module, to_device, to_numpy
from minidl.data.images import as_picture, read_at_size, resize
from minidl.engine.memory import release
from minidl.errors import NonFiniteError
from minidl.models import VGG19
from minidl.optim import Adam
from minidl.style_transfer.balance import balanced_factor
from minidl.style_transfer.colour import prepared, with_colours_of
from minidl.style_transfer.gradients import losses_and_gradient
from minidl.style_transfer.memory import Memory
from minidl.style_transfer.objective import Losses, Masks, Objective
from minidl.style_transfer.scales import carried, resampled, scale_sizes, scale_steps, style_size
from minidl.style_transfer.settings import Settings
from minidl.typing import Array

NUMBERS = ("scale", "done", "left", "seconds", "lowest", "content_factor")  # attributes of a Run


class Step(NamedTuple):
    """One evaluation of the objective. Pictures are (H, W, 3), 0..255, not rounded."""

    number: int  # from 1
    total: int  # number of steps of the whole painting
    losses: Losses
    image: Array  # the picture that was evaluated
    best: Array  # the picture of this scale with the lowest loss until now
    seconds: float  # of all steps until this one
    seconds_left: float  # an estimate


class Run:
    """A painting in progress. Iterate over it for its Steps.

    model: VGG19. content: a picture (H, W, 3), RGB, 0..255. styles: pictures (H', W', 3).
    style_weights, masks, known, memory: as for `Objective`. Everything is computed on the current
    device.

    The numbers of a picture stay within 0..255 by projection (Bertsekas 1982). After each step,
    numbers outside the interval are set to its nearer end. At an end, a gradient that points
    outwards is set to 0, so that the optimiser does not use it. Every loss is therefore that of a
    picture that can be saved, except for rounding.

    A coarser scale ends with the picture of its lowest loss, which is enlarged to begin the next.
    Adam's averages are enlarged with it. L-BFGS begins anew: enlarged pairs describe the curvature
    of the finer scale so badly that its first steps multiply the loss by 20.
    """

    def __init__(
        self,
        model: VGG19,
        content: Array,
        styles: Sequence[Array],
        settings: Settings,
        style_weights: Sequence[float] | None = None,
        masks: Masks | None = None,
        known: dict[Any, Any] | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.model, self.settings, self.style_weights = model, settings, style_weights
        self.known, (content_mask, regions, parts) = known, masks or Masks()
        self.masks = Masks(_placed(content_mask), [*map(_placed, regions)], [*map(_placed, parts)])
        self.memory = memory or Memory()
        self.photograph, self.pictures = _placed(content), [_placed(style) for style in styles]
        self.content, self.styles = prepared(self.photograph, self.pictures, settings.colours)
        self.sizes = scale_sizes(content.shape, settings.scales)
        self.steps = scale_steps(settings.steps, len(self.sizes))  # of each scale
        self.scale = -1  # index of the present scale
        self.done = 0  # steps of all scales
        self.seconds = 0.0
        self.left = 0  # steps of this scale
        self.losses: list[list[Losses]] = [[] for _ in self.sizes]  # of the steps of each scale
        self.times: list[float] = []  # seconds at the end of each step
        self.lowest = float("inf")  # loss of this scale
        self.best: Any = None  # the picture with this loss
        self.optimizer: Any = None
        # on the weights of the content terms; None: found at the first scale
        self.content_factor = None if settings.content_weight is None else 1.0

    def __iter__(self) -> Iterator[Step]:
        for scale in range(max(self.scale, 0), len(self.sizes)):
            if scale != self.scale:
                self._enter(scale)
            while self.left:
                yield self._step()

    def finished(self, picture: Array) -> Array:
        """Return a picture of any scale with the colours of the photograph, if they are kept."""
        if self.settings.colours != "luminance":
            return picture
        return with_colours_of(picture, _reduced(self.photograph, picture.shape[:2]))

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs to continue with the same bytes: arrays, numbers and lists
        of numbers."""
        return {
            **{name: getattr(self, name) for name in NUMBERS},
            "times": self.times,
            "losses": [[losses._asdict() for losses in scale] for scale in self.losses],
            "memory": self.memory._asdict(),
            "image": self.image.data,
            "best": self.best,
            "optimizer": self.optimizer.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from the `state()` of a run with the same pictures and settings."""
        for name in NUMBERS:
            setattr(self, name, state[name])
        self.memory = Memory(**state["memory"])
        self._prepare(self.scale, state["image"])
        self.losses = [[Losses(**losses) for losses in scale] for scale in state["losses"]]
        self.times, self.best = [*state["times"]], _placed(state["best"])
        self.optimizer.restore(state["optimizer"])

    def _enter(self, scale):
        """Begin a scale: with the start picture, or with the enlarged picture of the one before."""
        before, optimizer, size = self.best, self.optimizer, self.sizes[scale]
        self._prepare(scale, None if before is None else resampled(before, size))
        if before is not None and isinstance(optimizer, Adam):
            self.optimizer.restore(carried(optimizer.state(), before.shape[:2], size))
        self.left, self.lowest, self.best = self.steps[scale], float("inf"), None

    def _prepare(self, scale, picture):
        """Make the objective of a scale, and the optimiser of a picture, by default that of the
        start."""
        xp = current_module()
        release(xp)  # the memory of a picture of another size
        self.scale = scale
        content, styles, masks = self._at(self.sizes[scale])
        if picture is None:
            picture = starting_picture(content, styles, self.model, self.settings)
        self.image = Tensor(xp.clip(_placed(picture), 0, 255), requires_grad=True)
        self.optimizer = self.settings.make_optimizer([self.image], self.memory.history)
        self.objective = Objective(
            self.model,
            content,
            styles,
            self.settings,
            self.style_weights,
            masks,
            self.known,
            self.memory,
        )
        if self.content_factor is None:
            self.content_factor = balanced_factor(
                self.objective, self.settings.balance_of_content, content
            )
        self.objective.weigh_content(self.content_factor)

    def _at(self, size):
        """Return the content, the styles and the masks, reduced with a painting of this size."""
        factor = max(size) / max(self.sizes[-1])

        def own(style):
            return style_size(style.shape, factor)

        content, regions, parts = self.masks
        masks = Masks(
            _reduced(content, size),
            [_reduced(region, size) for region in regions],
            [part if part is None else _reduced(part, own(part)) for part in parts],
        )
        styles = [_reduced(style, own(style)) for style in self.styles]
        return _reduced(self.content, size), styles, masks

    def _step(self):
        """Evaluate the objective, move the picture, and return the Step."""
        begun, image = time.perf_counter(), self.image
        evaluated = image.data
        losses = evaluate(self.objective, image)
        self.done, self.left = self.done + 1, self.left - 1
        self.losses[self.scale].append(losses)
        if losses.total < self.lowest:
            self.lowest, self.best = losses.total, evaluated
        self._must_be_finite(losses)
        if self.left:
            self._move(losses)
        self.seconds += time.perf_counter() - begun
        self.times.append(self.seconds)
        total = self.done + self.left + sum(self.steps[self.scale + 1 :])
        return Step(
            self.done, total, losses, evaluated, self.best, self.seconds, self._seconds_left()
        )

    def _seconds_left(self):
        """Estimate the time left: a step takes as long as its picture is large."""
        pixels = [height * width for height, width in self.sizes]
        done = sum(map(prod, zip(map(len, self.losses), pixels, strict=True)))
        left = [0] * self.scale + [self.left] + self.steps[self.scale + 1 :]
        return self.seconds / done * sum(map(prod, zip(left, pixels, strict=True)))

    def _move(self, losses):
        settings, optimizer, image = self.settings, self.optimizer, self.image
        is_last = self.scale == len(self.sizes) - 1
        if settings.late_learning_rate and is_last and self.left <= settings.late_steps:
            optimizer.learning_rate = settings.late_learning_rate
        image.grad = _inwards(image.data, image.grad)
        optimizer.step(losses.total)
        image.data = array_module(image.data).clip(image.data, 0, 255)
        if optimizer.converged:
            self.left = 0

    def _must_be_finite(self, losses):
        """Raise NonFiniteError if the painting cannot go on from these losses."""
        if self.best is None:
            advice = "look at the pictures and weights"
        elif not (isfinite(losses.total) or self.optimizer.takes_back):
            advice = f"try a learning rate below {self.optimizer.learning_rate:g}"
        else:
            return
        raise NonFiniteError(f"the loss is {losses.total} at step {self.done}; {advice}")


def _inwards(x, g):
    """Return the gradient g, but 0 where x is at an end of 0..255 and a step along -g would leave
    the interval."""
    xp = array_module(x)
    return xp.where(((x <= 0) & (g > 0)) | ((x >= 255) & (g < 0)), xp.zeros_like(g), g)


def evaluate(objective: Objective, image: Tensor) -> Losses:
    """Return the Losses. If the image requires a gradient, store it in image.grad. The tape and all
    activations are released."""
    # `Run` raises an error for a loss that is not finite.
    with np.errstate(over="ignore", invalid="ignore"):
        return Losses.read(*losses_and_gradient(objective, image))


def starting_picture(
    content: Array, styles: Sequence[Array], model: VGG19, settings: Settings
) -> Array:
    """Return the picture (H, W, 3) with which a painting starts, of the size of the content.

    settings.start chooses the content, noise, the first style's picture, or another picture.
    "noise" is uniform noise of -20..20 around the mean colour that the model subtracts, mixed with
    the content: noise·(mean + U(-20, 20)) + (1 - noise)·content, as in Ng's assignment.
    """
    xp, start = current_module(), settings.start
    size = height, width = content.shape[:2]
    if not isinstance(start, (str, Path)):
        picture = as_picture(start, "the start")
        return xp.asarray(picture if picture.shape[:2] == size else resize(picture, height, width))
    if start == "content":
        return content.copy()
    if start == "noise":
        random = np.random.default_rng(settings.seed).uniform(-20, 20, content.shape)
        grey = np.asarray(model.preprocessing.mean_rgb) + random
        return xp.asarray(settings.noise * grey, dtype=np.float32) + (1 - settings.noise) * content
    if start == "style":
        return xp.asarray(resize(to_numpy(styles[0]), height, width))
    return xp.asarray(read_at_size(start, size, stretch=True))


def _reduced(picture, size):
    """Return a picture (H, W, 3), or a mask (H, W), in another size."""
    if picture is None or picture.shape[:2] == size:
        return picture
    largest = 255 if picture.ndim == 3 else 1
    planes = picture if picture.ndim == 3 else picture[..., None]
    reduced = array_module(picture).clip(resampled(planes, size, Resampling.LANCZOS), 0, largest)
    return reduced if picture.ndim == 3 else reduced[..., 0]


def _placed(picture):
    """Return a picture or a mask on the current device, in float32, or None for None."""
    if picture is None:
        return None
    return to_device(picture, current_device()).astype(np.float32, copy=False)
