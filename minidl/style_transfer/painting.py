"""The painting of a picture, from the first evaluation to the last."""

import time
import warnings
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, current_device, current_module, to_device, to_numpy
from minidl.checkpoints import shipped
from minidl.data.images import (
    as_picture,
    fit,
    image_size,
    read_at_size,
    read_image,
    resize,
    write_image,
)
from minidl.engine.memory import release
from minidl.errors import MinidlError, MinidlWarning, NonFiniteError, ShapeError
from minidl.models import vgg19
from minidl.style_transfer.objective import Losses, Objective, weighted
from minidl.style_transfer.record import describe, identity
from minidl.style_transfer.settings import LEARNING_RATES, Settings


class Step(NamedTuple):
    """One evaluation of the objective. image: the picture that was evaluated, best: the one of the
    lowest loss so far, both (H, W, 3), 0..255, not yet rounded; seconds: since the painting
    began."""

    number: int
    losses: Losses
    image: Any
    best: Any
    seconds: float


@dataclass(frozen=True)
class Painting:
    """image: (H, W, 3), 0..255, not yet rounded; losses: of each step; record: what it takes to
    paint it again; lowest: the loss of the image as it is saved, rounded to 8 bits (before JPEG or
    WebP compress it); trouble: the Ctrl-C or the error that ended it before its time, or None."""

    image: np.ndarray
    losses: list
    record: dict
    lowest: float
    trouble: BaseException | None = None

    @property
    def improved(self):
        """Whether a step had a lower loss than the start."""
        first, *others = (losses.total for losses in self.losses)
        return any(total < first for total in others)

    def doubt(self):
        """Why the saved painting is no better than the start, and what to do, in a sentence; None
        where it is better."""
        steps, first = len(self.losses), self.losses[0].total
        done = "1 step" if steps == 1 else f"{steps} steps"
        if self.improved:
            too_little = f"{done} changed too little to outlast rounding to 8 bits; take more steps or a larger learning rate"
            return too_little if self.lowest >= first else None
        rate, optimizer = (self.record["settings"][name] for name in ("learning_rate", "optimizer"))
        if not first:
            advice = "take another start, style or weights"
        elif steps == 1:
            advice = "one step only evaluates the start: take more steps"
        else:
            advice = f"take a learning rate below {LEARNING_RATES[optimizer] if rate is None else rate:g}, or more steps"
        return f"nothing improved in {done}: the loss is lowest at the start, {first:.4g}; {advice}"

    def save(self, path, **more):
        """Write a PNG, JPEG or WebP with the record, and more if wanted, inside."""
        done = {"steps_done": len(self.losses), "loss": self.lowest}
        write_image(path, self.image, {**self.record, **done, **more})


def stylize(
    content, style, settings=None, *, style_weights=None, weights=None, callback=None, **changes
):
    """Paint `content` in the style of `style`; returns the Painting of the lowest loss.

    content: the path of a picture or an array (H, W, 3), RGB, 0..255, as `minidl.data.as_picture`
    takes it; style: the same, or a list of several with style_weights, each made as large as the
    painting where it is larger. settings: Settings, by default those of `minidl stylize`; changes:
    single settings by name. weights: the file of VGG19's, by default the shipped one. callback:
    called with every Step, whose pictures are copies.

    Ctrl-C, a loss that is no number any more, or a MinidlError or OSError of the callback end the
    painting, and the picture of the lowest loss so far is returned with that `trouble`; before the
    end of the first step they are raised. Warns with a MinidlWarning where no step improved on the
    start.

    >>> painting = stylize("photo.jpg", "painting.jpg", steps=50)                                 # doctest: +SKIP
    >>> painting.save("painted.png")                                                              # doctest: +SKIP
    """
    settings = replace(settings or Settings(), **changes)
    sources = [content, *(style if isinstance(style, (list, tuple)) else [style])]
    weights = Path(weights) if weights else shipped("vgg19")
    model = vgg19(weights, pooling=settings.pooling)
    content, *styles = _pictures(sources, settings, model)
    record = describe(
        settings, content=identity(sources[0]), styles=[identity(source) for source in sources[1:]],
        style_weights=None if style_weights is None else [float(w) for w in style_weights], weights=identity(weights),
    )  # fmt: skip
    objective = Objective(model, *_placed(content, styles), settings, style_weights)
    losses, step, trouble = [], None, None
    try:
        for step in paint(content, styles, settings, model=model, objective=objective):
            losses.append(step.losses)
            if callback:
                callback(step._replace(image=step.image.copy(), best=step.best.copy()))
    except (KeyboardInterrupt, MinidlError, OSError) as error:
        if step is None:
            raise
        trouble = error
    painting = Painting(
        to_numpy(step.best), losses, record, _saved_loss(objective, step.best), trouble
    )
    if painting.doubt() and not trouble:
        warnings.warn(painting.doubt(), MinidlWarning, stacklevel=2)
    return painting


def paint(content, styles, settings, *, style_weights=None, model=None, objective=None):
    """Yield a Step for each evaluation, until settings.steps are done or the loss no longer
    changes.

    content: (H, W, 3); styles: a list of pictures; model: VGG19, by default the shipped one;
    objective: the Objective of these, if it exists already. Everything is computed on the current
    device. Raises NonFiniteError, naming the step, where the loss is not finite.

    The numbers of a picture stay within 0..255 by projection (Bertsekas 1982). After each step,
    numbers outside the interval are set to its nearer end. At an end, a gradient that points
    outwards is set to 0, so that the optimiser does not use it. Every loss is therefore that of a
    picture that can be saved, except for rounding.
    """
    xp = current_module()
    release(xp)  # what a painting of another size has left
    model = model or vgg19(pooling=settings.pooling)
    content, styles = _placed(content, styles)
    image = Tensor(
        xp.clip(starting_picture(content, styles, model, settings), 0, 255), requires_grad=True
    )
    objective = objective or Objective(model, content, styles, settings, style_weights)
    optimizer = settings.make_optimizer([image])
    lowest, best, begun = float("inf"), None, time.perf_counter()
    for number in range(1, settings.steps + 1):
        losses = _evaluate(objective, image)
        if losses.total < lowest:
            lowest, best = losses.total, image.data
        if best is None:
            raise NonFiniteError(
                f"the loss is {losses.total} at step {number}; look at the pictures and weights"
            )
        if not (isfinite(losses.total) or optimizer.takes_back):
            rate = optimizer.learning_rate
            raise NonFiniteError(
                f"the loss is {losses.total} at step {number}; try a learning rate below {rate:g}"
            )
        yield Step(number, losses, image.data, best, time.perf_counter() - begun)
        if optimizer.converged or number == settings.steps:
            return
        if settings.late_learning_rate and number >= settings.steps - settings.late_steps:
            optimizer.learning_rate = settings.late_learning_rate
        image.grad = _inwards(image.data, image.grad)
        optimizer.step(losses.total)
        image.data = xp.clip(image.data, 0, 255)


def _inwards(x, g):
    """The gradient g with 0 where x is at an end of 0..255 and a step along -g would leave the
    interval."""
    xp = array_module(x)
    return xp.where(((x <= 0) & (g > 0)) | ((x >= 255) & (g < 0)), xp.zeros_like(g), g)


def _evaluate(objective, image):
    """The Losses, and the gradient in image.grad. The tape ends here, and with it all
    activations."""
    # what is not finite is found and named by `paint`
    with np.errstate(over="ignore", invalid="ignore"):
        total, parts = objective(image)
        total.backward(release=True)
    return Losses.read(total, parts)


def _saved_loss(objective, picture):
    """The loss of a picture as it is saved, rounded to 8 bits."""
    with no_grad(), np.errstate(over="ignore", invalid="ignore"):
        total, parts = objective(Tensor(array_module(picture).rint(picture)))
    return Losses.read(total, parts).total


def starting_picture(content, styles, model, settings):
    """(H, W, 3), as large as the content: the content itself, noise, the first style's picture, or
    another picture.

    "noise" is even noise of -20..20 around the mean colour that the model takes off, mixed with the
    photograph: noise·(mean + U(-20, 20)) + (1 - noise)·content, as in Ng's assignment.
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


def _pictures(sources, settings, model):
    """The content and the styles, at the sizes at which the network sees them.

    The longer side of the content is at most settings.size, that of a style at most that of the
    painting. Raises ShapeError, naming the picture, where one is too small for the layers that are
    computed of it.
    """
    pictures, longest = [], settings.size
    content_layers = weighted(settings.content_layers, settings.content_weight)
    style_layers = weighted(settings.style_layers, settings.style_weight)
    layers = [*content_layers, *style_layers]
    for number, source in enumerate(sources):
        is_path = isinstance(source, (str, Path))
        name = str(source) if is_path else f"style {number}" if number else "the content"
        picture = (
            read_image(source, longest) if is_path else _shrunk(as_picture(source, name), longest)
        )
        try:
            model.check_size(picture.shape, layers)
        except ShapeError as error:
            extent = image_size(source)[::-1] if is_path else np.shape(source)[:2]
            try:  # whether the picture would do at its own size
                model.check_size((*extent, 3), layers)
            except ShapeError as unscaled:
                raise ShapeError(f"{name}: {unscaled}") from None
            raise ShapeError(f"{name}: {error}, or a size above {longest}") from None
        pictures.append(picture)
        longest, layers = max(pictures[0].shape[:2]), style_layers
    return pictures


def _shrunk(picture, longest):
    width, height = fit(picture.shape[1], picture.shape[0], longest)
    return picture if (height, width) == picture.shape[:2] else resize(picture, height, width)


def _placed(content, styles):
    """The content and the styles on the current device, in float32"""
    content, *styles = (
        to_device(p, current_device()).astype(np.float32, copy=False) for p in (content, *styles)
    )
    return content, styles
